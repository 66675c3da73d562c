"""What runs beside the tests: a server of the page's own, and a Chromium without a window."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import IO, TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

if TYPE_CHECKING:
    from playwright.sync_api import Browser

#: A flag that gives Chromium a camera which shows a moving figure.
FAKE_CAMERA = "--use-fake-device-for-media-stream"
ROOT = Path(__file__).resolve().parents[1]
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
    # The headless shell alone would round the width of every letter.
    "--font-render-hinting=none",
]
_SYSTEM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: Chromium without the window around a page, which costs most of what opening one takes.
_SHELL = "chromium-headless-shell"


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

    def megabytes(self) -> float:
        """Memory that the server holds now, from ``/proc``."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20


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
def running_site(folder: Path, host: str = "127.0.0.1") -> Iterator[int]:
    """A plain static server of a folder, and its port; "" as host answers to every name."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer((host, 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@contextmanager
def running_server(
    port: int | None = None, script: str = "serve.py", **environment: str
) -> Iterator[Server]:
    """Starts the page as ``make run`` does, on a free port, and stops it at the end.

    Another `script` is another page.
    """
    options = {
        "server.port": port or free_port(),
        "server.headless": "true",
        "server.address": "127.0.0.1",
    }
    flags = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    plain = {name: text for name, text in os.environ.items() if not name.startswith("STREAMLIT_")}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", script, *flags],
            cwd=ROOT,
            env=plain | environment,
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


class NoChromiumError(RuntimeError):
    """There is no browser on this machine."""


@contextmanager
def running_chromium(*more: str, shell: bool = False) -> Iterator[Browser]:
    """A Chromium without a window: the system's or Chrome, else the one Playwright installed.

    Args:
        more: Flags that it gets besides the usual ones.
        shell: Whether the system's headless shell comes first: for tests. Measurements are made in
            what people use.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
        names = (_SHELL, *_SYSTEM_NAMES) if shell else (*_SYSTEM_NAMES, _SHELL)
        found = next(filter(None, map(shutil.which, names)), own)
        if not Path(found).is_file():
            raise NoChromiumError("needs Chromium: the system's, or `playwright install chromium`")
        browser = playwright.chromium.launch(executable_path=found, args=[*FLAGS, *more])
        try:
            yield browser
        finally:
            browser.close()
