"""The page "Noise and occlusion" in a real Chromium: rows, dial, occluder, curves, maps, phones."""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from hybridpool.functional import hybrid_pool2d
from hybridpool.measure import changed_cells, largest_change, relative_change
from hybridpool.pictures.gallery import gallery_image
from hybridpool.pictures.image import fit_image
from hybridpool.stem import load_stem
from hybridpool.trace import Settings, Trace, run_poolings, run_stem
from hybridpool.ui.compare import reached
from hybridpool.ui.noise_state import Perturbation, perturbation_from, query
from hybridpool.viz.palette import diverging, sequential
from tests.pages import PATIENCE, Server, find_chromium, running_chromium, running_server

sync_api = pytest.importorskip("playwright.sync_api", reason="needs Playwright")
expect = sync_api.expect
expect.set_options(timeout=PATIENCE)

pytestmark = pytest.mark.browser

SETTINGS = Settings(picture="coins", image_size=64)
LINK = {"picture": "coins", "stem": "filters", "size": "64", "lang": "en", "channel": "3"}
CHANNEL = 2
NOISE = {"noise": "speckle", "level": "0.4", "draw": "5"}
OCCLUDER = {"show": "occlusion", "fill": "black", "occluder": "200-200-300-300"}
WIDE = {"width": 1440, "height": 1000}
PHONE = {"width": 390, "height": 844}
_PIXELS = """(canvas) => {
  const { width, height } = canvas;
  const bytes = canvas.getContext("2d").getImageData(0, 0, width, height).data;
  return { width, height, text: btoa(String.fromCharCode(...bytes)) };
}"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as started:
        yield started


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        executable = find_chromium(playwright)
        if executable is None:
            pytest.skip("needs Chromium: the system's, or `playwright install chromium`")
        with running_chromium(playwright, executable) as browser:
            yield browser


@dataclass
class NoisePage:
    """The page in one tab, and everything that it asked for and sent."""

    page: Any
    server: Server
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    sent: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE)
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("websocket", self._hear)

    def _hear(self, socket: Any) -> None:
        self.requests.append(socket.url)
        socket.on("framesent", lambda frame: self.sent.append(frame))

    def open(self, **link: str) -> "NoisePage":
        self.page.goto(
            f"{self.server.url}/Noise_and_occlusion?{urlencode(LINK | link)}", wait_until="commit"
        )
        self.page.locator(".compare[data-painted]").wait_for()
        return self.settled()

    def settled(self) -> "NoisePage":
        """Waits until the script has come to its end and the next frame is painted."""
        self.page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
        self.page.evaluate(
            "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )
        return self

    def find(self, selector: str) -> Any:
        return self.page.locator(f".compare {selector}")

    def stage(self, row: str, side: str) -> Any:
        return self.find(f"[data-row={row}] .stage[data-side={side}]")

    def pixels(self, row: str, side: str) -> NDArray[np.uint8]:
        found = self.stage(row, side).locator("canvas").evaluate(_PIXELS)
        raw = np.frombuffer(base64.b64decode(found["text"]), np.uint8)
        return raw.reshape(found["height"], found["width"], 4)[..., :3]

    def effect(self, row: str, kind: str) -> str:
        return str(self.find(f"[data-row={row}] .effect .{kind} dd").inner_text())

    def turn(self, weight: float) -> None:
        self.find("#dial").fill(f"{weight:g}")

    def link(self) -> dict[str, str]:
        return {name: text[-1] for name, text in parse_qs(urlsplit(self.page.url).query).items()}

    def await_link(self, **wanted: str) -> None:
        def holds(url: str) -> bool:
            found = parse_qs(urlsplit(url).query)
            return all(found.get(name) == [text] for name, text in wanted.items())

        self.page.wait_for_url(holds)

    def occluder(self) -> tuple[int, int, int, int]:
        """Top, left, height and width of the occluder in the link, in pixels."""
        return perturbation_from(self.link()).box(size())

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Draws with the mouse on the changed picture, from (row, column) to another, in pixels."""
        before = self.link().get("occluder")
        height, width = size()
        stage = self.stage("picture", "changed")
        stage.scroll_into_view_if_needed()
        box = stage.bounding_box()
        x, y = ([box[at] for _ in range(2)] for at in ("x", "y"))
        for i, (row, column) in enumerate((start, end)):
            y[i] += row / height * box["height"]
            x[i] += column / width * box["width"]
        self.page.mouse.move(x[0], y[0])
        self.page.mouse.down()
        self.page.mouse.move(x[1], y[1], steps=3)
        self.page.mouse.up()
        self.page.wait_for_url(
            lambda url: parse_qs(urlsplit(url).query).get("occluder") not in (None, [before])
        )
        self.settled()

    def other_hosts(self) -> list[str]:
        own = urlsplit(self.server.url).netloc
        return [
            url
            for url in self.requests
            if urlsplit(url).scheme not in ("data", "blob") and urlsplit(url).netloc != own
        ]


@pytest.fixture(scope="module")
def tab(chromium: Any, server: Server) -> NoisePage:
    return NoisePage(chromium.new_page(viewport=WIDE), server)


@pytest.fixture
def page(tab: NoisePage) -> Iterator[NoisePage]:
    yield tab
    tab.page.mouse.up()
    assert tab.requests, "requests are heard"
    assert tab.other_hosts() == []
    assert tab.errors == []


# ---- what PyTorch says -------------------------------------------------------------------------


@cache
def image() -> Tensor:
    return fit_image(gallery_image("coins"), 64)


def size() -> tuple[int, int]:
    return image().shape[-2], image().shape[-1]


def traces(link: dict[str, str]) -> tuple[Trace, Trace]:
    stem, cpu = load_stem("filters"), torch.device("cpu")
    done = perturbation_from(link)
    clean, changed = (
        run_poolings(run_stem(each, stem, cpu), SETTINGS) for each in (image(), done.apply(image()))
    )
    return clean, changed


def maps(trace: Trace, weight: float = 0.5) -> dict[str, Tensor]:
    hybrid = hybrid_pool2d(trace.feature_map, weight, **SETTINGS.window)
    return {**trace.pooled, "hybrid": hybrid}


def number(text: str) -> float:
    return float(text.replace("\u2212", "-").replace("%", "").replace("+", "").strip())


def steps(pixels: NDArray[np.uint8], table: NDArray[np.uint8]) -> tuple[Any, Any]:
    """First and last place in a table of each painted pixel; neighbours may look the same."""
    colours = [tuple(colour) for colour in table.tolist()]
    last = {colour: step for step, colour in enumerate(colours)}
    first = {colour: step for step, colour in reversed(list(enumerate(colours)))}
    painted = [tuple(colour) for colour in pixels.reshape(-1, 3).tolist()]
    shape = pixels.shape[:2]
    return tuple(np.array([at[c] for c in painted]).reshape(shape) for at in (first, last))


# ---- rows --------------------------------------------------------------------------------------


def test_rows_are_painted_from_pytorchs_maps_in_one_range(page: NoisePage) -> None:
    page.open(**NOISE)
    clean, changed = traces(NOISE)
    before, after = maps(clean), maps(changed)
    both = [each[CHANNEL] for side in (before, after) for each in side.values()]
    low, high = min(m.min().item() for m in both), max(m.max().item() for m in both)
    ends = [page.find(f"[data-legend=values] .{end}").inner_text() for end in ("low", "high")]
    assert [number(end) for end in ends] == pytest.approx([low, high], abs=6e-4)
    far = max((after[name] - before[name])[CHANNEL].abs().max().item() for name in before)
    assert number(page.find("[data-legend=differences] .high").inner_text()) == pytest.approx(
        far, abs=6e-4
    )
    for name in before:
        for side, values in (("clean", before), ("changed", after)):
            wanted = (values[name][CHANNEL].double().numpy() - low) / (high - low) * 255
            first, last = steps(page.pixels(name, side), sequential())
            assert np.maximum(first - wanted, wanted - last).max() <= 0.52, (name, side)
        difference = (after[name] - before[name])[CHANNEL].double().numpy()
        first, last = steps(page.pixels(name, "difference"), diverging())
        wanted = 127.5 + difference / far * 127.5
        assert np.maximum(first - wanted, wanted - last).max() <= 0.55, name


def assert_numbers(page: NoisePage, link: dict[str, str], weight: float) -> None:
    clean, changed = (maps(trace, weight) for trace in traces(link))
    for name in clean:
        before, after = clean[name], changed[name]
        one, other = before[CHANNEL : CHANNEL + 1], after[CHANNEL : CHANNEL + 1]
        printed = number(page.effect(name, "main"))
        assert printed == pytest.approx(100 * relative_change(one, other).item(), abs=0.06), name
        printed = number(page.effect(name, "all"))
        assert printed == pytest.approx(100 * relative_change(before, after).item(), abs=0.06)
        printed = number(page.effect(name, "largest"))
        assert printed == pytest.approx(largest_change(one, other).item(), abs=6e-4)
        cells = int(changed_cells(one, other).sum())
        assert page.effect(name, "cells") == f"{cells} of {one.numel()}"


def test_the_numbers_at_the_end_of_a_row_are_pytorchs(page: NoisePage) -> None:
    page.open(**NOISE)
    assert_numbers(page, NOISE, 0.5)


def test_the_dial_blends_the_hybrid_row_without_asking_the_server(page: NoisePage) -> None:
    page.open(**NOISE)
    page.sent.clear()
    dial = page.find("#dial")
    box = dial.bounding_box()
    page.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.page.mouse.down()
    seen = set()
    for share in (0.45, 0.35, 0.25, 0.15):
        page.page.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
        page.page.evaluate("() => new Promise(requestAnimationFrame)")
        page.page.evaluate("() => new Promise(requestAnimationFrame)")
        seen.add(page.effect("hybrid", "main"))
    assert page.sent == []
    assert len(seen) == 4
    page.page.mouse.up()
    weight = float(dial.input_value())
    page.await_link(weight=f"{weight:g}")
    page.settled()
    assert_numbers(page, NOISE, weight)


@pytest.mark.parametrize(("weight", "twin"), [(1.0, "max"), (0.0, "average")])
def test_at_its_ends_the_hybrid_row_is_its_neighbour(
    page: NoisePage, weight: float, twin: str
) -> None:
    page.open(**NOISE)
    page.turn(weight)
    expect(page.find("[data-row=hybrid] .note")).to_contain_text(f"{weight:.2f}")
    for side in ("clean", "changed", "difference"):
        assert np.array_equal(page.pixels("hybrid", side), page.pixels(twin, side))
    for kind in ("main", "largest", "cells", "all"):
        assert page.effect("hybrid", kind) == page.effect(twin, kind)


def test_pointing_at_a_cell_frames_it_everywhere_and_prints_it(page: NoisePage) -> None:
    page.open(**NOISE)
    clean, changed = (maps(trace) for trace in traces(NOISE))
    rows, columns = clean["max"].shape[-2:]
    stage = page.stage("average", "changed")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    page.page.mouse.move(
        box["x"] + 5.5 / columns * box["width"], box["y"] + 3.5 / rows * box["height"]
    )
    expect(page.find(".where")).to_contain_text("row 4, column 6")
    for name in clean:
        values = [each[name][CHANNEL, 3, 5].item() for each in (clean, changed)]
        printed = page.find(f"[data-row={name}] .here").inner_text()
        found = [number(text) for text in re.findall(r"[\u2212+-]?\d+\.\d+", printed)]
        assert found == pytest.approx([*values, values[1] - values[0]], abs=1.1e-3), name
    styles = {
        page.stage(name, side).locator(".frame").get_attribute("style")
        for name in (*clean, "winners")
        for side in ("clean", "changed", "difference")
    }
    assert len(styles) == 1


def test_keys_move_pin_and_change_the_channel(page: NoisePage) -> None:
    page.open(**NOISE)
    page.stage("max", "clean").focus()
    for key in ("ArrowDown", "ArrowRight", "Enter"):
        page.page.keyboard.press(key)
    expect(page.find(".where")).to_contain_text("Pinned")
    page.page.keyboard.press("Escape")
    expect(page.find(".where")).not_to_contain_text("Pinned")
    page.page.keyboard.press(".")
    page.await_link(channel="4")
    assert page.find("select.channel").input_value() == "3"
    assert "Max" in (page.stage("max", "clean").get_attribute("aria-label") or "")


def test_another_level_reaches_the_rows(page: NoisePage) -> None:
    page.open(**NOISE)
    old = page.effect("max", "main")
    page.page.locator(".st-key-perturb_level input[type=range]").focus()
    page.page.keyboard.press("ArrowRight")
    page.await_link(level="0.42")
    page.settled()
    assert page.effect("max", "main") != old
    assert_numbers(page, NOISE | {"level": "0.42"}, 0.5)


# ---- occluder ----------------------------------------------------------------------------------


def assert_counts(page: NoisePage) -> None:
    clean, changed = traces(page.link())
    reach = reached(clean, perturbation_from(page.link()))
    for name in ("max", "average", "hybrid", "attention"):
        cells = int(changed_cells(clean.pooled[name], changed.pooled[name])[CHANNEL].sum())
        assert page.effect(name, "cells") == f"{cells} of {reach.numel()}"
        assert page.effect(name, "reach") == str(int(reach.sum()))


def test_a_new_occluder_is_drawn_moved_and_pulled_with_the_mouse(page: NoisePage) -> None:
    page.open(**OCCLUDER)
    assert_counts(page)
    page.drag((30, 36), (40, 56))
    assert page.occluder() == pytest.approx((30, 36, 10, 20), abs=1)
    assert_counts(page)
    page.drag((35, 46), (15, 26))
    assert page.occluder() == pytest.approx((10, 16, 10, 20), abs=1)
    page.drag((20, 36), (26, 30))
    assert page.occluder() == pytest.approx((10, 16, 16, 14), abs=1)
    assert_counts(page)
    paths = page.stage("max", "difference").locator("path.outline").get_attribute("d")
    assert paths.count("M") > 4


def test_arrow_keys_move_and_resize_the_occluder(page: NoisePage) -> None:
    page.open(**OCCLUDER)
    top, left, height, width = page.occluder()
    page.stage("picture", "changed").focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowLeft", "Shift+ArrowRight", "Shift+ArrowUp"):
        page.page.keyboard.press(key)
    moved = Perturbation(
        **{
            side: round(1000 * value / size()[side in ("left", "width")])
            for side, value in (
                ("top", top + 2),
                ("left", left - 1),
                ("height", height - 1),
                ("width", width + 1),
            )
        }
    )
    page.await_link(occluder=query(moved)["occluder"])
    page.settled()
    assert page.occluder() == (top + 2, left - 1, height - 1, width + 1)
    assert_counts(page)
    label = page.stage("picture", "changed").get_attribute("aria-label")
    assert f"row {top + 3}, column {left}" in label


# ---- curves and maps ---------------------------------------------------------------------------


def test_a_point_of_the_curve_becomes_the_present_level(page: NoisePage) -> None:
    page.open(**NOISE)
    chart = page.page.locator(".js-plotly-plot").first
    chart.scroll_into_view_if_needed()
    # The second line of markers belongs to one pooling; its last point is the highest level.
    point = chart.locator(".scatterlayer .trace").filter(has=page.page.locator(".points path"))
    point.first.locator(".points path").last.click(force=True)
    page.await_link(level="1")
    page.settled()
    assert_numbers(page, NOISE | {"level": "1.0"}, 0.5)


def test_pointing_at_the_occlusion_map_tells_and_a_click_puts_the_occluder_there(
    page: NoisePage,
) -> None:
    page.open(**OCCLUDER)
    page.page.locator(".sliding[data-painted]").wait_for()
    stage = page.page.locator(".sliding [data-map=max] .stage")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    page.page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.3 * box["height"])
    page.settled()
    where = page.page.locator(".sliding .where")
    expect(where).to_have_text(re.compile(r"Patch of 8 × 8 pixels at row \d+, column \d+"))
    row, column = map(int, re.findall(r"\d+", where.inner_text())[2:])
    value = number(page.page.locator(".sliding [data-map=max] .value").inner_text())
    page.page.mouse.down()
    page.page.mouse.up()
    page.page.wait_for_url(lambda url: OCCLUDER["occluder"] not in url)
    page.settled()
    assert page.occluder() == (row - 1, column - 1, 8, 8)
    assert number(page.effect("max", "all")) == pytest.approx(value, abs=0.11)


# ---- looks -------------------------------------------------------------------------------------


@pytest.mark.parametrize("viewport", [PHONE, {"width": 1920, "height": 1080}])
@pytest.mark.parametrize("link", [NOISE, OCCLUDER | {"lang": "zh", "large": "1"}])
def test_nothing_runs_out_of_the_window(
    chromium: Any, server: Server, viewport: dict[str, int], link: dict[str, str]
) -> None:
    tab = NoisePage(chromium.new_page(viewport=viewport, color_scheme="dark"), server)
    tab.open(**link)
    wide = tab.page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
    assert wide <= viewport["width"]
    for row in ("picture", "max", "winners"):
        box = tab.find(f"[data-row={row}]").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= viewport["width"] + 1
    assert tab.errors == []
    tab.page.close()
