"""The pooling window under the hand: the browser's maps at once, PyTorch's when it is let go."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from hybridpool.trace import Settings, Trace
from hybridpool.ui.browser.component import BASE
from hybridpool.ui.settings import DEFAULT, SHARED, Shared
from tests.pages import PIXELS, Explore, OpenTab, expect, painted
from tests.shown import POOLED, assert_painted, channel_range, expected

pytestmark = pytest.mark.browser

ASSETS = Path(__file__).resolve().parents[2] / "assets"
SMALL = replace(DEFAULT, stem="filters", picture="coins", image_size=64)


@pytest.fixture
def explore(tab: OpenTab) -> Explore:
    return tab(Explore)


def opened(explore: Explore, chosen: Settings, **view: str) -> Explore:
    return explore.open(**{**SHARED.query(Shared(chosen)), "lang": "en", **view})


def assert_maps(explore: Explore, found: Trace, channel: int) -> None:
    """The panels hold what PyTorch makes of the channel, whoever computed them."""
    low, high = channel_range(found, channel)
    for name in ("max", "average", "attention"):
        assert_painted(explore.map(name), found.pooled[name][channel], low, high)


def assert_strips(explore: Explore, found: Trace) -> None:
    rows, columns = found.pooled["max"].shape[1:]
    for name in POOLED:
        pixels = explore.pixels(explore.row_of(name))
        pitch = columns + 2
        assert pixels.shape == (rows, len(found.attention) * pitch - 2, 3)
        for channel, values in enumerate(found.pooled[name]):
            tile = pixels[:, channel * pitch : channel * pitch + columns]
            assert_painted(tile, values, *channel_range(found, channel))


def await_checked(explore: Explore) -> float:
    """Waits until PyTorch has answered; how far apart the maps are, as the page says it."""
    said = explore.root.locator(".judged")
    expect(said).to_contain_text("Checked against PyTorch on CPU")
    (apart,) = re.findall(r"at most ([\d.]+\d|0) apart", said.inner_text())
    return float(apart)


def test_a_dragged_window_sends_nothing_and_paints_everything(explore: Explore) -> None:
    opened(explore, SMALL, channel="4")
    await_checked(explore)
    mouse, slider = explore.page.mouse, explore.size("kernel")
    explore.move_over(slider, 1.5 / 8)
    sent = len(explore.sent)
    mouse.down()
    kernels = set()
    for share in np.linspace(0.2, 0.85, 14):
        explore.move_over(slider, share)
        explore.next_frame()
        explore.next_frame()
        kernel = int(explore.size("kernel").input_value())
        kernels.add(kernel)
        found = expected(replace(SMALL, kernel_size=kernel))
        assert_maps(explore, found, 3)
        assert explore.root.locator(".window tr").count() == kernel
        assert explore.root.locator("[data-shown=kernel]").inner_text() == str(kernel)
        if len(kernels) > 1:
            assert explore.judged().startswith("Computed in your browser while you move")
    assert len(kernels) > 4
    assert_strips(explore, found)
    assert len(explore.sent) == sent
    heard = len(explore.received)
    mouse.up()
    explore.await_link(kernel=str(kernel))
    assert 0 < await_checked(explore) < 1e-5
    assert_maps(explore, found, 3)
    assert_strips(explore, found)
    expect(explore.page.get_by_text(f"window {kernel} × {kernel}, stride 2")).to_be_visible()
    row = explore.page.get_by_role("row", name=re.compile("^Max .*%$")).first
    expect(row).to_contain_text(f"{found.pooled['max'][3].mean():.3f}")
    explore.settled()
    assert len(explore.sent) == sent + 1
    assert heard < len(explore.received)


#: Moves a slider and looks at a canvas before anything can be painted.
_MOVED = """
(root) => {
  const slider = root.querySelector("[data-size=kernel]");
  slider.value = 5;
  slider.dispatchEvent(new Event("input"));
  return (PIXELS)(root.querySelector("[data-panel=feature_map] canvas"));
}
""".replace("PIXELS", PIXELS)


def test_what_keeps_its_size_is_never_empty(explore: Explore) -> None:
    opened(explore, SMALL, channel="4")
    before = explore.map("feature_map")
    assert np.array_equal(painted(explore.root.evaluate(_MOVED)), before)


WINDOWS = [
    replace(SMALL, kernel_size=3, padding=1, ceil_mode=True),
    replace(SMALL, kernel_size=5, stride=3, padding=2),
    replace(SMALL, kernel_size=1, stride=1),
    replace(SMALL, kernel_size=8, stride=8, ceil_mode=True),
    replace(SMALL, kernel_size=2, stride=5),
]


@pytest.mark.parametrize("chosen", WINDOWS)
def test_a_window_set_by_hand_is_that_of_a_link(
    explore: Explore, tab: OpenTab, chosen: Settings
) -> None:
    opened(explore, SMALL, channel="4", weight="0.3")
    wanted = {"kernel": chosen.kernel_size, "stride": chosen.stride, "padding": chosen.padding}
    for name, value in wanted.items():
        if explore.size(name).is_enabled():
            explore.size(name).fill(str(value))
    explore.size("ceilMode").set_checked(chosen.ceil_mode)
    explore.next_frame()
    found = expected(chosen)
    assert_maps(explore, found, 3)
    live = explore.maps()
    texts = {name: str(value) for name, value in wanted.items()}
    explore.await_link(**texts, ceil=str(int(chosen.ceil_mode)), weight="0.3", channel="4")
    assert await_checked(explore) < 1e-5
    assert_maps(explore, found, 3)
    assert_strips(explore, tab_trace(found, 0.3))
    other = tab(Explore).open(**explore.link())
    for name, pixels in live.items():
        # A value on the edge between two colours may fall to either.
        different = (explore.map(name) != pixels).any(-1)
        assert different.mean() < 0.01, name
        assert np.array_equal(other.map(name), explore.map(name)), name


def tab_trace(found: Trace, weight: float) -> Trace:
    """The trace with the dial at a weight."""
    maximum, average = found.pooled["max"], found.pooled["average"]
    hybrid = average.lerp(maximum, weight)
    return replace(found, pooled={**found.pooled, "hybrid": hybrid})


def test_keys_move_the_window_and_the_last_one_counts(explore: Explore) -> None:
    opened(explore, SMALL, channel="4")
    await_checked(explore)
    sent = len(explore.sent)
    explore.size("kernel").focus()
    for _ in range(4):
        explore.page.keyboard.press("ArrowRight")
    explore.await_link(kernel="6")
    await_checked(explore)
    explore.settled()
    assert len(explore.sent) - sent < 4
    assert_maps(explore, expected(replace(SMALL, kernel_size=6)), 3)


def test_a_smaller_kernel_takes_the_padding_with_it(explore: Explore) -> None:
    opened(explore, replace(SMALL, kernel_size=5, padding=2), channel="4")
    explore.size("kernel").fill("3")
    explore.next_frame()
    assert explore.size("padding").input_value() == "1"
    explore.size("kernel").fill("1")
    explore.next_frame()
    expect(explore.size("padding")).to_be_disabled()
    explore.await_link(kernel="1", padding="0")


def test_a_pinned_window_stays_where_it_is_on_the_feature_map(explore: Explore) -> None:
    opened(explore, SMALL, channel="4", cell="9-13")
    before = explore.root.locator("[data-panel=feature_map] .frame").bounding_box()
    explore.size("kernel").fill("4")
    explore.size("stride").fill("1")
    explore.next_frame()
    after = explore.root.locator("[data-panel=feature_map] .frame").bounding_box()
    assert before is not None
    assert after is not None
    for edge, side in (("x", "width"), ("y", "height")):
        middles = [box[edge] + box[side] / 2 for box in (before, after)]
        assert middles[0] == pytest.approx(middles[1], abs=before[side])
    explore.await_link(kernel="4", stride="1", cell="17-25")
    assert explore.card() == "Pinned: window of pooled cell, row 17, column 25"


# ---- what judges, alone in a page ----------------------------------------------------------------

_ALONE = """
const Kind = Sizing(class extends Component {
  soon(name, act) { act(); }
  showSizes() {}
  tell(name, value) { this.said = [name, value]; }
});
window.judged = (shift) => {
  const one = new Kind();
  Object.assign(one, { channels: 1, height: 4, width: 4, rows: 2, columns: 2 });
  one.shape = { kernel: 2, stride: 2, padding: 0 };
  one.header = { low: [0], high: [15] };
  one.feature = Float32Array.from({ length: 16 }, (_, i) => i);
  one.showSizes = () => {};
  const steps = (values) => values.map((value) => (value / 15) * FULL);
  one.arrays = {
    max: steps([5, 7, 13, 15 + shift]), max_fine: [127.5, 127.5, 127.5, 127.5],
    average: steps([2.5, 4.5, 10.5, 12.5]), average_fine: [127.5, 127.5, 127.5, 127.5],
  };
  one.judge(0, 0);
  return [one.apart, atMost(one.apart)];
};
window.lost = () => {
  const one = new Kind();
  one.load({ header: { base: "abc", window: { kernel: 3 }, view: { channel: 2 } }, arrays: {} });
  return one.said;
};
"""


@pytest.fixture(scope="module")
def alone(chromium: Browser) -> Iterator[Page]:
    page = chromium.new_page()
    page.set_content("<p>judge</p>")
    scripts = (*BASE, "common/engine.js", "inspector/sizes.js")
    texts = [(ASSETS / script).read_text("utf-8") for script in scripts]
    page.add_script_tag(content="\n".join([*texts, _ALONE]))
    yield page
    page.close()


def test_a_map_that_is_wrong_is_told_by_how_much(alone: Page) -> None:
    apart, said = alone.evaluate("() => judged(0)")
    assert apart < 1e-9
    apart, said = alone.evaluate("() => judged(0.25)")
    assert apart == pytest.approx(0.25)
    assert said == "0.3"


@pytest.mark.parametrize(
    ("apart", "said"),
    [(0, "0"), (2.34e-7, "0.0000003"), (1e-7, "0.0000001"), (0.5, "0.5"), (0.94, "1.0")],
)
def test_how_far_apart_is_printed_with_one_digit_and_never_too_small(
    alone: Page, apart: float, said: str
) -> None:
    assert alone.evaluate("(apart) => atMost(apart)", apart) == said


def test_an_answer_without_its_picture_asks_for_everything(alone: Page) -> None:
    name, told = alone.evaluate("() => lost()")
    assert name == "window"
    assert told == {"kernel": 3, "channel": 2, "has": ""}
