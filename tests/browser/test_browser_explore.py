"""What only a browser shows: the dial, the linked window, keys, uploads, languages, themes."""

import base64
import io
import re
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from hybridpool.functional import hybrid_pool2d
from hybridpool.pictures.gallery import GALLERY
from hybridpool.pictures.image import fit_image, read_image
from hybridpool.stem import load_stem
from hybridpool.trace import Settings, Trace, run_poolings, run_stem
from hybridpool.ui.settings import DEFAULT, SHARED, Shared
from hybridpool.viz.palette import sequential
from tests.pages import PATIENCE, Explore, OpenTab, expect
from tests.shown import POOLED, assert_painted, channel_range, expected, find_map, number

pytestmark = pytest.mark.browser

SMALL = replace(DEFAULT, stem="filters", picture="coins", image_size=64)
WINDOWS = [
    SMALL,
    replace(SMALL, kernel_size=3, padding=1, ceil_mode=True),
    replace(SMALL, kernel_size=5, stride=3, padding=2),
]


@pytest.fixture
def explore(tab: OpenTab) -> Explore:
    return tab(Explore)


def opened(explore: Explore, chosen: Settings, **view: str) -> Explore:
    return explore.open(**{**SHARED.query(Shared(chosen)), "lang": "en", **view})


# ---- numbers from paint and print --------------------------------------------------------------


def numbers(text: str) -> list[float]:
    return [number(part) for part in re.findall(r"[\u2212-]?\d+\.\d+", text)]


#: Half a unit of the third decimal.
HALF = 0.0005


def window(chosen: Settings, row: int, column: int) -> tuple[int, int, int, int]:
    """Top, bottom, left and right of a window on the feature map, padding included."""
    top = row * chosen.stride - chosen.padding
    left = column * chosen.stride - chosen.padding
    return top, top + chosen.kernel_size, left, left + chosen.kernel_size


def assert_framed(explore: Explore, panel: str, cells: tuple[int, ...], size: list[int]) -> None:
    """The red frame of a panel lies around these cells: top, bottom, left, right."""
    boxes = explore.root.locator(f"[data-panel={panel}]").evaluate(
        """(panel) => [".stage", ".frame"].map((part) => {
            const box = panel.querySelector(part).getBoundingClientRect();
            return [box.top, box.bottom, box.left, box.right];
        })"""
    )
    stage, frame = boxes
    top, bottom = (stage[0] + edge / size[0] * (stage[1] - stage[0]) for edge in cells[:2])
    left, right = (stage[2] + edge / size[1] * (stage[3] - stage[2]) for edge in cells[2:])
    # The frame of a very small cell is drawn larger, so that it can be seen.
    assert frame[0] == pytest.approx(top, abs=1)
    assert frame[2] == pytest.approx(left, abs=1)
    assert frame[1] - frame[0] == pytest.approx(max(bottom - top, 8), abs=1)
    assert frame[3] - frame[2] == pytest.approx(max(right - left, 8), abs=1)


def assert_window(explore: Explore, found: Trace, row: int, column: int) -> None:
    """Frames, table and formulas tell of this pooled cell, and PyTorch agrees."""
    chosen, channel = found.settings, explore.channel()
    assert re.search(rf"row {row + 1}, column {column + 1}$", explore.card())

    height, width = found.feature_map.shape[1:]
    rows, columns = found.pooled["max"].shape[1:]
    top, bottom, left, right = window(chosen, row, column)
    inside = max(top, 0), min(bottom, height), max(left, 0), min(right, width)
    for panel in POOLED:
        assert_framed(explore, panel, (row, row + 1, column, column + 1), [rows, columns])
    assert_framed(explore, "feature_map", inside, [height, width])
    kernel, stride, padding = found.features.receptive_field
    tall, wide = found.features.image.shape[1:]
    seen = (
        max(inside[0] * stride - padding, 0),
        min((inside[1] - 1) * stride - padding + kernel, tall),
        max(inside[2] * stride - padding, 0),
        min((inside[3] - 1) * stride - padding + kernel, wide),
    )
    assert_framed(explore, "picture", seen, [tall, wide])

    feature_map = found.feature_map[channel]
    values = feature_map[inside[0] : inside[1], inside[2] : inside[3]]
    low, high = channel_range(found, channel)
    step = (high - low) / 65535
    cells = explore.root.locator(".window tr").evaluate_all(
        """(rows) => rows.map(
            (row) => [...row.cells].map((cell) => [cell.className, cell.innerText])
        )"""
    )
    assert [len(line) for line in cells] == [chosen.kernel_size] * chosen.kernel_size
    for y, line in enumerate(cells, top):
        for x, (kind, text) in enumerate(line, left):
            if not (0 <= y < height and 0 <= x < width):
                assert (kind, text) == ("outside", "")
                continue
            value = feature_map[y, x].item()
            assert number(text) == pytest.approx(value, abs=HALF + step / 500)
            if value == values.max().item():
                assert kind == "winner"
            if kind == "winner":
                assert value == pytest.approx(values.max().item(), abs=step)
    assert_formulas(explore, found, row, column, values, step)


def assert_formulas(
    explore: Explore, found: Trace, row: int, column: int, values: Tensor, step: float
) -> None:
    channel, weight = explore.channel(), float(explore.dial.input_value())
    maximum, average = (found.pooled[name][channel, row, column].item() for name in POOLED[:2])
    attention = found.attention[channel].item()
    results = {
        "max": maximum,
        "average": average,
        "hybrid": weight * maximum + (1 - weight) * average,
        "attention": attention * maximum + (1 - attention) * average,
    }
    texts = {}
    for name, result in results.items():
        line = explore.root.locator(f"[data-formula={name}] dd")
        printed = line.locator("strong").inner_text()
        # Each value and their sum: the style sheet decides which of the two is shown.
        ways = [way.strip() + f" {printed}" for way in line.locator("span").all_text_contents()]
        assert " ".join(line.inner_text().split()) in ways
        texts[name] = ways[0]
        for way in ways:
            formula, sign, printed = re.split(r" ([=≈]) ", way)
            assert number(printed) == pytest.approx(result, abs=HALF + step / 500), formula
            if (worked_out := work_out(formula)) is None:
                continue
            # Whoever works out what is printed gets what is printed, or is told that it is rounded.
            assert worked_out == pytest.approx(number(printed), abs=1e-9 if sign == "=" else 0.0021)
            assert (sign == "=") == (abs(worked_out - number(printed)) < 1e-9), way
    if values.numel() <= 9:
        shown = sorted(values.flatten().tolist())
        for name in ("max", "average"):
            terms = numbers(re.split("[=≈]", texts[name])[0])
            assert sorted(terms) == pytest.approx(shown, abs=HALF + step / 500)
    assert re.search(rf"/ {values.numel()} [=≈]", texts["average"])
    assert numbers(texts["hybrid"]) == pytest.approx(
        [weight, maximum, 1 - weight, average, results["hybrid"]], abs=HALF + step / 500
    )
    spoken = explore.stage("hybrid").get_attribute("aria-label") or ""
    assert numbers(spoken) == pytest.approx(list(results.values()), abs=HALF + step / 500)


def work_out(formula: str) -> float | None:
    """A printed formula worked out with the numbers that are printed; None for a maximum."""
    if formula.startswith("max"):
        return None
    plain = formula.replace("\u2212", "-")
    if "/" in plain:
        terms, _, count = plain.rpartition(" / ")
        return sum(numbers(terms)) / int(count)
    first, top, second, mean = numbers(plain)
    return first * top + second * mean


def test_a_third_decimal_is_that_of_the_number_and_not_of_its_16_bits(explore: Explore) -> None:
    chosen = Settings(
        **{"picture": "chelsea", "image_size": 128, "stem": "cifar10-attention"},
        **{"kernel_size": 5, "stride": 3, "padding": 2},
    )
    opened(explore, chosen, channel="7", cell="9-12")
    found = expected(chosen)
    height, width = found.feature_map.shape[1:]
    top, bottom, left, right = window(chosen, 8, 11)
    assert 0 <= top < bottom <= height
    assert 0 <= left < right <= width
    printed = explore.root.locator(".window td").all_inner_texts()
    wanted = found.feature_map[6, top:bottom, left:right].flatten().double().tolist()
    # Where the fourth decimal is a 5 at the edge of float32, either neighbour is right.
    assert [number(text) for text in printed] == pytest.approx(wanted, abs=HALF + 1e-6)


# ---- the dial ----------------------------------------------------------------------------------


@pytest.mark.parametrize("chosen", WINDOWS[:2], ids=["2x2", "3x3, padding, ceil mode"])
def test_what_is_painted_is_what_pytorch_computes(explore: Explore, chosen: Settings) -> None:
    opened(explore, chosen, channel="4")
    found, channel = expected(chosen), 3
    low, high = channel_range(found, channel)
    assert explore.channel() == channel
    shown = np.rint(found.features.image.permute(1, 2, 0).numpy() * 255)
    assert np.array_equal(explore.map("picture"), shown)
    assert_painted(explore.map("feature_map"), found.feature_map[channel], low, high)
    for name in ("max", "average", "attention"):
        assert_painted(explore.map(name), found.pooled[name][channel], low, high)

    for weight in (0.0, 0.13, 0.5, 0.77, 1.0):
        explore.turn(weight)
        explore.next_frame()
        hybrid = hybrid_pool2d(found.feature_map, weight, **chosen.window)
        assert_painted(explore.map("hybrid"), hybrid[channel], low, high)
        text = explore.root.locator("[data-panel=hybrid] .range").inner_text()
        values = hybrid[channel]
        assert numbers(text) == pytest.approx(
            [values.min().item(), values.max().item(), values.mean().item()], abs=0.0006
        )
        if weight in (0.0, 1.0):
            same = explore.map("max" if weight else "average")
            assert np.array_equal(explore.map("hybrid"), same)


def test_the_dial_moves_the_map_without_a_message_and_tells_once(explore: Explore) -> None:
    opened(explore, SMALL, channel="4")
    found = expected(SMALL)
    low, high = channel_range(found, 3)
    mouse = explore.page.mouse
    explore.move_over(explore.dial, 0.5)
    sent = len(explore.sent)
    mouse.down()
    weights = set()
    for share in np.linspace(0.5, 0.83, 12):
        explore.move_over(explore.dial, share)
        explore.next_frame()
        weight = float(explore.dial.input_value())
        weights.add(weight)
        hybrid = hybrid_pool2d(found.feature_map, weight, **SMALL.window)[3]
        assert_painted(explore.map("hybrid"), hybrid, low, high)
        assert explore.root.locator(".dial-value").inner_text() == f"{weight:.2f}"
    assert len(weights) > 6
    assert len(explore.sent) == sent
    mouse.up()
    explore.await_link(weight=f"{weight:g}")
    numbers_then = f"{hybrid.mean():.3f}"
    row = explore.page.get_by_role("row", name=re.compile("^Hybrid .*%$")).first
    expect(row).to_contain_text(numbers_then)
    explore.settled()
    assert len(explore.sent) == sent + 1


def test_the_ends_and_the_start_of_the_dial_have_buttons(explore: Explore) -> None:
    opened(explore, replace(SMALL, blend_weight=0.35))
    for name, weight in (("1 · max", "1"), ("0 · average", "0")):
        explore.page.get_by_role("button", name=name).click()
        explore.await_link(weight=weight)
        assert explore.dial.input_value() == weight
    explore.page.get_by_role("button", name="Back to start (0.35)").click()
    explore.await_link(weight=None)
    assert explore.dial.input_value() == "0.35"
    explore.dial.focus()
    explore.dial.press("ArrowRight")
    explore.await_link(weight="0.36")


def test_the_dial_can_go_back_to_where_it_was_before_a_new_start(explore: Explore) -> None:
    opened(explore, SMALL)
    explore.turn(0.7)
    explore.await_link(weight="0.7")
    explore.page.get_by_text("Advanced").click()
    start = explore.page.get_by_role("slider", name=re.compile("Blend weight starts at"))
    start.focus()
    start.press("ArrowLeft")
    explore.await_link(start="0.45")
    expect(explore.dial).to_have_js_property("value", "0.45")
    assert "weight" not in explore.link()
    explore.turn(0.7)
    explore.await_link(weight="0.7")


def test_what_has_nothing_to_do_with_the_maps_leaves_the_view_alone(explore: Explore) -> None:
    opened(explore, SMALL)
    explore.turn(0.8)
    explore.root.locator("select.channel").select_option("5")
    explore.await_link(weight="0.8", channel="6")
    before = {name: pixels.tobytes() for name, pixels in explore.maps().items()}
    large = explore.page.get_by_text("Large text for a projector")
    for wanted in ("1", None, "1"):
        # Large text puts the sidebar away.
        if (unfold := explore.page.get_by_test_id("stExpandSidebarButton")).is_visible():
            unfold.click()
        large.click()
        explore.page.wait_for_url(lambda url, w=wanted: explore.link(url).get("large") == w)
        explore.settled()
    explore.page.emulate_media(color_scheme="dark")
    explore.next_frame()
    explore.page.emulate_media(color_scheme="light")
    explore.next_frame()
    assert explore.dial.input_value() == "0.8"
    assert explore.channel() == 5
    assert {name: pixels.tobytes() for name, pixels in explore.maps().items()} == before


# ---- colours -----------------------------------------------------------------------------------


def test_the_legend_is_the_paint_for_one_channel_and_for_all(explore: Explore) -> None:
    opened(explore, SMALL, channel="4")
    found = expected(SMALL)
    sent = len(explore.sent)
    for scope, channel in (("channel", 3), ("all", None)):
        explore.root.locator(f"[name=scope][value={scope}]").check()
        explore.next_frame()
        bar = explore.pixels(explore.root.locator(".legend.values canvas"))
        assert np.array_equal(bar, sequential()[None])
        low, high = channel_range(found, channel)
        ends = explore.root.locator(".values .low, .values .high").all_inner_texts()
        assert [number(end) for end in ends] == pytest.approx([low, high], abs=0.0006)
        for name in ("max", "average", "attention"):
            assert_painted(explore.map(name), found.pooled[name][3], low, high)
        assert_strips(explore, found, scope)
    explore.await_link(range="all")
    assert len(explore.sent) > sent


def assert_strips(explore: Explore, found: Trace, scope: str) -> None:
    """Every channel of every pooling is painted side by side, with a gap between."""
    rows, columns = found.pooled["max"].shape[1:]
    for name in POOLED:
        pixels = explore.pixels(explore.row_of(name))
        channels = len(found.attention)
        pitch = (pixels.shape[1] + 2) // channels
        assert pixels.shape == (rows, channels * pitch - 2, 3)
        for channel in range(channels):
            low, high = channel_range(found, channel if scope == "channel" else None)
            tile = pixels[:, channel * pitch : channel * pitch + columns]
            assert_painted(tile, found.pooled[name][channel], low, high)


# ---- the window --------------------------------------------------------------------------------


@pytest.mark.parametrize("chosen", WINDOWS, ids=["2x2", "3x3/2, padding, ceil", "5x5/3, padding"])
def test_pointing_at_a_cell_frames_its_window_in_every_panel(
    explore: Explore, chosen: Settings
) -> None:
    opened(explore, chosen, channel="16", weight="0.3")
    found = expected(chosen)
    rows, columns = found.pooled["max"].shape[1:]
    places = [(0, 0), (rows - 1, columns - 1), (rows // 2, columns // 3), (0, columns - 1)]
    sent = len(explore.sent)
    for panel, (row, column) in zip(POOLED, places, strict=True):
        explore.point_at(panel, row, column, rows, columns)
        explore.next_frame()
        assert_window(explore, found, row, column)

    height, width = found.feature_map.shape[1:]
    for panel, y, x in (("feature_map", 0, 0), ("picture", height // 2, 1), ("picture", 20, 30)):
        explore.point_at(panel, y, x, height, width)
        explore.next_frame()
        row, column = (int(part) - 1 for part in re.findall(r"\d+", explore.card()))
        top, bottom, left, right = window(chosen, row, column)
        assert top <= y < bottom
        assert left <= x < right
        assert_window(explore, found, row, column)
    assert len(explore.sent) == sent


def test_ties_are_ringed_and_said(explore: Explore) -> None:
    chosen = replace(SMALL, picture="horse", kernel_size=3)
    opened(explore, chosen, channel="1")
    found = expected(chosen)
    rows, columns = found.pooled["max"].shape[1:]
    explore.point_at("max", 0, 0, rows, columns)
    explore.next_frame()
    corner = found.feature_map[0, :3, :3]
    ties = int((corner == corner.max()).sum())
    assert ties > 1
    assert explore.root.locator(".window td.winner").count() == ties
    expect(explore.root.locator(".card-note")).to_contain_text(f"{ties} cells tie")


def test_a_click_pins_and_a_second_one_lets_go(explore: Explore) -> None:
    opened(explore, SMALL)
    found = expected(SMALL)
    rows, columns = found.pooled["max"].shape[1:]
    explore.point_at("hybrid", 4, 6, rows, columns)
    explore.page.mouse.down()
    explore.page.mouse.up()
    explore.await_link(cell="5-7")
    assert explore.card().startswith("Pinned")
    explore.point_at("max", 1, 1, rows, columns)
    explore.next_frame()
    assert_window(explore, found, 4, 6)
    explore.point_at("max", 4, 6, rows, columns)
    explore.page.mouse.down()
    explore.page.mouse.up()
    explore.await_link(cell=None)
    explore.point_at("max", 1, 1, rows, columns)
    explore.next_frame()
    assert_window(explore, found, 1, 1)


def test_keys_move_pin_and_let_go(explore: Explore) -> None:
    opened(explore, SMALL, channel="4", cell="3-3")
    found = expected(SMALL)
    explore.stage("average").focus()
    press = explore.page.keyboard.press
    press("Escape")
    explore.await_link(cell=None)
    for key, place in (("ArrowDown", (3, 2)), ("ArrowRight", (3, 3)), ("ArrowUp", (2, 3))):
        press(key)
        explore.next_frame()
        assert_window(explore, found, *place)
    press("Enter")
    explore.await_link(cell="3-4")
    press("ArrowLeft")
    explore.await_link(cell="3-3")
    assert explore.card().startswith("Pinned")
    for _ in range(5):
        press("ArrowUp")
    explore.next_frame()
    assert_window(explore, found, 0, 2)
    expect(explore.root.locator(".spoken")).to_contain_text("row 1, column 3")


def test_keys_buttons_and_strips_change_the_channel(explore: Explore) -> None:
    opened(explore, SMALL, channel="2", cell="3-3")
    explore.stage("max").focus()
    steps = [(".", 3), (",", 2), (",", 1), (",", 1)]
    for key, channel in steps:
        explore.page.keyboard.press(key)
        explore.await_link(channel=str(channel), cell="3-3")
        explore.next_frame()
        assert explore.channel() == channel - 1
    explore.page.get_by_role("button", name="Next channel").click()
    explore.await_link(channel="2")
    explore.page.get_by_role("button", name="Previous channel").click()
    explore.await_link(channel="1")
    explore.row_of("max").focus()
    explore.page.keyboard.press("ArrowRight")
    explore.await_link(channel="2")
    explore.root.locator("select.channel").select_option("15")
    explore.await_link(channel="16")
    explore.row_of("attention").focus()
    explore.page.keyboard.press("ArrowRight")
    explore.next_frame()
    assert explore.channel() == 15

    found = expected(SMALL)
    explore.row_of("hybrid").scroll_into_view_if_needed()
    scroll = explore.root.locator(".strip-scroll")
    scroll.evaluate("(element) => { element.scrollLeft = 0; }")
    box = explore.box(explore.row_of("hybrid"))
    pitch = box["width"] / 16
    explore.page.mouse.click(box["x"] + 4.5 * pitch, box["y"] + box["height"] / 2)
    explore.await_link(channel="5")
    explore.next_frame()
    low, high = channel_range(found, 4)
    assert_painted(explore.map("max"), found.pooled["max"][4], low, high)


# ---- pictures ----------------------------------------------------------------------------------


def await_picture(explore: Explore, wanted: NDArray[np.uint8]) -> None:
    """Waits until the picture's panel holds these pixels."""
    height, width = wanted.shape[:2]
    canvas = explore.root.locator("[data-panel=picture] canvas")
    expect(canvas).to_have_js_property("width", width)
    expect(canvas).to_have_js_property("height", height)
    end = time.monotonic() + PATIENCE / 1000
    while not np.array_equal(explore.map("picture"), wanted):
        assert time.monotonic() < end, "another picture is shown"
        explore.next_frame()


def as_pixels(image: Tensor) -> NDArray[np.uint8]:
    return (image.permute(1, 2, 0) * 255).round().byte().numpy()


def test_the_gallery_by_mouse_and_by_keyboard(explore: Explore) -> None:
    opened(explore, SMALL)
    buttons = explore.page.locator(".gallery button")
    assert buttons.count() == len(GALLERY)
    seen = "all => all.filter(one => one.checkVisibility()).map(one => one.dataset.key)"
    assert len(buttons.evaluate_all(seen)) == 4
    assert "coins" in buttons.evaluate_all(seen), "what is shown is never folded away"
    explore.page.get_by_role("button", name="More pictures").click()
    assert len(buttons.evaluate_all(seen)) == len(GALLERY)
    for key, how in (("brick", "mouse"), ("retina", "Enter"), ("horse", "Space")):
        button = explore.page.locator(f".gallery button[data-key={key}]")
        if how == "mouse":
            button.click()
        else:
            button.focus()
            explore.page.keyboard.press(how)
        explore.await_link(picture=key)
        found = expected(replace(SMALL, picture=key))
        await_picture(explore, as_pixels(found.features.image))
        expect(button).to_have_attribute("aria-pressed", "true")
        assert explore.page.locator(".gallery [aria-pressed=true]").count() == 1
        low, high = channel_range(found, explore.channel())
        assert_painted(explore.map("max"), found.pooled["max"][explore.channel()], low, high)


def picture_file(seed: int, format: str) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).resize((120, 90)).save(file, format)
    return file.getvalue()


def uploaded(data: bytes) -> Trace:
    image = fit_image(read_image(data), SMALL.image_size)
    chosen = replace(SMALL, picture="upload")
    return run_poolings(run_stem(image, load_stem("filters"), torch.device("cpu")), chosen)


DROP = """
([element, name, type, text]) => {
  const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, { type }));
  for (const kind of ["dragenter", "dragover", "drop"]) {
    const options = { dataTransfer: transfer, bubbles: true, cancelable: true };
    element.dispatchEvent(new DragEvent(kind, options));
  }
}
"""


def test_pictures_of_ones_own_by_choosing_and_by_dropping(explore: Explore) -> None:
    opened(explore, SMALL)
    zone = explore.page.locator("[data-testid=stFileUploaderDropzone]")
    chosen, dropped = picture_file(1, "PNG"), picture_file(2, "JPEG")
    zone.locator("input[type=file]").set_input_files(
        {"name": "chosen.png", "mimeType": "image/png", "buffer": chosen}
    )
    explore.await_link(picture="upload")
    await_picture(explore, as_pixels(uploaded(chosen).features.image))
    expect(explore.page.get_by_text("chosen.png").first).to_be_visible()

    text = base64.b64encode(dropped).decode()
    explore.page.evaluate(DROP, [zone.element_handle(), "dropped.jpg", "image/jpeg", text])
    found = uploaded(dropped)
    await_picture(explore, as_pixels(found.features.image))
    low, high = channel_range(found, explore.channel())
    assert_painted(explore.map("average"), found.pooled["average"][explore.channel()], low, high)


def test_a_broken_file_is_one_sentence_and_the_picture_stays(explore: Explore) -> None:
    opened(explore, SMALL)
    before = explore.map("picture")
    explore.page.locator("[data-testid=stFileUploaderDropzone] input[type=file]").set_input_files(
        {"name": "broken.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\nno more"}
    )
    alert = explore.page.get_by_role("alert")
    expect(alert).to_be_visible()
    assert re.search(r"[A-Z][^\n.]+\.$", alert.inner_text().strip())
    explore.settled()
    assert np.array_equal(explore.map("picture"), before)
    assert explore.link()["picture"] == "coins"


# ---- links, languages, looks -------------------------------------------------------------------


def test_a_link_restores_what_was_seen(explore: Explore, tab: OpenTab) -> None:
    opened(explore, WINDOWS[1])
    explore.page.get_by_role("button", name="More pictures").click()
    explore.page.locator(".gallery button[data-key=stars]").click()
    explore.await_link(picture="stars")
    explore.root.locator("select.channel").select_option("6")
    explore.turn(0.64)
    explore.root.locator("[name=scope][value=all]").check()
    found = expected(replace(WINDOWS[1], picture="stars"))
    rows, columns = found.pooled["max"].shape[1:]
    explore.point_at("average", 7, 3, rows, columns)
    explore.page.mouse.down()
    explore.page.mouse.up()
    explore.await_link(weight="0.64", channel="7", range="all", cell="8-4")

    other = tab(Explore).open(**explore.link())
    for name, pixels in explore.maps().items():
        assert np.array_equal(other.map(name), pixels), name
    for name in POOLED:
        assert np.array_equal(
            other.pixels(other.row_of(name)), explore.pixels(explore.row_of(name))
        )
    assert other.channel() == 6
    assert other.dial.input_value() == "0.64"
    assert other.card() == explore.card()
    formulas = explore.root.locator(".formulas").inner_text()
    assert other.root.locator(".formulas").inner_text() == formulas
    assert [other.table(i) for i in (0, 1)] == [explore.table(i) for i in (0, 1)]


CONTRAST = """
(root) => {
  const parts = (text) => {
    const found = text.match(/[\\d.]+/g).map(Number);
    const scale = text.startsWith("color(") ? 255 : 1;
    return [...found.slice(0, 3).map((part) => part * scale), found[3] ?? 1];
  };
  const over = (front, back) =>
    front.slice(0, 3).map((part, i) => part * front[3] + back[i] * (1 - front[3]));
  const light = (colour) => {
    const [r, g, b] = colour.map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const above = (element) => element.parentElement ?? element.getRootNode().host ?? null;
  const ground = (element) => {
    const layers = [];
    for (let at = element; at; at = above(at)) {
      const layer = parts(getComputedStyle(at).backgroundColor);
      layers.push(layer);
      if (layer[3] === 1) break;
    }
    return layers.reverse().reduce((back, layer) => over(layer, back), [255, 255, 255]);
  };
  const found = [];
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    const unseen = element.closest("option, .spoken") || element.getBoundingClientRect().width < 2;
    if (!node.textContent.trim() || unseen) continue;
    let opacity = 1;
    for (let at = element; at; at = above(at)) opacity *= Number(getComputedStyle(at).opacity);
    const back = ground(element);
    const ink = parts(getComputedStyle(element).color);
    const [a, b] = [light(over([...ink.slice(0, 3), ink[3] * opacity], back)), light(back)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    found.push([node.textContent.trim().slice(0, 40), ratio]);
  }
  return found;
}
"""


@pytest.fixture
def chinese(tab: OpenTab) -> Explore:
    """The page as a Chinese browser at night opens it."""
    return tab(Explore, locale="zh-CN", color_scheme="dark").open(size=64)


def test_a_chinese_browser_gets_chinese(chinese: Explore) -> None:
    assert chinese.link()["lang"] == "zh"
    title = chinese.page.get_by_role("heading", level=1).inner_text()
    texts = [
        title,
        chinese.card(),
        chinese.root.locator(".keys").inner_text(),
        chinese.root.locator(".save").inner_text(),
        chinese.stage("max").get_attribute("aria-label") or "",
        chinese.page.locator(".gallery button").first.get_attribute("title") or "",
        chinese.page.locator("[data-testid=stPlotlyChart] .legendtext").first.text_content() or "",
        chinese.page.title(),
    ]
    for text in texts:
        assert re.search("[\u4e00-\u9fff]", text), text


def test_texts_can_be_read_in_the_dark_and_in_the_light(explore: Explore, chinese: Explore) -> None:
    opened(explore, SMALL)
    backgrounds = set()
    for tab in (explore, chinese):
        texts = tab.root.evaluate(CONTRAST)
        assert len(texts) > 40
        hard_to_read = {text: round(ratio, 2) for text, ratio in texts if ratio < 4.5}
        assert hard_to_read == {}
        backgrounds.add(
            tab.page.locator("[data-testid=stApp]").evaluate(
                "(app) => getComputedStyle(app).backgroundColor"
            )
        )
    assert len(backgrounds) == 2


@pytest.mark.parametrize("kernel", [2, 8])
def test_nothing_is_wider_than_the_screen(explore: Explore, kernel: int) -> None:
    opened(explore, replace(SMALL, kernel_size=kernel))
    too_wide = """
    (root) => {
      const edge = document.documentElement.clientWidth;
      const main = document.querySelector("[data-testid=stMain]");
      const scrolls = (part) => part !== root &&
        (/auto|scroll/.test(getComputedStyle(part).overflowX) || scrolls(part.parentElement));
      const parts = [...root.querySelectorAll("*")].filter((part) => !scrolls(part.parentElement));
      return {
        page: document.documentElement.scrollWidth - edge,
        main: main.scrollWidth - main.clientWidth,
        parts: parts.filter((part) => part.getBoundingClientRect().right > edge + 1)
          .map((part) => part.className || part.tagName),
      };
    }
    """
    fits = {"page": 0, "main": 0, "parts": []}
    misfits = {}
    for width in (390, 768, 1280, 1920):
        explore.page.set_viewport_size({"width": width, "height": 900})
        for _ in range(300):  # Streamlit and Plotly measure the new width some frames later
            explore.next_frame()
            if (found := explore.root.evaluate(too_wide)) == fits:
                break
        else:
            misfits[width] = found
    assert misfits == {}


def test_everything_that_takes_the_focus_has_a_name(explore: Explore) -> None:
    opened(explore, replace(SMALL, stem="random"))
    session = explore.page.context.new_cdp_session(explore.page)
    tree = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    named, nameless = [], []
    for node in tree:
        states = {
            entry["name"]: entry["value"].get("value") for entry in node.get("properties", [])
        }
        role = node.get("role", {}).get("value")
        if node.get("ignored") or not states.get("focusable") or role == "main":
            continue  # "main" is Streamlit's own scroll area
        name = node.get("name", {}).get("value", "").strip()
        (named if name else nameless).append((role, name))
    assert nameless == []
    names = [name for _, name in named]
    for wanted in ("Blend weight", "Next channel", "Cat", "All channels: Max", "Save as PNG"):
        assert wanted in names


# ---- files to take home ------------------------------------------------------------------------


def save(explore: Explore, name: str, folder: Path) -> Path:
    with explore.page.expect_download() as waiting:
        explore.page.get_by_role("button", name=name).click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def test_files_to_take_home(explore: Explore, tmp_path: Path) -> None:
    opened(explore, SMALL, channel="4")
    explore.turn(0.8)
    explore.await_link(weight="0.8")
    explore.settled()
    found = expected(SMALL)

    with Image.open(save(explore, "Save as PNG", tmp_path)) as file:
        assert file.format == "PNG"
        picture = np.array(file.convert("RGB"))
    maps = explore.maps()
    assert not np.array_equal(maps["hybrid"], maps["max"])
    for name in ("feature_map", *POOLED):
        assert find_map(picture, maps[name], 320 / maps[name].shape[1]), name

    arrays = np.load(save(explore, "Maps as NPZ", tmp_path))
    hybrid = hybrid_pool2d(found.feature_map, 0.8, **SMALL.window)
    np.testing.assert_allclose(arrays["hybrid"], hybrid.numpy(), atol=1e-6)
    np.testing.assert_allclose(arrays["feature_map"], found.feature_map.numpy(), atol=1e-6)

    script = save(explore, "PyTorch script", tmp_path).read_text("utf-8")
    assert "hybrid_pool2d(trace.feature_map, 0.8, **settings.window)" in script
    assert "gallery_image('coins')" in script
    compile(script, "hybrid_pooling.py", "exec")
