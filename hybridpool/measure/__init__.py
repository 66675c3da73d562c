"""Numbers about feature maps: how poolings differ, and what a change to the picture did.

Every function takes feature maps as ``(..., H, W)``, on any device, and sums in double precision.
A ``window`` is what :func:`hybridpool.window.check_window` makes, or a size alone; padding belongs
to no window. NaN is never hidden: a number that is computed from NaN is NaN.
"""

from hybridpool.measure.alignment import align, nearest_cells
from hybridpool.measure.changes import (
    ROUNDING,
    MapSummary,
    alike,
    changed_cells,
    distance_table,
    energy_kept,
    exact,
    largest_change,
    negligible,
    relative_change,
    relative_distance,
    summarise,
)
from hybridpool.measure.contrast import example_cell, highest_contrast, window_contrast
from hybridpool.measure.spectrum import (
    RadialSpectrum,
    aliased_share,
    aliasing,
    ideal_downsampling,
    radial_spectrum,
    spectrum_shares,
)
from hybridpool.measure.winners import (
    TIE,
    clear_winners,
    gradient_shares,
    window_winners,
    winner_ties,
)

__all__ = [
    "ROUNDING",
    "TIE",
    "MapSummary",
    "RadialSpectrum",
    "aliased_share",
    "aliasing",
    "align",
    "alike",
    "changed_cells",
    "clear_winners",
    "distance_table",
    "energy_kept",
    "exact",
    "example_cell",
    "gradient_shares",
    "highest_contrast",
    "ideal_downsampling",
    "largest_change",
    "nearest_cells",
    "negligible",
    "radial_spectrum",
    "relative_change",
    "relative_distance",
    "spectrum_shares",
    "summarise",
    "window_contrast",
    "window_winners",
    "winner_ties",
]
