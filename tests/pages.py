"""The page in a real Chromium: a server of its own, the browser, and the inspector's parts.

Used by the tests and by ``benchmarks/page.py``. Playwright is imported where it is needed, so that
this file can be read without it.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import urlopen

import numpy as np
import torch
from numpy.typing import NDArray

from hybridpool.pictures.gallery import gallery_image
from hybridpool.pictures.image import fit_image
from hybridpool.stem import load_stem
from hybridpool.trace import Settings, Trace, run_poolings, run_stem

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Locator, Page, Playwright

ROOT = Path(__file__).resolve().parents[1]
POOLED = ("max", "average", "hybrid", "attention")
PATIENCE = 90_000  # milliseconds; a condition is awaited, so a fast machine never waits this long
START_PATIENCE = 120.0

# What makes Chromium talk to its maker's servers, or ask at first start, is switched off.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--force-color-profile=srgb",
]
_SYSTEM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


# ---- server and browser ------------------------------------------------------------------------


@dataclass(frozen=True)
class Server:
    """A Streamlit server that runs the page."""

    url: str
    process: subprocess.Popen[bytes]
    log: IO[bytes]

    def check(self) -> None:
        """Says what the server wrote, should it have ended by itself."""
        if self.process.poll() is not None:
            self.log.seek(0)
            written = self.log.read().decode(errors="replace")
            raise RuntimeError(
                f"the page's server ended with {self.process.returncode}:\n{written}"
            )

    def cpu_seconds(self) -> float:
        """Processor time spent so far by the server with all its threads, from ``/proc``."""
        numbers = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """A port that neither the other workers of this run nor any outgoing connection takes."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    for step in range(1000):
        port = 20_000 + 1000 * (worker % 12) + (os.getpid() + step) % 1000
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no port is free for the page's server")


@contextmanager
def running_server() -> Iterator[Server]:
    """Starts the page as ``make run`` does, on a free port, and stops it at the end."""
    options = {"server.port": free_port(), "server.headless": "true", "server.address": "127.0.0.1"}
    flags = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    plain = {name: text for name, text in os.environ.items() if not name.startswith("STREAMLIT_")}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "serve.py", *flags],
            cwd=ROOT,
            env=plain,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            server = Server(f"http://127.0.0.1:{options['server.port']}", process, log)
            _await_health(server)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _await_health(server: Server) -> None:
    end = time.monotonic() + START_PATIENCE
    while time.monotonic() < end:
        server.check()
        try:
            with urlopen(f"{server.url}/_stcore/health", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"the page's server did not answer within {START_PATIENCE:.0f} s")


def find_chromium(playwright: Playwright) -> str | None:
    """The system's Chromium or Chrome, else the one that Playwright installed, else None."""
    for name in _SYSTEM_NAMES:
        if found := shutil.which(name):
            return found
    own = playwright.chromium.executable_path
    return own if Path(own).is_file() else None


@contextmanager
def running_chromium(playwright: Playwright, executable: str) -> Iterator[Browser]:
    """A Chromium without a window."""
    browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
    try:
        yield browser
    finally:
        browser.close()


# ---- what must be shown ------------------------------------------------------------------------


@cache
def expected(chosen: Settings) -> Trace:
    """A gallery picture through everything, computed by the library alone."""
    # A test card is drawn at the size it is used, so that its one-pixel details stay that.
    image = fit_image(gallery_image(chosen.picture, card_side=chosen.image_size), chosen.image_size)
    stem = load_stem(chosen.stem, seed=chosen.seed, channels=chosen.channels)
    return run_poolings(run_stem(image, stem, torch.device("cpu")), chosen)


# ---- the message -------------------------------------------------------------------------------


def decode_message(message: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Reads what is sent to the inspector: length, JSON header, arrays at their places."""
    (length,) = struct.unpack_from("<I", message)
    header = json.loads(message[4 : 4 + length])
    shapes = {
        "input": header["input_shape"],
        "max": header["pooled_shape"],
        "average": header["pooled_shape"],
        "palette": [256, 3],
        "image": [*header["image_shape"], 3],
    }
    arrays = {}
    for name, place in header["arrays"].items():
        start = 4 + length + place["offset"]
        assert start % 4 == 0, "typed arrays in the browser want aligned places"
        raw = message[start : start + place["bytes"]]
        arrays[name] = np.frombuffer(raw, place["dtype"]).reshape(shapes[name])
    return header, arrays


# ---- the page ----------------------------------------------------------------------------------

_PIXELS = """
(canvas) => {
  const { width, height } = canvas;
  const bytes = canvas.getContext("2d").getImageData(0, 0, width, height).data;
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192)
    text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return { width, height, text: btoa(text) };
}
"""


@dataclass
class Explore:
    """The Explore page in one tab, and everything that it did so far."""

    page: Page
    server: Server
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    sent: list[bytes | str] = field(default_factory=list)
    received: list[bytes | str] = field(default_factory=list)

    def __post_init__(self) -> None:
        page = self.page
        page.set_default_timeout(PATIENCE)
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "console",
            lambda line: self.complaints.append(line.text) if line.type == "error" else None,
        )
        page.on("websocket", self._hear)

    def _hear(self, socket: Any) -> None:
        self.requests.append(socket.url)
        socket.on("framesent", lambda frame: self.sent.append(frame))
        socket.on("framereceived", lambda frame: self.received.append(frame))

    # -- opening and waiting --

    def open(self, **link: object) -> Explore:
        """Opens a link, with the readable filters if it names no stem; waits for maps and chart."""
        self.server.check()
        whole = {"stem": "filters"} | link
        self.page.goto(f"{self.server.url}/?{urlencode(whole)}", wait_until="commit")
        self.root.and_(self.page.locator("[data-painted]")).wait_for()
        self.page.locator("[data-testid=stPlotlyChart]").wait_for()
        return self.settled()

    def settled(self) -> Explore:
        """Waits until the script that draws the page has come to its end."""
        self.page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
        return self

    def painted(self) -> int:
        """How often the inspector has painted."""
        return int(self.root.get_attribute("data-painted") or 0)

    def await_paint(self, after: int) -> None:
        """Waits for a paint beyond the given count."""
        self.page.wait_for_function(
            "([root, after]) => Number(root.dataset.painted) > after",
            arg=[self.root.element_handle(), after],
        )

    def next_frame(self) -> None:
        """Waits until everything asked of the page so far has been painted."""
        self.page.evaluate("() => new Promise(requestAnimationFrame)")

    def await_link(self, **wanted: str) -> None:
        """Waits until the address bar holds these parameters."""
        self.page.wait_for_url(
            lambda url: all(self.link(url).get(name) == text for name, text in wanted.items())
        )

    def link(self, url: str | None = None) -> dict[str, str]:
        """The parameters in the address bar."""
        query = urlsplit(url or self.page.url).query
        return {name: values[-1] for name, values in parse_qs(query).items()}

    def other_hosts(self) -> list[str]:
        """Every request so far that did not go to the server or stay inside the browser."""
        own = urlsplit(self.server.url).netloc
        return [
            url
            for url in self.requests
            if urlsplit(url).scheme not in ("data", "blob") and urlsplit(url).netloc != own
        ]

    # -- parts of the inspector --

    @property
    def root(self) -> Locator:
        return self.page.locator(".inspector")

    @property
    def dial(self) -> Locator:
        return self.root.locator("#dial")

    def stage(self, panel: str) -> Locator:
        return self.root.locator(f"[data-panel={panel}] .stage")

    def row_of(self, pooling: str) -> Locator:
        return self.root.locator(f"canvas[data-strip={pooling}]")

    def pixels(self, canvas: Locator) -> NDArray[np.uint8]:
        """The painted pixels of a canvas (height, width, 3)."""
        found = canvas.evaluate(_PIXELS)
        raw = np.frombuffer(base64.b64decode(found["text"]), np.uint8)
        return raw.reshape(found["height"], found["width"], 4)[..., :3]

    def map(self, panel: str) -> NDArray[np.uint8]:
        """The painted pixels of a panel."""
        return self.pixels(self.root.locator(f"[data-panel={panel}] canvas"))

    def maps(self) -> dict[str, NDArray[np.uint8]]:
        """The painted pixels of all panels."""
        return {name: self.map(name) for name in ("picture", "feature_map", *POOLED)}

    def turn(self, weight: float) -> None:
        """Turns the dial and lets go."""
        self.dial.fill(f"{weight:g}")

    def channel(self) -> int:
        """The channel that is shown, from 0."""
        return int(self.root.locator("select.channel").input_value())

    def card(self) -> str:
        return self.root.locator(".card-title").inner_text()

    def table(self, number: int = 0) -> dict[str, list[str]]:
        """A table of the page: first cell of each row -> the other cells."""
        rows = self.page.locator("[data-testid=stMarkdownContainer] table").nth(number)
        texts = [row.locator("td").all_inner_texts() for row in rows.locator("tbody tr").all()]
        return {cells[0]: cells[1:] for cells in texts}

    def point_at(self, panel: str, row: float, column: float, rows: int, columns: int) -> None:
        """Moves the mouse to the middle of a cell of a panel's own grid."""
        stage = self.stage(panel)
        stage.scroll_into_view_if_needed()
        box = stage.bounding_box()
        assert box
        self.page.mouse.move(
            box["x"] + (column + 0.5) / columns * box["width"],
            box["y"] + (row + 0.5) / rows * box["height"],
        )


def open_tab(browser: Browser | BrowserContext, server: Server, **options: Any) -> Explore:
    """A fresh tab for the page; a `Browser` gives it a profile of its own."""
    return Explore(browser.new_page(**options), server)
