"""Explore as it is seen first: one story on one screen, its terms, its keys, its colours."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

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
# Notes in each frame where the maps stand, once they are painted.
_PLACES = """
(() => {
  window.places = [];
  const roots = [];
  const attach = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function (how) {
    roots.push(attach.call(this, how));
    return roots.at(-1);
  };
  const look = () => {
    for (const maps of roots.map((root) => root.querySelector("[data-painted] .maps"))) {
      if (!maps) continue;
      const { left, top, width } = maps.getBoundingClientRect();
      window.places.push([left, top, width].map(Math.round).join(" "));
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})()
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


@pytest.mark.parametrize(
    ("width", "large"), [(800, "0"), (1280, "0"), (1920, "0"), (1280, "1"), (390, "0")]
)
def test_the_maps_stay_where_they_are_first_seen(tab: OpenTab, width: int, large: str) -> None:
    explore = tab(Explore, viewport={"width": width, "height": 900})
    explore.page.add_init_script(_PLACES)
    explore.open(**FIRST, large=large).settled()
    sidebar = explore.page.get_by_test_id("stSidebar")
    expect(sidebar).to_have_attribute("data-collapsed", str(large == "1" or width < 769).lower())
    explore.next_frame()
    assert len(set(explore.page.evaluate("() => window.places"))) == 1


def test_a_wide_picture_cuts_no_formula_off_on_a_projector(tab: OpenTab) -> None:
    explore = tab(Explore, viewport={"width": 1280, "height": 720})
    explore.open(**FIRST, picture="coffee", large="1")
    assert explore.root.evaluate(_CUT) == []
    for name in ("average", "hybrid", "max"):
        _, _, _, bottom = boxes(explore, {name: f"{STORY[name]} .stage"})[name]
        assert bottom <= 720


@pytest.mark.parametrize("kernel", [3, 4])
def test_the_formulas_of_larger_windows_stand_whole_beside_the_picture(
    tab: OpenTab, kernel: int
) -> None:
    explore = tab(Explore).open(**FIRST, kernel=kernel)
    for width, height in [(1024, 768), (1280, 900), *SCREENS]:
        resized(explore, width, height)
        assert explore.root.evaluate(_CUT) == [], (width, height)
        shown = explore.root.locator(".formulas [data-formula=average] dd").inner_text()
        written_out = kernel == 3 and width == 1920
        assert (" + " in shown) == written_out


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("large", ["0", "1"])
def test_on_a_phone_the_dial_stays_beside_the_maps(tab: OpenTab, scheme: str, large: str) -> None:
    phone = {"viewport": PHONE, "has_touch": True, "is_mobile": True, "color_scheme": scheme}
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
        # In one go: every paint builds the cells anew.
        size = explore.root.evaluate(
            "(root) => parseFloat(getComputedStyle(root.querySelector('.window td')).fontSize)"
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

    def assert_leads_to(key: str, **link: str | None) -> None:
        press(key)
        explore.await_link(**link)

    assert_leads_to(".", channel="4")
    assert_leads_to(",", channel="3")
    assert_leads_to("0", weight="0")
    press("+")
    assert_leads_to("+", weight="0.1")
    assert_leads_to("-", weight="0.05")
    assert_leads_to("1", weight="1")
    assert_leads_to("b", weight=None)
    assert_leads_to("d", difference="1")
    assert_leads_to("d", difference=None)
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
    expect(explore.root.locator(".values .clip")).to_be_visible()
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


# ---- two poolings of one map ---------------------------------------------------------------------

SWIPE = {"dial": ".dial", "stage": ".swipe .stage", "head": ".swipe-head", "window": ".beside"}


def test_a_divider_is_dragged_between_two_poolings_of_one_map(tab: OpenTab) -> None:
    explore = tab(Explore).open(stem="filters", picture="stars", size=64, channel=5)
    divider = explore.root.get_by_role("slider", name="Divider between two poolings")
    expect(divider).to_be_hidden()
    explore.root.locator(".swipe-on").check()
    explore.await_link(swipe="average-max-50")
    expect(divider).to_be_focused()
    sides = {side: explore.root.locator(f"canvas.{side}") for side in ("left", "right")}
    maps = explore.maps()
    assert np.array_equal(explore.pixels(sides["left"]), maps["average"])
    assert np.array_equal(explore.pixels(sides["right"]), maps["max"])
    explore.settled()
    explore.sent.clear()
    stage = explore.root.locator(".swipe .stage")
    explore.move_over(divider, 0.5)
    explore.page.mouse.down()
    explore.move_over(stage, 0.3)
    expect(divider).to_have_attribute("aria-valuenow", "30")
    expect(sides["right"]).to_have_css("clip-path", "inset(0px 0px 0px 30%)")
    assert explore.sent == []
    explore.page.mouse.up()
    explore.await_link(swipe="average-max-30")
    assert "cell" not in explore.link(), "the divider was let go of, and no cell chosen"
    press = explore.page.keyboard.press
    press("ArrowRight")
    press("Shift+ArrowRight")
    explore.await_link(swipe="average-max-42")
    assert divider.get_attribute("aria-valuetext") == "Average up to 42 % of the width, then Max"
    press("Home")
    press("Shift+ArrowLeft")
    explore.await_link(swipe="average-max-0")
    explore.root.get_by_label("Right of the divider").select_option("hybrid")
    explore.await_link(swipe="average-hybrid-0")
    explore.settled()
    explore.hold_dial(0.2, 0.9)
    assert np.array_equal(explore.pixels(sides["right"]), explore.map("hybrid"))
    assert explore.sent == []
    explore.page.mouse.up()
    explore.root.get_by_role("button", name="All maps").click()
    explore.await_link(swipe=None)
    expect(explore.stage("average")).to_be_visible()


@pytest.mark.parametrize("large", ["0", "1"])
def test_the_large_map_stands_on_one_screen_with_the_dial(tab: OpenTab, large: str) -> None:
    explore = tab(Explore).open(**FIRST, large=large, swipe="hybrid-attention-25")
    divider = explore.root.locator(".divider")
    assert divider.get_attribute("aria-valuenow") == "25"
    for width, height in SCREENS:
        resized(explore, width, height)
        found = boxes(explore, SWIPE)
        for name, (left, top, right, bottom) in found.items():
            assert left >= 0, (name, width)
            assert top >= 0, (name, width)
            assert right <= width, (name, width)
            assert bottom <= height, (name, width, bottom)
        assert_apart(found)
        left, _, right, _ = found["stage"]
        assert right - left >= 300
    for link in ("hybrid-nobody-25", "hybrid-25", "-", "hybrid-max-x"):
        assert "swipe" not in explore.open(**FIRST, swipe=link).link()


def test_a_finger_drags_the_divider(tab: OpenTab) -> None:
    phone = {"viewport": PHONE, "has_touch": True, "is_mobile": True}
    explore = tab(Explore, **phone).open(**FIRST, swipe="average-max-100")
    explore.assert_no_wider_than_the_screen()
    explore.open(**FIRST, swipe="average-max-50")
    box = explore.box(explore.root.locator(".divider"))
    stage = explore.root.locator(".swipe .stage").bounding_box()
    assert stage
    assert box["width"] >= 44
    session = explore.page.context.new_cdp_session(explore.page)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for kind, place in (("touchStart", x), ("touchMove", x - 20), ("touchMove", x - 60)):
        points = [{"x": place, "y": y}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    place = round(50 - 60 / stage["width"] * 100)
    explore.await_link(swipe=f"average-max-{place}")


# ---- a second picture ----------------------------------------------------------------------------

TWINS = ("picture", "average", "hybrid", "max", "attention")


def twin(explore: Explore, name: str) -> NDArray[np.uint8]:
    return explore.pixels(explore.root.locator(f"[data-twin={name}] canvas"))


def assert_twins(explore: Explore, weight: float) -> None:
    """Both rows have the colours of one scale, and the second is what PyTorch makes of it."""
    one, other = expected(STARS), expected(replace(STARS, picture="coins"))
    ranges = [channel_range(found, 4) for found in (one, other)]
    low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
    for found, painted in ((one, explore.map), (other, lambda name: twin(explore, name))):
        pooled = {name: found.pooled[name][4] for name in ("average", "max", "attention")}
        hybrid = hybrid_pool2d(found.feature_map, weight, **found.settings.window)[4]
        for name, values in (pooled | {"hybrid": hybrid}).items():
            wanted = ((values.double() - low) / (high - low) * 255).numpy()
            first, last = steps(painted(name), sequential())
            assert np.maximum(first - wanted, wanted - last).max() <= 0.52, name


def test_two_pictures_follow_one_dial_without_a_message(tab: OpenTab) -> None:
    link = {"stem": "filters", "picture": "stars", "size": 64, "channel": 5, "weight": 0.3}
    explore = tab(Explore).open(**link)
    expect(explore.root.locator(".twins")).to_be_hidden()
    explore.open(**link, beside="coins")
    assert_twins(explore, 0.3)
    heading = explore.root.locator("[data-twin=picture] .title")
    expect(heading).to_have_text(GALLERY["coins"].title)
    explore.settled()
    explore.hold_dial(0.3, 0.8)
    assert_twins(explore, float(explore.dial.input_value()))
    assert explore.sent == []
    explore.page.mouse.up()
    explore.size("kernel").fill("4")
    explore.await_link(kernel="4", beside="coins")
    explore.settled()
    chosen = replace(STARS, picture="coins", kernel_size=4)
    assert twin(explore, "max").shape[:2] == expected(chosen).pooled["max"].shape[1:]
    explore.root.locator(".swipe-on").check()
    expect(explore.root.locator(".twins")).to_be_hidden()


@pytest.mark.parametrize("large", ["0", "1"])
def test_two_pictures_stand_on_one_screen_with_the_dial(tab: OpenTab, large: str) -> None:
    explore = tab(Explore).open(**FIRST, large=large, beside="coins")
    names = {f"first {name}": f"[data-panel={name}] .stage" for name in TWINS}
    names |= {f"second {name}": f"[data-twin={name}] .stage" for name in TWINS}
    for width, height in SCREENS:
        resized(explore, width, height)
        found = boxes(explore, names | {"dial": ".dial", "sizes": ".sizes"})
        for name, (left, top, right, bottom) in found.items():
            assert left >= 0, (name, width)
            assert top >= 0, (name, width)
            assert right <= width, (name, width)
            assert bottom <= height, (name, width, bottom)
            assert right - left >= 100
        assert_apart(found | boxes(explore, {"window": ".beside", "about": ".about"}))


def test_two_pictures_fit_a_phone(tab: OpenTab) -> None:
    phone = {"viewport": PHONE, "has_touch": True, "is_mobile": True}
    explore = tab(Explore, **phone).open(**FIRST, beside="motorcycle")
    explore.assert_no_wider_than_the_screen()
    names = {f"first {name}": f"[data-panel={name}]" for name in TWINS}
    names |= {f"second {name}": f"[data-twin={name}]" for name in TWINS}
    found = boxes(explore, names | {"dial": ".dial", "window": ".beside", "sizes": ".sizes"})
    assert_apart(found)
    assert found["dial"][3] <= min(found[name][1] for name in names) + 1
    assert all(left >= 0 and right <= PHONE["width"] for left, _, right, _ in found.values())
