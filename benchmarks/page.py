"""How fast the Explore page is, measured in a real Chromium: ``python -m benchmarks.page``.

Every figure of a wait is what a person waits: from the browser's own time stamp of the click, key
press or file choice to the frame after the one in which the inspector painted. The first picture
is compared with the one word of an empty Streamlit page that the same browser opens in the same
run.
"""

from __future__ import annotations

import io
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Locator, expect

from benchmarks.figures import (
    VIEWPORT,
    Figure,
    drag_figures,
    drag_slider,
    empty_opened,
    empty_page,
    heading,
    repetitions,
)
from hybridpool.pictures.gallery import GALLERY
from tests.machines import Server, running_chromium, running_server
from tests.pages import Explore, Tab

PICTURES = [key for key, picture in GALLERY.items() if picture.kind == "photo"]
DRAGS = 3

# Notes when the person acted and when the inspector's paint was on its way to the screen. The
# inspector counts its paints in an attribute, inside the shadow root that Streamlit gives it.
_WATCH = """
(() => {
  window.paints = [];
  window.acted = 0;
  const note = () => requestAnimationFrame(() => window.paints.push(performance.now()));
  const attach = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function (options) {
    const root = attach.call(this, options);
    const watched = { subtree: true, attributes: true, attributeFilter: ["data-painted"] };
    new MutationObserver(note).observe(root, watched);
    return root;
  };
  for (const kind of ["click", "keydown", "change"])
    addEventListener(kind, (event) => { window.acted = event.timeStamp; }, true);
})()
"""


# ---- one action, one paint ---------------------------------------------------------------------


def watched_tab(browser: Browser, server: Server) -> Explore:
    """A tab with a profile of its own, so with nothing cached, that notes acts and paints."""
    tab = Explore(browser.new_page(viewport=VIEWPORT), server)
    tab.page.add_init_script(_WATCH)
    return tab


def first_picture(browser: Browser, server: Server, **link: object) -> tuple[float, Explore]:
    """`opened` in a fresh tab, and the tab."""
    tab = watched_tab(browser, server)
    return opened(tab, **link), tab


def opened(tab: Explore, **link: object) -> float:
    """Milliseconds from the start of the navigation to the first painted picture."""
    tab.open(**link).await_true("() => window.paints.length")
    return float(tab.page.evaluate("() => window.paints[0]"))


def waited(tab: Explore, act: Callable[[], object]) -> float:
    """Milliseconds from an act to the paint that follows from it."""
    tab.page.evaluate("() => { window.paints = []; }")
    act()
    tab.await_true("() => window.paints.length")
    found = tab.page.evaluate("() => [window.acted, window.paints[0]]")
    tab.settled()
    return float(found[1] - found[0])


def thumbnail_of(tab: Tab, key: str) -> Locator:
    """A thumbnail, wherever the gallery has put it: all its pictures are unfolded first."""
    thumbnail = tab.page.locator(f".gallery button[data-key={key}]")
    if not thumbnail.is_visible():
        tab.page.locator(".gallery + .more").click()
    thumbnail.scroll_into_view_if_needed()
    return thumbnail


def picture_changes(tab: Explore, count: int) -> list[float]:
    """Clicks on thumbnails whose pictures nobody has looked at yet."""
    times = []
    for key in PICTURES[1 : count + 1]:
        thumbnail = thumbnail_of(tab, key)
        times.append(waited(tab, thumbnail.click))
        tab.await_link(picture=key)
    return times


def kernel_changes(tab: Explore, count: int) -> tuple[list[float], list[float]]:
    """Key presses on the kernel's slider: milliseconds, and of server CPU for each release.

    The browser paints at once and PyTorch answers later; another stride keeps every answer from
    being known already. The processor time comes from ``/proc`` in steps of 10 ms, so that it is
    read over six changes at a time.
    """
    kernel, stride = tab.size("kernel"), tab.size("stride")
    times: list[float] = []
    shares: list[float] = []
    while len(times) < count:
        for key in ("ArrowRight", "ArrowLeft"):
            released(tab, partial(stride.press, "ArrowRight"))
            time.sleep(0.2)  # what the last change left to do is not charged to these
            before = tab.server.cpu_seconds()
            times += [released(tab, partial(kernel.press, key)) for _ in range(6)]
            time.sleep(0.2)
            shares.append((tab.server.cpu_seconds() - before) / 6 * 1000)
    return times, shares


def released(tab: Explore, act: Callable[[], object]) -> float:
    """`waited`, until PyTorch has answered what the browser showed."""
    said = tab.root.locator(".judged")
    taken = waited(tab, act)
    expect(said).to_contain_text("Checked against PyTorch")
    tab.settled()
    return taken


# ---- a large photograph ------------------------------------------------------------------------


def photograph(folder: Path, seed: int) -> Path:
    """A JPEG of 4000 x 3000 pixels with detail at every scale and some 3 MB, as a camera makes."""
    draw = np.random.default_rng(seed)
    picture = np.zeros((3000, 4000, 3), np.float32)
    for cells, strength in ((6, 70), (60, 35), (600, 18)):
        coarse = draw.normal(0, strength, (cells * 3 // 4, cells, 3)).clip(-127, 127) + 128
        small = Image.fromarray(coarse.astype(np.uint8))
        picture += np.asarray(small.resize((4000, 3000), Image.Resampling.BICUBIC)) - np.float32(
            128
        )
    file = io.BytesIO()
    Image.fromarray((picture + 128).clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=85)
    path = folder / f"photograph-{seed}.jpg"
    path.write_bytes(file.getvalue())
    return path


def uploads(tab: Explore, count: int) -> list[float]:
    """From the choice of a file to its picture; files lie on disk as a person's do."""
    chooser = tab.page.locator("[data-testid=stFileUploaderDropzone] input[type=file]")
    with tempfile.TemporaryDirectory() as folder:
        paths = [photograph(Path(folder), seed) for seed in range(count)]
        return [waited(tab, partial(chooser.set_input_files, path)) for path in paths]


# ---- the table ---------------------------------------------------------------------------------


def measure_opening(browser: Browser, count: int) -> Iterator[Figure]:
    """The first visitor of a server pays for its imports; the next ones do not."""
    first = []
    for _ in range(max(1, count // 4)):
        with running_server() as server:
            taken, tab = first_picture(browser, server)
            first.append(taken)
            tab.page.context.close()
    yield Figure("first picture, the server's first visitor ever", first, "ms", 2000)


def measure_first_pictures(
    browser: Browser, server: Server, count: int, tabs: list[Explore]
) -> Iterator[Figure]:
    """The first picture beside an empty page, in turns, for new visitors and those who return."""
    with empty_page() as empty:
        empty_opened(browser, empty)
        first_picture(browser, server)[1].page.context.close()
        new, again, emptied = [], [], []
        for _ in range(count):
            emptied.append(empty_opened(browser, empty))
            taken, tab = first_picture(browser, server)
            new.append(taken)
            again.append(opened(tab))
            tabs.append(tab)
            tab.page.context.close()
    word, word_again = (statistics.median(values) for values in zip(*emptied, strict=True))
    yield Figure("first picture, a later visitor with nothing cached", new, "ms", 2000)
    ratios = [taken / word for taken in new]
    yield Figure(f"  times an empty page, {word:.0f} ms", ratios, "x", 1.3)
    yield Figure("first picture, a visitor who comes again", again, "ms", 2000)
    ratios = [taken / word_again for taken in again]
    yield Figure(f"  times an empty page, {word_again:.0f} ms", ratios, "x", 1.5)


def measure_page(browser: Browser, server: Server, count: int) -> Iterator[Figure]:
    """All figures of a server that somebody has visited before."""
    tabs: list[Explore] = []
    yield from measure_first_pictures(browser, server, count, tabs)

    _, tab = first_picture(browser, server, picture=PICTURES[0])
    tabs.append(tab)
    yield Figure("click on a picture -> its maps", picture_changes(tab, count), "ms", 500)
    times, shares = kernel_changes(tab, count)
    yield Figure("key on the kernel's slider -> new maps", times, "ms", 50)
    yield Figure("  server CPU for its release (/proc)", shares, "ms", 20)
    drags = [drag_slider(browser, tab, tab.root, tab.size("kernel")) for _ in range(DRAGS)]
    yield from drag_figures("window, 96 pixels", drags, 20)
    yield Figure("choice of a 12 megapixel JPEG -> its maps", uploads(tab, count), "ms", 1500)
    tab.page.context.close()

    for channels in (16, 64):
        link: dict[str, Any] = {"stem": "random", "filters": channels, "size": 224}
        _, tab = first_picture(browser, server, **link)
        tabs.append(tab)
        drags = [drag_slider(browser, tab, tab.root, tab.dial) for _ in range(DRAGS)]
        yield from drag_figures(f"dial with {channels} channels of 112 cells", drags, 55)
        tab.page.context.close()
    others = [float(len(tab.other_hosts())) for tab in tabs]
    yield Figure("requests to other hosts, in each of these tabs", others, "", 0)


def main() -> None:
    count = repetitions(__doc__, 12, 4)
    with running_chromium() as browser:
        print(heading(browser))
        for figure in measure_opening(browser, count):
            print(figure.line(), flush=True)
        with running_server() as server:
            for figure in measure_page(browser, server, count):
                print(figure.line(), flush=True)


if __name__ == "__main__":
    main()
