"""Explore as it is seen first: one story on one screen, its terms, its keys, its colours."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from hybridpool.functional import hybrid_pool2d
from hybridpool.pictures.gallery import GALLERY
from hybridpool.ui.settings import DEFAULT
from hybridpool.viz.palette import diverging, sequential
from tests.pages import PHONE, Explore, OpenTab, expect
from tests.shown import channel_range, expected, number, steps

pytestmark = pytest.mark.browser

SCREENS = [(1280, 720), (1440, 900), (1920, 1080)]
STARS = replace(DEFAULT, stem="filters", picture="stars", image_size=64)
FIRST = {"stem": DEFAULT.stem}
#: What tells the story, and stands side by side without touching.
STORY = {
    **{name: f"[data-panel={name}]" for name in ("picture", "feature_map")},
    **{"filter": ".filter", "window": ".beside", "dial": ".dial", "sizes": ".sizes"},
    **{name: f"[data-panel={name}]" for name in ("average", "hybrid", "max", "attention")},
}
_BOXES = """
(root, places) => Object.fromEntries(Object.entries(places).map(([name, place]) => {
  const box = root.querySelector(place).getBoundingClientRect();
  return [name, [box.left, box.top, box.right, box.bottom]];
}))
"""
_CUT = """
(root) => [...root.querySelectorAll(
    ".bar, .dial, .sizes, .sizes label, .card, figcaption, .about, .dial-head, .formulas dd"
  )].filter((part) => part.checkVisibility()
      && (part.scrollWidth > part.clientWidth + 1 || part.scrollHeight > part.clientHeight + 1))
    .map((part) => part.className || part.tagName)
"""


def boxes(explore: Explore, places: dict[str, str]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = explore.root.evaluate(_BOXES, places)
    return found


def resized(explore: Explore, width: int, height: int) -> None:
    explore.page.set_viewport_size({"width": width, "height": height})
    for _ in range(60):  # Streamlit measures the new width some frames later
        explore.next_frame()


def assert_apart(found: dict[str, list[float]]) -> None:
    for one, other in combinations(found, 2):
        (left, top, right, bottom), (start, high, end, low) = found[one], found[other]
        apart = right <= start + 1 or end <= left + 1 or bottom <= high + 1 or low <= top + 1
        assert apart, (one, other, found[one], found[other])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("large", ["0", "1"])
def test_the_first_screen_tells_the_story(tab: OpenTab, scheme: str, large: str) -> None:
    explore = tab(Explore, color_scheme=scheme).open(**FIRST, large=large)
    for width, height in SCREENS:
        resized(explore, width, height)
        found = boxes(explore, STORY)
        names = ("average", "hybrid", "max")
        stages = boxes(explore, {name: f"{STORY[name]} .stage" for name in names})
        seen = found | stages
        for name in ("picture", "filter", "feature_map", "window", "dial", *stages):
            left, top, right, bottom = seen[name]
            assert left >= 0, (name, width)
            assert top >= 0, (name, width)
            assert right <= width, (name, width)
            assert bottom <= height, (name, width, bottom)
        assert_apart(found)
        assert stages["average"][0] < stages["hybrid"][0] < stages["max"][0]
        assert found["dial"][3] <= stages["hybrid"][1]
        assert explore.root.evaluate(_CUT) == [], (width, height)
        assert min(right - left for left, _, right, _ in stages.values()) >= 140


@pytest.mark.parametrize("large", ["0", "1"])
def test_on_a_phone_the_dial_stays_beside_the_maps(tab: OpenTab, large: str) -> None:
    phone = {"viewport": PHONE, "has_touch": True, "is_mobile": True}
    explore = tab(Explore, **phone).open(**FIRST, large=large)
    explore.assert_no_wider_than_the_screen()
    explore.root.locator(".pooled").evaluate("(part) => part.scrollIntoView({ block: 'end' })")
    explore.next_frame()
    places = {name: f"[data-panel={name}] .stage" for name in ("average", "hybrid", "max")}
    found = boxes(explore, {"dial": ".dial"} | places)
    bar = explore.page.get_by_test_id("stHeader").bounding_box()
    assert bar
    for name, (left, top, right, bottom) in found.items():
        assert left >= 0, name
        assert top >= bar["y"] + bar["height"] - 1, name
        assert right <= PHONE["width"], name
        assert bottom <= PHONE["height"], name
    assert_apart(found)
    expect(explore.root.locator(".touch")).to_be_visible()
    expect(explore.root.locator(".keys")).to_be_hidden()


def test_numbers_in_a_window_can_be_read_whatever_its_size(tab: OpenTab) -> None:
    explore = tab(Explore).open(**FIRST, kernel=8, stride=8)
    for kernel in range(1, 9):
        explore.size("kernel").fill(str(kernel))
        explore.next_frame()
        size = explore.root.locator(".window td").first.evaluate(
            "(cell) => parseFloat(getComputedStyle(cell).fontSize)"
        )
        assert size >= 12


# ---- the dial by itself --------------------------------------------------------------------------

_WATCH = """
(dial) => new Promise((done) => {
  const seen = [];
  const began = performance.now();
  const look = () => {
    seen.push(Number(dial.value));
    if (performance.now() - began > 6500) done(seen);
    else requestAnimationFrame(look);
  };
  look();
})
"""


#: Looks at the dial in every frame from the first one on.
_FROM_THE_START = """
(() => {
  window.dialSeen = [];
  const within = (root) => root.querySelector("#dial") ?? [...root.querySelectorAll("*")]
    .map((part) => part.shadowRoot && within(part.shadowRoot)).find(Boolean);
  let dial;
  const look = () => {
    if (!dial?.isConnected) dial = within(document);
    if (dial) window.dialSeen.push(Number(dial.value));
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})();
"""


def test_at_the_first_visit_the_dial_sweeps_once_and_tells_nobody(tab: OpenTab) -> None:
    explore = tab(Explore, reduced_motion="no-preference")
    explore.page.add_init_script(_FROM_THE_START)
    explore.open(**FIRST)
    sent = len(explore.sent)
    home = expected(DEFAULT).blend_weight[explore.channel()].item()
    explore.dial.evaluate(_WATCH)
    seen = explore.page.evaluate("() => dialSeen")
    assert min(seen) <= 0.02
    assert max(seen) >= 0.98
    assert seen.index(min(seen)) < seen.index(max(seen))
    assert seen[-1] == pytest.approx(home, abs=0.01)
    assert len(explore.sent) == sent
    assert "weight" not in explore.link()
    explore.page.reload()
    explore.settled()
    seen = explore.dial.evaluate(_WATCH)
    assert max(seen) - min(seen) < 0.01, "a second time it stays"


def test_a_touch_stops_the_sweep_and_reduced_motion_has_none(tab: OpenTab) -> None:
    still = tab(Explore).open(**FIRST)
    seen = still.dial.evaluate(_WATCH)
    assert max(seen) == min(seen)
    still.root.locator(".sweep").click()
    still.await_true("(dial) => Number(dial.value) > 0.6", still.dial.element_handle())
    still.page.mouse.move(5, 5)
    still.page.mouse.down()
    still.page.mouse.up()
    still.next_frame()
    still.next_frame()
    home = expected(DEFAULT).blend_weight[still.channel()].item()
    assert float(still.dial.input_value()) == pytest.approx(home, abs=0.01)


# ---- terms and keys ------------------------------------------------------------------------------


def test_every_term_has_its_line_behind_it(tab: OpenTab) -> None:
    explore = tab(Explore).open(**FIRST)
    terms = explore.root.locator("[data-term]")
    names = terms.evaluate_all("all => all.map((one) => one.dataset.term)")
    assert sorted(names) == sorted(
        ["channel", "filter", "feature_map", "blend_weight", "the_window", "attention"]
    )
    for name in names:
        button = explore.root.locator(f"[data-term={name}]")
        line = explore.root.locator(f"#term-{name}")
        assert re.match("What does “.+” mean?", button.get_attribute("aria-label") or "")
        expect(line).to_be_hidden()
        button.focus()
        explore.page.keyboard.press("Enter")
        expect(line).to_be_visible()
        box = line.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 1280
        assert line.inner_text().endswith(".")
        explore.page.keyboard.press("Escape")
        expect(line).to_be_hidden()
        button.click()
        expect(line).to_be_visible()
        explore.page.mouse.click(640, 5)
        expect(line).to_be_hidden()


def test_keys_do_what_their_list_says(tab: OpenTab) -> None:
    explore = tab(Explore).open(**FIRST, channel=3)
    press = explore.page.keyboard.press
    press(".")
    explore.await_link(channel="4")
    press(",")
    explore.await_link(channel="3")
    press("0")
    explore.await_link(weight="0")
    press("+")
    press("+")
    explore.await_link(weight="0.1")
    press("-")
    explore.await_link(weight="0.05")
    press("1")
    explore.await_link(weight="1")
    press("b")
    explore.page.wait_for_url(lambda url: "weight" not in explore.link(url))
    press("d")
    explore.await_link(difference="1")
    press("d")
    explore.page.wait_for_url(lambda url: "difference" not in explore.link(url))
    keys = list(GALLERY)
    press("n")
    explore.await_link(picture=keys[keys.index(DEFAULT.picture) + 1])
    explore.settled()
    press("p")
    explore.await_link(picture=DEFAULT.picture)
    explore.root.get_by_role("button", name="Previous picture").click()
    explore.await_link(picture=keys[keys.index(DEFAULT.picture) - 1])
    explore.settled()
    press("?")
    listed = explore.root.locator(".key-list")
    expect(listed).to_be_visible()
    assert listed.locator("kbd").count() >= 12
    press("n")
    press("Escape")
    expect(listed).to_be_hidden()
    assert explore.link()["picture"] == keys[keys.index(DEFAULT.picture) - 1]
    explore.root.locator("select.channel").focus()
    press("1")
    explore.settled()
    assert "weight" not in explore.link()


# ---- colours -------------------------------------------------------------------------------------


def test_colours_can_end_at_the_99th_percentile(tab: OpenTab) -> None:
    explore = tab(Explore).open(stem="filters", picture="stars", size=64, channel=5)
    found = expected(STARS)
    values = found.feature_map[4]
    end = values.double().quantile(0.99).item()
    explore.root.locator("[data-view=clipped]").check()
    explore.next_frame()
    explore.next_frame()
    assert explore.root.locator(".values .high").inner_text() == f"≥ {end:.3f}"
    expect(explore.root.locator(".clip")).to_be_visible()
    above = int((values > end).sum())
    note = explore.root.locator(".legend-note").inner_text()
    assert note.startswith(f"{above} of {values.numel()} cells")
    low = values.min().item()
    wanted = ((values.double() - low) / (end - low) * 255).clamp(0, 255).numpy()
    first, last = steps(explore.map("feature_map"), sequential())
    assert np.maximum(first - wanted, wanted - last).max() <= 0.52
    explore.await_link(clip="1")


def test_differences_are_painted_around_zero(tab: OpenTab) -> None:
    explore = tab(Explore).open(stem="filters", picture="stars", size=64, channel=5, weight=0.3)
    explore.root.locator("[data-view=difference]").check()
    explore.await_link(difference="1")
    explore.next_frame()
    found = expected(STARS)
    hybrid = hybrid_pool2d(found.feature_map, 0.3, **found.settings.window)[4]
    end = (found.pooled["max"][4] - found.pooled["average"][4]).max().item()
    low, high = channel_range(found, 4)
    for name in ("max", "average"):
        difference = (hybrid - found.pooled[name][4]).double().numpy()
        wanted = 127.5 + difference / end * 127.5
        first, last = steps(explore.map(name), diverging())
        assert np.maximum(first - wanted, wanted - last).max() <= 0.5 + 0.02, name
        title = explore.root.locator(f"[data-panel={name}] .title").inner_text()
        assert title == f"Hybrid − {name}"
    ends = explore.root.locator(".differences .low, .differences .high").all_inner_texts()
    assert [number(text) for text in ends] == pytest.approx([-end, end], abs=0.0006)
    assert high > low
