"""What is done to the picture on the page "Noise and occlusion", and its link."""

from __future__ import annotations

from hybridpool.pictures.perturb import CHANGES
from hybridpool.sensitivity import Perturbation
from hybridpool.ui.page_state import PageState, Parameter, Values, wholes

_PLACES = ("top", "left", "height", "width")


def _write_occluder(chosen: Perturbation) -> str:
    return "-".join(str(getattr(chosen, name)) for name in _PLACES)


def _along(chosen: Perturbation, values: Values) -> Values:
    """Another noise begins at its own level."""
    noise = CHANGES.get(values.get("noise", ""))
    return {"level": noise.default} | values if noise else values


STATE = PageState(
    "perturb",
    Perturbation(),
    (
        Parameter("show", "kind"),
        Parameter("noise", "noise"),
        Parameter("level", "level"),
        Parameter("noise-seed", "draw", old="draw"),
        Parameter("shape", "shape"),
        Parameter("fill", "fill"),
        Parameter(
            "occluder",
            values=wholes("-".join(rf"(?P<{name}>\d+)" for name in _PLACES)),
            write=_write_occluder,
        ),
        Parameter("patch", "patch"),
        Parameter(
            "against",
            "against",
            write=lambda chosen: chosen.against if chosen.against != "clean" else None,
        ),
    ),
    _along,
)
