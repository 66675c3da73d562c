"""The cards beside the title of every page, in a real Chromium."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.pages import PAGES, PARTS, PHONE, Cost, Explore, Noise, OpenTab, Shift, Tab, expect

pytestmark = pytest.mark.browser

LINKS: dict[type[Tab], dict[str, str]] = {
    **{kind: {} for kind in PAGES},
    **{kind: {"size": "64"} for kind in (Explore, Noise, Shift)},
    Cost: {"batch": "1", "map": "4x8x8", "turns": "5", "clock-device": "cpu"},
}


@pytest.mark.parametrize("large", ["0", "1"])
@pytest.mark.parametrize("kind", [Explore, Cost], ids=lambda kind: kind.__name__)
def test_a_card_is_opened_by_keys_and_back_returns(
    tab: OpenTab, kind: type[Tab], large: str
) -> None:
    shown = tab(kind).open(**LINKS[kind], lang="en", large=large)
    before = shown.link()
    button = shown.page.get_by_role("button", name="To try")
    button.focus()
    shown.page.keyboard.press("Enter")
    card = shown.page.locator(".starter").last
    expect(card).to_be_visible()
    box = card.bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 1280
    found = Axe().run(shown.page, context={"include": [[".starters"]]}).response["violations"]
    assert [entry["id"] for entry in found] == []
    link = shown.link(f"http://any/{card.get_attribute('href')}")
    assert link["lang"] == "en"
    assert ("large" in link) == (large == "1")
    card.click()
    shown.await_link(**link)
    shown.page.locator(kind.ready).first.wait_for()
    shown.settled()
    assert shown.link().items() >= link.items()
    shown.page.go_back()
    shown.await_link(**before)
    shown.page.locator(kind.ready).first.wait_for()


#: What a finger or a pointer works, also in the components, and where it stands.
_WORKED = """
() => {
  PARTS
  const found = [];
  for (const one of partsOf(document.querySelector("[data-testid=stMain]"))) {
    if (!one.matches("button, a[href], select, input, summary, [role=slider], canvas")) continue;
    if (!one.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    // A table or a strip of maps scrolls sideways by itself, and says so.
    if (one.closest(".strip-scroll, [data-testid=stDataFrame]")) continue;
    const { left, right, width, height } = one.getBoundingClientRect();
    if (width <= 2 || height <= 2 || one.closest("[data-testid=stSlider]")) continue;
    if (left < -1 || right > innerWidth + 1) found.push(
      `${one.tagName} ${one.textContent.trim().slice(0, 30)} ${left} to ${right}`);
  }
  return found;
}
""".replace("PARTS", PARTS)


@pytest.mark.parametrize("large", ["0", "1"])
@pytest.mark.parametrize("kind", PAGES, ids=lambda kind: kind.__name__)
def test_on_a_phone_all_that_is_worked_stands_on_the_screen(
    tab: OpenTab, kind: type[Tab], large: str
) -> None:
    phone = {"viewport": PHONE, "has_touch": True, "is_mobile": True}
    shown = tab(kind, **phone).open(**LINKS[kind], lang="en", large=large)
    shown.assert_no_wider_than_the_screen()
    assert shown.page.evaluate(_WORKED) == []
    # The sidebar stands beside the screen, and Streamlit fills it when it likes.
    shown.assert_open_to_everybody("[data-testid=stSidebar]")
    shown.page.get_by_role("button", name="To try").click()
    card = shown.page.locator(".starter").last
    card.scroll_into_view_if_needed()
    box = card.bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE["width"]


@pytest.mark.parametrize("kind", PAGES, ids=lambda kind: kind.__name__)
def test_the_cards_take_no_room_from_the_page(tab: OpenTab, kind: type[Tab]) -> None:
    shown = tab(kind).open(**LINKS[kind], lang="en")
    title = shown.page.locator(".st-key-title")
    box = title.bounding_box()
    assert box
    assert box["height"] <= 48, "one line"
    button = shown.page.get_by_role("button", name="To try").bounding_box()
    assert button
    assert button["y"] >= 0
    assert button["y"] + button["height"] <= box["y"] + box["height"] + 4
