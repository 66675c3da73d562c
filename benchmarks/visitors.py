"""People at the page without a browser: they speak Streamlit's own protocol over its websocket.

What they send is what a browser sends: where they are, the control that they moved, which large
messages they have kept, and once they rest the wish for what follows from it. An answer counts
once the address that the page writes shows what was moved, which it does after everything that
belongs to it.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qs, urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from hybridpool.ui.browser.resting import RESTS

#: Seconds after which nobody waits any longer.
PATIENCE = 30.0
#: For so many runs a browser keeps a large message that it does not see again.
_KEPT = 2


@dataclass(frozen=True)
class Control:
    """One control that visitors move.

    Attributes:
        page: The page's name in its address.
        key: The end of the name that Streamlit gives the control.
        parameter: What it is called in the link.
        values: The values that it is moved to, as the link writes them.
        write: Writes one of them down as the browser tells it, knowing what the control shows.
        link: What the page is opened with.
    """

    page: str
    key: str
    parameter: str
    values: tuple[str, ...]
    write: Callable[[WidgetState, str, bytes], None]
    link: dict[str, str] = field(default_factory=dict)


@dataclass
class Record:
    """What visitors met with: seconds until each answer, and what went wrong."""

    opened: list[float] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    received: int = 0


def header_of(message: bytes) -> dict[str, Any]:
    """The header of what a component is sent."""
    length = int.from_bytes(message[:4], "little")
    header: dict[str, Any] = json.loads(message[4 : 4 + length])
    return header


class Visitor:
    """One session: opened, moved, left. Use it as ``async with``."""

    def __init__(self, url: str, control: Control, record: Record, **link: str) -> None:
        self.url, self.control, self.record = url, control, record
        self.link = {"lang": "en"} | control.link | link
        self.place = self.page = ""
        self.fragment = ""
        self.message = b""
        self.kept: dict[str, int] = {}
        self.run = 0
        self.waiting: dict[str, float] = {}
        self.state = WidgetState()
        self.due = self.drawn = self.follows = ""
        self.rests = 0.0
        self.ready = asyncio.Event()
        self.socket: ClientConnection

    async def __aenter__(self) -> Self:
        began = time.perf_counter()
        self.socket = await connect(
            f"{self.url.replace('http', 'ws', 1)}/_stcore/stream",
            subprotocols=["streamlit"],  # type: ignore[list-item]
            origin=self.url,  # type: ignore[arg-type]
            max_size=None,
            compression=None,
            open_timeout=PATIENCE,
        )
        self.hearing = asyncio.create_task(self._hear())
        self.resting = asyncio.create_task(self._rest())
        await self._ask(BackMsg())
        await asyncio.wait_for(self.ready.wait(), PATIENCE)
        self.record.opened.append(time.perf_counter() - began)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.resting.cancel()
        await self.socket.close()
        await self.hearing

    async def move(self, value: str) -> None:
        """Moves the control; the answer comes later."""
        message = BackMsg()
        self.state = WidgetState(id=self.place)
        self.control.write(self.state, value, self.message)
        message.rerun_script.fragment_id = self.fragment
        self.waiting[value] = self.rests = time.perf_counter()
        await self._ask(message)

    async def answered(self) -> None:
        """Waits until nothing is waited for; what has no answer then is an error."""
        end = time.perf_counter() + PATIENCE
        while self.waiting and time.perf_counter() < end:
            await asyncio.sleep(0.02)
        self.record.errors += ["no answer"] * len(self.waiting)
        self.waiting.clear()

    async def _ask(self, message: BackMsg) -> None:
        asked = message.rerun_script
        if self.state.id:
            asked.widget_states.widgets.append(self.state)
        asked.query_string = urlencode(self.link)
        asked.page_name = self.control.page
        asked.page_script_hash = self.page
        asked.context_info.locale = "en"
        kept = [name for name, run in self.kept.items() if self.run - run <= _KEPT]
        asked.cached_message_hashes.extend(kept)
        await self.socket.send(message.SerializeToString())

    async def _rest(self) -> None:
        """Asks for what is drawn once the hand rests, as the component `resting` does."""
        while True:
            await asyncio.sleep(0.1)
            if self.due != self.drawn and time.perf_counter() - self.rests >= RESTS:
                self.rests = time.perf_counter()
                message = BackMsg()
                message.rerun_script.fragment_id = self.follows
                await self._ask(message)

    async def _hear(self) -> None:
        try:
            async for raw in self.socket:
                assert isinstance(raw, bytes)
                self.record.received += len(raw)
                self._take(ForwardMsg.FromString(raw))
        except WebSocketException as problem:
            self.record.errors.append(f"the connection broke: {problem}")

    def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self.run += 1
        elif kind == "navigation":
            self.page = message.navigation.page_script_hash
        elif kind == "delta":
            self._look_at(message)
        elif kind == "ref_hash":
            self.kept[message.ref_hash] = self.run
        elif kind == "page_info_changed":
            self._read_link(message.page_info_changed.query_string)
        elif kind == "script_finished":
            if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                self.record.errors.append("the script does not compile")
            if self.place:
                self.ready.set()

    def _look_at(self, message: ForwardMsg) -> None:
        if message.metadata.cacheable:
            self.kept[message.hash] = self.run
        element = message.delta.new_element
        kind = element.WhichOneof("type")
        if kind == "exception":
            self.record.errors.append(f"{element.exception.type}: {element.exception.message}")
        elif kind == "html" and (due := re.search(r'data-due="(\w+)"', element.html.body)):
            if due[1] != self.due:
                self.due, self.rests = due[1], time.perf_counter()
        elif kind == "bidi_component" and element.bidi_component.id.endswith("-resting"):
            self.drawn = header_of(element.bidi_component.bytes)["due"]
            self.follows = message.delta.fragment_id
        elif kind and getattr(getattr(element, kind), "id", "").endswith(f"-{self.control.key}"):
            self.place = getattr(element, kind).id
            self.message = getattr(getattr(element, kind), "bytes", b"") or self.message
            self.fragment = message.delta.fragment_id

    def _read_link(self, query: str) -> None:
        self.link = {name: texts[-1] for name, texts in parse_qs(query).items()}
        shown = self.link.get(self.control.parameter, "")
        if shown not in self.waiting:
            return
        now, sent = time.perf_counter(), self.waiting[shown]
        # Whoever moved again before has this answer in the place of the older one.
        for each in [each for each, at in self.waiting.items() if at <= sent]:
            self.record.answers.append(now - self.waiting.pop(each))
