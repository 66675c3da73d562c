"""Turns: a few compute at once, and the others wait in line and know their place."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import streamlit as st

from hybridpool.ui.compute.process import prepare

_T = TypeVar("_T")
_TOLD_EVERY = 0.3  # seconds

#: How many curves and maps are computed at once: a core is left for the controls of everybody.
COMPUTED_AT_ONCE = max(1, (os.cpu_count() or 2) - 1)


@dataclass(frozen=True)
class Waiting:
    """It is not one's turn yet.

    Attributes:
        ahead: How many come first.
    """

    ahead: int


class Turns:
    """Lets a few go on at once; the others wait in the order in which they came.

    Args:
        at_once: How many go on at once.

    Example:
        >>> turns = Turns(1)
        >>> with turns.turn():
        ...     print("the only one")
        the only one
    """

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._queue: list[object] = []
        self._changed = threading.Condition()

    @contextmanager
    def place(self) -> Iterator[Callable[[], int]]:
        """Stand in line until the end of the block.

        What it gives says how many come first; asked again, it waits a moment for that to change.

        Example:
            >>> turns = Turns(1)
            >>> with turns.place() as first, turns.place() as second:
            ...     first(), second()
            (0, 1)
        """
        ticket, asked = object(), False
        with self._changed:
            self._queue.append(ticket)

        def ahead() -> int:
            nonlocal asked
            with self._changed:
                if asked:
                    self._changed.wait_for(lambda: not self._ahead(ticket), _TOLD_EVERY)
                asked = True
                return self._ahead(ticket)

        try:
            yield ahead
        finally:
            with self._changed:
                self._queue.remove(ticket)
                self._changed.notify_all()

    @contextmanager
    def turn(self, tell: Callable[[int], None] | None = None) -> Iterator[None]:
        """Wait for a turn and hold it.

        Args:
            tell: Called again and again while one waits, with the number of those before.

        Example:
            >>> told: list[int] = []
            >>> with Turns(2).turn(told.append):
            ...     told
            []
        """
        with self.place() as ahead:
            while count := ahead():
                if tell:
                    tell(count)
            yield

    def _ahead(self, ticket: object) -> int:
        return max(0, self._queue.index(ticket) - self._at_once + 1)


@st.cache_resource(show_spinner=False)
def heavy() -> Turns:
    """The line of all that takes a while: curves, maps of places, races that are measured."""
    return Turns(COMPUTED_AT_ONCE)


def queued(
    begin: Callable[[], Iterator[_T]], kept: list[_T], turns: Turns | None = None
) -> Generator[_T | Waiting, None, None]:
    """What is kept, or records that grow until they are whole, once it is their turn to begin.

    Only what is whole is kept: who stops asking leaves nothing half done behind. Close it when you
    stop early, because others wait for it.
    """
    if not kept:
        prepare()
        with (turns or heavy()).place() as ahead:
            # Somebody may compute the same in the meantime.
            while not kept and (count := ahead()):
                yield Waiting(count)
            if not kept:
                record = None
                for record in begin():
                    yield record
                if record is not None:
                    kept.append(record)
                return
    yield kept[0]


def once(make: Callable[[], _T], kept: list[_T]) -> Generator[_T | Waiting, None, None]:
    """The same of what is computed in one go."""
    yield from queued(lambda: iter([make()]), kept)
