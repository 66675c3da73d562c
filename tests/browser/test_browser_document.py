"""What holds on every page in a real Chromium: the document's language, and the way back."""

import pytest

from tests.pages import PAGES, ByHand, Cost, OpenTab, Tab, expect

pytestmark = pytest.mark.browser

SMALL = {"batch": "1", "map": "4x8x8", "turns": "3"}


@pytest.mark.parametrize("kind", PAGES, ids=lambda kind: kind.__name__)
def test_the_document_speaks_the_language_of_the_page(tab: OpenTab, kind: type[Tab]) -> None:
    shown = tab(kind).open(**({"lang": "zh"} | (SMALL if kind is Cost else {})))
    page = shown.page
    shown.await_true("() => document.documentElement.lang === 'zh'")
    page.get_by_role("radio", name="English").click()
    shown.await_true("() => document.documentElement.lang === 'en'")


def test_back_leaves_a_page_however_many_controls_were_moved(tab: OpenTab) -> None:
    shown = tab(ByHand)
    page = shown.page
    page.goto(f"{shown.server.url}/_stcore/health")
    shown.open()
    # Neither first nor last in a row, where the link writes another sign beside a number.
    for place, text in zip((1, 5, 9), ("70", "90", "110"), strict=True):
        cell = page.locator(".by-hand [data-sheet=grid] input").nth(place)
        cell.fill(text)
        cell.press("Enter")
        shown.await_true("text => location.search.includes(text)", f"_{text}_")
        shown.settled()
    page.go_back()
    expect(page.locator("body")).to_have_text("ok")


@pytest.mark.parametrize("kind", PAGES, ids=lambda kind: kind.__name__)
def test_a_page_is_one_entry_of_the_history_from_its_first_address_on(
    tab: OpenTab, kind: type[Tab]
) -> None:
    shown = tab(kind)
    shown.page.goto(f"{shown.server.url}/_stcore/health")
    entries = shown.page.evaluate("history.length")
    shown.open(**(SMALL if kind is Cost else {}))
    asked = shown.page.evaluate("performance.getEntriesByType('navigation')[0].name")
    shown.await_true("asked => location.href !== asked", asked)  # the whole link is written
    assert shown.page.evaluate("history.length") == entries + 1


def test_back_returns_to_the_page_before_with_its_state(tab: OpenTab) -> None:
    shown = tab(ByHand).open(numbers="negative")
    page = shown.page
    page.get_by_role("link", name="Learning").click()
    page.locator(".learning[data-painted]").wait_for()
    shown.settled()
    page.go_back()
    page.locator(".by-hand[data-painted]").wait_for()
    shown.await_link(numbers="negative")
