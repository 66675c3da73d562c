"""What a component has sent, checked before it is used: anybody can send a server anything."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any

Check = Callable[[Any], bool]
#: No row, column or channel lies beyond.
FARTHEST = 10**6


def checked(sent: object, checks: Mapping[str, Check]) -> dict[str, Any]:
    """The named values of what was sent; nothing at all if one is missing or is something else.

    Example:
        >>> checked({"row": 3, "more": 1}, {"row": whole}), checked({"row": "3"}, {"row": whole})
        ({'row': 3}, {})
    """
    if not isinstance(sent, Mapping):
        return {}
    if not all(name in sent and check(sent[name]) for name, check in checks.items()):
        return {}
    return {name: sent[name] for name in checks}


def whole(value: object) -> bool:
    """A whole number that can be a place or a length."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= FARTHEST


def finite(value: object) -> bool:
    """A number that is neither infinite nor NaN."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def flag(value: object) -> bool:
    """True or false."""
    return isinstance(value, bool)


def maybe(check: Check) -> Check:
    """The same, or nothing."""
    return lambda value: value is None or check(value)


def word(known: Collection[str]) -> Check:
    """One of the words that are known."""
    return lambda value: isinstance(value, str) and value in known


def text(value: object) -> bool:
    """A text."""
    return isinstance(value, str)


def lines(value: object) -> bool:
    """A list of lists."""
    return isinstance(value, list) and all(isinstance(line, list) for line in value)
