"""What the benchmarks measure on the page still happens there: every act once, and no speed."""

import pytest
from playwright.sync_api import Browser

from benchmarks import answer_page, noise_page, page
from benchmarks.figures import drag_part, drag_slider, empty_opened, empty_page
from tests.machines import Server

pytestmark = pytest.mark.browser


def test_the_acts_on_explore(chromium: Browser, server: Server) -> None:
    taken, tab = page.first_picture(chromium, server, lang="en", picture=page.PICTURES[0])
    assert taken > 0
    assert all(page.picture_changes(tab, 1))
    times, shares = page.kernel_changes(tab, 1)
    assert min(times) > 0 <= min(shares)
    for slider in (tab.size("kernel"), tab.dial):
        drag = drag_slider(chromium, tab, tab.root, slider, 0.5)
        assert drag.messages == 0
        assert drag.painted > 0 < drag.presented
    tab.assert_clean()
    tab.page.context.close()


def test_the_acts_on_noise(chromium: Browser, server: Server) -> None:
    tab = noise_page.opened(chromium, server, size="64")
    rows, level = tab.page.locator(".compare"), tab.page.locator(".compare #level")
    times, shares = noise_page.levels(tab, 1)
    assert min(times) > 0 <= min(shares)
    drag = drag_slider(chromium, tab, rows, level, 0.5)
    assert drag.messages == 0
    assert drag.painted > 0
    (first,), (whole,) = noise_page.curves(tab, 1)
    assert 0 < first <= whole
    tab.page.close()
    tab = noise_page.opened(chromium, server, show="occlusion", size="64")
    assert all(taken > 0 for taken in noise_page.releases(tab, 1))
    stage = tab.page.locator(noise_page.CHANGED)
    drag = drag_part(
        chromium, tab, tab.page.locator(".compare"), stage, stage.locator(".patch"), 0.5
    )
    assert drag.messages == 0
    assert drag.painted > 0
    assert all(taken > 0 for taken in noise_page.maps(tab))
    tab.page.close()


def test_the_acts_on_the_answer(chromium: Browser, server: Server) -> None:
    taken, tab = answer_page.opened(chromium, server, picture=page.PICTURES[0])
    assert taken > 0
    rows = tab.page.locator(".answer")
    drag = drag_slider(chromium, tab, rows, rows.locator(".level input"), 0.5)
    assert drag.messages == 0
    assert drag.painted > 0
    points, whole, places = answer_page.another_picture(tab, page.PICTURES[1])
    assert 0 < points <= whole <= places
    tab.page.context.close()


def test_an_empty_page_is_opened_twice(chromium: Browser) -> None:
    with empty_page() as server:
        new, again = empty_opened(chromium, server)
    assert new > 0 < again
