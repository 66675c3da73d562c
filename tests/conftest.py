"""What every test stands on: the same random examples everywhere, one thread, and no network."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
import torch
from hypothesis import settings

from tests.machines import (
    FAKE_CAMERA,
    NoChromiumError,
    Server,
    running_chromium,
    running_server,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

    from tests.pages import AnyTab, OpenTab

# So that what fails there shows its values too.
pytest.register_assert_rewrite("tests.pages", "tests.shown")

settings.register_profile("steady", derandomize=True, deadline=None, database=None)
settings.load_profile("steady")

# As the page does. On cores that others use too, threads that wait for each other make a small
# pooling twenty times slower.
torch.set_num_threads(1)

_LOCAL = {"localhost", "127.0.0.1", "::1", ""}


@pytest.fixture(autouse=True)
def only_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that runs inside the tests' own process may look up or reach another host."""
    look_up: Callable[..., object] = socket.getaddrinfo

    def local_look_up(host: object, *rest: object, **more: object) -> object:
        name = host.decode() if isinstance(host, bytes) else str(host or "")
        if name not in _LOCAL:
            raise socket.gaierror(socket.EAI_NONAME, f"the tests have no network: {name}")
        return look_up(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", local_look_up)


@pytest.fixture
def same_weights() -> Iterator[None]:
    """Layers draw their weights with the global generator: the same ones, and none used up."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """What the page's server finds in its environment besides the usual; a file may say more."""
    return {}


@pytest.fixture(scope="session")
def usual_server() -> Iterator[Server]:
    """The server of all files that say nothing about its environment: it starts once a worker."""
    with running_server() as started:
        yield started


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest, environment: dict[str, str]) -> Iterator[Server]:
    """A server of the page, of a file's own where it has an environment of its own."""
    if not environment:
        yield request.getfixturevalue("usual_server")
        return
    with running_server(**environment) as started:
        yield started


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for the tests of one file."""
    try:
        with running_chromium(shell=True) as browser:
            yield browser
    except NoChromiumError as problem:
        pytest.skip(str(problem))


@pytest.fixture(scope="module")
def contexts(chromium: Browser) -> Callable[..., BrowserContext]:
    """Profiles of the browser by their options: what one tab has fetched the next one has."""
    made: dict[str, BrowserContext] = {}

    def context(**options: Any) -> BrowserContext:
        key = json.dumps(options, sort_keys=True)
        if key not in made:
            made[key] = chromium.new_context(**options)
        return made[key]

    return context


@pytest.fixture
def browser_with() -> Iterator[Callable[..., Browser]]:
    """Starts a browser with flags of its own: one at a time, as Playwright wants it."""
    with ExitStack() as stack:

        def start(*flags: str) -> Browser:
            try:
                return stack.enter_context(running_chromium(*flags, shell=True))
            except NoChromiumError as problem:
                pytest.skip(str(problem))

        yield start


@pytest.fixture
def filming(browser_with: Callable[..., Browser]) -> Browser:
    """A browser with a fake camera that everybody may use."""
    return browser_with(FAKE_CAMERA, "--use-fake-ui-for-media-stream")


@pytest.fixture
def tab(contexts: Callable[..., BrowserContext], server: Server) -> Iterator[OpenTab]:
    """Opens tabs; whatever a test does there, it must stay on this machine and raise nothing."""
    opened: list[Any] = []

    def new(kind: type[AnyTab], **options: Any) -> AnyTab:
        # Nothing moves by itself, unless a test is about that.
        usual = {"viewport": {"width": 1280, "height": 1000}, "reduced_motion": "reduce"}
        opened.append(kind(contexts(**usual | options).new_page(), server))
        return opened[-1]

    try:
        yield new
        for one in opened:
            one.assert_clean()
    finally:
        for one in opened:
            one.page.close()
