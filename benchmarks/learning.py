"""How fast the race on the page Learning is: ``python -m benchmarks.learning``.

All nine networks at once, with accuracy every ten steps, in this process; and in a real Chromium
how often a second the charts are redrawn and how many steps they show, at full speed. Server and
browser share this machine and its cores.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import torch
from playwright.sync_api import Page

from benchmarks.figures import Figure, repetitions
from hybridpool.race.race import ARMS, Race, RaceSettings
from tests.machines import running_chromium, running_server
from tests.pages import Learning

STEPS = 200
_MARKS = "root => [performance.now(), Number(root.dataset.painted), Number(root.dataset.step)]"


def race_seconds() -> float:
    """Seconds of one race on one thread, as the page runs it."""
    race = Race(RaceSettings(steps=STEPS))
    began = time.perf_counter()
    for _ in race.advance(STEPS):
        pass
    return time.perf_counter() - began


def redraws(page: Page, seconds: float) -> tuple[float, float]:
    """Redraws and steps a second of a race that is running."""
    charts = page.locator(".learning")
    began, painted, step = charts.evaluate(_MARKS)
    page.wait_for_timeout(seconds * 1000)
    ended, painted_then, step_then = charts.evaluate(_MARKS)
    passed = (ended - began) / 1000
    return (painted_then - painted) / passed, (step_then - step) / passed


def measure_page(count: int, seconds: float = 5.0) -> Iterator[Figure]:
    """The page at full speed."""
    with running_server() as server, running_chromium() as browser:
        rates = []
        for seed in range(count):
            page = browser.new_page(viewport={"width": 1280, "height": 1000})
            Learning(page, server).open(steps=1000, speed="fast", draw=seed)
            page.get_by_role("button", name="Start", exact=True).click()
            page.locator(".learning:not([data-step='0'])").wait_for()
            rates.append(redraws(page, seconds))
            page.close()
    paints, steps = (list(values) for values in zip(*rates, strict=True))
    yield Figure("redraws of all charts, at full speed", paints, "/s", 5, at_least=True)
    yield Figure("steps shown, at full speed", steps, "/s", STEPS / 5, at_least=True)


def main() -> None:
    """Measure everything and print one table."""
    count = repetitions(__doc__, 5, 2)
    torch.set_num_threads(1)
    print(f"{os.cpu_count()} cores, one torch thread, load {os.getloadavg()[0]:.1f} at the start")
    print(f"{'':58} {'median':>8} {'least':>8} {'most':>8}   n  target")
    name = f"{STEPS} steps of all {len(ARMS)} networks at once"
    print(Figure(name, [race_seconds() for _ in range(count)], "s", 5).line(), flush=True)
    for figure in measure_page(count):
        print(figure.line(), flush=True)


if __name__ == "__main__":
    main()
