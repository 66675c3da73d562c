"""Colours, sample pictures and charts of the page "Learning": numbers and words to pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.colors
import plotly.graph_objects as go
from numpy.typing import NDArray

from hybridpool.viz.palette import POOLING_COLOURS

#: One colour an arm; the poolings keep theirs, the starts are spread around that of hybrid pooling.
ARM_COLOURS = {
    "start_low": "#56B4E9",
    "start_half": POOLING_COLOURS["hybrid"],
    "start_high": "#E69F00",
    "start_drawn": "#8C6BB1",
    "channels": "#9A6324",
    "attention": POOLING_COLOURS["attention"],
    "max": POOLING_COLOURS["max"],
    "average": POOLING_COLOURS["average"],
    "fixed_half": "#888888",
}
#: How the line of an arm is drawn: one learned number, several, or a fixed one.
ARM_DASHES = {
    **dict.fromkeys(("start_low", "start_half", "start_high", "start_drawn"), "solid"),
    **dict.fromkeys(("channels", "attention"), "dashed"),
    **dict.fromkeys(("max", "average", "fixed_half"), "dotted"),
}
#: Eight colours that tell channels apart (Okabe and Ito, 2008; yellow darkened, black as grey).
CHANNEL_COLOURS = (
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#B8A800",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
    "#888888",
)


def picture_strip(
    images: Sequence[NDArray[np.floating]], low: float, high: float, *, scale: int = 5, gap: int = 8
) -> NDArray[np.uint8]:
    """Grey pictures side by side, every pixel a square: (height, width, 4), clear between them.

    Args:
        images: Pictures (rows, columns) of one size.
        low: The value that is drawn black.
        high: The value that is drawn white.
        scale: Side of a pixel's square.
        gap: Clear columns between two pictures.

    Example:
        >>> picture_strip([np.zeros((2, 3)), np.ones((2, 3))], 0, 1, scale=1, gap=1)[0, :, 0]
        array([  0,   0,   0,   0, 255, 255, 255], dtype=uint8)
    """
    parts = []
    for image in images:
        grey = np.rint(np.clip((image - low) / (high - low), 0, 1) * 255).astype(np.uint8)
        grey = grey.repeat(scale, 0).repeat(scale, 1)
        opaque = np.full_like(grey, 255)
        parts += [np.stack([grey, grey, grey, opaque], -1)]
        parts += [np.zeros((len(grey), gap, 4), np.uint8)]
    return np.concatenate(parts[:-1], 1)


def gap_chart(
    pictures: Sequence[int],
    gaps: Mapping[str, NDArray[np.floating]],
    words: Mapping[str, str],
) -> go.Figure:
    """Training minus test accuracy against the number of training pictures, each seed a dot.

    Args:
        pictures: The numbers of training pictures.
        gaps: For each arm (pictures, seeds); NaN is not drawn.
        words: The arms' names, and ``pictures``, ``gap`` and ``seed``, already translated.

    Example:
        >>> words = {"max": "Max", "pictures": "", "gap": "", "seed": ""}
        >>> len(gap_chart([20, 50], {"max": np.zeros((2, 3))}, words).data)
        2
    """
    traces: list[dict[str, object]] = []
    places = np.arange(len(pictures), dtype=float)
    for number, (arm, values) in enumerate(gaps.items()):
        aside = places + (number - (len(gaps) - 1) / 2) * 0.14
        known = np.isfinite(values)
        counts = known.sum(1)
        mean = np.where(known, values, 0).sum(1) / np.where(counts > 0, counts, np.nan)
        look = {"color": ARM_COLOURS[arm]}
        seeds = np.broadcast_to(np.arange(values.shape[1]), values.shape)
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": words[arm],
                "legendgroup": arm,
                "x": aside.tolist(),
                "y": [None if np.isnan(value) else float(value) for value in mean],
                "line": {**look, "width": 3},
                "marker": {"size": 9},
                "hovertemplate": f"{words[arm]}<br>%{{y:.1%}}<extra></extra>",
            }
        )
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": words[arm],
                "legendgroup": arm,
                "showlegend": False,
                "x": np.broadcast_to(aside[:, None], values.shape)[known].tolist(),
                "y": values[known].tolist(),
                "customdata": seeds[known].tolist(),
                "marker": {**look, "size": 6, "opacity": 0.5},
                "hovertemplate": (
                    f"{words[arm]}, {words['seed']} %{{customdata}}<br>%{{y:.1%}}<extra></extra>"
                ),
            }
        )
    return go.Figure(
        data=traces,
        layout={
            "height": 360,
            "margin": {"l": 10, "r": 10, "t": 10, "b": 10},
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
            "xaxis": {
                "title": {"text": words["pictures"]},
                "tickvals": places.tolist(),
                "ticktext": [str(number) for number in pictures],
                "range": [-0.5, len(pictures) - 0.5],
            },
            "yaxis": {"title": {"text": words["gap"]}, "tickformat": ".0%", "zeroline": True},
        },
    )


def share_colours(count: int = 64) -> list[list[int]]:
    """Colours of a share from 0 to 1: that of average pooling, white, that of max pooling.

    Example:
        >>> share_colours(3)
        [[0, 114, 178], [255, 255, 255], [213, 94, 0]]
    """
    ends = [np.array(plotly.colors.hex_to_rgb(POOLING_COLOURS[n])) for n in ("average", "max")]
    white = np.full(3, 255)
    colours = []
    for place in np.linspace(-1, 1, count):
        end = ends[int(place > 0)]
        colours.append(np.rint(white + abs(place) * (end - white)).astype(int).tolist())
    return colours
