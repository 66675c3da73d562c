"""How fast the page The answer is in a real Chromium: ``python -m benchmarks.answer_page``.

Every figure is the time a person waits, on pictures that nobody has asked about before: from the
browser's own time stamp of the click, or from the start of the navigation, to the frame after the
one in which what is waited for is there. Server and browser share this machine and its cores.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from playwright.sync_api import Browser

from benchmarks.figures import (
    VIEWPORT,
    Figure,
    drag_figures,
    drag_slider,
    print_table,
    repetitions,
    waited,
    watching,
)
from benchmarks.page import DRAGS, PICTURES, first_picture, thumbnail_of
from tests.machines import Server
from tests.pages import TheAnswer

# Notes the first paint of the rows, and when after a click each further part first is another.
_WATCH = watching("""
  const attach = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function (options) {
    const root = attach.call(this, options);
    const note = () => {
      if (!root.querySelector(".answer[data-painted]")) return;
      requestAnimationFrame(() => { window.painted ??= performance.now(); });
    };
    new MutationObserver(note).observe(root, { subtree: true, attributes: true });
    return root;
  };
  const all = (part, selector, name) =>
    [...(part?.querySelectorAll(selector) ?? [])].map((each) => each.getAttribute(name)).join();
  const read = () => {
    const charts = document.querySelectorAll(".js-plotly-plot");
    const points = all(charts[0], ".js-line", "d");
    const busy = document.querySelector("[data-testid=stMain] [data-testid=stProgress]");
    const pictures = [...charts].map((chart) => all(chart, "image", "href")).join("");
    return { points, whole: pictures && points, places: busy ? "" : pictures };
  };
""")
PARTS = ["points", "whole", "places"]


def opened(browser: Browser, server: Server, **link: str) -> tuple[float, TheAnswer]:
    """Milliseconds from the start of the navigation to the first painted rows, and the tab."""
    tab = TheAnswer(browser.new_page(viewport=VIEWPORT), server)
    tab.page.add_init_script(_WATCH)
    tab.open(**link)
    tab.await_true("() => window.painted")
    return float(tab.page.evaluate("() => window.painted")), tab


def another_picture(tab: TheAnswer, key: str) -> list[float]:
    """Milliseconds from a click on a picture to the first points of its curves and so on."""
    return waited(tab, thumbnail_of(tab, key).click, PARTS)


def measure(browser: Browser, server: Server, count: int) -> Iterator[Figure]:
    """All figures."""
    firsts = (opened, first_picture)
    turns = []
    for _ in range(count + 1):
        both = [first(browser, server, picture=PICTURES[0]) for first in firsts]
        for _, tab in both:
            tab.settled().page.context.close()
        turns.append([taken for taken, _ in both])
    # The first visitor of a server waits for what is kept from then on.
    answers, maps = (list(values) for values in zip(*turns[1:], strict=True))
    yield Figure("first answers, a later visitor with nothing cached", answers, "ms", 2000)
    usual = statistics.median(maps)
    ratios = [taken / usual for taken in answers]
    yield Figure(f"  times the first picture of Explore, {usual:.0f} ms", ratios, "x", 1.0)
    _, tab = opened(browser, server, picture=PICTURES[0])
    tab.settled()
    rows = tab.page.locator(".answer")
    drags = [drag_slider(browser, tab, rows, rows.locator(".level input")) for _ in range(DRAGS)]
    yield from drag_figures("level, all poolings", drags, 10)
    waits = [another_picture(tab, key) for key in PICTURES[1 : count + 1]]
    points, whole, places = (list(values) for values in zip(*waits, strict=True))
    yield Figure("picture -> first points of its curves", points, "ms", 1000)
    yield Figure("  whole curves, and the maps of where the answer lives begin", whole, "ms", 3000)
    yield Figure("  maps of all poolings", places, "ms", 3000)
    tab.page.context.close()


def main() -> None:
    """Print one line for each figure."""
    count = min(repetitions(__doc__ or "", 6, 3), len(PICTURES) - 1)
    print_table(measure, count)


if __name__ == "__main__":
    main()
