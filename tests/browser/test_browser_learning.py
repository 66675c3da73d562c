"""The page "Learning" in a real Chromium: the race runs, stops, is read; phone and Chinese."""

from typing import Any

import pytest

from hybridpool.race.race import ARMS, Race, RaceSettings
from hybridpool.ui.words import translation
from tests.pages import Learning, OpenTab, expect

pytestmark = pytest.mark.browser

LINK = {"training-pictures": "50", "steps": "1000", "speed": "slow", "lang": "en"}
SETTINGS = RaceSettings(pictures=50, steps=1000)


def opened(tab: OpenTab, width: int = 1280, **link: str) -> Learning:
    return tab(Learning, viewport={"width": width, "height": 1000}).open(**LINK | link)


def step_of(page: Any) -> int:
    return int(page.locator(".learning").get_attribute("data-step"))


def test_the_race_runs_while_it_is_watched_and_shows_the_numbers_of_the_library(
    tab: OpenTab,
) -> None:
    shown = opened(tab)
    page = shown.page
    expect(page.locator(".learning")).to_have_attribute("data-step", "0")
    page.get_by_role("button", name="Start", exact=True).click()
    page.locator(".learning:not([data-step='0'])").wait_for()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Continue")).to_be_enabled()
    expect(page.locator(".state")).to_have_text("paused")
    stopped = step_of(page)
    assert 0 < stopped < SETTINGS.steps
    page.get_by_role("button", name="One step").click()
    # It went on by this one step, and by none meanwhile.
    expect(page.locator(".learning")).to_have_attribute("data-step", str(stopped + 1))
    expect(page.get_by_text(f"Blend weights after {stopped + 1} steps")).to_be_visible()

    race = Race(SETTINGS)
    list(race.advance(stopped + 1))
    weights = race.moments[-1].blend_weight.mean(1).tolist()
    printed = {
        arm: float(page.locator(f"tr[data-arm={arm}] td").first.inner_text()) for arm in ARMS
    }
    assert printed == pytest.approx(dict(zip(ARMS, weights, strict=True)), abs=0.0051)

    page.get_by_role("button", name="Back to the start").click()
    expect(page.locator(".learning")).to_have_attribute("data-step", "0")


def test_no_button_moves_when_the_race_begins_or_pauses(tab: OpenTab) -> None:
    page = opened(tab).page
    bar = [page.get_by_role("button", name=name) for name in ("Pause", "One step", "Back to the")]

    def places() -> list[Any]:
        return [button.bounding_box() for button in bar]

    before = places()
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("button", name="Continue")).to_be_disabled()
    assert places() == before
    page.get_by_role("button", name="Pause").click()
    # At once, and not only when the run has ended.
    expect(page.get_by_role("button", name="Continue")).to_be_enabled()
    assert places() == before


def test_keys_read_any_step_and_names_hide_their_lines(tab: OpenTab) -> None:
    shown = opened(tab)
    page = shown.page
    for step in (1, 2):
        page.get_by_role("button", name="One step").click()
        expect(page.locator(".learning")).to_have_attribute("data-step", str(step))
    chart = page.get_by_role("img", name="Blend weight. ")
    chart.focus()
    count = page.locator(".count")
    for key, step in (("Home", 0), ("ArrowRight", 1), ("End", 2), ("ArrowLeft", 1), ("Escape", 2)):
        chart.press(key)
        expect(count).to_have_text(f"Step {step} of 1000")
    name = page.get_by_role("button", name="Start at 0.50")
    pixels = chart.evaluate("canvas => canvas.toDataURL()")
    name.click()
    expect(name).to_have_attribute("aria-pressed", "false")
    assert chart.evaluate("canvas => canvas.toDataURL()") != pixels


def test_a_phone_in_chinese_shows_the_end_without_scrolling_sideways(tab: OpenTab) -> None:
    shown = opened(tab, width=390, lang="zh", steps="100", speed="fast")
    page = shown.page
    said = translation("zh").gettext
    page.get_by_role("button", name=said("Start"), exact=True).click()
    expect(page.locator(".state")).to_have_text(said("finished"))
    expect(page.locator(".learning")).to_have_attribute("data-step", "100")
    expect(page.locator("caption")).to_have_text(
        said("All networks after {step} steps").format(step=100)
    )
    shown.assert_no_wider_than_the_screen()
