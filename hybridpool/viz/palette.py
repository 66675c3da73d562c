"""Colours: one table for values, one for differences, one colour for each pooling.

Every legend is drawn from the same table as the map it explains.
"""

from __future__ import annotations

import numpy as np
import plotly.colors
from numpy.typing import NDArray

#: One colour a pooling, the same in every chart and on every panel (Okabe and Ito, 2008: safe for
#: colour-blind viewers), readable on white and on near black.
POOLING_COLOURS = {
    "max": "#D55E00",
    "average": "#0072B2",
    "hybrid": "#009E73",
    "attention": "#CC79A7",
}

#: The same for the other arms of the experiment; each also has a symbol of its own.
ARM_COLOURS = POOLING_COLOURS | {
    "fixed": "#808080",
    "frozen": "#8C8C00",
    "channel": "#56B4E9",
    "gated": "#8E7CC3",
    "blur": "#E69F00",
    "hybrid_blur": "#A6761D",
    "strided": "#7F7FFF",
}


def sequential() -> NDArray[np.uint8]:
    """The table for values, Viridis: (256, 3) red, green, blue, darkest for the lowest value.

    Example:
        >>> sequential()[0].tolist(), sequential()[255].tolist()
        ([68, 1, 84], [253, 231, 37])
    """
    return _table(plotly.colors.sequential.Viridis)


def diverging() -> NDArray[np.uint8]:
    """The table for differences, red to blue through near white at zero: (256, 3).

    Example:
        >>> bool(diverging()[127].min() > 235)
        True
    """
    return _table(plotly.colors.diverging.RdBu_r)


def paint(
    values: NDArray[np.floating], low: float, high: float, table: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Paint a map of any shape (...) as (..., 3), `low` in the first colour, `high` in the last.

    Values outside the range take the end colours; NaN is painted magenta so that it is seen.

    Example:
        >>> paint(np.array([[0.0, 1.0]]), 0, 1, sequential())[0, 1].tolist()
        [253, 231, 37]
    """
    span = high - low if high > low else 1.0
    with np.errstate(invalid="ignore"):
        index = np.rint((values - low) / span * 255)
    painted: NDArray[np.uint8] = table[np.clip(np.nan_to_num(index), 0, 255).astype(np.uint8)]
    painted[np.isnan(values)] = NAN_COLOUR
    return painted


NAN_COLOUR = (255, 0, 255)


def _table(stops: list[str]) -> NDArray[np.uint8]:
    colours = [
        plotly.colors.hex_to_rgb(stop) if stop.startswith("#") else plotly.colors.unlabel_rgb(stop)
        for stop in stops
    ]
    places = np.linspace(0, 1, 256)
    known = np.linspace(0, 1, len(colours))
    channels = [np.interp(places, known, [colour[i] for colour in colours]) for i in range(3)]
    table: NDArray[np.uint8] = np.rint(np.stack(channels, axis=1)).astype(np.uint8)
    return table


def word_anchor(share: float) -> str:
    """The anchor of a word at a mark, chosen so that the word stays inside the chart.

    Args:
        share: Where the mark is, from 0 at the left end of the axis to 1 at its right end.

    Example:
        >>> word_anchor(0.02), word_anchor(0.5), word_anchor(0.98)
        ('left', 'center', 'right')
    """
    return "left" if share < 0.15 else "right" if share > 0.85 else "center"
