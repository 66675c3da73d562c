"""The page "Shift and frequency" in a real Chromium: rows, sliders, dial, phone, no network."""

from functools import partial
from typing import Any

import numpy as np
import pytest

from hybridpool.sensitivity import Study, compare_shifted
from hybridpool.stem import load_stem
from hybridpool.trace import Settings
from tests.pages import OpenTab, Shift, expect
from tests.shown import expected

pytestmark = pytest.mark.browser

SMALL = Settings(picture="coins", image_size=64)
LINK = {"picture": "coins", "stem": "filters", "size": "64", "device": "cpu", "lang": "en"}


def opened(tab: OpenTab, width: int = 1280, **link: str) -> Shift:
    shown = tab(Shift, viewport={"width": width, "height": 1000}).open(**LINK | link)
    shown.page.get_by_text("Hybrid at blend weight").wait_for()
    return shown.settled()


def distance(page: Any, row: str) -> str:
    return page.locator(f"[data-row={row}] .effect .all dd").inner_text()


def test_rows_print_the_distances_of_the_library_as_slider_and_dial_move(tab: OpenTab) -> None:
    shown = opened(tab, more="blur")
    page = shown.page
    stem, trace = load_stem("filters"), expected(SMALL)

    def wanted(columns: int, weight: float | None) -> dict[str, str]:
        chosen = Study(0, columns, more=("blur",))
        more = partial(chosen.layers, trace.settings)
        found = compare_shifted(trace, stem, 0, columns, more=more).relative_change(weight)
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


def test_every_chart_has_a_name_and_a_phone_shows_all_without_scrolling_sideways(
    tab: OpenTab,
) -> None:
    shown = opened(tab, width=390, more="blur-lp-stochastic-soft")
    page = shown.page
    pictures = page.locator(".more-poolings img")
    expect(pictures).to_have_count(12)
    for picture in pictures.all():
        expect(picture).to_have_js_property("complete", True)
        assert picture.get_attribute("alt")
    sizes = pictures.evaluate_all(
        "images => images.map(image => [image.naturalWidth, image.naturalHeight])"
    )
    assert np.ptp(sizes, axis=0).tolist() == [0, 0]
    shown.assert_no_wider_than_the_screen()
