"""What is done to the picture on the page "Noise and occlusion", and its link."""

from __future__ import annotations

from hybridpool.pictures.perturb import CHANGES
from hybridpool.sensitivity import Perturbation
from hybridpool.ui.page_state import PageState, Parameter
from hybridpool.ui.settings import CHANGE_PARAMETERS, own_level

STATE = PageState(
    "perturb",
    Perturbation(),
    (
        Parameter("show", "kind"),
        *CHANGE_PARAMETERS,
        Parameter("patch", "patch"),
        Parameter(
            "against",
            "against",
            write=lambda chosen: chosen.against if chosen.against != "clean" else None,
        ),
    ),
    own_level(CHANGES),
)
