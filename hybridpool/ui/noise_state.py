"""What is done to the picture in this session on the page "Noise and occlusion", and its link."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from hybridpool.pictures.perturb import NOISES
from hybridpool.sensitivity import Perturbation
from hybridpool.sensitivity.perturbation import WHOLE
from hybridpool.trace import MAX_SEED
from hybridpool.ui import state, words


def perturbation() -> Perturbation:
    """What is done to the picture in this session, at first what the link says."""
    if "perturbation" not in st.session_state:
        st.session_state["perturbation"] = perturbation_from(st.query_params.to_dict())
    found: Perturbation = st.session_state["perturbation"]
    return found


def perturb(**values: object) -> None:
    """Do something else to the picture; another noise begins at its own level."""
    if "noise" in values and "level" not in values:
        values["level"] = NOISES[str(values["noise"])].default
    st.session_state["perturbation"] = replace(perturbation(), **values).clamped()  # type: ignore[arg-type]


def mirror_in_link() -> None:
    """Write the whole state into the address bar, so that the link restores it."""
    wanted = state.query(state.settings(), state.view()) | query(perturbation())
    wanted["lang"] = words.language()
    if st.session_state.get("large"):
        wanted["large"] = "1"
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)


def query(done: Perturbation) -> dict[str, str]:
    """It as the parameters of a link.

    Example:
        >>> query(Perturbation())["occluder"]
        '320-270-300-200'
    """
    return {
        "show": done.kind,
        "noise": done.noise,
        "level": f"{done.level:g}",
        "draw": str(done.draw),
        "shape": done.shape,
        "fill": done.fill,
        "occluder": "-".join(str(n) for n in (done.top, done.left, done.height, done.width)),
        "patch": str(done.patch),
    }


def perturbation_from(parameters: Mapping[str, str]) -> Perturbation:
    """What a link asks for; what cannot be read is left as it is by default.

    Example:
        >>> perturbation_from({"noise": "salt", "level": "7", "occluder": "0-0-zero-9"}).level
        0.5
    """
    plain = Perturbation()
    noise = parameters.get("noise", plain.noise)
    start = NOISES[noise].default if noise in NOISES else plain.level
    box = [_number(part, -1) for part in parameters.get("occluder", "").split("-")]
    if len(box) != 4 or min(box) < 0:
        box = [plain.top, plain.left, plain.height, plain.width]
    top, left, height, width = (round(min(part, WHOLE)) for part in box)
    return Perturbation(
        kind=parameters.get("show", plain.kind),
        noise=noise,
        level=_number(parameters.get("level", ""), start),
        draw=round(min(max(_number(parameters.get("draw", ""), plain.draw), 0), MAX_SEED)),
        shape=parameters.get("shape", plain.shape),
        fill=parameters.get("fill", plain.fill),
        top=top,
        left=left,
        height=height,
        width=width,
        patch=round(min(max(_number(parameters.get("patch", ""), plain.patch), 0), WHOLE)),
    ).clamped()


def _number(text: str, otherwise: float) -> float:
    try:
        value = float(text)
    except ValueError:
        return otherwise
    return value if math.isfinite(value) else otherwise
