"""The words of the page "Shift and frequency": names of what is shown, and of what is chosen."""

from __future__ import annotations

from hybridpool.sensitivity.frequency import SHARES
from hybridpool.ui.browser.words import rows_words
from hybridpool.ui.names import more_names, pooling_names
from hybridpool.ui.words import _


def all_names() -> dict[str, str]:
    """Every map that a chart on this page can show."""
    return {
        "feature_map": _("Feature map"),
        "ideal": _("Without aliasing"),
        **pooling_names(),
        **more_names(),
    }


def mode_names() -> dict[str, str]:
    """What happens at the edge of the picture."""
    return {"crop": _("Crop"), "circular": _("Circular")}


def mode_notes() -> dict[str, str]:
    """The same as a sentence."""
    return {
        "crop": _(
            "Crop: two views of one picture, each {reach} pixels smaller on every side. No pixel "
            "is made up. The maps are laid over each other by whole cells, and what is left of "
            "the shift, at most half a cell, counts as a change. Only cells are compared that see "
            "nothing beyond the edges of either view. Attention values follow the mean of the "
            "whole view, edges included."
        ),
        "circular": _(
            "Circular: what leaves at one edge comes back at the other, for the filters and "
            "windows too. The maps are moved back by fractions of a cell as well, as a map "
            "without aliasing would move. Where opposite edges meet there is a seam."
        ),
    }


def axis_names() -> dict[str, str]:
    """Along which axis the curve runs."""
    return {"columns": _("Left and right"), "rows": _("Up and down")}


def band_names() -> dict[str, str]:
    """Which frequencies of the picture are used."""
    return {"all": _("All"), "low": _("Low"), "middle": _("Middle"), "high": _("High")}


def share_names() -> dict[str, str]:
    """The bands in which the energy of a map is counted, one for each of `SHARES`."""
    names = band_names() | {"beyond": _("Beyond")}
    return {name: names[name] for name in SHARES}


def gradient_of_names() -> dict[str, str]:
    """Whose gradient is shown."""
    return {"cell": _("One pooled cell"), "all": _("All pooled cells")}


def shown_on_names() -> dict[str, str]:
    """Where the gradient is shown."""
    return {"feature_map": _("Feature map"), "picture": _("Picture")}


def compare_words(*, learned: bool = False) -> dict[str, str]:
    """The words of the rows, said of a shift."""
    return {
        **rows_words(learned=learned),
        "clean": _("Before"),
        "changed": _("After"),
        "values": _("Values: one scale for before and after in every row"),
        "differences": _("Differences: after − before, zero in the middle, in every row"),
        "relative": _("Distance"),
        "largest": _("Largest difference"),
        "cells": _("Cells that differ"),
        "cell": _("Cell in row {row}, column {column}: before → after (difference)"),
        "cell_pinned": _("Pinned: row {row}, column {column}: before → after (difference)"),
    }
