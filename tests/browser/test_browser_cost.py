"""The page "Cost" in a real Chromium: measured at once, stopped by a click, whole on a phone."""

import pytest

from tests.pages import Cost, OpenTab, expect

pytestmark = pytest.mark.browser

SMALL = {"batch": "1", "map": "4x8x8", "turns": "3", "device": "cpu", "lang": "en"}


def opened(tab: OpenTab, width: int, **link: str) -> Cost:
    return tab(Cost, viewport={"width": width, "height": 1000}).open(**SMALL | link)


def test_a_phone_shows_what_was_measured_without_scrolling_sideways(tab: OpenTab) -> None:
    shown = opened(tab, width=390)
    page = shown.page
    page.locator(".st-key-cost_times .js-plotly-plot").wait_for()
    expect(page.get_by_text("the time of max alone here")).to_be_visible()
    expect(page.locator(".st-key-cost_button_times button")).to_contain_text("Measure again")
    shown.assert_no_wider_than_the_screen()


def test_a_long_measurement_waits_to_be_asked_and_ends_at_a_click(tab: OpenTab) -> None:
    """It would take minutes, so there is no need to hurry to the button."""
    shown = opened(tab, width=1280, batch="16", map="64x64x32", turns="61", layout="nchw")
    page = shown.page
    button = page.locator(".st-key-cost_button_times button")
    expect(page.get_by_text("Not measured yet with these settings")).to_be_visible()
    expect(button).to_contain_text("Measure")
    button.click()
    expect(button).to_contain_text("Stop")
    button.click()
    expect(button).not_to_contain_text("Stop")
    expect(page.get_by_text("For each output value")).to_be_visible()
