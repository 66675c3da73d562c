"""A page in a frame of another site, and a page whose server has gone and come back."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FrameLocator, Page

from tests.machines import running_server, running_site
from tests.pages import Explore, expect

pytestmark = pytest.mark.browser


@contextmanager
def other_site(folder: Path, framed: str) -> Iterator[str]:
    """Another site on this machine that shows `framed` in a frame."""
    (folder / "index.html").write_text(
        f'<iframe width="1200" height="900" src="{framed}"></iframe>'
    )
    with running_site(folder, host="") as port:
        yield f"http://localhost:{port}"


def framed(page: Page, site: str) -> FrameLocator:
    """Explore in a frame of another site, once it is painted."""
    page.goto(site)
    inside = page.frame_locator("iframe")
    inside.locator(".inspector[data-painted]").wait_for()
    return inside


def test_only_a_site_that_is_named_may_frame_the_page_and_uploads_are_explained(
    chromium: Browser, tmp_path: Path
) -> None:
    with (
        running_server(HYBRIDPOOL_FRAME_ANCESTORS="http://localhost:*") as server,
        other_site(tmp_path, f"{server.url}/?stem=filters&size=64&lang=en") as site,
    ):
        page = chromium.new_page()
        inside = framed(page, site)
        warning = inside.get_by_test_id("stSidebar").get_by_test_id("stAlert")
        expect(warning).to_contain_text("stands in a frame of another site")
        # By its number the same site is another one, which nobody has named.
        page.goto(site.replace("localhost", "127.0.0.2"))
        page.wait_for_timeout(1000)
        expect(inside.locator(".stApp")).to_have_count(0)
        page.close()


def test_a_lesson_page_shows_what_can_be_touched_and_nothing_around_it(
    chromium: Browser, tmp_path: Path
) -> None:
    link = "embed=true&stem=filters&size=64&lang=zh&embed_options=dark_theme"
    with (
        running_server(HYBRIDPOOL_FRAME_ANCESTORS="http://localhost:*") as server,
        other_site(tmp_path, f"{server.url}/?{link}") as site,
    ):
        page = chromium.new_page()
        inside = framed(page, site)
        for part in ("stSidebar", "stHeader"):
            expect(inside.get_by_test_id(part)).to_be_hidden()
        expect(inside.locator("h1")).to_have_count(0)
        expect(inside.locator(".stApp")).to_have_css("background-color", "rgb(18, 22, 21)")
        top = inside.locator(".inspector").bounding_box()
        assert top
        assert top["y"] < 40, "the inspector begins at the upper edge"
        inside.locator("#dial").fill("0.9")
        expect(inside.locator(".dial-value")).to_have_text("0.90")
        # The server has heard of it, and the frame is still embedded.
        (frame,) = page.frames[1:]
        page.wait_for_timeout(200)
        expect(inside.locator(".stApp[data-test-script-state=notRunning]")).to_be_visible()
        assert {"embed=true", "weight=0.9"} <= set(
            frame.evaluate("location.search.slice(1)").split("&")
        )
        page.close()


def test_a_server_that_has_gone_covers_nothing_and_one_that_is_back_says_what_is_lost(
    chromium: Browser,
) -> None:
    with running_server() as server:
        shown = Explore(chromium.new_page(), server).open(lang="en", picture="coins", size="64")
        page, port = shown.page, server.url.rpartition(":")[2]
        server.process.kill()
        server.process.wait()
        away = "() => getComputedStyle(document.querySelector('.stApp'), '::after').visibility"
        shown.await_true(f"() => ({away})() === 'visible'")
        expect(page.locator("[inert] .inspector")).to_have_count(0)
        before = shown.map("hybrid")
        shown.dial.fill("0.9")
        expect(shown.root.locator(".dial-value")).to_have_text("0.90")
        shown.next_frame()
        shown.next_frame()
        assert (shown.map("hybrid") != before).any()
        expect(page.get_by_test_id("stDialog").filter(visible=True)).to_have_count(0)
        with running_server(int(port)):
            lost = page.get_by_test_id("stMain").get_by_test_id("stAlert")
            expect(lost).to_contain_text("The server has lost this session")
            assert shown.link()["picture"] == "coins"
        page.close()


def test_the_first_control_that_is_moved_after_a_restart_moves(chromium: Browser) -> None:
    with running_server() as server:
        shown = Explore(chromium.new_page(), server).open(lang="en", picture="coins", size="64")
        page, port = shown.page, server.url.rpartition(":")[2]
        server.process.kill()
        server.process.wait()
        large = page.get_by_test_id("stSidebar").get_by_text("Large text for a projector")
        expect(large).to_be_disabled()
        with running_server(int(port)):
            # Streamlit takes clicks as soon as it is connected, before the page is drawn anew.
            large.click()
            shown.await_link(large="1", picture="coins")
            expect(page.locator("html")).to_have_css("font-size", "20.6px")
        page.close()
