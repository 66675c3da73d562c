"""Charts of how poolings respond to a changed picture, from plain numbers and translated words."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hybridpool.viz.charts import PlainFigure, present_points
from hybridpool.viz.palette import POOLING_COLOURS, word_anchor

# Blue, orange, yellow, dark red: four places of a 2 × 2 window that no common colour blindness
# confuses, because each differs from the others in lightness too.
_QUARTERS = ("#1f4e9c", "#f2a33a", "#9fd3f2", "#8c2d19")

#: How far apart the names of two lines stand at least, as a share of what the lines span.
_NAME_SHARE = 0.08


def winner_colours(kernel_size: int) -> NDArray[np.uint8]:
    """One colour for each cell of a window, row by row: (kernel_size², 3).

    A 2 × 2 window has four colours that differ in lightness; in a larger one the hue tells the
    column and the lightness the row.

    Example:
        >>> winner_colours(3).shape
        (9, 3)
    """
    if kernel_size <= 2:
        colours = [
            tuple(int(text[i : i + 2], 16) for i in (1, 3, 5))
            for text in _QUARTERS[: kernel_size**2]
        ]
        return np.array(colours, dtype=np.uint8)
    shades = np.linspace(0.3, 0.85, kernel_size)
    hues = np.linspace(0.58, 0.08, kernel_size)
    painted = [[colorsys.hls_to_rgb(hue, shade, 0.7) for hue in hues] for shade in shades]
    return (np.array(painted).reshape(-1, 3) * 255).round().astype(np.uint8)


def error_chart(
    levels: Sequence[float],
    changes: Mapping[str, NDArray[np.floating]],
    present: float,
    here: Mapping[str, float],
    words: Mapping[str, str],
    *,
    logarithmic: bool = False,
    more_is_noisier: bool = True,
    against: bool = False,
) -> PlainFigure:
    """Relative change against the level of the noise, each pooling with a band.

    The line is the mean over the draws, the band one standard deviation to either side. Each line
    has its name at the end where the noise is strongest.

    Args:
        levels: The levels, rising.
        changes: For each pooling the relative change (levels, draws).
        present: The level that is shown on the page.
        here: For each pooling the relative change that is shown on the page.
        words: The names of the poolings, ``axis`` below the chart and ``level`` in what is said
            of a point, ``change``, ``present`` and ``draw``, already translated.
        logarithmic: Whether equal steps along the axis are equal ratios.
        more_is_noisier: If not, the axis runs the other way, so that noise grows to the right.
        against: Whether the changes are differences to one pooling, in points.

    Example:
        >>> words = dict.fromkeys(["max", "axis", "level", "change", "present", "draw"], "")
        >>> draws = {"max": np.array([[0.0, 0.0], [0.1, 0.3]])}
        >>> band, line, now = error_chart([0, 1], draws, 1, {"max": 0.1}, words).data
        >>> list(line.y)  # the means in per cent
        [0.0, 20.0]
    """
    unit = _unit(against)
    means = {name: values.mean(1) for name, values in changes.items()}
    with np.errstate(invalid="ignore"):  # infinite changes have no deviation
        spreads = {name: values.std(1) for name, values in changes.items()}
        bands = [
            _band(levels, means[name] - spreads[name], means[name] + spreads[name], name)
            for name in changes
        ]
    lines = [_line(levels, means[name], spreads[name], name, words, unit) for name in changes]
    now = present_points(present, here, words["draw"], {"symbol": 5, "size": 10}, unit=unit)
    span = (
        [math.log10(levels[0]), math.log10(levels[-1])] if logarithmic else [levels[0], levels[-1]]
    )
    room = 0.03 * (span[1] - span[0])
    shown = [span[0] - room, span[1] + room]
    layout = _layout(words["axis"], words["change"], against)
    layout["xaxis"] |= {
        "type": "log" if logarithmic else "linear",
        "range": shown if more_is_noisier else shown[::-1],
        "tickvals": list(levels),
        "ticktext": [f"{level:g}" for level in levels],
    }
    _mark(layout, math.log10(present) if logarithmic else present, words["present"])
    end, last = (span[1], -1) if more_is_noisier else (span[0], 0)
    _name_lines(layout, end, {name: 100 * mean for name, mean in means.items()}, last, words)
    return PlainFigure([*bands, *lines, now], layout)


def _name_lines(
    layout: dict[str, Any],
    at: float,
    lines: Mapping[str, NDArray[np.floating]],
    last: int,
    words: Mapping[str, str],
) -> None:
    """The name of each line beside its end, apart from each other where lines end together."""
    finite = {name: line for name, line in lines.items() if np.isfinite(line).all()}
    if not finite:
        return
    every = np.concatenate([*finite.values(), [0.0]])
    gap, below = _NAME_SHARE * (float(np.ptp(every)) or 1.0), -math.inf
    for name in sorted(finite, key=lambda each: float(finite[each][last])):
        below = max(float(finite[name][last]), below + gap)
        layout["annotations"].append(
            {
                "x": at,
                "y": below,
                "xanchor": "left",
                "xshift": 12,
                "showarrow": False,
                "text": words[name],
                "font": {"color": POOLING_COLOURS[name], "size": 14},
            }
        )
    layout["margin"]["r"] = 100
    layout["legend"]["entrywidth"] = 1


def blend_chart(
    weights: Sequence[float],
    changes: NDArray[np.floating],
    best: float,
    by_draw: Sequence[float],
    dial: float | None,
    words: Mapping[str, str],
    *,
    against: bool = False,
) -> PlainFigure:
    """Relative change of hybrid pooling against its blend weight, the best one marked.

    Args:
        weights: The blend weights, rising from 0 to 1.
        changes: The relative change (weights, draws).
        best: The best blend weight over all draws; NaN leaves the mark out.
        by_draw: The best blend weight of each draw: their range is shaded.
        dial: Where the dial stands; None leaves that mark out.
        words: ``blend_weight``, ``change``, ``hybrid``, ``best``, ``average``, ``max`` and
            ``dial``, already translated.
        against: Whether the changes are differences to max pooling, in points.

    Example:
        >>> words = dict.fromkeys(
        ...     ["blend_weight", "change", "hybrid", "best", "average", "max", "dial"], "")
        >>> draws = np.array([[0.1, 0.1], [0.3, 0.3]])
        >>> shaded, dial = blend_chart([0, 1], draws, 0.0, [0.0, 0.1], 0.5, words).layout.shapes
        >>> shaded.x0, shaded.x1, dial.x0
        (0.0, 0.1, 0.5)
    """
    unit = _unit(against)
    with np.errstate(invalid="ignore"):
        mean, spread = changes.mean(1), changes.std(1)
        band = _band(weights, mean - spread, mean + spread, "hybrid")
    line = {
        "type": "scatter",
        "x": list(weights),
        "y": (100 * mean).tolist(),
        "customdata": (100 * spread).tolist(),
        "mode": "lines",
        "line": {"color": POOLING_COLOURS["hybrid"], "width": 3},
        "hovertemplate": (
            f"{words['blend_weight']} %{{x:.2f}}<br>%{{y:.1f}} ± %{{customdata:.1f}}"
            f"{unit}<extra></extra>"
        ),
        "showlegend": False,
    }
    ends = [
        {
            "type": "scatter",
            "x": [weights[place]],
            "y": [100 * mean[place]],
            "mode": "markers",
            "name": words[name],
            "marker": {"size": 12, "color": POOLING_COLOURS[name]},
            "hovertemplate": f"{words[name]}<br>%{{y:.1f}}{unit}<extra></extra>",
        }
        for name, place in (("average", 0), ("max", -1))
    ]
    layout = _layout(words["blend_weight"], words["change"], against)
    layout["xaxis"]["range"] = [-0.03, 1.03]
    data = [band, line, *ends]
    if not math.isnan(best):
        least = float(np.interp(best, weights, mean))
        data.append(
            {
                "type": "scatter",
                "x": [best],
                "y": [100 * least],
                "mode": "markers",
                "name": words["best"],
                "marker": {
                    "symbol": 17,
                    "size": 18,
                    "color": POOLING_COLOURS["hybrid"],
                    "line": {"width": 1.5, "color": "#ffffff"},
                },
                "hovertemplate": f"{words['best']} {best:.2f}<br>%{{y:.1f}}{unit}<extra></extra>",
            }
        )
        layout["shapes"].append(
            {
                "type": "rect",
                "x0": float(np.nanmin(by_draw)),
                "x1": float(np.nanmax(by_draw)),
                "y0": 0,
                "y1": 1,
                "yref": "paper",
                "fillcolor": _tint("hybrid"),
                "line": {"width": 0},
                "layer": "below",
            }
        )
    if dial is not None:
        _mark(layout, dial, words["dial"])
    return PlainFigure(data, layout)


def _band(
    x: Sequence[float], low: NDArray[np.floating], high: NDArray[np.floating], name: str
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": [*x, *reversed(x)],
        "y": [*(100 * high).tolist(), *(100 * low[::-1]).tolist()],
        "mode": "lines",
        "line": {"width": 0},
        "fill": "toself",
        "fillcolor": _tint(name),
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _line(
    x: Sequence[float],
    mean: NDArray[np.floating],
    spread: NDArray[np.floating],
    name: str,
    words: Mapping[str, str],
    unit: str,
) -> dict[str, Any]:
    still = {"marker": {"opacity": 1}}  # a click chooses a level, and nothing else should fade
    return {
        "type": "scatter",
        "x": list(x),
        "y": (100 * mean).tolist(),
        "customdata": (100 * spread).tolist(),
        "mode": "lines+markers",
        "name": words[name],
        "showlegend": False,
        "line": {"color": POOLING_COLOURS[name], "width": 3},
        "marker": {"size": 11, "symbol": list(POOLING_COLOURS).index(name)},
        "selected": still,
        "unselected": still,
        "hovertemplate": (
            f"{words[name]}<br>{words['level']} %{{x:~g}}<br>%{{y:.1f}} ± %{{customdata:.1f}}"
            f"{unit}<extra></extra>"
        ),
    }


def _unit(against: bool) -> str:
    """What stands behind a number: differences are points, and the axis says so."""
    return "" if against else " %"


def _layout(x: str, y: str, against: bool) -> dict[str, Any]:
    return {
        "height": 380,
        "margin": {"l": 10, "r": 10, "t": 70, "b": 10},
        "legend": {
            "orientation": "h",
            "y": 1.1,
            "yanchor": "bottom",
            "x": 0,
            "font": {"size": 14},
            "entrywidthmode": "fraction",
            "entrywidth": 0.5,
        },
        "xaxis": {"title": {"text": x, "font": {"size": 15}}, "tickfont": {"size": 14}},
        "yaxis": {
            "title": {"text": y, "font": {"size": 15}},
            "tickfont": {"size": 14},
            "rangemode": "normal" if against else "tozero",
            "ticksuffix": _unit(against),
        },
        "clickmode": "event+select",
        "font": {"size": 15},
        "dragmode": False,
        "shapes": [],
        "annotations": [],
    }


def _mark(layout: dict[str, Any], place: float, text: str) -> None:
    """A line across the chart at `place`, in the axis' own numbers, with a word above it.

    The word stays inside the chart also if the line is near an end.
    """
    x = 10**place if layout["xaxis"].get("type") == "log" else place
    layout["shapes"].append(
        {
            "type": "line",
            "x0": x,
            "x1": x,
            "y0": 0,
            "y1": 1,
            "yref": "paper",
            "line": {"color": "#ff2d20", "width": 2},
        }
    )
    first, last = layout["xaxis"]["range"]
    layout["annotations"].append(
        {
            "x": place,
            "y": 1,
            "yref": "paper",
            "yanchor": "bottom",
            "xanchor": word_anchor((place - first) / (last - first)),
            "showarrow": False,
            "text": text,
        }
    )


def _tint(name: str) -> str:
    """The colour of a pooling, thin enough for the other bands to show through."""
    return POOLING_COLOURS[name] + "2e"
