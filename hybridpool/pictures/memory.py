"""Memory for decoding: limit how many pictures are decoded at once, and free what they took."""

import ctypes
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

__all__ = ["Turns", "give_back_memory"]

_TOLD_EVERY = 0.3  # seconds


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
        ticket = object()
        with self._changed:
            self._queue.append(ticket)
        try:
            while ahead := self._ahead(ticket):
                if tell:
                    tell(ahead)
                with self._changed:
                    self._changed.wait_for(lambda: not self._ahead(ticket), _TOLD_EVERY)
            yield
        finally:
            with self._changed:
                self._queue.remove(ticket)
                self._changed.notify_all()

    def _ahead(self, ticket: object) -> int:
        with self._changed:
            return max(0, self._queue.index(ticket) - self._at_once + 1)


def give_back_memory() -> None:
    """Return free memory to the system if the C library would keep it.

    The allocator of GNU/Linux keeps the memory of large pictures for the same thread.

    Example:
        >>> give_back_memory()
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library has no such function
            ctypes.CDLL(None).malloc_trim(0)
