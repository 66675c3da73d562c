"""The page in a real Chromium: how a tab is opened, what it is waited for, what it asked for.

Used by the tests and by the benchmarks.
"""

from __future__ import annotations

import base64
import time
from typing import Any, ClassVar, Protocol, Self, TypeVar
from urllib.parse import parse_qs, urlencode, urlsplit

import numpy as np
from axe_playwright_python.sync_playwright import Axe
from numpy.typing import NDArray
from playwright.sync_api import ConsoleMessage, Locator, Page, expect

from tests.machines import Server
from tests.shown import POOLED

PATIENCE = 90_000  # milliseconds; a condition is awaited, so a fast machine never waits this long
PHONE = {"width": 390, "height": 844}
expect.set_options(timeout=PATIENCE)

#: What Streamlit and Plotly make of their own accord, and no setting of ours reaches.
THEIRS = [
    ["[data-testid=stToolbar]"],
    ["[data-testid=stFileUploader]"],
    [".modebar"],
    [".js-plotly-plot"],
]
#: A function of JavaScript from a canvas to its size and its bytes.
PIXELS = """
(canvas) => {
  const { width, height } = canvas;
  const bytes = canvas.getContext("2d").getImageData(0, 0, width, height).data;
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192)
    text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return { width, height, text: btoa(text) };
}
"""

#: JavaScript: every part of the page below one of them, also in the components.
PARTS = """
function* partsOf(root) {
  for (const part of root.querySelectorAll("*")) {
    yield part;
    if (part.shadowRoot) yield* partsOf(part.shadowRoot);
  }
}
"""


def painted(found: dict[str, Any]) -> NDArray[np.uint8]:
    """What `PIXELS` found, as colours (height, width, 3)."""
    raw = np.frombuffer(base64.b64decode(found["text"]), np.uint8)
    return raw.reshape(found["height"], found["width"], 4)[..., :3]


class Tab:
    """One page of ours in one tab, and everything that it did so far."""

    path: ClassVar[str] = ""
    ready: ClassVar[str] = "[data-testid=stAppViewContainer]"
    """What is there once the page shows what it is about."""
    usual: ClassVar[dict[str, Any]] = {"lang": "en"}
    """What a link says unless a test says otherwise."""

    def __init__(self, page: Page, server: Server) -> None:
        self.page, self.server = page, server
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.sent: list[bytes | str] = []
        self.received: list[bytes | str] = []
        page.set_default_timeout(PATIENCE)
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._read)
        page.on("websocket", self._hear)

    def _read(self, line: ConsoleMessage) -> None:
        # Streamlit looks for its server below the page's own address first.
        sought = f"/{self.path}/_stcore/"
        if line.type == "error" and sought not in line.location["url"]:
            self.complaints.append(line.text)

    def _hear(self, socket: Any) -> None:
        self.requests.append(socket.url)
        socket.on("framesent", lambda frame: self.sent.append(frame))
        socket.on("framereceived", lambda frame: self.received.append(frame))

    def open(self, **link: object) -> Self:
        """Opens a link and waits until all of it is there."""
        self.server.check()
        query = urlencode(self.usual | link)
        self.page.goto(f"{self.server.url}/{self.path}?{query}", wait_until="commit")
        self.page.locator(self.ready).first.wait_for()
        # Our style sheet comes a moment after the page: until then everything stands elsewhere.
        expect(self.page.locator(".block-container")).to_have_css("max-width", "1600px")
        return self.settled()

    def settled(self) -> Self:
        """Waits until all is drawn and painted, also what is drawn once the hand rests."""
        end = time.monotonic() + PATIENCE / 1000
        while not self.answered()._rested():
            assert time.monotonic() < end, "what follows once the hand rests is not drawn"
            self.page.wait_for_timeout(20)
        return self.answered()

    def _rested(self) -> bool:
        """Whether nothing is due that has not been drawn."""
        due, drawn = (
            self.page.locator(f"[data-{name}]").evaluate_all(
                "(parts, name) => parts.map((part) => part.dataset[name])", name
            )
            for name in ("due", "drawn")
        )
        return set(due) <= set(drawn)

    def answered(self) -> Self:
        """Waits until the script has come to its end and what it drew is painted."""
        self.page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
        self.next_frame()
        self.next_frame()
        return self

    def next_frame(self) -> None:
        """Waits until everything asked of the page so far has been painted."""
        self.page.evaluate("() => new Promise(requestAnimationFrame)")

    def await_true(self, condition: str, arg: Any = None) -> None:
        """Waits until a function of JavaScript says yes.

        Playwright's `wait_for_function` evaluates text, which the page's content policy forbids.
        """
        end = time.monotonic() + PATIENCE / 1000
        while not self.page.evaluate(condition, arg):
            assert time.monotonic() < end, condition
            self.page.wait_for_timeout(10)

    def film(self) -> None:
        """Switches the live camera on and waits until frames are counted."""
        root = self.page.locator(".component:has(.film)")
        root.locator(".film").click()
        self.await_true("(root) => Number(root.dataset.rate) > 0", root.element_handle())

    def freeze(self) -> None:
        """Makes the frame that the camera shows now one's own picture."""
        self.film()
        self.page.locator(".component .freeze").click()
        self.await_link(picture="upload")
        self.settled()
        expect(self.page.get_by_test_id("stSidebar")).to_contain_text("camera.png")

    def link(self, url: str | None = None) -> dict[str, str]:
        """The parameters in the address bar."""
        query = urlsplit(url or self.page.url).query
        return {name: values[-1] for name, values in parse_qs(query).items()}

    def await_link(self, **wanted: str | None) -> None:
        """Waits until the address bar holds these parameters, and lacks those that are None."""
        self.page.wait_for_url(
            lambda url: all(self.link(url).get(name) == text for name, text in wanted.items())
        )

    def box(self, part: Locator) -> dict[str, float]:
        """Where a part stands, once it has been scrolled into the window."""
        part.scroll_into_view_if_needed()
        found = part.bounding_box()
        assert found
        return dict(found)

    def move_over(self, part: Locator, across: float, down: float = 0.5) -> None:
        """Moves the mouse to a place in a part, both ways from 0 to 1."""
        box = self.box(part)
        self.page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])

    def pixels(self, canvas: Locator) -> NDArray[np.uint8]:
        """The painted pixels of a canvas (height, width, 3)."""
        return painted(canvas.evaluate(PIXELS))

    def other_hosts(self) -> list[str]:
        """Every request so far that did not go to the server or stay inside the browser."""
        own = urlsplit(self.server.url).netloc
        return [
            url
            for url in self.requests
            if urlsplit(url).scheme not in ("data", "blob") and urlsplit(url).netloc != own
        ]

    def assert_clean(self) -> None:
        """It asked for something, for nothing elsewhere, and complained about nothing."""
        self.server.check()
        assert self.requests, "requests are heard"
        assert self.other_hosts() == []
        assert self.complaints == []

    def assert_open_to_everybody(self, *without: str) -> None:
        """What axe-core calls serious or critical, it finds nowhere but in these parts."""
        left_out = [*THEIRS, *([part] for part in without)]
        found = Axe().run(self.page, context={"exclude": left_out}).response["violations"]
        assert {
            f"{entry['id']}: {node['target']} {node['html'][:150]} {node['failureSummary'][-160:]}"
            for entry in found
            if entry["impact"] in ("serious", "critical")
            for node in entry["nodes"]
        } == set()

    def assert_no_wider_than_the_screen(self) -> None:
        """Nothing has to be scrolled sideways to be seen."""
        inside = self.page.get_by_test_id("stMain")
        assert inside.evaluate("main => main.scrollWidth <= main.clientWidth")


AnyTab = TypeVar("AnyTab", bound=Tab)


class OpenTab(Protocol):
    """Opens a tab for a kind of page; options are those of a browser's context."""

    def __call__(self, kind: type[AnyTab], **options: Any) -> AnyTab: ...


def tab(path: str, ready: str) -> type[Tab]:
    """A page that needs no more than to be opened and waited for."""
    return type(path, (Tab,), {"path": path, "ready": ready})


ByHand = tab("By_hand", ".by-hand[data-painted]")
TheAnswer = tab("The_answer", ".answer[data-painted]")
Noise = tab("Noise_and_occlusion", ".compare[data-painted]")
Shift = tab("Shift_and_frequency", ".compare[data-painted]")
Learning = tab("Learning", ".learning[data-painted]")
Evidence = tab("Evidence", "table.claims")
Cost = tab("Cost", ".st-key-cost_button_times button")


class Explore(Tab):
    """The Explore page, whose inspector is its first part."""

    ready = ".inspector[data-painted]"
    usual: ClassVar[dict[str, Any]] = {"stem": "filters"}

    def open(self, **link: object) -> Self:
        """Also waits for the chart, which comes last."""
        super().open(**link)
        self.page.locator("[data-testid=stPlotlyChart]").wait_for()
        return self.settled()

    def painted(self) -> int:
        """How often the inspector has painted."""
        return int(self.root.get_attribute("data-painted") or 0)

    def await_paint(self, after: int) -> None:
        """Waits for a paint beyond the given count."""
        self.await_true(
            "([root, after]) => Number(root.dataset.painted) > after",
            [self.root.element_handle(), after],
        )

    @property
    def root(self) -> Locator:
        return self.page.locator(".inspector")

    @property
    def dial(self) -> Locator:
        return self.root.locator("#dial")

    def hold_dial(self, start: float, end: float) -> None:
        """Drags the dial between two shares of its width, and does not let go of it."""
        self.sent.clear()
        self.move_over(self.dial, start)
        self.page.mouse.down()
        self.move_over(self.dial, end)
        self.next_frame()
        self.next_frame()

    def stage(self, panel: str) -> Locator:
        return self.root.locator(f"[data-panel={panel}] .stage")

    def row_of(self, pooling: str) -> Locator:
        return self.root.locator(f"canvas[data-strip={pooling}]")

    def map(self, panel: str) -> NDArray[np.uint8]:
        """The painted pixels of a panel."""
        return self.pixels(self.root.locator(f"[data-panel={panel}] canvas"))

    def maps(self) -> dict[str, NDArray[np.uint8]]:
        """The painted pixels of all panels."""
        return {name: self.map(name) for name in ("picture", "feature_map", *POOLED)}

    def turn(self, weight: float) -> None:
        """Turns the dial and lets go."""
        self.dial.fill(f"{weight:g}")

    def size(self, name: str) -> Locator:
        """A control of the pooling window."""
        return self.root.locator(f"[data-size={name}]")

    def judged(self) -> str:
        """What the inspector says of who computed the maps."""
        return self.root.locator(".judged").inner_text()

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
        self.move_over(self.stage(panel), (column + 0.5) / columns, (row + 0.5) / rows)


PAGES: tuple[type[Tab], ...] = (
    Explore,
    ByHand,
    TheAnswer,
    Noise,
    Shift,
    Learning,
    Evidence,
    Cost,
)
"""Every page, in the order of the sidebar."""
