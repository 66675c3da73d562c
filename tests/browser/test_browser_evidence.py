"""The page "Evidence" in a real Chromium: claims, own results, a phone, and no network."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hybridpool.training.results import write_run
from tests.made_up_runs import a_field, a_folder, a_full_house
from tests.pages import Evidence, OpenTab, expect

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = a_folder(tmp_path_factory.mktemp("results"), a_full_house())
    return {"HYBRIDPOOL_RESULTS": str(folder)}


def opened(tab: OpenTab, width: int = 1280, **link: str) -> Evidence:
    return tab(Evidence, viewport={"width": width, "height": 1000}).open(**link)


def row(page: Any, title: str) -> Any:
    return page.locator("table.claims tbody tr").filter(has=page.get_by_text(title, exact=True))


def test_a_lecturer_sees_the_verdicts_first_and_opens_one(tab: OpenTab) -> None:
    shown = opened(tab)
    page = shown.page
    expect(page.locator("table.claims tbody tr")).to_have_count(10)
    expect(row(page, "Accuracy")).to_contain_text("Confirmed")
    expect(row(page, "Occlusion")).to_contain_text("Refuted")
    expect(page.get_by_text("What it gains.")).to_be_visible()
    assert row(page, "Noise").bounding_box()["y"] < 1000
    page.get_by_role("radio", name="Noise", exact=True).click()
    page.wait_for_url("**claim=noise*")
    expect(page.get_by_text("Severity, 0 is unchanged")).to_be_visible()
    page.get_by_text("Kind by kind").click()
    expect(page.get_by_text("Gaussian noise").first).to_be_visible()
    kinds = page.get_by_test_id("stPlotlyChart").last
    assert kinds.locator("svg.main-svg").first.bounding_box()["width"] > 600


@pytest.mark.parametrize("width", [1280, 390])
def test_every_group_of_runs_can_be_read_before_it_is_chosen(tab: OpenTab, width: int) -> None:
    page = opened(tab, width=width).page
    if width < 1000:
        page.get_by_test_id("stExpandSidebarButton").click()
        expect(page.get_by_test_id("stSidebar")).to_be_in_viewport(ratio=0.99)
    page.get_by_test_id("stSidebar").get_by_role("combobox").first.click()
    menu = page.get_by_test_id("stSelectboxVirtualDropdown")
    expect(menu.get_by_role("option").first).to_be_visible()
    box = menu.bounding_box()
    assert 0 <= box["x"] <= box["x"] + box["width"] <= width
    cut = """(all) => all.filter((one) => one.scrollWidth > one.clientWidth + 1
      || one.scrollHeight > one.clientHeight + 1).length"""
    assert menu.locator("[role=option], [role=option] *").evaluate_all(cut) == 0


def test_results_of_one_s_own_are_dropped_in_and_judged(tab: OpenTab, tmp_path: Path) -> None:
    shown = opened(tab)
    page = shown.page
    runs = [
        replace(run, settings=replace(run.settings, network="resnet18"))
        for run in a_field(hybrid=0.6)
        if run.settings.arm in ("max", "average", "hybrid") and run.settings.seed < 3
    ]
    paths = [write_run(run, tmp_path) for run in runs]
    expect(page.get_by_test_id("stFileUploaderDropzoneInstructions")).to_be_visible()
    page.locator("input[type=file]").set_input_files(paths)
    page.wait_for_url("**results=own-resnet18*")
    expect(page.get_by_text("Loaded: 9 runs of your own.")).to_be_visible()
    expect(row(page, "Accuracy")).to_contain_text("Refuted")
    broken = tmp_path / "broken.json"
    broken.write_text("{}")
    page.locator("input[type=file]").set_input_files(broken)
    expect(page.get_by_text("broken.json holds no results of a training run")).to_be_visible()
    expect(row(page, "Accuracy")).to_contain_text("Refuted")


def test_a_phone_shows_everything_without_scrolling_sideways(tab: OpenTab) -> None:
    shown = opened(tab, width=390, lang="zh", claim="occlusion")
    page = shown.page
    expect(page.get_by_test_id("stPlotlyChart")).to_have_count(3)
    shown.assert_no_wider_than_the_screen()
    table = page.locator("table.claims")
    assert table.evaluate("table => table.getBoundingClientRect().right <= innerWidth")


_PLACES = """table => [...table.querySelectorAll('.axis')].map(axis => {
    const box = name => axis.querySelector(name).getBoundingClientRect();
    const middle = name => (box(name).left + box(name).right) / 2;
    const all = axis.getBoundingClientRect();
    return {
        said: axis.nextElementSibling.innerText,
        half: all.width / 2,
        mean: middle('.mean') - box('.zero').left,
        low: box('.reach').left - box('.zero').left,
        high: box('.reach').right - box('.zero').left,
        below: axis.nextElementSibling.getBoundingClientRect().left >= all.right
            || axis.nextElementSibling.getBoundingClientRect().top >= all.bottom - 1,
    };
})"""


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_bars_lie_where_their_numbers_say(tab: OpenTab, width: int, scheme: str) -> None:
    shown = tab(Evidence, viewport={"width": width, "height": 1000}, color_scheme=scheme).open()
    bars = shown.page.locator("table.claims").evaluate(_PLACES)
    assert len(bars) == 33
    for bar in bars:
        said = re.findall(r"[+−±]\d+\.\d+", bar["said"])
        numbers = [float(number.replace("−", "-").strip("±")) for number in said]
        mean, low, high = numbers if len(numbers) == 3 else 3 * numbers  # equal runs: no interval
        assert bar["below"], bar
        assert -bar["half"] <= bar["low"] <= bar["high"] <= bar["half"]
        # All three on one scale: what a point is in pixels, from the end that is farther out.
        scale = max((bar["low"], low), (bar["high"], high), key=lambda pair: abs(pair[1]))
        pixels = scale[0] / scale[1] if scale[1] else 0.0
        for place, number in ((bar["mean"], mean), (bar["low"], low), (bar["high"], high)):
            assert place == pytest.approx(number * pixels, abs=2.5), bar
