"""The page "Shift and frequency" in a real Chromium: rows, sliders, dial, phone, no network."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

import numpy as np
import pytest

from hybridpool.pictures.gallery import gallery_image
from hybridpool.pictures.image import fit_image
from hybridpool.stem import load_stem
from hybridpool.trace import Settings
from hybridpool.ui import shift_maps
from hybridpool.ui.shift_state import Study
from tests.pages import (
    PATIENCE,
    Server,
    expected,
    find_chromium,
    running_chromium,
    running_server,
)

sync_api = pytest.importorskip("playwright.sync_api", reason="needs Playwright")
expect = sync_api.expect
expect.set_options(timeout=PATIENCE)

pytestmark = pytest.mark.browser

SMALL = Settings(picture="coins", image_size=64)
LINK = {"picture": "coins", "stem": "filters", "size": "64", "device": "cpu", "lang": "en"}


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
    page.goto(f"{server.url}/Shift_and_frequency?{urlencode(LINK | link)}", wait_until="commit")
    page.locator(".compare[data-painted]").wait_for()
    page.get_by_text("Hybrid at blend weight").wait_for()
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    return page, seen


def assert_stayed_here(seen: list[str], server: Server) -> None:
    assert seen
    own = urlsplit(server.url).netloc
    assert [
        url
        for url in seen
        if urlsplit(url).scheme not in ("data", "blob") and urlsplit(url).netloc != own
    ] == []


def distance(page: Any, row: str) -> str:
    return page.locator(f"[data-row={row}] .effect .all dd").inner_text()


def test_rows_print_the_distances_of_the_library_as_slider_and_dial_move(
    chromium: Any, server: Server
) -> None:
    page, seen = opened(chromium, server, more="blur")
    stem, trace = load_stem("filters"), expected(SMALL)
    image = fit_image(gallery_image("coins"), 64)

    def wanted(columns: int, weight: float | None) -> dict[str, str]:
        chosen = Study(0, columns, more=("blur",))
        found = shift_maps.distances(shift_maps.shifted(trace, stem, image, chosen), weight)
        return {name: f"{100 * value:.1f} %" for name, value in found.items()}

    for name in ("max", "average", "hybrid", "attention"):
        assert distance(page, name) == wanted(1, None)[name]
    expect(page.locator(".more-poolings dd").last).to_have_text(wanted(1, None)["blur"])
    expect(page.locator("[data-row=winners]")).to_be_hidden()

    page.get_by_role("slider", name="To the right, in pixels").press("ArrowRight")
    page.wait_for_url("**right=2*")
    average = page.locator("[data-row=average] .effect .all dd")
    expect(average).to_have_text(wanted(2, None)["average"])
    page.locator("#dial").fill("0.25")
    expect(page.locator("[data-row=hybrid] .effect .all dd")).to_have_text(
        wanted(2, 0.25)["hybrid"]
    )
    page.wait_for_url("**weight=0.25*")
    expect(page.get_by_text("Hybrid at blend weight 0.25.")).to_be_visible()
    assert_stayed_here(seen, server)
    page.close()


def test_every_chart_has_a_name_and_a_phone_shows_all_without_scrolling_sideways(
    chromium: Any, server: Server
) -> None:
    page, seen = opened(chromium, server, width=390, more="blur-lp-stochastic-soft")
    pictures = page.locator(".more-poolings img")
    expect(pictures).to_have_count(12)
    for picture in pictures.all():
        expect(picture).to_have_js_property("complete", True)
        assert picture.get_attribute("alt")
    sizes = pictures.evaluate_all(
        "images => images.map(image => [image.naturalWidth, image.naturalHeight])"
    )
    assert np.ptp(sizes, axis=0).tolist() == [0, 0]
    inside = page.get_by_test_id("stMain")
    assert inside.evaluate("main => main.scrollWidth <= main.clientWidth")
    assert_stayed_here(seen, server)
    page.close()
