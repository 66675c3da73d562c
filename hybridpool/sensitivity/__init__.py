"""How sensitive each pooling is: to noise, to shifts, and to patches that cover the picture."""

from hybridpool.sensitivity.changes import Changes
from hybridpool.sensitivity.noise import (
    BestBlendWeight,
    NoiseSweep,
    best_blend_weight,
    noise_sweep,
)
from hybridpool.sensitivity.occlusion import (
    OcclusionEffect,
    OcclusionMap,
    occlusion_effect,
    occlusion_map,
)
from hybridpool.sensitivity.patches import Occluder
from hybridpool.sensitivity.receptive_field import Box, receptive_field_box
from hybridpool.sensitivity.shifts import ShiftCurve, shift_curve

__all__ = [
    "BestBlendWeight",
    "Box",
    "Changes",
    "NoiseSweep",
    "Occluder",
    "OcclusionEffect",
    "OcclusionMap",
    "ShiftCurve",
    "best_blend_weight",
    "noise_sweep",
    "occlusion_effect",
    "occlusion_map",
    "receptive_field_box",
    "shift_curve",
]
