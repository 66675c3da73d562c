"""What needs no server: a saved page and the site, opened from a disk and from a plain server."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np
import pytest
import streamlit as st
import torch
from PIL import Image
from playwright.sync_api import Browser, Page

from hybridpool.pictures.gallery import GALLERY
from hybridpool.pictures.image import fit_image
from hybridpool.stem import load_stem
from hybridpool.trace import Settings, Trace, maps_at, run_poolings, run_stem
from hybridpool.ui import words
from hybridpool.ui.browser.inspector import resolved_view
from hybridpool.ui.explore import site as static
from hybridpool.ui.explore.web_page import web_page
from hybridpool.ui.settings import DEFAULT, View
from tests.machines import Server, running_site
from tests.pages import PHONE, Explore, expect
from tests.shown import POOLED, assert_painted, channel_range, expected

pytestmark = pytest.mark.browser

CHOSEN = replace(DEFAULT, picture="coins", image_size=64)
SIZE = 64


class Alone(Explore):
    """The inspector in a file of its own."""

    def __init__(self, page: Page) -> None:
        super().__init__(page, Server("", None, None))  # type: ignore[arg-type]

    def open_at(self, address: str) -> Self:
        """Opens an address and waits for the maps."""
        self.page.goto("about:blank")
        self.page.goto(address)
        return self.at_rest()

    def at_rest(self) -> Self:
        """Waits until all that was asked for is painted."""
        self.page.locator(self.ready).wait_for()
        self.next_frame()
        self.next_frame()
        return self

    def resize(self, **sizes: int) -> None:
        """Moves the sliders of the window."""
        for name, value in sizes.items():
            self.root.locator(f"[data-size={name}]").fill(str(value))
        self.at_rest()

    def assert_shows(self, found: Trace, weight: float | None = None) -> None:
        """The painted maps are those of PyTorch."""
        channel = self.channel()
        low, high = channel_range(found, channel)
        maps = maps_at(found, weight)
        assert_painted(self.map("feature_map"), found.feature_map[channel], low, high)
        for name in POOLED:
            assert_painted(self.map(name), maps[name][channel], low, high)

    def assert_asked_nobody(self, allowed: str) -> None:
        """Every request went to the files themselves, and nothing complained."""
        asked = [url for url in self.requests if not url.startswith(("blob:", "data:"))]
        assert asked
        assert [url for url in asked if not url.startswith(allowed)] == []
        assert self.complaints == []


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Words in a language, outside of any session."""
    logging.disable(logging.WARNING)
    st.session_state["language"] = code
    try:
        yield
    finally:
        del st.session_state["language"]
        logging.disable(logging.NOTSET)


def saved(folder: Path, chosen: Settings, view: View | None = None, code: str = "en") -> Path:
    """A page as it is saved from Explore."""
    found = expected(chosen)
    with speaking(code):
        make = web_page(found, resolved_view(found, view or View()))
    data = make()  # outside of the session, as when it is asked for
    path = folder / "hybrid-pooling.html"
    path.write_bytes(data)
    return path


@pytest.fixture
def alone(chromium: Browser) -> Iterator[Alone]:
    """A tab of a browser that has no network."""
    context = chromium.new_context(
        offline=True, viewport={"width": 1280, "height": 900}, reduced_motion="reduce"
    )
    yield Alone(context.new_page())
    context.close()


# ---- a saved page --------------------------------------------------------------------------------


def test_a_saved_page_opens_from_the_disk_and_answers_the_hand(
    alone: Alone, tmp_path: Path
) -> None:
    path = saved(tmp_path, CHOSEN, View(weight=0.3, channel=4))
    assert path.stat().st_size < 10**6
    alone.open_at(path.as_uri())
    assert alone.channel() == 4
    alone.assert_shows(expected(CHOSEN), weight=0.3)
    alone.turn(0.8)
    alone.at_rest().assert_shows(expected(CHOSEN), weight=0.8)
    alone.resize(kernel=3, stride=3, padding=1)
    window = replace(CHOSEN, kernel_size=3, stride=3, padding=1)
    alone.assert_shows(expected(window), weight=0.8)
    alone.root.locator("select.channel").select_option("7")
    alone.at_rest().assert_shows(expected(window), weight=0.8)
    assert alone.card()
    assert alone.root.locator(".formulas > div").count() == len(POOLED)
    expect(alone.root.locator(".judged")).to_have_text(
        "Computed in your browser, without a server."
    )
    alone.assert_asked_nobody(path.as_uri())


def test_a_saved_page_carries_where_it_comes_from(alone: Alone, tmp_path: Path) -> None:
    chosen = replace(CHOSEN, stem="filters")
    alone.open_at(saved(tmp_path, chosen, code="zh").as_uri())
    names = alone.root.locator("select.channel").inner_text()
    assert "亮斑" in names, "the names of channels too are in the language of the page"
    text = alone.page.locator("body").inner_text()
    for part in (GALLERY["coins"].source, GALLERY["coins"].licence, "picture=coins"):
        assert part in text
    assert {"混合权重", "通道"} <= set(alone.root.inner_text().split())
    assert alone.page.evaluate("document.documentElement.lang") == "zh"
    alone.page.set_viewport_size(PHONE)
    assert alone.page.evaluate("document.body.scrollWidth <= innerWidth")


@pytest.mark.parametrize("stem", ["cifar10-channel", "random"])
def test_the_largest_page_stays_below_a_megabyte(tmp_path: Path, stem: str) -> None:
    chosen = replace(DEFAULT, picture="grass", image_size=224, stem=stem, channels=64)
    assert saved(tmp_path, chosen).stat().st_size < 10**6


def test_an_own_picture_has_neither_link_nor_name(tmp_path: Path) -> None:
    found = expected(CHOSEN)
    own = replace(found, settings=replace(CHOSEN, picture="upload"))
    with speaking("en"):
        text = web_page(own, resolved_view(own, View()))().decode()
    assert "The picture belongs to the person" in text
    assert "picture=upload" not in text


# ---- the site ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, with pictures of one size."""
    made = tmp_path_factory.mktemp("site") / "site"
    logging.disable(logging.WARNING)
    static.build_site(made, sizes=(SIZE,))
    logging.disable(logging.NOTSET)
    return made


def drive(tab: Alone, address: str) -> None:
    """Looks at pictures, stems, windows and both languages."""
    tab.open_at(f"{address}#picture=coins&stem=filters&channel=3&lang=en")
    chosen = replace(CHOSEN, stem="filters")
    tab.assert_shows(expected(chosen))
    tab.turn(0.25)
    tab.resize(kernel=4)
    tab.at_rest().assert_shows(expected(replace(chosen, kernel_size=4)), weight=0.25)
    tab.await_true(
        "() => location.hash.includes('kernel=4') && location.hash.includes('weight=0.25')"
    )
    tab.page.locator(".gallery [data-key=text]").click()
    tab.await_true("() => location.hash.includes('picture=text')")
    tab.page.locator("#stem").select_option("cifar10-attention")
    tab.await_true("() => location.hash.includes('stem=cifar10-attention')")
    text = replace(chosen, picture="text", stem="cifar10-attention", kernel_size=4)
    tab.at_rest().assert_shows(expected(text), weight=0.25)
    tab.page.get_by_role("button", name="中文").click()
    expect(tab.root.locator(".dial-head label")).to_have_text("混合权重")
    expect(tab.page.locator("h1")).to_have_text("探索")
    hash_ = tab.page.evaluate("location.hash")
    tab.open_at(f"{address}{hash_}")
    tab.assert_shows(expected(text), weight=0.25)


def test_the_site_works_from_the_disk(alone: Alone, folder: Path) -> None:
    drive(alone, (folder / "index.html").as_uri())
    alone.assert_asked_nobody(folder.as_uri())


def test_the_site_works_from_a_plain_server(chromium: Browser, folder: Path) -> None:
    page = chromium.new_page(reduced_motion="reduce")  # the dial stays where it is
    with running_site(folder) as port:
        address, tab = f"http://127.0.0.1:{port}/", Alone(page)
        drive(tab, address)
        tab.assert_asked_nobody(address)
    page.close()


def test_the_site_begins_with_the_window_that_tells_most(alone: Alone, folder: Path) -> None:
    for key in ("coins", "stars", "checks"):
        alone.open_at(f"{(folder / 'index.html').as_uri()}#picture={key}&lang=en")
        found = expected(replace(DEFAULT, picture=key, image_size=SIZE))
        channel, row, column = found.example
        assert alone.channel() == channel, key
        assert alone.card().endswith(f"row {row + 1}, column {column + 1}"), key


def test_one_s_own_picture_goes_through_the_engine(
    alone: Alone, folder: Path, tmp_path: Path
) -> None:
    draw = np.random.default_rng(3)
    pixels = draw.integers(0, 256, (48, SIZE, 3), np.uint8)  # needs no scaling
    Image.fromarray(pixels).save(tmp_path / "own.png")
    alone.open_at(f"{(folder / 'index.html').as_uri()}#stem=filters&lang=en")
    alone.page.locator("#own").set_input_files(tmp_path / "own.png")
    expect(alone.page.locator(".provenance")).to_have_text("Your picture stays in this browser.")
    image = torch.from_numpy(pixels).permute(2, 0, 1).float() / 255
    assert fit_image(image, SIZE).shape == image.shape
    features = run_stem(image, load_stem("filters"), torch.device("cpu"))
    found = run_poolings(features, replace(DEFAULT, stem="filters"))
    expect(alone.root.locator("[data-panel=picture] .size")).to_have_text(f"48 × {SIZE}")
    alone.at_rest().assert_shows(found)

    (tmp_path / "no.png").write_text("no picture")
    alone.page.locator("#own").set_input_files(tmp_path / "no.png")
    problem = alone.page.get_by_role("alert")
    expect(problem).to_have_text("Your browser cannot read no.png as a picture.")
    alone.at_rest().assert_shows(found)


def test_a_missing_file_is_named_and_the_picture_stays(alone: Alone, folder: Path) -> None:
    missing = folder / "pictures" / f"text-{SIZE}.js"
    text = missing.read_text("utf-8")
    missing.unlink()
    try:
        alone.open_at(f"{(folder / 'index.html').as_uri()}#picture=coins&stem=filters&lang=en")
        alone.page.locator(".gallery [data-key=text]").click()
        problem = alone.page.get_by_role("alert")
        expect(problem).to_contain_text(f"pictures/text-{SIZE}")
        alone.assert_shows(expected(replace(CHOSEN, stem="filters")))
    finally:
        missing.write_text(text, "utf-8")


def test_the_site_holds_every_small_stem_and_both_languages(folder: Path) -> None:
    stems = {path.stem for path in (folder / "stems").iterdir()}
    assert stems == {"filters", "random", "cifar10-channel", "cifar10-scalar", "cifar10-attention"}
    pictures = {path.stem for path in (folder / "pictures").iterdir()}
    assert pictures == {f"{key}-{SIZE}" for key in GALLERY}
    index = (folder / "index.html").read_text("utf-8")
    assert all(f'"{code}"' in index for code in words.LANGUAGES)
    assert "connect-src" not in index, "nothing may be fetched: default-src 'none' says so"


def test_a_folder_of_somebody_s_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ValueError, match="no site made"):
        static.build_site(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"
