"""The page "Learning" in a real Chromium: the race runs, stops, is read; phone and Chinese."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from hybridpool.race.race import ARMS, Race, RaceSettings
from hybridpool.ui.words import translation
from tests.pages import PATIENCE, Server, find_chromium, running_chromium, running_server

sync_api = pytest.importorskip("playwright.sync_api", reason="needs Playwright")
expect = sync_api.expect
expect.set_options(timeout=PATIENCE)

pytestmark = pytest.mark.browser

LINK = {"pictures": "50", "steps": "1000", "speed": "slow", "lang": "en"}
SETTINGS = RaceSettings(pictures=50, steps=1000)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as started:
        yield started


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        executable = find_chromium(playwright)
        if executable is None:
            pytest.skip("needs Chromium: the system's, or `playwright install chromium`")
        with running_chromium(playwright, executable) as browser:
            yield browser


def opened(chromium: Any, server: Server, width: int = 1280, **link: str) -> tuple[Any, list[str]]:
    page = chromium.new_page(viewport={"width": width, "height": 1000})
    page.set_default_timeout(PATIENCE)
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    page.on("pageerror", lambda error: seen.append(f"error: {error}"))
    page.goto(f"{server.url}/Learning?{urlencode(LINK | link)}", wait_until="commit")
    page.locator(".learning[data-painted]").wait_for()
    return page, seen


def assert_stayed_here(seen: list[str], server: Server) -> None:
    own = urlsplit(server.url).netloc
    assert seen
    assert [
        url
        for url in seen
        if urlsplit(url).scheme not in ("data", "blob") and urlsplit(url).netloc != own
    ] == []


def step_of(page: Any) -> int:
    return int(page.locator(".learning").get_attribute("data-step"))


def test_the_race_runs_while_it_is_watched_and_shows_the_numbers_of_the_library(
    chromium: Any, server: Server
) -> None:
    page, seen = opened(chromium, server)
    expect(page.locator(".learning")).to_have_attribute("data-step", "0")
    page.get_by_role("button", name="Start", exact=True).click()
    page.locator(".learning:not([data-step='0'])").wait_for()
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Continue").wait_for()
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
    shown = {arm: float(page.locator(f"tr[data-arm={arm}] td").first.inner_text()) for arm in ARMS}
    assert shown == pytest.approx(dict(zip(ARMS, weights, strict=True)), abs=0.0051)

    page.get_by_role("button", name="Back to the start").click()
    expect(page.locator(".learning")).to_have_attribute("data-step", "0")
    assert_stayed_here(seen, server)
    page.close()


def test_keys_read_any_step_and_names_hide_their_lines(chromium: Any, server: Server) -> None:
    page, seen = opened(chromium, server)
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
    assert_stayed_here(seen, server)
    page.close()


def test_a_phone_in_chinese_shows_the_end_without_scrolling_sideways(
    chromium: Any, server: Server
) -> None:
    page, seen = opened(chromium, server, width=390, lang="zh", steps="100", speed="fast")
    said = translation("zh").gettext
    page.get_by_role("button", name=said("Start"), exact=True).click()
    expect(page.locator(".state")).to_have_text(said("finished"))
    expect(page.locator(".learning")).to_have_attribute("data-step", "100")
    expect(page.locator("caption")).to_have_text(
        said("All networks after {step} steps").format(step=100)
    )
    inside = page.get_by_test_id("stMain")
    assert inside.evaluate("main => main.scrollWidth <= main.clientWidth")
    assert_stayed_here(seen, server)
    page.close()
