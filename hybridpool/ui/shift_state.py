"""What is chosen on the page "Shift and frequency", frozen, and the link that restores it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import streamlit as st
from torch import Tensor

from hybridpool.more_poolings import MORE_POOLINGS
from hybridpool.pictures.perturb import band_pass
from hybridpool.trace import MAX_SEED
from hybridpool.ui import state, words

#: Shifts go from -REACH to REACH pixels, and a cropped picture loses as many on each side.
REACH = 8
MODES = ("crop", "circular")
AXES = ("columns", "rows")
#: Where bands of frequencies begin and end, as shares of the Nyquist frequency.
BANDS: dict[str, tuple[float, float | None]] = {
    "all": (0.0, None),
    "low": (0.0, 1 / 3),
    "middle": (1 / 3, 2 / 3),
    "high": (2 / 3, None),
}
SENDERS = ("cell", "all")
SHOWN_ON = ("feature_map", "picture")


@dataclass(frozen=True)
class Study:
    """What the page does with the picture.

    Args:
        rows: Pixels that the picture moves down.
        columns: Pixels that it moves to the right.
        mode: ``"crop"`` or ``"circular"``.
        axis: Along which axis the curve runs.
        more: Keys of `MORE_POOLINGS` that are shown too, in the order of that table.
        draw: Seed of stochastic pooling.
        band: Which frequencies of the picture are used, a key of `BANDS`.
        sender: Whose gradient is shown, that of one pooled ``"cell"`` or of ``"all"``.
        row: Row of that cell; None is the most telling one.
        column: Its column.
        shown_on: Where the gradient is shown, on the ``"feature_map"`` or the ``"picture"``.
    """

    rows: int = 0
    columns: int = 1
    mode: str = "crop"
    axis: str = "columns"
    more: tuple[str, ...] = ()
    draw: int = 0
    band: str = "all"
    sender: str = "cell"
    row: int | None = None
    column: int | None = None
    shown_on: str = "feature_map"

    def clamped(self) -> Study:
        """The nearest one that can be done; a link may ask for anything.

        Example:
            >>> Study(rows=99, mode="fly", more=("soft", "blur", "soft")).clamped().more
            ('blur', 'soft')
        """
        both = self.row is not None and self.column is not None
        return replace(
            self,
            rows=_clamp(self.rows, -REACH, REACH),
            columns=_clamp(self.columns, -REACH, REACH),
            mode=_one_of(self.mode, MODES),
            axis=_one_of(self.axis, AXES),
            more=tuple(name for name in MORE_POOLINGS if name in self.more),
            draw=_clamp(self.draw, 0, MAX_SEED),
            band=_one_of(self.band, tuple(BANDS)),
            sender=_one_of(self.sender, SENDERS),
            row=max(self.row or 0, 0) if both else None,
            column=max(self.column or 0, 0) if both else None,
            shown_on=_one_of(self.shown_on, SHOWN_ON),
        )

    def essential(self) -> Study:
        """The same with everything reset that does not matter for the maps: the key of caches.

        Example:
            >>> Study(axis="rows", draw=7).essential() == Study().essential()
            True
        """
        drawn = self.draw if "stochastic" in self.more else 0
        return Study(self.rows, self.columns, self.mode, more=self.more, draw=drawn, band=self.band)

    def filtered(self, image: Tensor) -> Tensor:
        """The picture with the chosen frequencies alone, and its mean."""
        return image if self.band == "all" else band_pass(image, *BANDS[self.band])


def study() -> Study:
    """What is chosen in this session, at first what the link says."""
    if "study" not in st.session_state:
        st.session_state["study"] = study_from(st.query_params.to_dict())
    found: Study = st.session_state["study"]
    return found


def choose(**values: object) -> None:
    """Choose something else."""
    st.session_state["study"] = replace(study(), **values).clamped()  # type: ignore[arg-type]


def mirror_in_link() -> None:
    """Write the whole state into the address bar, so that the link restores it."""
    wanted = state.query(state.settings(), state.view()) | query(study())
    wanted["lang"] = words.language()
    if st.session_state.get("large"):
        wanted["large"] = "1"
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)


def query(chosen: Study) -> dict[str, str]:
    """It as the parameters of a link.

    Example:
        >>> query(Study(rows=-2, more=("blur", "soft")))["more"]
        'blur-soft'
    """
    parameters = {
        "down": str(chosen.rows),
        "right": str(chosen.columns),
        "edge": chosen.mode,
        "along": chosen.axis,
        "draw": str(chosen.draw),
        "band": chosen.band,
        "sender": chosen.sender,
        "on": chosen.shown_on,
    }
    if chosen.more:
        parameters["more"] = "-".join(chosen.more)
    if chosen.row is not None and chosen.column is not None:
        parameters["from"] = f"{chosen.row + 1}-{chosen.column + 1}"
    return parameters


def study_from(parameters: Mapping[str, str]) -> Study:
    """What a link asks for; what cannot be read is left as it is by default.

    Example:
        >>> study_from({"down": "-99", "right": "two", "from": "3-4"}).rows
        -8
    """
    plain = Study()
    cell = [_whole(part, 0) for part in parameters.get("from", "").split("-")]
    found = len(cell) == 2 and min(cell) > 0
    return Study(
        rows=_whole(parameters.get("down", ""), plain.rows),
        columns=_whole(parameters.get("right", ""), plain.columns),
        mode=parameters.get("edge", plain.mode),
        axis=parameters.get("along", plain.axis),
        more=tuple(parameters.get("more", "").split("-")),
        draw=_whole(parameters.get("draw", ""), plain.draw),
        band=parameters.get("band", plain.band),
        sender=parameters.get("sender", plain.sender),
        row=cell[0] - 1 if found else None,
        column=cell[1] - 1 if found else None,
        shown_on=parameters.get("on", plain.shown_on),
    ).clamped()


def _whole(text: str, otherwise: int) -> int:
    try:
        return int(text)
    except ValueError:
        return otherwise


def _clamp(value: int, low: int, high: int) -> int:
    return min(max(value, low), high)


def _one_of(value: str, choices: tuple[str, ...]) -> str:
    return value if value in choices else choices[0]
