"""What every page shares: picture, stem, window and device, what is looked at, and an upload."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import streamlit as st

from hybridpool.layers import POOLINGS
from hybridpool.pictures.gallery import GALLERY
from hybridpool.pictures.perturb import Noise
from hybridpool.stem import STEMS, default_stem, trained_stems
from hybridpool.trace import Settings
from hybridpool.ui.browser import sent
from hybridpool.ui.page_state import (
    PageState,
    Parameter,
    Values,
    cell_text,
    number,
    one_of,
    read_cell,
    value_of,
    wholes,
)

#: Where an occluder lies, in thousandths of the picture.
PLACES = ("top", "left", "height", "width")

#: What is done to a picture, as the links of all pages say it.
CHANGE_PARAMETERS = (
    Parameter("noise", "noise"),
    Parameter("level", "level"),
    Parameter("noise-seed", "draw", old="draw"),
    Parameter("shape", "shape"),
    Parameter("fill", "fill"),
    Parameter(
        "occluder",
        values=wholes("-".join(rf"(?P<{name}>\d+)" for name in PLACES)),
        write=lambda chosen: "-".join(str(value_of(chosen, name)) for name in PLACES),
    ),
)


def own_level(kinds: Mapping[str, Noise]) -> Callable[[Any, Values], Values]:
    """What changes along with a record that holds a noise: another one begins at its own level."""

    def along(_record: Any, values: Values) -> Values:
        noise = kinds.get(values.get("noise", ""))
        return {"level": noise.default} | values if noise else values

    return along


DEFAULT = Settings(stem=default_stem(), image_size=96)
_PICTURE_CHOSEN = "picture_chosen"
SCOPES = ("channel", "all")


@dataclass(frozen=True, kw_only=True)
class MapStyle:
    """How the maps are shown, whatever they are.

    Attributes:
        clipped: Whether colours end at the 99th percentile.
        difference: Whether max and average are shown as what hybrid pooling differs by.
        left: The pooling left of a divider over one large map; "" shows all maps side by side.
        right: The pooling right of it.
        divider: Where the divider stands, in percent of the width.
        beside: Key of a second picture that is shown below the first; "" shows none.
    """

    clipped: bool = False
    difference: bool = False
    left: str = ""
    right: str = ""
    divider: int = 50
    beside: str = ""


@dataclass(frozen=True)
class View(MapStyle):
    """Which part of the maps is shown; nothing here changes the maps.

    Attributes:
        weight: Where the dial stands; None is where the blend weight starts.
        channel: The channel shown; None is the example cell.
        row: Row of the pooled cell; None is the example cell.
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
class ResolvedView(MapStyle):
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

    @property
    def dial(self) -> float | None:
        """The blend weight of the dial; None where it was not turned and the layer's own holds."""
        return self.weight if self.turned else None


@dataclass(frozen=True)
class Shared:
    """What a person has chosen for all pages.

    Attributes:
        settings: Everything that decides the maps.
        view: What of them is looked at.
    """

    settings: Settings = DEFAULT
    view: View = field(default_factory=View)

    def clamped(self) -> Shared:
        """The nearest that can be shown; channel and cell are clamped once the maps are there."""
        view = self.view
        weight = None if view.weight is None else min(max(view.weight, 0.0), 1.0)
        divider = min(max(view.divider, 0), 100)
        return Shared(self.settings.clamped(), replace(view, weight=weight, divider=divider))


@dataclass(frozen=True)
class Upload:
    """A picture of the person's own, as the file's bytes and as the key of every cache."""

    data: bytes
    digest: str
    name: str


def view_of(shown: ResolvedView) -> View:
    """What is shown as a view, with a dial that was not turned left blank."""
    values = {field.name: getattr(shown, field.name) for field in fields(View)}
    return View(**values | ({} if shown.turned else {"weight": None}))


def upload() -> Upload | None:
    """The picture that this session uploaded, if any."""
    return st.session_state.get("upload")


def accept_upload(picture: Upload) -> None:
    """Show a picture of the person's own."""
    st.session_state["upload"] = picture
    st.session_state[_PICTURE_CHOSEN] = True
    SHARED.choose(picture="upload", channel=None, row=None, column=None, pinned=False)


def picture_was_chosen() -> bool:
    """Whether this session or its link has chosen a picture, be it the one of the beginning."""
    return bool(st.session_state.get(_PICTURE_CHOSEN))


def _write_cell(chosen: Shared) -> str | None:
    seen = chosen.view
    return cell_text(seen.row, seen.column) if seen.pinned else None


def _write_channel(chosen: Shared) -> str | None:
    return None if chosen.view.channel is None else str(chosen.view.channel + 1)


def _read_swipe(text: str) -> Values:
    """Two poolings, and where the divider stands between their maps."""
    left, right, place = text.split("-")
    both = one_of(lambda: POOLINGS)
    return {"left": both(left), "right": both(right), **wholes(r"(?P<divider>\d+)")(place)}


def _write_swipe(chosen: Shared) -> str | None:
    seen = chosen.view
    return f"{seen.left}-{seen.right}-{seen.divider}" if seen.left and seen.right else None


def _along(chosen: Shared, values: Values) -> Values:
    """The dial goes back to where the blend weight starts when that start is changed."""
    return {"weight": None} | values if "blend_weight" in values else values


SHARED = PageState(
    "control",
    Shared(),
    (
        Parameter("picture", "picture", read=one_of(lambda: GALLERY)),
        Parameter("size", "image_size"),
        Parameter("stem", "stem", read=one_of(lambda: STEMS | trained_stems())),
        Parameter("filters", "channels"),
        Parameter("seed", "seed"),
        Parameter("kernel", "kernel_size"),
        Parameter("stride", "stride"),
        Parameter("padding", "padding"),
        Parameter("ceil", "ceil_mode"),
        Parameter("start", "blend_weight"),
        Parameter("device", "device"),
        Parameter("weight", "weight", read=number),
        Parameter(
            "channel",
            "channel",
            read=lambda text: max(round(number(text)) - 1, 0),
            write=_write_channel,
        ),
        Parameter(
            "cell", values=lambda text: read_cell(text) | {"pinned": True}, write=_write_cell
        ),
        Parameter(
            "range",
            "scope",
            read=one_of(lambda: SCOPES),
            write=lambda chosen: chosen.view.scope if chosen.view.scope != View.scope else None,
        ),
        Parameter("clip", "clipped", write=lambda chosen: "1" if chosen.view.clipped else None),
        Parameter(
            "difference", "difference", write=lambda chosen: "1" if chosen.view.difference else None
        ),
        Parameter(
            "beside",
            "beside",
            read=one_of(lambda: GALLERY),
            write=lambda chosen: chosen.view.beside or None,
        ),
        Parameter("swipe", values=_read_swipe, write=_write_swipe),
    ),
    _along,
)


_VIEW: dict[str, sent.Check] = {
    "weight": sent.maybe(sent.finite),
    "channel": sent.maybe(sent.whole),
    "row": sent.maybe(sent.whole),
    "column": sent.maybe(sent.whole),
    "pinned": sent.flag,
    "scope": sent.word(SCOPES),
    "clipped": sent.flag,
    "difference": sent.flag,
    "left": sent.word(("", *POOLINGS)),
    "right": sent.word(("", *POOLINGS)),
    "divider": sent.whole,
}


def pick_picture(key: str) -> None:
    """Show a picture of the gallery, and in it what shows most unless a cell is pinned."""
    st.session_state.pop("upload_problem", None)
    st.session_state[_PICTURE_CHOSEN] = True
    SHARED.choose(picture=key)
    if not SHARED.chosen().view.pinned:
        SHARED.choose(channel=None, row=None, column=None)


def look_at(view: object) -> None:
    """Look at what the browser says; channel and cell are clamped once the maps are there."""
    SHARED.choose(**sent.checked(view, _VIEW))


def begin(parameters: dict[str, str]) -> None:
    """Begin a session with what its link says."""
    if "large" in st.session_state:
        return
    SHARED.begin(parameters)
    st.session_state.setdefault(_PICTURE_CHOSEN, "picture" in parameters)
    st.session_state["large"] = parameters.get("large") == "1"
    st.session_state["link_had_upload"] = parameters.get("picture") == "upload"
