"""How sensitive each pooling is: to noise, to shifts, and to patches that cover the picture."""

from hybridpool.sensitivity.changes import Changes
from hybridpool.sensitivity.compare import Comparison, compare_traces
from hybridpool.sensitivity.noise import (
    BestBlendWeight,
    NoiseSweep,
    best_blend_weight,
    expected_maximum,
    noise_sweep,
)
from hybridpool.sensitivity.occlusion import OcclusionMap, occlusion_map
from hybridpool.sensitivity.patches import Occluder
from hybridpool.sensitivity.perturbation import Perturbation
from hybridpool.sensitivity.shifts import ShiftCurve, compare_shifted, shift_curve
from hybridpool.sensitivity.study import Study

__all__ = [
    "BestBlendWeight",
    "Changes",
    "Comparison",
    "NoiseSweep",
    "Occluder",
    "OcclusionMap",
    "Perturbation",
    "ShiftCurve",
    "Study",
    "best_blend_weight",
    "compare_shifted",
    "compare_traces",
    "expected_maximum",
    "noise_sweep",
    "occlusion_map",
    "shift_curve",
]
