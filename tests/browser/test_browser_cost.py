"""The page "Cost" in a real Chromium: measured at once, stopped by a click, whole on a phone."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from tests.pages import PATIENCE, Server, find_chromium, running_chromium, running_server

sync_api = pytest.importorskip("playwright.sync_api", reason="needs Playwright")
expect = sync_api.expect
expect.set_options(timeout=PATIENCE)

pytestmark = pytest.mark.browser

SMALL = {"batch": "1", "map": "4x8x8", "turns": "3", "device": "cpu", "lang": "en"}


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


def opened(chromium: Any, server: Server, width: int, **link: str) -> tuple[Any, list[str]]:
    page = chromium.new_page(viewport={"width": width, "height": 1000})
    page.set_default_timeout(PATIENCE)
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    page.on("pageerror", lambda error: seen.append(f"error: {error}"))
    page.goto(f"{server.url}/Cost?{urlencode(SMALL | link)}", wait_until="commit")
    return page, seen


def test_a_phone_shows_what_was_measured_without_scrolling_sideways(
    chromium: Any, server: Server
) -> None:
    page, seen = opened(chromium, server, width=390)
    page.locator(".st-key-cost_times .js-plotly-plot").wait_for()
    expect(page.get_by_text("the time of max alone here")).to_be_visible()
    expect(page.locator(".st-key-cost_button_times button")).to_contain_text("Measure again")
    inside = page.get_by_test_id("stMain")
    assert inside.evaluate("main => main.scrollWidth <= main.clientWidth")
    own = urlsplit(server.url).netloc
    assert seen
    assert [
        url
        for url in seen
        if urlsplit(url).scheme not in ("data", "blob") and urlsplit(url).netloc != own
    ] == []
    page.close()


def test_a_long_measurement_waits_to_be_asked_and_ends_at_a_click(
    chromium: Any, server: Server
) -> None:
    """It would take minutes, so there is no need to hurry to the button."""
    page, _seen = opened(
        chromium, server, width=1280, batch="16", map="64x64x32", turns="61", layout="nchw"
    )
    button = page.locator(".st-key-cost_button_times button")
    expect(page.get_by_text("Not measured yet at this size")).to_be_visible()
    expect(button).to_contain_text("Measure")
    button.click()
    expect(button).to_contain_text("Stop")
    button.click()
    expect(button).not_to_contain_text("Stop")
    expect(page.get_by_text("For each output value")).to_be_visible()
    page.close()
