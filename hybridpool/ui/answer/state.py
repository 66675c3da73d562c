"""What is chosen on the page "The answer", and its link."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st

from hybridpool.answer import Change, Network
from hybridpool.answer.change import REACH
from hybridpool.pictures.perturb import NOISES
from hybridpool.sensitivity.perturbation import in_thousandths
from hybridpool.ui.browser import sent
from hybridpool.ui.page_state import PageState, Parameter
from hybridpool.ui.settings import CHANGE_PARAMETERS, PLACES, SHARED, own_level

ROOT = Path(__file__).resolve().parents[3]

#: Where the networks lie that come with the page.
NETWORKS = Path(os.environ.get("HYBRIDPOOL_NETWORKS", ROOT / "assets" / "networks"))
#: Where the results of the experiment lie.
RESULTS = Path(os.environ.get("HYBRIDPOOL_RESULTS", ROOT / "assets" / "results"))
#: Where a person's own copy of CIFAR-10 lies; by default where training downloads it to.
DATA = Path(os.environ.get("HYBRIDPOOL_DATA", ROOT / "build" / "data"))
#: No test set is larger.
_MOST = 10**6
SIDE = 32


#: No network of the page has more poolings.
_POOLINGS = 3


@dataclass(frozen=True)
class Opened:
    """A pooling of a network that is looked at.

    Attributes:
        row: The row of the network.
        pooling: Which of its poolings, from 0.
        channel: The channel, from 0.
    """

    row: str
    pooling: int
    channel: int

    def clamped(self) -> Opened:
        """The nearest that can be; the channel is clamped once the maps are there."""
        return Opened(self.row, min(max(self.pooling, 0), _POOLINGS - 1), max(self.channel, 0))

    def told(self) -> dict[str, Any]:
        """The same for the browser."""
        return asdict(self)


@dataclass(frozen=True)
class Chosen:
    """What is looked at.

    Attributes:
        change: What is done to the picture.
        test: Place of the picture in the test set of CIFAR-10; None is the picture of all pages.
        shown: Which network of each row is shown, from 0.
        imagenet: Whether torchvision's ResNet-18 is asked too.
        opened: The pooling that is looked at; None is none.
    """

    change: Change = field(default_factory=Change)
    test: int | None = None
    shown: int = 0
    imagenet: bool = False
    opened: Opened | None = None

    def clamped(self) -> Chosen:
        """The nearest that can be shown."""
        test = None if self.test is None else min(max(self.test, 0), _MOST)
        shown = min(max(self.shown, 0), 99)
        opened = None if self.opened is None else self.opened.clamped()
        return Chosen(self.change.clamped(), test, shown, self.imagenet, opened)


def _read_opened(text: str) -> Opened:
    row, pooling, channel = text.rsplit(".", 2)
    return Opened(row, int(pooling[:3]) - 1, int(channel[:7]) - 1)


def _write_opened(chosen: Chosen) -> str | None:
    one = chosen.opened
    return None if one is None else f"{one.row}.{one.pooling + 1}.{one.channel + 1}"


STATE = PageState(
    "answer",
    Chosen(),
    (
        Parameter("show", "action"),
        *CHANGE_PARAMETERS,
        Parameter("down", "rows"),
        Parameter("right", "columns"),
        Parameter(
            "test",
            "test",
            read=lambda text: int(text[:9]),
            write=lambda chosen: None if chosen.test is None else str(chosen.test),
        ),
        Parameter(
            "network",
            "shown",
            read=lambda text: int(text[:3]) - 1,
            write=lambda chosen: str(chosen.shown + 1) if chosen.shown else None,
        ),
        Parameter("stage", "opened", read=_read_opened, write=_write_opened),
        Parameter("imagenet", "imagenet", write=lambda chosen: "1" if chosen.imagenet else None),
    ),
    own_level(NOISES),
)


def _shift(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= REACH


_SETTLED: dict[str, sent.Check] = {
    "level": sent.finite,
    "rows": _shift,
    "columns": _shift,
    "weight": sent.maybe(sent.finite),
    "shown": sent.whole,
    **dict.fromkeys(PLACES, sent.whole),
}


def settle(told: Mapping[str, Any]) -> None:
    """Keep what the hand has let go of."""
    found = sent.checked(told, _SETTLED)
    if not found:
        return
    SHARED.choose(weight=found.pop("weight"))
    box = {name: found.pop(name) for name in PLACES}
    STATE.choose(**found, **in_thousandths(box, (SIDE, SIDE)))


def own_networks() -> tuple[Network, ...]:
    """The networks that this session brought along."""
    found: tuple[Network, ...] = st.session_state.get("own_networks", ())
    return found
