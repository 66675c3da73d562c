"""The page "Noise and occlusion" in a real Chromium: rows, dial, occluder, curves, maps, phones."""

import re
from functools import cache
from typing import Any, ClassVar
from urllib.parse import urlencode

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from torch import Tensor

from hybridpool.functional import hybrid_pool2d
from hybridpool.measure import largest_change, relative_change
from hybridpool.pictures.gallery import gallery_image
from hybridpool.pictures.image import fit_image
from hybridpool.sensitivity import Perturbation, compare_traces
from hybridpool.stem import load_stem
from hybridpool.trace import Settings, Trace, run_poolings, run_stem
from hybridpool.ui.noise.state import STATE
from hybridpool.viz.palette import diverging, sequential
from tests.pages import PHONE, Noise, OpenTab, expect
from tests.shown import number, steps

pytestmark = pytest.mark.browser

SETTINGS = Settings(picture="coins", image_size=64)
LINK = {"picture": "coins", "stem": "filters", "size": "64", "lang": "en", "channel": "3"}
CHANNEL = 2
NOISE = {"noise": "speckle", "level": "0.4", "noise-seed": "5"}
OCCLUDER = {"show": "occlusion", "fill": "black", "occluder": "200-200-300-300"}
WIDE = {"width": 1440, "height": 1000}


class NoisePage(Noise):
    """The page with a small picture of coins through the readable filters."""

    usual: ClassVar[dict[str, str]] = LINK

    def find(self, selector: str) -> Any:
        return self.page.locator(f".compare {selector}")

    def stage(self, row: str, side: str) -> Any:
        return self.find(f"[data-row={row}] .stage[data-side={side}]")

    def painted(self, row: str, side: str) -> NDArray[np.uint8]:
        return self.pixels(self.stage(row, side).locator("canvas"))

    def effect(self, row: str, kind: str) -> str:
        return str(self.find(f"[data-row={row}] .effect .{kind} dd").inner_text())

    def turn(self, weight: float) -> None:
        self.find("#dial").fill(f"{weight:g}")

    def shown(self) -> dict[str, Any]:
        """Numbers, outlines and pixels of all rows."""
        effects = self.find(".effect dl").all_inner_texts()
        outlines = [path.get_attribute("d") for path in self.find("svg path.outline").all()]
        painted = [
            self.painted(row, side)
            for row in ("max", "average", "hybrid", "attention")
            for side in ("changed", "difference")
        ]
        return {"effects": effects, "outlines": outlines, "painted": painted}

    def occluder(self) -> tuple[int, int, int, int]:
        """Top, left, height and width of the occluder in the link, in pixels."""
        return STATE.read(self.link()).box(size())

    def drag(self, start: tuple[float, float], end: tuple[float, float], presses: int = 1) -> None:
        """Draws with the mouse on the changed picture, from (row, column) to another, in pixels.

        More `presses` than one come on the way, before it lets go.
        """
        before = self.link().get("occluder")
        height, width = size()
        stage = self.stage("picture", "changed")
        (top, left), (bottom, right) = start, end
        self.move_over(stage, left / width, top / height)
        self.page.mouse.down()
        self.move_over(stage, right / width, bottom / height)
        for _ in range(presses - 1):
            self.page.mouse.down()
        self.page.mouse.up()
        self.page.wait_for_url(lambda url: self.link(url).get("occluder") not in (None, before))
        self.settled()


@pytest.fixture
def page(tab: OpenTab) -> NoisePage:
    return tab(NoisePage, viewport=WIDE)


# ---- what PyTorch says -------------------------------------------------------------------------


@cache
def image() -> Tensor:
    return fit_image(gallery_image("coins"), 64)


def size() -> tuple[int, int]:
    return image().shape[-2], image().shape[-1]


def traces(link: dict[str, str]) -> tuple[Trace, Trace]:
    stem, cpu = load_stem("filters"), torch.device("cpu")
    done = STATE.read(link)
    clean, changed = (
        run_poolings(run_stem(each, stem, cpu), SETTINGS) for each in (image(), done.apply(image()))
    )
    return clean, changed


def maps(trace: Trace, weight: float = 0.5) -> dict[str, Tensor]:
    hybrid = hybrid_pool2d(trace.feature_map, weight, **SETTINGS.window)
    return {**trace.pooled, "hybrid": hybrid}


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
            first, last = steps(page.painted(name, side), sequential())
            assert np.maximum(first - wanted, wanted - last).max() <= 0.52, (name, side)
        difference = (after[name] - before[name])[CHANNEL].double().numpy()
        first, last = steps(page.painted(name, "difference"), diverging())
        wanted = 127.5 + difference / far * 127.5
        assert np.maximum(first - wanted, wanted - last).max() <= 0.55, name


def assert_numbers(page: NoisePage, link: dict[str, str], weight: float) -> None:
    compared = compare_traces(*traces(link))
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
        cells = int(compared.changed(name, CHANNEL, weight).sum())
        assert page.effect(name, "cells") == f"{cells} of {one.numel()}"


def assert_alike(one: dict[str, Any], other: dict[str, Any]) -> None:
    """The same numbers and outlines, and colours within a step or two of their tables."""
    assert one["effects"] == other["effects"]
    assert one["outlines"] == other["outlines"]
    for ours, theirs in zip(one["painted"], other["painted"], strict=True):
        assert np.abs(ours.astype(int) - theirs.astype(int)).max() <= 12


def assert_let_go_alike(page: NoisePage) -> None:
    """Nothing was told during a drag, and PyTorch then says what the browser had shown."""
    assert page.sent == []
    moving = page.shown()
    page.page.mouse.up()
    expect(page.find(".judged")).to_contain_text("Checked against PyTorch on CPU")
    page.settled()
    assert_alike(moving, page.shown())


def test_the_numbers_at_the_end_of_a_row_are_pytorchs(page: NoisePage) -> None:
    page.open(**NOISE)
    assert_numbers(page, NOISE, 0.5)


def test_the_dial_blends_the_hybrid_row_without_asking_the_server(page: NoisePage) -> None:
    page.open(**NOISE)
    page.sent.clear()
    dial = page.find("#dial")
    page.move_over(dial, 0.5)
    page.page.mouse.down()
    seen = set()
    for share in (0.45, 0.35, 0.25, 0.15):
        page.move_over(dial, share)
        page.next_frame()
        page.next_frame()
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
        assert np.array_equal(page.painted("hybrid", side), page.painted(twin, side))
    for kind in ("main", "largest", "cells", "all"):
        assert page.effect("hybrid", kind) == page.effect(twin, kind)


def test_pointing_at_a_cell_frames_it_everywhere_and_prints_it(page: NoisePage) -> None:
    page.open(**NOISE)
    clean, changed = (maps(trace) for trace in traces(NOISE))
    rows, columns = clean["max"].shape[-2:]
    page.move_over(page.stage("average", "changed"), 5.5 / columns, 3.5 / rows)
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


def assert_a_step_reaches_the_rows(page: NoisePage, key: str, link: dict[str, str]) -> None:
    """A key on the level leads to this link, and to the numbers that PyTorch has for it."""
    old = page.effect("max", "main")
    page.find("#level").focus()
    page.page.keyboard.press(key)
    page.await_link(level=link["level"])
    page.settled()
    assert page.effect("max", "main") != old
    assert_numbers(page, link, 0.5)


def test_another_level_reaches_the_rows(page: NoisePage) -> None:
    page.open(**NOISE)
    assert_a_step_reaches_the_rows(page, "ArrowRight", NOISE | {"level": "0.42"})


def drawn(frames: list[bytes | str]) -> set[str]:
    """The kinds of elements that the server sent."""
    messages = [ForwardMsg.FromString(each) for each in frames if isinstance(each, bytes)]
    return {
        str(each.delta.new_element.WhichOneof("type"))
        for each in messages
        if each.WhichOneof("type") == "delta"
    } - {"None"}


def below_the_curve(page: NoisePage) -> Any:
    return page.page.get_by_test_id("stMarkdown").filter(has_text="Lines are the mean")


def test_a_release_draws_the_rows_and_the_curves_follow_once_the_hand_rests(
    page: NoisePage,
) -> None:
    page.open(**NOISE)
    page.received.clear()
    # While the clock stands still no hand rests.
    page.page.evaluate(
        "() => { const at = Date.now(); Date.later = Date.now; Date.now = () => at; }"
    )
    page.find("#level").press("ArrowRight")
    page.await_link(level="0.42")
    page.answered()
    # More is not drawn until then, so that many people can move at once.
    assert drawn(page.received) == {"bidi_component", "html", "markdown"}
    assert "level 0.42" not in below_the_curve(page).inner_text()
    page.page.evaluate("() => { Date.now = Date.later; }")
    page.settled()
    assert "plotly_chart" in drawn(page.received)
    expect(below_the_curve(page)).to_contain_text("At level 0.42")


def test_a_hand_that_moves_while_curves_are_computed_is_answered_before_they_follow(
    page: NoisePage,
) -> None:
    """They are of a size and a picture that no other test asks for."""
    link = {"picture": "rocket", "size": "224", "stem": "cifar10-attention", "level": "0.1"}
    page.page.goto(f"{page.server.url}/{page.path}?{urlencode(LINK | NOISE | link)}")
    page.page.locator(page.ready).wait_for()
    page.find("#level").press("ArrowRight")
    # PyTorch may answer before the browser has counted every channel.
    expect(page.find(".judged")).to_contain_text("PyTorch on CPU")
    page.settled()
    moved = page.link()["level"]
    assert moved != "0.1"
    expect(below_the_curve(page)).to_contain_text(f"At level {moved}")
    expect(page.page.locator(".js-plotly-plot")).to_have_count(2)
    page.assert_clean()


@pytest.mark.parametrize("noise", ["gaussian", "salt_and_pepper", "brightness", "gaussian_blur"])
def test_the_level_is_dragged_and_every_row_follows_without_the_server(
    page: NoisePage, noise: str
) -> None:
    page.open(noise=noise, **{"noise-seed": "5"})
    level, bars = page.find("#level"), page.find(".measure .value")
    page.move_over(level, 0.3)
    page.page.mouse.down()
    page.sent.clear()
    seen = set()
    for share in (0.4, 0.5, 0.6, 0.75):
        page.move_over(level, share)
        page.next_frame()
        page.next_frame()
        expect(page.find(".judged")).to_contain_text("in your browser while you move")
        seen.add((page.effect("average", "main"), *bars.all_inner_texts()))
    assert len(seen) == 4
    assert_let_go_alike(page)
    link = page.link()
    assert link["level"] == page.find(".level output").inner_text()
    assert_numbers(page, {name: link[name] for name in ("noise", "level", "noise-seed")}, 0.5)


def test_photons_wait_for_the_server_and_the_page_says_so(page: NoisePage) -> None:
    page.open(noise="poisson")
    expect(page.find(".judged")).to_contain_text("no draw can be scaled")
    assert_a_step_reaches_the_rows(page, "ArrowLeft", {"noise": "poisson", "level": "30"})


def test_back_where_it_began_the_rows_are_pytorchs_again(page: NoisePage) -> None:
    page.open(**NOISE)
    before, level = page.shown(), page.find("#level")
    box = page.box(level)
    handle = (box["x"] + 8 + 0.4 * (box["width"] - 16), box["y"] + box["height"] / 2)
    page.page.mouse.move(*handle)
    page.page.mouse.down()
    page.move_over(level, 0.8)
    page.next_frame()
    page.page.mouse.move(*handle)
    page.next_frame()
    page.page.mouse.up()
    expect(page.find(".judged")).not_to_contain_text("while you move")
    page.settled()
    assert_alike(before, page.shown())
    assert page.link()["level"] == NOISE["level"]


def test_a_browser_that_lacks_what_stays_asks_for_it(page: NoisePage) -> None:
    """Going away and back, the browser starts with nothing."""
    page.open(**NOISE)
    page.find("#level").focus()
    page.page.keyboard.press("ArrowRight")
    page.await_link(level="0.42")
    page.page.get_by_role("link", name="Learning").click()
    page.page.locator(".learning[data-painted]").wait_for()
    page.page.get_by_role("link", name="Noise and occlusion").click()
    page.page.locator(".compare[data-painted]").wait_for()
    page.settled()
    assert_numbers(page, NOISE | {"level": "0.42"}, 0.5)


# ---- bars, against max, nearest ------------------------------------------------------------------


def test_a_bar_for_each_pooling_stands_above_the_maps(page: NoisePage) -> None:
    page.open(**NOISE)
    relative = compare_traces(*traces(NOISE)).relative_change(0.5)
    widths = {}
    for name, change in relative.items():
        bar = page.find(f"[data-bar={name}]")
        assert number(bar.locator(".value").inner_text()) == pytest.approx(100 * change, abs=0.06)
        widths[name] = page.box(bar.locator("i"))["width"]
    most = max(relative, key=lambda name: relative[name])
    for name, width in widths.items():
        share = relative[name] / relative[most]
        assert width / widths[most] == pytest.approx(share, abs=0.02)
    assert page.box(page.find(".bars"))["y"] < page.box(page.find("[data-row=picture]"))["y"]


def test_against_max_every_pooling_is_measured_by_max(page: NoisePage) -> None:
    page.open(**NOISE)
    plain = page.painted("max", "difference")
    page.find("[name=against][value=max]").check()
    page.await_link(against="max")
    page.settled()
    relative = compare_traces(*traces(NOISE)).relative_change(0.5)
    for name in ("average", "hybrid", "attention"):
        points = page.find(f"[data-bar={name}] .more").inner_text().removesuffix(" points")
        more = 100 * (relative[name] - relative["max"])
        assert number(points) == pytest.approx(more, abs=0.11)
    clean, changed = (maps(trace) for trace in traces(NOISE))
    moved = {name: (changed[name] - clean[name])[CHANNEL].abs().double() for name in clean}
    far = max(each.max().item() for each in moved.values())
    for name in ("average", "hybrid"):
        first, last = steps(page.painted(name, "difference"), diverging())
        wanted = 127.5 + (moved[name] - moved["max"]).numpy() / far * 127.5
        assert np.maximum(first - wanted, wanted - last).max() <= 0.55, name
    assert np.array_equal(page.painted("max", "difference"), plain)
    page.open(**NOISE, against="max")
    assert page.find("[name=against][value=max]").is_checked()


def test_the_map_of_the_nearest_counts_where_hybrid_beats_both(page: NoisePage) -> None:
    page.open(**NOISE)
    clean, changed = (maps(trace) for trace in traces(NOISE))
    moved = torch.stack(
        [(changed[name] - clean[name])[CHANNEL].abs() for name in ("max", "average", "hybrid")]
    ).double()
    values = torch.stack([side[name] for side in (clean, changed) for name in ("max", "average")])
    tie = 3e-5 * (values.max().clamp(min=0) - values.min().clamp(max=0)).item()
    least, second = moved.sort(0).values[:2]
    clear, nearest = least + tie < second, moved.argmin(0)
    cells = (moved.amax(0) > tie).sum().item()
    for place, name in enumerate(("max", "average", "hybrid")):
        share = 100 * ((nearest == place) & clear).sum().item() / cells
        printed = page.find(f"[data-nearest={name}] dd").inner_text()
        assert number(printed) == pytest.approx(share, abs=100 * 3 / cells), name
    assert ((nearest == 2) & clear).any()
    page.turn(1.0)
    page.await_link(weight="1")
    assert number(page.find("[data-nearest=hybrid] dd").inner_text()) == 0


# ---- occluder ----------------------------------------------------------------------------------


def assert_counts(page: NoisePage) -> None:
    link = page.link()
    mask = STATE.read(link).mask(size())
    compared = compare_traces(*traces(link), mask)
    reach = compared.reached
    assert reach is not None
    for name in ("max", "average", "hybrid", "attention"):
        cells = int(compared.changed(name, CHANNEL).sum())
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


@pytest.mark.parametrize(
    ("fill", "shape"), [("grey", "rectangle"), ("blur", "disc"), ("noise", "disc")]
)
def test_the_occluder_is_dragged_and_rows_counts_and_outlines_follow(
    page: NoisePage, fill: str, shape: str
) -> None:
    page.open(**OCCLUDER | {"fill": fill, "shape": shape})
    height, width = size()
    stage = page.stage("picture", "changed")
    top, left, tall, wide = page.occluder()
    page.move_over(stage, (left + wide / 2) / width, (top + tall / 2) / height)
    page.page.mouse.down()
    page.sent.clear()
    seen = set()
    for by in (4, 8, 12, 15):
        page.move_over(stage, (left + wide / 2 + by) / width, (top + tall / 2 + by / 2) / height)
        page.next_frame()
        page.next_frame()
        outline = page.stage("max", "difference").locator("path.outline").get_attribute("d")
        seen.add((page.effect("max", "main"), page.effect("max", "cells"), outline))
    assert len(seen) == 4
    assert_let_go_alike(page)
    assert_counts(page)


def test_a_press_on_the_way_neither_loses_nor_turns_the_drawing(page: NoisePage) -> None:
    page.open(**OCCLUDER)
    page.drag((30, 36), (40, 56), presses=2)
    assert page.occluder() == pytest.approx((30, 36, 10, 20), abs=1)
    assert_counts(page)


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
    page.await_link(occluder=STATE.query(moved)["occluder"])
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
    page.move_over(page.page.locator(".sliding [data-map=max] .stage"), 0.7, 0.3)
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


def test_against_max_no_place_of_max_itself_is_named(page: NoisePage) -> None:
    page.open(**OCCLUDER, against="max")
    page.page.locator(".sliding[data-painted]").wait_for()
    notes = page.page.locator(".sliding [data-map] .note")
    expect(notes).to_have_text(["", *[re.compile(r"farthest .+ points, at row \d+")] * 3])


# ---- what is told twice ------------------------------------------------------------------------


def test_the_dial_can_go_back_to_where_it_was_before_a_new_start(page: NoisePage) -> None:
    page.open(**NOISE)
    page.turn(0.7)
    page.await_link(weight="0.7")
    start = page.page.get_by_role("slider", name=re.compile("Blend weight starts at"))
    start.focus()
    start.press("ArrowLeft")
    page.await_link(start="0.45")
    page.await_link(weight=None)
    page.settled()
    page.turn(0.7)
    page.await_link(weight="0.7")


def test_the_occluder_can_go_back_to_where_it_was(page: NoisePage) -> None:
    page.open(**OCCLUDER)
    page.page.locator(".sliding[data-painted]").wait_for()
    stage = page.page.locator(".sliding [data-map=max] .stage")
    places = []
    for _ in range(2):
        before = page.link()["occluder"]
        page.move_over(stage, 0.7, 0.3)
        page.settled()
        page.page.mouse.down()
        page.page.mouse.up()
        page.page.wait_for_url(lambda url, old=before: page.link(url)["occluder"] != old)
        page.settled()
        places.append(page.occluder())
        page.drag((30, 36), (40, 56))
        places.append(page.occluder())
    assert places[:2] == places[2:]


# ---- looks -------------------------------------------------------------------------------------


@pytest.mark.parametrize("viewport", [PHONE, {"width": 1920, "height": 1080}])
@pytest.mark.parametrize("link", [NOISE, OCCLUDER | {"lang": "zh", "large": "1"}])
def test_nothing_runs_out_of_the_window(
    tab: OpenTab, viewport: dict[str, int], link: dict[str, str]
) -> None:
    page = tab(NoisePage, viewport=viewport, color_scheme="dark").open(**link)
    page.assert_no_wider_than_the_screen()
    for row in ("picture", "max", "winners"):
        box = page.box(page.find(f"[data-row={row}]"))
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= viewport["width"] + 1
