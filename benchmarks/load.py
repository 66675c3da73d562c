"""How many people the page bears on this machine: ``python -m benchmarks.load``.

Sessions over Streamlit's own protocol each move a control once a second, whether or not the last
move has been answered; a few real browsers do the same among them. Server, sessions and browsers
share this machine and its cores. With ``--soak`` sessions come and go, and the server's memory is
watched.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from random import Random
from threading import Event

from playwright.sync_api import Browser, Error
from streamlit.proto.WidgetStates_pb2 import WidgetState

from benchmarks.figures import VIEWPORT
from benchmarks.page import PICTURES
from benchmarks.visitors import PATIENCE, Control, Record, Visitor, header_of
from hybridpool.pictures.perturb import NOISES
from hybridpool.sensitivity.perturbation import level_options
from hybridpool.trace import MAX_KERNEL
from tests.machines import NoChromiumError, Server, running_chromium, running_server
from tests.pages import Explore, Noise, Tab

#: How often each person moves a control, in seconds.
PACE = 1.0
#: Within how many seconds 95 of 100 answers are to come.
TARGET = 0.4
#: How long a session of the soak stays, in seconds, and how many are there at once.
STAY, TOGETHER = 8.0, 8
#: Streamlit keeps a session for two minutes after its visitor has left.
WARM = 150.0


def window(state: WidgetState, value: str, message: bytes) -> None:
    """The inspector tells the window, what is looked at, and which picture it holds."""
    header = header_of(message)
    told = {
        **header["view"],
        **header["window"],
        "kernel": int(value),
        "padding": 0,
        "has": header["base"],
        "told": time.time() * 1000,
    }
    state.json_value = json.dumps({"window": told})


def level(state: WidgetState, value: str, message: bytes) -> None:
    """The rows tell the level of the noise."""
    told = {"level": float(value), "told": time.time() * 1000}
    state.json_value = json.dumps({"level": told})


LEVELS = tuple(f"{each:g}" for each in level_options(NOISES["gaussian"]))
KERNELS = tuple(str(side) for side in range(1, MAX_KERNEL + 1))


@dataclass(frozen=True)
class Place:
    """A page under load: what is moved there, and how a real browser does it."""

    control: Control
    tab: type[Tab]
    slider: str


PLACES = {
    "explore": Place(
        Control("", "inspector", "kernel", KERNELS, window),
        Explore,
        ".inspector [data-size=kernel]",
    ),
    "noise": Place(
        Control("Noise_and_occlusion", "compare", "level", LEVELS, level),
        Noise,
        ".compare #level",
    ),
}


# ---- sessions ------------------------------------------------------------------------------------


async def visit(visitor: Visitor, draw: Random, until: float) -> None:
    """Moves the control once a second until it is time to go, and waits for the last answer."""
    await asyncio.sleep(draw.random() * PACE)  # people do not move together
    tick = time.perf_counter()
    while tick < until:
        now = visitor.link.get(visitor.control.parameter)
        free = [each for each in visitor.control.values if each not in (now, *visitor.waiting)]
        if free:
            await visitor.move(draw.choice(free))
        tick += PACE
        await asyncio.sleep(max(0.0, tick - time.perf_counter()))
    await visitor.answered()


async def session(
    server: Server, place: Place, record: Record, number: int, seconds: float
) -> None:
    """One visitor from coming to going; what breaks it is an error, not the end of the others."""
    draw = Random(number)
    link = {"picture": PICTURES[number % len(PICTURES)]}
    try:
        async with Visitor(server.url, place.control, record, **link) as visitor:
            await visit(visitor, draw, time.perf_counter() + seconds)
    except (OSError, TimeoutError) as problem:
        record.errors.append(f"no session: {problem!r}")


# ---- real browsers -------------------------------------------------------------------------------


@dataclass
class Browsers:
    """A few tabs of a real browser, each moved once a second in its turn.

    Attributes:
        tabs: How many.
        ready: Set as soon as all of them show the page, or there are none to come.
        stop: Set it, and they are closed.
        record: What they met with.
    """

    tabs: int
    ready: Event = field(default_factory=Event)
    stop: Event = field(default_factory=Event)
    record: Record = field(default_factory=Record)

    def browse(self, server: Server, place: Place) -> None:
        """Open the tabs and move them until they are stopped."""
        try:
            if self.tabs:
                with running_chromium() as chromium:
                    self._move(chromium, server, place)
        except NoChromiumError as problem:
            print(f"without browsers: {problem}")
        except (Error, TimeoutError) as problem:
            self.record.errors.append(f"a browser: {problem}")
        finally:
            self.ready.set()

    def _move(self, chromium: Browser, server: Server, place: Place) -> None:
        opened = [
            place.tab(chromium.new_page(viewport=VIEWPORT), server).open(picture=PICTURES[number])
            for number in range(self.tabs)
        ]
        self.ready.set()
        for turn in count():
            if self.stop.wait(PACE / self.tabs):
                break
            self.record.answers.append(pressed(opened[turn % self.tabs], place, turn // self.tabs))
        for tab in opened:
            self.record.errors += tab.complaints


def pressed(tab: Tab, place: Place, turn: int) -> float:
    """Seconds from a key on the control to the address that shows it: up and down by turns."""
    before = tab.link().get(place.control.parameter)
    began = time.perf_counter()
    tab.page.locator(place.slider).press("ArrowLeft" if turn % 2 else "ArrowRight")
    while tab.link().get(place.control.parameter) == before:
        if time.perf_counter() - began > PATIENCE:
            raise TimeoutError("the browser's move was never answered")
        tab.page.wait_for_timeout(10)
    return time.perf_counter() - began


# ---- what is measured ----------------------------------------------------------------------------


@dataclass
class Load:
    """What so many people at one page met with, and what the server spent on it."""

    page: str
    people: int
    record: Record = field(default_factory=Record)
    browsers: Record = field(default_factory=Record)
    cpu: float = 0.0
    memory: float = 0.0

    def line(self) -> str:
        """One line of the table."""
        answers = self.record.answers
        late = percentile(answers, 0.95)
        seen = self.browsers.answers
        verdict = "met" if late <= TARGET and not self.errors() else "MISSED"
        numbers = "".join(
            f"{value:9.3f}" for value in (median(answers), late, median(seen), max(seen, default=0))
        )
        return (
            f"{self.page:9}{self.people:4}{len(answers):8}{numbers}{len(self.errors()):8}"
            f"{self.cpu:8.0f} %{self.memory:7.0f} MB  {verdict}"
        )

    def errors(self) -> list[str]:
        """Everything that went wrong."""
        return self.record.errors + self.browsers.errors


def heading() -> str:
    """What the columns are."""
    loaded = os.getloadavg()[0] if hasattr(os, "getloadavg") else math.nan
    return (
        f"{os.cpu_count()} cores, load {loaded:.1f} at the start. Seconds from a move to its "
        f"answer; 95 % are to come within {TARGET} s.\n"
        f"{'page':9}{'N':>4}{'answers':>8}{'median':>9}{'95 %':>9}{'browser':>9}{'its most':>9}"
        f"{'errors':>8}{'CPU':>10}{'memory':>10}"
    )


def median(values: list[float]) -> float:
    """The median, and no number where there is none."""
    return statistics.median(values) if values else math.nan


def percentile(values: list[float], share: float) -> float:
    """The smallest value that is at least as large as this share of all."""
    if not values:
        return math.nan
    return sorted(values)[math.ceil(share * len(values)) - 1]


async def put_under_load(server: Server, name: str, people: int, seconds: float, tabs: int) -> Load:
    """So many sessions at one page for so long, and real browsers besides them."""
    place, browsers = PLACES[name], Browsers(tabs)
    load = Load(name, people, browsers=browsers.record)
    browsing = asyncio.create_task(asyncio.to_thread(browsers.browse, server, place))
    await asyncio.to_thread(browsers.ready.wait)
    before, began = server.cpu_seconds(), time.perf_counter()
    await asyncio.gather(
        *(session(server, place, load.record, number, seconds) for number in range(people))
    )
    load.cpu = 100 * (server.cpu_seconds() - before) / (time.perf_counter() - began)
    load.memory = server.megabytes()
    browsers.stop.set()
    await browsing
    return load


# ---- sessions that come and go -------------------------------------------------------------------


@dataclass(frozen=True)
class Sample:
    """The server's memory at one moment of the soak."""

    seconds: float
    sessions: int
    megabytes: float

    def line(self) -> str:
        """One line of the table."""
        return f"{self.seconds:8.0f} s{self.sessions:10}{self.megabytes:10.1f} MB"


async def soak(server: Server, minutes: float, record: Record) -> list[Sample]:
    """Keeps some sessions there, on both pages, each for a short while; samples the memory."""
    began, ends = time.perf_counter(), time.perf_counter() + 60 * minutes
    numbers, samples = count(), []

    async def come_and_go() -> None:
        while time.perf_counter() < ends:
            number = next(numbers)
            place = list(PLACES.values())[number % len(PLACES)]
            await session(server, place, record, number, min(STAY, 60 * minutes))

    visitors = [asyncio.create_task(come_and_go()) for _ in range(TOGETHER)]
    every = 60 * minutes / 20
    while time.perf_counter() < ends:
        await asyncio.sleep(every)
        opened = len(record.opened)
        samples.append(Sample(time.perf_counter() - began, opened, server.megabytes()))
        print(samples[-1].line(), flush=True)
    await asyncio.gather(*visitors)
    return samples


def growth(samples: list[Sample]) -> float:
    """Megabytes a minute, by least squares, once the first sessions are dropped again."""
    late = [each for each in samples if each.seconds > WARM] or samples[len(samples) // 2 :]
    if len(late) < 2:
        return math.nan
    times, sizes = [each.seconds / 60 for each in late], [each.megabytes for each in late]
    return statistics.linear_regression(times, sizes).slope


def say_soak(minutes: float) -> None:
    """Runs the soak and prints what it found."""
    record = Record()
    with running_server() as server:
        samples = asyncio.run(soak(server, minutes, record))
    print(
        f"{len(record.opened)} sessions came and went, {len(record.answers)} answers, "
        f"{len(record.errors)} errors; after the first {WARM:.0f} s (or the first half) memory "
        f"grew by {growth(samples):.2f} MB a minute."
    )
    say_errors(record.errors)


def say_errors(errors: list[str]) -> None:
    """Each error once, with how often it was met."""
    for text in dict.fromkeys(errors):
        print(f"    {errors.count(text)} x {text}")


def numbers(text: str) -> Iterator[int]:
    """Whole numbers with commas between."""
    return (int(part) for part in text.split(","))


def main() -> None:
    """Print one line for each page and number of people."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-n", default="1,10,30,60", help="how many people, with commas between")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long each time")
    parser.add_argument("--browsers", type=int, default=2, help="real browsers among them")
    parser.add_argument("--pages", default=",".join(PLACES), help="which pages")
    parser.add_argument("--soak", type=float, metavar="MINUTES", help="watch memory instead")
    options = parser.parse_args()
    if options.soak:
        say_soak(options.soak)
        return
    print(heading())
    for name in options.pages.split(","):
        for people in numbers(options.n):
            with running_server() as server:
                task = put_under_load(server, name, people, options.seconds, options.browsers)
                load = asyncio.run(task)
            print(load.line(), flush=True)
            say_errors(load.errors())


if __name__ == "__main__":
    main()
