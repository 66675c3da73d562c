"""How many frames a second the live camera gives: ``python -m benchmarks.camera``.

Chromium's own camera shows sixty pictures a second. A frame counts once everything that follows it
is computed and painted. Server and browser share this machine and its cores.
"""

from __future__ import annotations

from collections.abc import Iterator

from playwright.sync_api import Browser

from benchmarks.figures import VIEWPORT, Figure, print_table, repetitions
from tests.machines import FAKE_CAMERA, Server
from tests.pages import Explore, Noise, Tab

CAMERA = (f"{FAKE_CAMERA}=fps=60", "--use-fake-ui-for-media-stream")
#: Each page and what is chosen there; the readable filters are sixteen.
FILMED: dict[str, tuple[type[Tab], dict[str, str]]] = {
    "Explore": (Explore, {"stem": "filters"}),
    "Noise": (Noise, {"stem": "filters", "noise": "gaussian"}),
    "Noise, occluder": (Noise, {"stem": "filters", "show": "occlusion"}),
}


def rates(browser: Browser, server: Server, name: str, count: int, size: int) -> list[float]:
    """What a page says of its frames, second by second."""
    kind, link = FILMED[name]
    tab = kind(browser.new_page(viewport=VIEWPORT), server).open(size=size, **link)
    tab.film()
    root = tab.page.locator(".component:has(.film)")
    found = []
    for _ in range(count):
        tab.page.wait_for_timeout(1000)
        found.append(float(root.get_attribute("data-rate") or 0))
    tab.page.close()
    return found


def measure(browser: Browser, server: Server, count: int) -> Iterator[Figure]:
    """One figure for each page that films."""
    for name in FILMED:
        found = rates(browser, server, name, count, 96)
        yield Figure(f"live camera on {name}, 96 pixels", found, "/s", 25, at_least=True)


def main() -> None:
    """Print one line for each figure."""
    count = repetitions(__doc__, usual=8, quick=2)
    print_table(measure, count, *CAMERA)


if __name__ == "__main__":
    main()
