"""What is chosen on the page "Shift and frequency", frozen, and the link that restores it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from hybridpool.sensitivity import Study
from hybridpool.ui import state, words


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
