"""What the benchmarks of the page share: figures, a hand that drags, frames, an empty page.

A figure is the time a person waits, or what happens while a hand moves. Server and browser share
this machine and its cores.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Locator

from tests.machines import Server, running_chromium, running_server
from tests.pages import Tab

VIEWPORT = {"width": 1280, "height": 900}
#: Milliseconds after which the page has told what a hand let go of.
RESTED = 400


@dataclass(frozen=True)
class Figure:
    """One line of the table: what was measured, how often, and what it should be, if anything."""

    name: str
    values: list[float]
    unit: str
    target: float | None = None
    at_least: bool = False

    def line(self) -> str:
        middle = statistics.median(self.values)
        numbers = " ".join(
            f"{value:8.1f}" for value in (middle, min(self.values), max(self.values))
        )
        line = f"{self.name:58} {numbers} {len(self.values):3}"
        if self.target is None:
            return f"{line}     {self.unit}"
        met = middle >= self.target if self.at_least else middle <= self.target
        target = f"{'>=' if self.at_least else '<='} {self.target:g} {self.unit}"
        verdict = "met" if met else "MISSED"
        return f"{line}  {target:10} {verdict}"


def heading(browser: Browser) -> str:
    """Where the figures come from, and what their columns are."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    return (
        f"Chromium {browser.version}, {os.cpu_count()} cores, load {load:.1f} at the start\n"
        f"{'':58} {'median':>8} {'least':>8} {'most':>8}   n  target"
    )


def repetitions(description: str, usual: int, quick: int) -> int:
    """How often each figure is measured, as the command line says."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("-n", type=int, default=usual, help="repetitions of each figure")
    parser.add_argument("--quick", action="store_true", help="few repetitions")
    options = parser.parse_args()
    return quick if options.quick else options.n


def print_table(
    measure: Callable[[Browser, Server, int], Iterator[Figure]], count: int, *flags: str
) -> None:
    """Measure with a server and a browser of their own, and print one line for each figure."""
    with running_chromium(*flags) as browser, running_server() as server:
        print(heading(browser))
        for figure in measure(browser, server, count):
            print(figure.line(), flush=True)


# ---- what changes after an act -----------------------------------------------------------------

# `read` gives the parts of a page as texts. Each frame they are read, and it is noted when a part
# first is another than it was before the act.
_SEEN = """
  let before = {};
  window.acted = null;
  window.watch = () => { [before, window.acted, window.seen] = [read(), null, {}]; };
  window.watch();
  const look = () => {
    if (window.acted !== null) {
      for (const [part, text] of Object.entries(read())) {
        if (text && text !== before[part]) window.seen[part] ??= performance.now();
      }
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
  for (const kind of ["keydown", "click", "pointerup"]) {
    addEventListener(kind, (event) => { window.acted ??= event.timeStamp; }, true);
  }
"""


def watching(reading: str) -> str:
    """A script for a page, around one that defines `read`."""
    return f"(() => {{{reading}{_SEEN}}})()"


def waited(tab: Tab, act: Callable[[], object], parts: Sequence[str]) -> list[float]:
    """Milliseconds from an act until each of these parts of a watched page is another."""
    tab.page.evaluate("() => window.watch()")
    act()
    tab.await_true("(parts) => parts.every((part) => window.seen[part])", list(parts))
    found = tab.page.evaluate(
        "(parts) => parts.map((part) => window.seen[part] - window.acted)", list(parts)
    )
    tab.answered()
    return [float(taken) for taken in found]


# ---- a hand that drags -------------------------------------------------------------------------

# Moves a slider by one step in every animation frame, to and fro between two shares of its range.
_SWING = """
(slider, [seconds, low, high]) => new Promise((done) => {
  const [least, most, step] = ["min", "max", "step"].map((name) => Number(slider[name] || 1));
  const steps = Math.round((most - least) / step);
  const [from, to] = [Math.round(low * steps), Math.round(high * steps)];
  let [at, way, began] = [from, 1, 0];
  const move = (now) => {
    began ||= now;
    if (now - began > 1000 * seconds) return done((now - began) / 1000);
    if (at + way > to || at + way < from) way = -way;
    at += way;
    slider.value = least + at * step;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    requestAnimationFrame(move);
  };
  requestAnimationFrame(move);
})
"""

# Moves a pointer that is pressed on a part, two pixels in every animation frame, to and fro.
_WANDER = """
(part, [seconds, x, y, reach]) => new Promise((done) => {
  let [by, way, began] = [0, 2, 0];
  const move = (now) => {
    began ||= now;
    if (now - began > 1000 * seconds) return done((now - began) / 1000);
    if (Math.abs(by + way) > reach) way = -way;
    by += way;
    part.dispatchEvent(new PointerEvent("pointermove", {
      pointerId: 1, clientX: x + by, clientY: y + by / 2, bubbles: true,
    }));
    requestAnimationFrame(move);
  };
  requestAnimationFrame(move);
})
"""


@dataclass(frozen=True)
class Drag:
    """What happened during a drag: messages both ways, and frames and paints a second."""

    messages: int
    presented: float
    painted: float


@contextmanager
def traced(browser: Browser, tab: Tab) -> Iterator[list[float]]:
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


def _drag(
    browser: Browser, tab: Tab, component: Locator, part: Locator, move: str, *how: float
) -> Drag:
    """Presses the mouse where it stands, moves by script frame by frame, and lets go.

    The mouse of the test driver is too slow on a busy machine to ask for sixty frames a second.
    """
    mouse = tab.page.mouse
    messages = len(tab.sent) + len(tab.received)
    mouse.down()
    with traced(browser, tab) as shown:
        before = painted(component)
        lasted = part.evaluate(move, list(how))
        paints = painted(component) - before
    messages = len(tab.sent) + len(tab.received) - messages
    mouse.up()
    tab.page.wait_for_timeout(RESTED)
    tab.settled()
    within = [at for at in shown if at >= shown[-1] - lasted * 1000]
    return Drag(messages, presented=len(within) / lasted, painted=paints / lasted)


def drag_slider(
    browser: Browser,
    tab: Tab,
    component: Locator,
    slider: Locator,
    seconds: float = 2.0,
    shares: tuple[float, float] = (0.05, 0.95),
) -> Drag:
    """Drags a slider one step a frame between two shares of its range."""
    tab.move_over(slider, 0.5)
    return _drag(browser, tab, component, slider, _SWING, seconds, *shares)


def drag_part(
    browser: Browser,
    tab: Tab,
    component: Locator,
    part: Locator,
    held: Locator,
    seconds: float = 2.0,
    reach: float = 40.0,
) -> Drag:
    """Drags what is held on a part of the page to and fro, two pixels a frame."""
    part.scroll_into_view_if_needed()
    box = tab.box(held)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    tab.page.mouse.move(x, y)
    return _drag(browser, tab, component, part, _WANDER, seconds, x, y, reach)


def painted(component: Locator) -> int:
    """How often a component has painted."""
    return int(component.get_attribute("data-painted") or 0)


def drag_figures(name: str, drags: list[Drag], frames: float) -> Iterator[Figure]:
    """What a drag sent, and how many frames and paints a second it gave."""
    yield Figure(f"{name}: messages both ways", [float(each.messages) for each in drags], "", 0)
    rates = [each.presented for each in drags]
    yield Figure(f"{name}: frames on the screen", rates, "/s", frames, at_least=True)
    rates = [each.painted for each in drags]
    yield Figure(f"{name}: repaints", rates, "/s", frames, at_least=True)


# ---- an empty page -----------------------------------------------------------------------------

_EMPTY = "import streamlit\nstreamlit.markdown('empty')\n"

# Notes the frame after the one in which the first words of an empty page stand on the screen.
_WATCH_WORDS = """
(() => {
  const look = () => {
    const word = document.querySelector("[data-testid=stMarkdownContainer] p");
    requestAnimationFrame(word ? () => { window.stood = performance.now(); } : look);
  };
  requestAnimationFrame(look);
})()
"""


@contextmanager
def empty_page() -> Iterator[Server]:
    """A server whose only page is one word, for comparison."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "empty.py"
        script.write_text(_EMPTY)
        with running_server(script=str(script)) as server:
            yield server


def empty_opened(browser: Browser, server: Server) -> tuple[float, float]:
    """Milliseconds until the word of an empty page stands: with nothing cached, and again."""
    page = browser.new_page(viewport=VIEWPORT)
    page.add_init_script(_WATCH_WORDS)
    taken = []
    for _ in range(2):
        page.goto(server.url, wait_until="commit")
        tab = Tab(page, server)
        tab.await_true("() => window.stood")
        taken.append(float(page.evaluate("() => window.stood")))
    page.context.close()
    return taken[0], taken[1]
