"""A live camera: its frames stay in the browser until one is frozen. Chromium brings a fake one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from playwright.sync_api import Browser

from benchmarks import camera
from hybridpool.stem import STEMS, load_stem
from hybridpool.trace import maps_at, run_poolings, run_stem
from hybridpool.ui.explore.site import build_site
from hybridpool.ui.settings import DEFAULT
from tests.machines import FAKE_CAMERA, Server
from tests.pages import PIXELS, Explore, expect, painted
from tests.shown import POOLED, assert_painted, channel_range

pytestmark = pytest.mark.browser

LINK = {"stem": "filters", "size": "64", "channel": "3", "weight": "0.3"}
#: All canvases at one moment: frames that come in between would tear picture and maps apart.
_GRAB = f"""
(root, names) => names.map((name) => root.querySelector(`[data-panel=${{name}}] canvas`))
  .map({PIXELS})
"""


def grabbed(tab: Explore) -> dict[str, NDArray[np.uint8]]:
    names = ["picture", "feature_map", *POOLED]
    canvases = map(painted, tab.root.evaluate(_GRAB, names))
    return dict(zip(names, canvases, strict=True))


def test_frames_go_through_stem_poolings_and_blend_and_nowhere_else(
    filming: Browser, server: Server
) -> None:
    tab = Explore(filming.new_page(), server).open(**LINK)
    said = len(tab.sent)
    tab.film()
    tab.page.wait_for_timeout(500)
    assert len(tab.sent) == said, "no frame leaves the browser"
    expect(tab.root.locator(".filmed")).to_contain_text("Nothing is uploaded")

    maps = grabbed(tab)
    image = torch.from_numpy(maps["picture"].copy()).permute(2, 0, 1).float() / 255
    assert max(image.shape) == 64
    assert image.std() > 0.05, "the camera shows something"
    found = run_poolings(run_stem(image, load_stem("filters"), torch.device("cpu")), DEFAULT)
    channel = tab.channel()
    low, high = channel_range(found, channel)
    assert_painted(maps["feature_map"], found.feature_map[channel], low, high)
    for name, values in maps_at(found, 0.3).items():
        assert_painted(maps[name], values[channel], low, high)

    # Back to the picture of before.
    before = tab.map("picture")
    tab.root.locator(".film").click()
    expect(tab.root.locator(".freeze")).to_be_hidden()
    tab.next_frame()
    tab.next_frame()
    assert tab.map("picture").shape != before.shape
    tab.assert_clean()
    tab.page.close()


def test_a_frozen_frame_is_one_s_own_picture(filming: Browser, server: Server) -> None:
    tab = Explore(filming.new_page(), server).open(**LINK)
    tab.freeze()
    assert sum(len(each) > 5_000 for each in tab.sent) == 1
    # What is told later does not carry the picture along.
    sent = len(tab.sent)
    tab.turn(0.9)
    tab.await_link(weight="0.9")
    assert all(len(each) < 5_000 for each in tab.sent[sent:])
    image = torch.from_numpy(tab.map("picture").copy()).float()
    assert image.std() > 5
    tab.assert_clean()
    tab.page.close()


#: Keeps the stream that the page gets, and gives it only once it may.
_KEEP = """
const camera = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => {
  window.kept = await camera(wanted);
  while (window.hold) await new Promise((next) => setTimeout(next, 20));
  return window.kept;
};
"""


def test_a_camera_that_is_taken_away_says_so(filming: Browser, server: Server) -> None:
    tab = Explore(filming.new_page(), server)
    tab.page.add_init_script(_KEEP)
    tab.open(**LINK)
    before = tab.map("hybrid")
    tab.film()
    tab.page.evaluate("() => kept.getTracks()[0].dispatchEvent(new Event('ended'))")
    expect(tab.root.locator(".filmed")).to_contain_text("The camera has stopped")
    expect(tab.root.locator(".freeze")).to_be_hidden()
    tab.settled()
    assert (tab.map("hybrid") == before).all()
    tab.page.close()


def test_a_page_that_is_left_before_the_camera_comes_leaves_it_off(
    filming: Browser, server: Server
) -> None:
    tab = Explore(filming.new_page(), server)
    tab.page.add_init_script(_KEEP)
    tab.open(**LINK)
    tab.page.evaluate("() => { window.hold = true; }")
    tab.root.locator(".film").click()
    tab.await_true("() => Boolean(window.kept)")
    tab.page.get_by_test_id("stSidebar").get_by_role("link", name="By hand").click()
    expect(tab.page.locator(".component.by-hand")).to_be_visible()
    tab.page.evaluate("() => { window.hold = false; }")
    tab.await_true("() => kept.getTracks().every(({ readyState }) => readyState === 'ended')")
    tab.page.close()


#: Keeps every text that is written on a canvas.
_WRITTEN = """
() => {
  window.written = [];
  const write = CanvasRenderingContext2D.prototype.fillText;
  CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
    window.written.push(text);
    return write.call(this, text, ...rest);
  };
}
"""


def saved_caption(tab: Explore) -> str:
    """The last line of the PNG that is saved now."""
    tab.page.evaluate(_WRITTEN)
    with tab.page.expect_download():
        tab.root.locator(".save").click()
    return str(tab.page.evaluate("() => window.written.at(-1)"))


def test_while_it_films_the_saved_view_and_the_page_name_the_camera(
    filming: Browser, server: Server
) -> None:
    tab = Explore(filming.new_page(), server).open(**LINK, lang="en")
    before = saved_caption(tab)
    assert "Live camera" not in before
    tab.film()
    assert saved_caption(tab) == f"Live camera · {STEMS['filters'].title}"
    expect(tab.root.locator(".filmed")).to_contain_text("stay with the picture from before")
    tab.root.locator(".film").click()
    assert saved_caption(tab) == before
    tab.assert_clean()
    tab.page.close()


@pytest.mark.parametrize(
    ("flags", "script", "said"),
    [
        # What a browser gives to a page that comes over http from another machine.
        (
            (FAKE_CAMERA,),
            "Object.defineProperty(navigator, 'mediaDevices', { value: undefined })",
            "https",
        ),
        (
            (FAKE_CAMERA, "--use-fake-ui-for-media-stream=deny"),
            "",
            "allow it in the browser's settings",
        ),
        ((), "", "finds no camera"),
    ],
    ids=["http", "denied", "none"],
)
def test_one_sentence_says_why_a_camera_cannot_work(
    browser_with: Callable[..., Browser],
    server: Server,
    flags: tuple[str, ...],
    script: str,
    said: str,
) -> None:
    tab = Explore(browser_with(*flags).new_page(), server)
    tab.page.add_init_script(script)
    tab.open(**LINK)
    before = tab.map("hybrid")
    tab.root.locator(".film").click()
    expect(tab.root.locator(".filmed")).to_contain_text(said)
    expect(tab.root.locator(".freeze")).to_be_hidden()
    assert (tab.map("hybrid") == before).all()
    tab.assert_clean()
    tab.page.close()


def test_the_site_films_too(filming: Browser, server: Server, tmp_path: Path) -> None:
    logging.disable(logging.WARNING)
    build_site(tmp_path / "site", sizes=(64,))
    logging.disable(logging.NOTSET)
    tab = Explore(filming.new_page(), server)
    tab.page.goto(f"{(tmp_path / 'site' / 'index.html').as_uri()}#stem=filters&lang=en")
    tab.page.locator(tab.ready).wait_for()
    assert saved_caption(tab) != f"Live camera · {STEMS['filters'].title}"
    tab.film()
    assert saved_caption(tab) == f"Live camera · {STEMS['filters'].title}"
    expect(tab.root.locator(".filmed")).not_to_contain_text("below")
    tab.root.locator(".freeze").click()
    expect(tab.page.locator(".provenance")).to_have_text("Your picture stays in this browser.")
    expect(tab.root.locator("[data-panel=picture] .size")).to_have_text("48 × 64")
    assert tab.complaints == []
    tab.page.close()


def test_the_benchmark_counts_the_frames_of_every_page_that_films(
    browser_with: Callable[..., Browser], server: Server
) -> None:
    browser = browser_with(*camera.CAMERA)
    for name in camera.FILMED:
        assert all(rate > 0 for rate in camera.rates(browser, server, name, 1, 64)), name
