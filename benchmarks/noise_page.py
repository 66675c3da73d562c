"""How fast the page Noise and occlusion is in a real Chromium: ``python -m benchmarks.noise_page``.

Every figure is the time a person waits: from the browser's own time stamp of the key press, click
or release of the mouse to the frame after the one in which what is waited for is there. Server and
browser share this machine and its cores. Nothing that is measured was computed before.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

from playwright.sync_api import Browser, expect

from benchmarks.figures import (
    VIEWPORT,
    Figure,
    drag_figures,
    drag_part,
    drag_slider,
    print_table,
    repetitions,
    waited,
    watching,
)
from benchmarks.page import DRAGS, PICTURES, thumbnail_of
from hybridpool.sensitivity.perturbation import PATCHES
from hybridpool.ui.settings import DEFAULT
from tests.machines import Server
from tests.pages import Noise

CHANGED = ".compare [data-row=picture] .stage[data-side=changed]"

# Looks in every frame at what a person reads, and notes when a part of it first is another than
# it was before the act. Streamlit gives each component a shadow root.
_WATCH = watching("""
  const roots = [];
  const attach = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function (options) {
    const root = attach.call(this, options);
    roots.push(root);
    return root;
  };
  const texts = (root, selector) =>
    [...root.querySelectorAll(selector)].map((part) => part.textContent).join("|");
  const within = (selector) =>
    roots.filter((root) => root.host.isConnected).map((root) => texts(root, selector)).join("");
  const lines = (number) => {
    const columns = [...document.querySelectorAll("[data-testid=stColumn]:has(h2)")];
    const found = columns[number]?.querySelectorAll(".js-plotly-plot .js-line") ?? [];
    return [...found].map((line) => line.getAttribute("d")).join();
  };
  const read = () => ({
    rows: within(".compare .effect dd"),
    // Who computed them: the browser during a drag, PyTorch after it.
    judged: within(".compare .judged"),
    map: within(".sliding .value"),
    points: lines(0),
    // Drawn from the whole curve and below it.
    whole: lines(1),
  });
""")


def opened(browser: Browser, server: Server, **link: str) -> Noise:
    """A tab of its own with the page in it, at rest."""
    tab = Noise(browser.new_page(viewport=VIEWPORT), server)
    tab.page.add_init_script(_WATCH)
    return tab.open(picture=PICTURES[0], **link)


def levels(tab: Noise, count: int) -> tuple[list[float], list[float]]:
    """Key presses on the slider of the level: milliseconds, and of server CPU for each release.

    The browser shows the new rows at once and PyTorch answers later. The processor time comes from
    ``/proc`` in steps of 10 ms, so that it is read over all presses.
    """
    slider, said = tab.page.locator(".compare #level"), tab.page.locator(".compare .judged")
    times, shares = [], []
    for key in ("ArrowRight", "ArrowLeft"):
        time.sleep(0.5)  # what the last change left to do is not charged to these
        before = tab.server.cpu_seconds()
        for _ in range(count):
            times += waited(tab, partial(slider.press, key), ["rows"])
            # On a busy machine PyTorch may answer before the browser has counted every channel.
            expect(said).to_contain_text("PyTorch on")
            tab.answered()
        shares.append((tab.server.cpu_seconds() - before) / count * 1000)
    return times, shares


def rests(tab: Noise, count: int) -> list[float]:
    """Milliseconds of server CPU for the curves, which follow a key press once the hand rests."""
    slider, shares = tab.page.locator(".compare #level"), []
    for number in range(count):
        slider.press("ArrowLeft" if number % 2 else "ArrowRight")
        tab.answered()
        before = tab.server.cpu_seconds()
        tab.settled()
        shares.append((tab.server.cpu_seconds() - before) * 1000)
    return shares


def releases(tab: Noise, count: int) -> list[float]:
    """The occluder taken by its middle, moved, and let go of."""
    stage = tab.page.locator(CHANGED)
    stage.scroll_into_view_if_needed()
    times = []
    for number in range(count):
        patch = stage.locator(".patch").bounding_box()
        assert patch
        x, y = patch["x"] + patch["width"] / 2, patch["y"] + patch["height"] / 2
        tab.page.mouse.move(x, y)
        tab.page.mouse.down()
        tab.page.mouse.move(x + (12 if number % 2 else -14), y + 3, steps=4)
        times += waited(tab, tab.page.mouse.up, ["judged"])
    return times


def curves(tab: Noise, count: int) -> tuple[list[float], list[float]]:
    """Clicks on pictures whose curves nobody has seen yet: first points, and whole curves."""
    first, whole = [], []
    for key in PICTURES[1 : count + 1]:
        thumbnail = thumbnail_of(tab, key)
        points, last = waited(tab, thumbnail.click, ["points", "whole"])
        first.append(points)
        whole.append(last)
    return first, whole


def maps(tab: Noise) -> list[float]:
    """Key presses on the slider of the patch; each side makes another map of 625 places."""
    slider = tab.page.locator(".st-key-perturb_patch input[type=range]")
    slider.scroll_into_view_if_needed()
    for _ in PATCHES:
        slider.press("ArrowLeft")
    tab.page.wait_for_url(f"**patch={PATCHES[0]}*")
    tab.settled()
    act = partial(slider.press, "ArrowRight")
    return [waited(tab, act, ["map"])[0] for _ in PATCHES[1:]]


def measure(browser: Browser, server: Server, count: int) -> Iterator[Figure]:
    """All figures, for pictures of the size the page begins with and for the largest."""
    for side in (DEFAULT.image_size, 224):
        link = {"size": str(side)}
        tab = opened(browser, server, **link)
        times, shares = levels(tab, count)
        yield Figure(f"noise level -> new rows, {side} pixels", times, "ms", 100)
        yield Figure("  server CPU for its release (/proc)", shares, "ms", 25)
        yield Figure("  and for the curves, once the hand rests", rests(tab, count), "ms")
        rows, level = tab.page.locator(".compare"), tab.page.locator(".compare #level")
        drags = [drag_slider(browser, tab, rows, level) for _ in range(DRAGS)]
        yield from drag_figures(f"level, {side} pixels", drags, 20)
        first, whole = curves(tab, count)
        yield Figure(f"picture -> first points of its curve, {side} pixels", first, "ms", 1000)
        yield Figure("  both whole curves: 8 seeds, 8 levels, 4 poolings", whole, "ms", 3000)
        tab.page.close()
        tab = opened(browser, server, show="occlusion", **link)
        taken = releases(tab, count)
        yield Figure(f"occluder let go of -> PyTorch's rows, {side} pixels", taken, "ms", 400)
        stage = tab.page.locator(CHANGED)
        drags = [
            drag_part(browser, tab, tab.page.locator(".compare"), stage, stage.locator(".patch"))
            for _ in range(DRAGS)
        ]
        yield from drag_figures(f"occluder, {side} pixels", drags, 30)
        taken = maps(tab)
        yield Figure(f"patch -> occlusion map of 625 places, {side} pixels", taken, "ms", 2000)
        tab.page.close()


def main() -> None:
    """Print one line for each figure."""
    count = min(repetitions(__doc__, 8, 3), len(PICTURES) - 1)
    print_table(measure, count)


if __name__ == "__main__":
    main()
