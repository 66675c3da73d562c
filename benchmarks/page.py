"""How fast the Explore page is, measured in a real Chromium: ``python -m benchmarks.page``.

Every figure is the time a person waits: from the browser's own time stamp of the click, key press
or file choice to the frame after the one in which the inspector painted. Server and browser share
this machine and its cores.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Browser

from hybridpool.pictures.gallery import GALLERY
from tests.machines import Server, running_chromium, running_server
from tests.pages import Explore

VIEWPORT = {"width": 1280, "height": 900}
PICTURES = [key for key, picture in GALLERY.items() if picture.kind == "photo"]

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


@dataclass(frozen=True)
class Figure:
    """One line of the table: what was measured, how often, and what it should be."""

    name: str
    values: list[float]
    unit: str
    target: float
    at_least: bool = False

    def line(self) -> str:
        middle = statistics.median(self.values)
        met = middle >= self.target if self.at_least else middle <= self.target
        numbers = " ".join(
            f"{value:8.1f}" for value in (middle, min(self.values), max(self.values))
        )
        target = f"{'>=' if self.at_least else '<='} {self.target:g} {self.unit}"
        verdict = "met" if met else "MISSED"
        return f"{self.name:58} {numbers} {len(self.values):3}  {target:10} {verdict}"


def heading(browser: Browser) -> str:
    """Where the figures come from, and what their columns are."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    return (
        f"Chromium {browser.version}, {os.cpu_count()} cores, load {load:.1f} at the start\n"
        f"{'':58} {'median':>8} {'least':>8} {'most':>8}   n  target"
    )


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


def picture_changes(tab: Explore, count: int) -> list[float]:
    """Clicks on thumbnails whose pictures nobody has looked at yet."""
    times = []
    for key in PICTURES[1 : count + 1]:
        thumbnail = tab.page.locator(f".gallery button[data-key={key}]")
        thumbnail.scroll_into_view_if_needed()
        times.append(waited(tab, thumbnail.click))
        tab.await_link(picture=key)
    return times


def kernel_changes(tab: Explore, count: int) -> tuple[list[float], list[float]]:
    """Key presses on the kernel's slider, 2 to 8 and on; milliseconds, and of server CPU each.

    Stride changes in between keep every result from being known already. The processor time comes
    from ``/proc`` in steps of 10 ms, so that it is read over six changes at a time.
    """
    slider = tab.page.get_by_role("slider", name="Kernel size")
    stride = tab.page.get_by_role("slider", name="Stride")
    times: list[float] = []
    shares: list[float] = []
    keys = ["ArrowRight"] * 6 + ["ArrowLeft"] * 6
    while len(times) < count:
        for turn in (keys[:6], keys[6:]):
            waited(tab, partial(stride.press, "ArrowRight"))
            time.sleep(0.2)  # what the last change left to do is not charged to these
            before = tab.server.cpu_seconds()
            times += [waited(tab, partial(slider.press, key)) for key in turn]
            time.sleep(0.2)
            shares.append((tab.server.cpu_seconds() - before) / len(turn) * 1000)
    return times, shares


# ---- dragging the dial -------------------------------------------------------------------------


@contextmanager
def traced(browser: Browser, tab: Explore) -> Iterator[list[float]]:
    """Collects the time in milliseconds of every frame that Chromium put on the screen."""
    shown: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.json"
        browser.start_tracing(page=tab.page, path=path, categories=["viz"])
        try:
            yield shown
        finally:
            events = json.loads(browser.stop_tracing())["traceEvents"]
    marks = [event for event in events if event.get("name") == "Display::DrawAndSwap"]
    shown.extend(event["ts"] / 1000 for event in marks if event.get("ph") in ("X", "B", "b"))


# Turns the dial in every animation frame, as fast as any hand and any screen of 60 frames can.
_SWING = """
(dial, seconds) => new Promise((done) => {
  let began = 0;
  const step = (now) => {
    began ||= now;
    const passed = (now - began) / 1000;
    if (passed > seconds) return done(passed);
    dial.value = 0.5 + 0.45 * Math.sin((2 * Math.PI * passed) / 1.6);
    dial.dispatchEvent(new Event("input", { bubbles: true }));
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})
"""


@dataclass(frozen=True)
class Drag:
    """What happened while the dial was dragged: messages, and frames a second."""

    messages: int
    presented: float
    painted: float


def drag_dial(browser: Browser, tab: Explore, seconds: float) -> Drag:
    """Grips the dial with the mouse, drags it there and then by script, frame by frame.

    The mouse of the test driver is too slow on a busy machine to ask for sixty frames a second.
    """
    box = tab.box(tab.dial)
    mouse, middle = tab.page.mouse, box["y"] + box["height"] / 2
    mouse.move(box["x"] + box["width"] / 2, middle)
    messages = len(tab.sent) + len(tab.received)
    mouse.down()
    mouse.move(box["x"] + box["width"] * 0.7, middle, steps=8)
    with traced(browser, tab) as shown:
        before = tab.painted()
        lasted = tab.dial.evaluate(_SWING, seconds)
        painted = tab.painted() - before
    messages = len(tab.sent) + len(tab.received) - messages
    mouse.up()
    tab.settled()
    within = [at for at in shown if at >= shown[-1] - lasted * 1000]
    return Drag(messages, presented=len(within) / lasted, painted=painted / lasted)


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


def measure_page(browser: Browser, server: Server, count: int) -> Iterator[Figure]:
    """All figures of a server that somebody has visited before."""
    _, tab = first_picture(browser, server)
    tab.page.context.close()
    new, again, tabs = [], [], []
    for _ in range(count):
        taken, tab = first_picture(browser, server)
        new.append(taken)
        again.append(opened(tab))
        tabs.append(tab)
        tab.page.context.close()
    yield Figure("first picture, a later visitor with nothing cached", new, "ms", 2000)
    yield Figure("first picture, a visitor who comes again", again, "ms", 2000)

    _, tab = first_picture(browser, server, picture=PICTURES[0])
    tabs.append(tab)
    yield Figure("click on a picture -> its maps", picture_changes(tab, count), "ms", 500)
    times, shares = kernel_changes(tab, count)
    yield Figure("key on the kernel's slider -> new maps", times, "ms", 250)
    yield Figure("  server CPU for it (utime + stime in /proc)", shares, "ms", 60)
    yield Figure("choice of a 12 megapixel JPEG -> its maps", uploads(tab, count), "ms", 1500)
    tab.page.context.close()

    for channels in (16, 64):
        link: dict[str, Any] = {"stem": "random", "filters": channels, "size": 224}
        _, tab = first_picture(browser, server, **link)
        tabs.append(tab)
        drags = [drag_dial(browser, tab, 2.0) for _ in range(max(2, count // 3))]
        name = f"dial with {channels} channels of 112 cells: "
        rate = [drag.presented for drag in drags]
        painted = [drag.painted for drag in drags]
        messages = [float(drag.messages) for drag in drags]
        yield Figure(f"{name}messages both ways", messages, "", 0)
        yield Figure(f"{name}frames on the screen", rate, "/s", 55, at_least=True)
        yield Figure(f"{name}repainted maps", painted, "/s", 55, at_least=True)
        tab.page.context.close()
    others = [float(len(tab.other_hosts())) for tab in tabs]
    yield Figure("requests to other hosts, in each of these tabs", others, "", 0)


def repetitions(description: str, usual: int, quick: int) -> int:
    """How often each figure is measured, as the command line says."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("-n", type=int, default=usual, help="repetitions of each figure")
    parser.add_argument("--quick", action="store_true", help="few repetitions")
    options = parser.parse_args()
    return quick if options.quick else options.n


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
