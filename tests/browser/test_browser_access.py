"""Every page as axe-core sees it, and with the keyboard alone, in a real Chromium."""

from io import BytesIO
from itertools import pairwise

import pytest
from PIL import Image
from playwright.sync_api import Locator

from tests import made_up_networks, pages
from tests.made_up_runs import a_folder, a_full_house
from tests.pages import ByHand, Explore, Noise, OpenTab, Tab

pytestmark = pytest.mark.browser

SMALL = {"lang": "en", "stem": "filters", "size": "64", "picture": "coins"}
PAGES: dict[type[Tab], dict[str, str]] = {
    Explore: SMALL,
    ByHand: {"lang": "en"},
    pages.TheAnswer: {"lang": "en", "show": "occlusion"},
    Noise: SMALL | {"show": "occlusion"},
    pages.Shift: SMALL | {"more": "blur"},
    pages.Learning: {"lang": "en", "pictures": "50"},
    pages.Evidence: {"lang": "en", "claim": "noise"},
    pages.Cost: {"lang": "en", "batch": "1", "map": "4x8x8", "turns": "3", "device": "cpu"},
}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = a_folder(tmp_path_factory.mktemp("results"), a_full_house())
    networks = made_up_networks.a_folder(tmp_path_factory.mktemp("networks"))
    return {"HYBRIDPOOL_RESULTS": str(folder), "HYBRIDPOOL_NETWORKS": str(networks)}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", PAGES, ids=lambda kind: kind.__name__)
def test_nothing_keeps_anybody_out(tab: OpenTab, kind: type[Tab], scheme: str) -> None:
    tab(kind, color_scheme=scheme).open(**PAGES[kind]).assert_open_to_everybody()


#: Places with text that can be seen, and its size in pixels. Powers of ten may be smaller.
SIZES = """() => {
  PARTS
  const found = [];
  for (const part of partsOf(document.querySelector("[data-testid=stMain]"))) {
    const own = [...part.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    const { width, height } = part.getBoundingClientRect();
    const shown = part.checkVisibility({ opacityProperty: true, visibilityProperty: true });
    if (!own || !shown || Math.min(width, height) < 3) continue;
    if (part.matches("tspan[style*=size]")) continue;
    found.push([parseFloat(getComputedStyle(part).fontSize), part.outerHTML.slice(0, 120)]);
  }
  return found;
}""".replace("PARTS", pages.PARTS)


@pytest.mark.parametrize("kind", PAGES, ids=lambda kind: kind.__name__)
def test_the_back_row_can_read_all_of_it(tab: OpenTab, kind: type[Tab]) -> None:
    projector = {"width": 1280, "height": 720}
    link = PAGES[kind] | ({"show": "noise"} if kind is Noise else {})
    page = tab(kind, viewport=projector).open(**link, large="1").page
    if kind not in (ByHand, pages.Learning):
        page.locator(".js-plotly-plot text").first.wait_for()
    found = page.evaluate(SIZES)
    assert found
    assert [where for size, where in found if size < 18] == []


@pytest.mark.parametrize("view", [{"swipe": "average-hybrid-40"}, {"beside": "moon"}])
def test_other_views_of_explore_keep_nobody_out(tab: OpenTab, view: dict[str, str]) -> None:
    tab(Explore, color_scheme="dark").open(**SMALL, **view).assert_open_to_everybody()


@pytest.mark.parametrize("kind", PAGES, ids=lambda kind: kind.__name__)
def test_headings_are_one_title_and_its_sections_in_order(tab: OpenTab, kind: type[Tab]) -> None:
    shown = tab(kind).open(**PAGES[kind])
    headings = shown.page.get_by_test_id("stMain").get_by_role("heading")
    levels = [int(tag[1]) for tag in headings.evaluate_all("all => all.map(one => one.tagName)")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_the_gallery_is_one_stop_of_the_tab_key_and_arrows_lead_on(tab: OpenTab) -> None:
    shown = tab(Explore).open(**SMALL)
    page = shown.page
    page.get_by_role("button", name="More pictures").click()
    buttons = page.locator(".gallery button")
    assert buttons.evaluate_all("all => all.filter(one => one.tabIndex === 0).length") == 1
    chosen = page.locator(".gallery button[aria-pressed=true]")
    chosen.focus()
    at = int(chosen.evaluate("one => [...one.parentElement.children].indexOf(one)"))
    press = page.keyboard.press
    focused = "() => document.activeElement.shadowRoot?.activeElement?.dataset.key"
    keys = buttons.evaluate_all("all => all.map(one => one.dataset.key)")
    press("ArrowRight")
    assert page.evaluate(focused) == keys[at + 1]
    press("End")
    assert page.evaluate(focused) == keys[-1]
    press("ArrowUp")
    across = int(
        buttons.evaluate_all("all => all.filter(one => one.offsetTop === all[0].offsetTop).length")
    )
    assert page.evaluate(focused) == keys[-1 - across]
    press("Enter")
    shown.await_link(picture=keys[-1 - across])


@pytest.mark.parametrize("width", [1440, 1280, 768, 640])
def test_the_title_is_never_under_streamlit_s_bar(tab: OpenTab, width: int) -> None:
    shown = tab(ByHand, viewport={"width": width, "height": 900}).open()
    page = shown.page
    title = page.get_by_role("heading", level=1)
    expand = page.get_by_test_id("stExpandSidebarButton")
    beside = not expand.is_visible()
    assert beside == (width > 768)
    before = title.bounding_box()
    if beside:
        page.get_by_test_id("stSidebar").hover()
        page.get_by_test_id("stSidebarCollapseButton").get_by_role("button").click()
    expand.wait_for()
    shown.settled()
    bar = page.get_by_test_id("stHeader").bounding_box()
    place = title.bounding_box()
    assert bar
    assert before
    assert place
    assert place["y"] >= bar["y"] + bar["height"] - 8
    # Beside an open sidebar the bar is empty, and the page begins higher.
    assert (before["y"] < place["y"]) == beside


def test_the_dial_and_the_frames_can_be_seen_in_forced_colours(tab: OpenTab) -> None:
    shown = tab(Explore, forced_colors="active").open(**SMALL)
    # Chromium tells no script how a part of a slider looks, so the picture itself is read.
    dial = Image.open(BytesIO(shown.page.locator(".inspector #dial").screenshot())).convert("RGB")
    across = dial.crop((dial.width // 10, 0, dial.width // 10 + 1, dial.height))
    page_colour, line_colour = (255, 255, 255), (0, 0, 0)
    counts = {colour: count for count, colour in across.getcolors() or []}
    assert counts == {page_colour: dial.height - 2, line_colour: 2}
    frame = shown.page.locator(".inspector .frame").nth(2)
    assert frame.evaluate("one => getComputedStyle(one).borderTopColor") == "rgb(255, 45, 32)"


def colours_of(place: Locator) -> int:
    """How many colours a screenshot of a part of the page has."""
    shot = Image.open(BytesIO(place.screenshot())).convert("RGB")
    return len(shot.getcolors(shot.width * shot.height) or [])


def test_streamlit_s_own_controls_can_be_seen_in_forced_colours(tab: OpenTab) -> None:
    shown = tab(Noise, forced_colors="active").open(**SMALL)
    side = shown.page.get_by_test_id("stSidebar")
    switch = side.locator("label:has([role=switch]) > div:not([data-testid])").first
    assert colours_of(switch) > 1
    thumb = side.locator("[data-testid=stSlider] [role=group] > div > div:has(input)").first
    assert thumb.evaluate("one => getComputedStyle(one).backgroundColor") == "rgb(0, 0, 0)"
    chosen = "one => getComputedStyle(one).backgroundColor"
    language = side.get_by_role("radio")
    assert language.first.evaluate(chosen) != language.last.evaluate(chosen)


# Where the last two controls stand, both at this moment: a page that is still being laid out, or
# scrolled, moves them together.
_FOCUS = """
() => {
  let one = document.activeElement;
  while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
  // What scrolls, and what Streamlit adds to headings and labels, is no control.
  const theirs = "body, main, section, a[href^='#'], [aria-label^='Help for']";
  if (!one || one.matches(theirs)) return null;
  const place = (one) => {
    // Streamlit hides the real control and draws another one in its place.
    const drawn = one.closest("label, [role=group], button") ?? one;
    const shown = one.offsetWidth > 2 ? one : drawn;
    const { left, right, top, bottom } = shown.getBoundingClientRect();
    let [away, main] = [0, false];
    for (let up = one; up; up = up.parentNode || up.host) {
      away += up.scrollTop || 0;
      main ||= up.dataset?.testid === "stMain";
    }
    return {
      name: `${one.tagName} ${one.ariaLabel ?? ""} ${one.textContent.slice(0, 30)}`,
      main, left, right, top: top + away, bottom: bottom + away,
    };
  };
  const pair = [place(window.focused ?? one), place(one)];
  window.focused = one;
  return pair;
}
"""


@pytest.mark.parametrize("kind", PAGES, ids=lambda kind: kind.__name__)
def test_the_tab_key_goes_over_the_page_as_the_eye_does(tab: OpenTab, kind: type[Tab]) -> None:
    shown = tab(kind).open(**PAGES[kind])
    pairs = []
    for _step in range(60):
        shown.page.keyboard.press("Tab")
        if pair := shown.page.evaluate(_FOCUS):
            pairs.append(pair)
    assert len({place["name"] for _before, place in pairs}) > 20
    # From the end of a column the next one is higher and further right; nothing else goes up.
    backwards = [
        (before["name"], after["name"])
        for before, after in pairs
        if before["main"] == after["main"]
        and after["bottom"] < before["top"]
        and after["left"] < before["right"]
    ]
    assert backwards == []
