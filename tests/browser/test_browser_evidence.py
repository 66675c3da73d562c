"""The page "Evidence" in a real Chromium: claims, own results, a phone, and no network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from hybridpool.training.results import write_run
from tests.made_up_runs import a_field, a_folder, a_full_house
from tests.pages import PATIENCE, Server, find_chromium, running_chromium, running_server

sync_api = pytest.importorskip("playwright.sync_api", reason="needs Playwright")
expect = sync_api.expect
expect.set_options(timeout=PATIENCE)

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with pytest.MonkeyPatch.context() as patch:
        folder = a_folder(tmp_path_factory.mktemp("results"), a_full_house())
        patch.setenv("HYBRIDPOOL_RESULTS", str(folder))
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
    page.goto(f"{server.url}/Evidence?{urlencode({'lang': 'en'} | link)}", wait_until="commit")
    page.locator("table.claims").wait_for()
    return page, seen


def assert_stayed_here(seen: list[str], server: Server) -> None:
    own = urlsplit(server.url).netloc
    assert seen
    assert [
        url
        for url in seen
        if urlsplit(url).scheme not in ("data", "blob") and urlsplit(url).netloc != own
    ] == []


def row(page: Any, title: str) -> Any:
    return page.locator("table.claims tbody tr").filter(has=page.get_by_text(title, exact=True))


def test_a_lecturer_sees_the_verdicts_first_and_opens_one(chromium: Any, server: Server) -> None:
    page, seen = opened(chromium, server)
    expect(page.locator("table.claims tbody tr")).to_have_count(8)
    expect(row(page, "Accuracy")).to_contain_text("Confirmed")
    expect(row(page, "Occlusion")).to_contain_text("Not confirmed")
    assert row(page, "Noise").bounding_box()["y"] < 1000
    page.get_by_role("radio", name="Noise", exact=True).click()
    page.wait_for_url("**claim=noise*")
    expect(page.get_by_text("Severity, 0 is unchanged")).to_be_visible()
    expect(page.get_by_text("Gaussian noise").first).to_be_visible()
    assert_stayed_here(seen, server)
    page.close()


def test_results_of_one_s_own_are_dropped_in_and_judged(
    chromium: Any, server: Server, tmp_path: Path
) -> None:
    page, seen = opened(chromium, server)
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
    expect(row(page, "Accuracy")).to_contain_text("Not confirmed")
    broken = tmp_path / "broken.json"
    broken.write_text("{}")
    page.locator("input[type=file]").set_input_files(broken)
    expect(page.get_by_text("broken.json holds no results of a training run")).to_be_visible()
    expect(row(page, "Accuracy")).to_contain_text("Not confirmed")
    assert_stayed_here(seen, server)
    page.close()


def test_a_phone_shows_everything_without_scrolling_sideways(chromium: Any, server: Server) -> None:
    page, seen = opened(chromium, server, width=390, lang="zh", claim="occlusion")
    expect(page.get_by_test_id("stPlotlyChart")).to_have_count(2)
    inside = page.get_by_test_id("stMain")
    assert inside.evaluate("main => main.scrollWidth <= main.clientWidth")
    table = page.locator("table.claims")
    assert table.evaluate("table => table.getBoundingClientRect().right <= innerWidth")
    assert_stayed_here(seen, server)
    page.close()
