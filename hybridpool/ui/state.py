"""What a person has chosen: one frozen `Settings` and one frozen `View` a session, and the link.

Widgets write here and are filled from here; the address bar mirrors it. Streamlit drops widget
values on a change of page, so nothing that must last lives in a widget.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import streamlit as st

from hybridpool.pictures.gallery import GALLERY
from hybridpool.stem import STEMS, default_stem, trained_stems
from hybridpool.trace import Settings
from hybridpool.ui import words

DEFAULT = Settings(stem=default_stem(), image_size=96)


@dataclass(frozen=True)
class View:
    """What is looked at: nothing here changes the maps that are computed.

    Attributes:
        weight: Where the dial stands; None is where the blend weight starts.
        channel: The channel shown; None is the most telling one.
        row: Row of the pooled cell; None is the most telling cell.
        column: Column of the pooled cell.
        pinned: Whether the cell stays when the mouse moves on.
        scope: Whether colours span one ``"channel"`` or ``"all"``.
    """

    weight: float | None = None
    channel: int | None = None
    row: int | None = None
    column: int | None = None
    pinned: bool = False
    scope: str = "channel"


@dataclass(frozen=True)
class Shown:
    """A `View` with every blank filled in and everything inside the maps.

    `turned` says whether the dial stands for all channels; if not, the layer's own blend weights
    hold and `weight` is that of the channel shown.
    """

    weight: float
    channel: int
    row: int
    column: int
    pinned: bool
    scope: str
    turned: bool = True


@dataclass(frozen=True)
class Upload:
    """A picture of the person's own, as the file's bytes and as the key of every cache."""

    data: bytes
    digest: str
    name: str


def view_of(shown: Shown) -> View:
    """What is shown as a view, with a dial that was not turned left blank."""
    values = {field.name: getattr(shown, field.name) for field in fields(View)}
    return View(**values | ({} if shown.turned else {"weight": None}))


def settings() -> Settings:
    """The settings of this session, at first those of the link."""
    _begin()
    found: Settings = st.session_state["settings"]
    return found


def view() -> View:
    """What this session looks at, at first what the link says."""
    _begin()
    found: View = st.session_state["view"]
    return found


def upload() -> Upload | None:
    """The picture that this session uploaded, if any."""
    return st.session_state.get("upload")


def change(**values: Any) -> None:
    """Change settings; what the new ones do not allow is moved to the nearest that they do.

    The dial goes back to where the blend weight starts when that start is changed.
    """
    if "blend_weight" in values:
        look(weight=None)
    st.session_state["settings"] = replace(settings(), **values).clamped()


def look(**values: Any) -> None:
    """Change what is looked at."""
    st.session_state["view"] = replace(view(), **values)


def accept_upload(picture: Upload) -> None:
    """Show a picture of the person's own."""
    st.session_state["upload"] = picture
    change(picture="upload")
    look(channel=None, row=None, column=None, pinned=False)


def mirror_in_link() -> None:
    """Write the whole state into the address bar, so that the link restores it."""
    wanted = query(settings(), view()) | {"lang": words.language()}
    if st.session_state.get("large"):
        wanted["large"] = "1"
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)


# Name in the link -> how its text becomes a value; the names of the fields stand in _FIELDS.
_FIELDS: dict[str, str] = {
    "picture": "picture",
    "size": "image_size",
    "stem": "stem",
    "filters": "channels",
    "seed": "seed",
    "kernel": "kernel_size",
    "stride": "stride",
    "padding": "padding",
    "ceil": "ceil_mode",
    "start": "blend_weight",
    "device": "device",
}


def query(chosen: Settings, seen: View) -> dict[str, str]:
    """The state as the parameters of a link. Everything is written out, the seed too.

    Example:
        >>> query(Settings(kernel_size=3), View(weight=0.25))["kernel"]
        '3'
    """
    parameters = {name: _text(getattr(chosen, field)) for name, field in _FIELDS.items()}
    if seen.weight is not None:
        parameters["weight"] = _text(seen.weight)
    if seen.channel is not None:
        parameters["channel"] = str(seen.channel + 1)
    if seen.pinned and seen.row is not None:
        parameters["cell"] = f"{seen.row + 1}-{(seen.column or 0) + 1}"
    if seen.scope != View.scope:
        parameters["range"] = seen.scope
    return parameters


def settings_from(parameters: Mapping[str, str]) -> Settings:
    """The settings that a link asks for; what cannot be read is left as it is by default.

    Example:
        >>> settings_from({"kernel": "3000", "stride": "two"}).kernel_size
        8
    """
    kinds = {field.name: type(getattr(DEFAULT, field.name)) for field in fields(Settings)}
    values = {}
    for name, field in _FIELDS.items():
        if name in parameters:
            value = _parse(parameters[name], kinds[field])
            if value is not None:
                values[field] = value
    if values.get("picture") not in GALLERY:
        values.pop("picture", None)
    if values.get("stem") not in STEMS | trained_stems():
        values.pop("stem", None)
    return replace(DEFAULT, **values).clamped()


def view_from(parameters: Mapping[str, str]) -> View:
    """What a link looks at; channel and cell are clamped once the maps are there.

    Example:
        >>> view_from({"cell": "3-4", "weight": "7"})
        View(weight=1.0, channel=None, row=2, column=3, pinned=True, scope='channel')
    """
    weight = _parse(parameters.get("weight", ""), float)
    channel = _parse(parameters.get("channel", ""), int)
    row, _, column = parameters.get("cell", "").partition("-")
    cell = (_parse(row, int), _parse(column, int))
    pinned = None not in cell
    return View(
        weight=None if weight is None else min(max(weight, 0.0), 1.0),
        channel=None if channel is None else max(channel - 1, 0),
        row=max(cell[0] - 1, 0) if pinned else None,
        column=max(cell[1] - 1, 0) if pinned else None,
        pinned=pinned,
        scope="all" if parameters.get("range") == "all" else "channel",
    )


def _begin() -> None:
    if "settings" in st.session_state:
        return
    parameters = st.query_params.to_dict()
    st.session_state["settings"] = settings_from(parameters)
    st.session_state["view"] = view_from(parameters)
    st.session_state["large"] = parameters.get("large") == "1"
    st.session_state["link_had_upload"] = parameters.get("picture") == "upload"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return str(value)


def _parse(text: str, kind: type) -> Any:
    readers: dict[type, Callable[[str], Any]] = {
        bool: {"0": False, "1": True}.get,
        int: int,
        float: float,
        str: str,
    }
    try:
        value = readers[kind](text)
    except ValueError:
        return None
    return None if isinstance(value, float) and value != value else value
