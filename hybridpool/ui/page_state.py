"""What a person has chosen on a page: one frozen record a session, its table, and the link.

Widgets write to the record and are filled from it, and the address bar mirrors it: Streamlit drops
the values of widgets on a change of page, so nothing that must last lives in a widget.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import reduce
from typing import Any, Generic, Protocol, Self, TypeVar
from urllib.parse import urlencode

import streamlit as st

from hybridpool.ui import words
from hybridpool.ui.browser.component import say_what_was_heard

Values = dict[str, Any]


class Record(Protocol):
    """A frozen dataclass that knows the nearest record that is possible."""

    def clamped(self) -> Self: ...


R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class Parameter:
    """One parameter of the link.

    Args:
        name: Its name in the link, the same thing on every page.
        field: The field that it holds, also one of a record within the record.
        old: A name that links had before; it is still read.
        read: Text to value, and a ValueError where it is none; by default by the field's type.
        write: Record to text, or None to leave the parameter out.
        values: Text to values of several fields, in the place of `field` and `read`.
    """

    name: str
    field: str = ""
    old: str = ""
    read: Callable[[str], object] | None = None
    write: Callable[[Any], str | None] | None = None
    values: Callable[[str], Values] | None = None


class PageState(Generic[R]):
    """The record of one page in this session.

    Args:
        key: Names the record in the session and begins the keys of its controls.
        default: What is chosen at first.
        table: The parameters of the link.
        along: Values that change along with others: takes the record and the new values.
    """

    def __init__(
        self,
        key: str,
        default: R,
        table: tuple[Parameter, ...],
        along: Callable[[R, Values], Values] = lambda record, values: values,
    ) -> None:
        self.key, self.default, self.table, self._along = key, default, table, along

    def begin(self, parameters: Mapping[str, str]) -> None:
        """Take what a link says, if the session has chosen nothing yet."""
        if f"{self.key}_chosen" not in st.session_state:
            st.session_state[f"{self.key}_chosen"] = self.read(parameters)

    def chosen(self) -> R:
        """What is chosen in this session, at first what the link says."""
        self.begin(st.query_params)
        record: R = st.session_state[f"{self.key}_chosen"]
        return record

    def choose(self, **values: Any) -> None:
        """Choose something else; what the new values do not allow moves to the nearest."""
        st.session_state[f"{self.key}_chosen"] = self._changed(self.chosen(), values)

    def old_names(self) -> set[str]:
        """The names that links had before and that may mean something else on other pages."""
        return {each.old for each in self.table} - {""}

    def read(self, parameters: Mapping[str, str]) -> R:
        """What a link asks for: clamped, and by default what it does not say or cannot mean."""
        values: Values = {}
        for each in self.table:
            text = parameters.get(each.name)
            if text is None and each.old:
                text = parameters.get(each.old)
            if text is None:
                continue
            try:
                if each.values:
                    values |= each.values(text)
                else:
                    read = each.read or READERS[type(value_of(self.default, each.field))]
                    values[each.field] = read(text)
            except ValueError:
                continue
        return self._changed(self.default, values)

    def query(self, record: R | None = None) -> dict[str, str]:
        """A record, by default the session's, as the parameters of a link."""
        shown = self.chosen() if record is None else record
        texts = {
            each.name: each.write(shown) if each.write else text_of(value_of(shown, each.field))
            for each in self.table
        }
        return {name: text for name, text in texts.items() if text is not None}

    def control(
        self,
        widget: Callable[..., Any],
        field: str | tuple[str, ...],
        label: str,
        *,
        shown: Any = None,
        **options: Any,
    ) -> None:
        """A widget filled from the record, which writes back what is chosen to all its fields.

        `shown` is what it shows in the place of a value that is left to the page. Options that are
        a mapping are shown by the names in it.
        """
        choices = options.get("options")
        if isinstance(choices, Mapping):
            options |= {"options": list(choices), "format_func": choices.__getitem__}
        names = (field,) if isinstance(field, str) else field
        value = value_of(self.chosen(), names[0]) if shown is None else shown
        if isinstance(value, tuple):
            value = list(value)
        elif "options" in options and value not in options["options"]:
            value = options["options"][0]

        def act(moved: Any) -> None:
            value = tuple(moved) if isinstance(moved, list) else moved
            self.choose(**dict.fromkeys(names, value))

        draw_control(widget, label, value, act, key="_".join((self.key, *names)), **options)

    def pick(self, field: str, label: str, options: Any, **others: Any) -> None:
        """A `control` that shows all options side by side, one of which is always chosen."""
        others |= {"options": options, "required": True}
        self.control(st.segmented_control, field, label, **others)

    def whole(self, field: str, label: str, low: int, high: int, **others: Any) -> None:
        """A `control` for a whole number within limits."""
        others |= {"min_value": low, "max_value": high, "step": 1}
        self.control(st.number_input, field, label, **others)

    def _changed(self, record: R, values: Values) -> R:
        changed: R = _replaced(record, self._along(record, values))
        return changed.clamped()


_FILLED = "filled_controls"


def draw_control(
    widget: Callable[..., Any],
    label: str,
    value: Any,
    act: Callable[[Any], None],
    *,
    key: str,
    **options: Any,
) -> None:
    """Draw a widget of Streamlit that shows `value`, and act on what a person chooses instead.

    Streamlit tells of a move by calling back at the start of a run. It does not where the next run
    breaks that call off, nor where the server has forgotten the session that drew the widget. So a
    widget that holds something else than it was filled with has been moved, and is heard here.
    """
    filled = st.session_state.setdefault(_FILLED, {})
    hearing = {"key": key, "on_change": _heard, "args": (key, act)}
    if key not in filled:
        # What the browser still holds of a forgotten session counts, unless it is overwritten.
        filled[key] = value
        way = inspect.signature(widget).parameters.keys() & {"value", "index", "default"}
        begins = options["options"].index(value) if "index" in way else value
        widget(label, **hearing, **options, **dict.fromkeys(way, begins))
        if _heard(key, act):
            st.rerun()
        return
    if key in st.session_state and _heard(key, act):
        st.rerun()
    st.session_state[key] = value
    filled[key] = value
    widget(label, **hearing, **options)


def _heard(key: str, act: Callable[[Any], None]) -> bool:
    """Act on what a widget holds if it was not filled with that; whether it was so."""
    value = st.session_state[key]
    if value is None or value == st.session_state[_FILLED].get(key):
        return False
    act(value)
    st.session_state[_FILLED][key] = value
    return True


def mirror_in_link(*parameters: Mapping[str, str]) -> None:
    """Write what is chosen, and language and size of text, into the address bar.

    A page ends with this, so it is also where the browser learns what was heard.
    """
    wanted = _linked(*parameters)
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)
    say_what_was_heard()


def link_to(page: str, *parameters: Mapping[str, str]) -> str:
    """The address of another page with these parameters, in the language and size of text."""
    return f"{page}?{urlencode(_linked(*parameters))}"


def _linked(*parameters: Mapping[str, str]) -> dict[str, str]:
    wanted = {name: text for each in parameters for name, text in each.items()}
    wanted["lang"] = words.language()
    if st.session_state.get("large"):
        wanted["large"] = "1"
    return wanted


def number(text: str) -> float:
    """A finite number."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


READERS: dict[type, Callable[[str], object]] = {
    bool: lambda text: bool(number(text)),
    int: lambda text: round(number(text)),
    float: number,
    str: str,
}


def wholes(pattern: str) -> Callable[[str], Values]:
    """A reader of whole numbers: the named groups of a pattern that fits the whole text.

    Example:
        >>> wholes(r"(?P<rows>\\d+)x(?P<columns>\\d+)")("4x99999999999")
        {'rows': 4, 'columns': 1000000}
    """

    def read(text: str) -> Values:
        match = re.fullmatch(pattern, text, re.ASCII)
        if not match:
            raise ValueError(text)
        return {name: min(int(digits[:9]), 10**6) for name, digits in match.groupdict().items()}

    return read


def read_cell(text: str) -> Values:
    """Row and column of a cell, which a link counts from 1 as the page does."""
    cell = wholes(r"(?P<row>\d+)-(?P<column>\d+)")(text)
    return {name: max(place - 1, 0) for name, place in cell.items()}


def cell_text(row: int | None, column: int | None) -> str | None:
    """The text that gives a cell again; None without one."""
    return None if row is None or column is None else f"{row + 1}-{column + 1}"


def one_of(known: Callable[[], Collection[str]]) -> Callable[[str], str]:
    """A reader of one of the words that are known."""

    def read(text: str) -> str:
        if text not in known():
            raise ValueError(text)
        return text

    return read


def text_of(value: object) -> str | None:
    """The shortest text that gives the value again.

    Example:
        >>> text_of(0.5), text_of(1 / 3), text_of(True), text_of(None)
        ('0.5', '0.3333333333333333', '1', None)
    """
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    return None if value is None else str(value)


def value_of(record: Any, field: str) -> Any:
    """The value of a field of the record, or of a record within it."""
    key = type(record), field
    if key not in _PATHS:
        _PATHS[key] = _path(record, field) or [field]
    return reduce(getattr, _PATHS[key], record)


#: Where the fields of each kind of record lie; a field holds the same kind in all of them.
_PATHS: dict[tuple[type, str], list[str]] = {}


def _path(record: Any, field: str) -> list[str]:
    """The names that lead to a field of a record, or of a record within it; none if none has it."""
    if hasattr(record, field):
        return [field]
    for each in fields(record):
        part = getattr(record, each.name)
        if is_dataclass(part) and (path := _path(part, field)):
            return [each.name, *path]
    return []


def _parts(record: Any) -> list[Any]:
    inner = [getattr(record, field.name) for field in fields(record)]
    return [record, *(part for each in inner if is_dataclass(each) for part in _parts(each))]


def _replaced(record: Any, values: Values) -> Any:
    """The record with other values, each in the part that has such a field."""
    own, rest = {}, dict(values)
    for name in (field.name for field in fields(record)):
        part = getattr(record, name)
        if name in rest:
            own[name] = rest.pop(name)
        elif is_dataclass(part):
            known = [each for each in rest if any(hasattr(inner, each) for inner in _parts(part))]
            own[name] = _replaced(part, {each: rest.pop(each) for each in known})
    return replace(record, **own, **rest)
