"""Charts of how poolings respond to a changed picture, from plain numbers and translated words."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from hybridpool.viz.charts import add_present
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
) -> go.Figure:
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
    figure = go.Figure()
    with np.errstate(invalid="ignore"):  # infinite changes have no deviation
        spreads = {name: values.std(1) for name, values in changes.items()}
        ends = {
            name: (values.mean(1) - spreads[name], values.mean(1) + spreads[name])
            for name, values in changes.items()
        }
    for name, band in ends.items():
        _add_band(figure, levels, *band, name)
    for name, values in changes.items():
        _add_line(figure, levels, values.mean(1), name, words)
        figure.data[-1].customdata = spreads[name] * 100
        figure.data[-1].hovertemplate = (
            f"{words[name]}<br>{words['level']} %{{x:~g}}<br>%{{y:.1f}} ± %{{customdata:.1f}}"
            f"{_unit(against)}<extra></extra>"
        )
    unit = _unit(against)
    add_present(figure, present, here, words["draw"], {"symbol": 5, "size": 10}, unit=unit)
    span = (
        [math.log10(levels[0]), math.log10(levels[-1])] if logarithmic else [levels[0], levels[-1]]
    )
    room = 0.03 * (span[1] - span[0])
    shown = [span[0] - room, span[1] + room]
    place = math.log10(present) if logarithmic else present
    _lay_out(figure, words["axis"], words["change"], against)
    figure.update_xaxes(
        type="log" if logarithmic else "linear",
        range=shown if more_is_noisier else shown[::-1],
        tickvals=list(levels),
        ticktext=[f"{level:g}" for level in levels],
    )
    _mark(figure, place, words["present"])
    end = span[1] if more_is_noisier else span[0]
    last = -1 if more_is_noisier else 0
    _name_lines(
        figure, end, {name: 100 * values.mean(1) for name, values in changes.items()}, last, words
    )
    return figure


def _name_lines(
    figure: go.Figure,
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
        figure.add_annotation(
            x=at,
            y=below,
            xanchor="left",
            xshift=12,
            showarrow=False,
            text=words[name],
            font={"color": POOLING_COLOURS[name], "size": 14},
        )
    figure.update_layout(margin={"r": 100}, legend={"entrywidth": 1})


def blend_chart(
    weights: Sequence[float],
    changes: NDArray[np.floating],
    best: float,
    by_draw: Sequence[float],
    dial: float | None,
    words: Mapping[str, str],
    *,
    against: bool = False,
) -> go.Figure:
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
    figure = go.Figure()
    with np.errstate(invalid="ignore"):
        mean, spread = changes.mean(1), changes.std(1)
    _add_band(figure, weights, mean - spread, mean + spread, "hybrid")
    figure.add_scatter(
        x=list(weights),
        y=(100 * mean).tolist(),
        customdata=100 * spread,
        mode="lines",
        line={"color": POOLING_COLOURS["hybrid"], "width": 3},
        hovertemplate=(
            f"{words['blend_weight']} %{{x:.2f}}<br>%{{y:.1f}} ± %{{customdata:.1f}}"
            f"{_unit(against)}<extra></extra>"
        ),
        showlegend=False,
    )
    for name, place in (("average", 0), ("max", -1)):
        figure.add_scatter(
            x=[weights[place]],
            y=[100 * mean[place]],
            mode="markers",
            name=words[name],
            marker={"size": 12, "color": POOLING_COLOURS[name]},
            hovertemplate=f"{words[name]}<br>%{{y:.1f}}{_unit(against)}<extra></extra>",
        )
    _lay_out(figure, words["blend_weight"], words["change"], against)
    figure.update_xaxes(range=[-0.03, 1.03])
    if not math.isnan(best):
        least = float(np.interp(best, weights, mean))
        figure.add_scatter(
            x=[best],
            y=[100 * least],
            mode="markers",
            name=words["best"],
            marker={
                "symbol": 17,
                "size": 18,
                "color": POOLING_COLOURS["hybrid"],
                "line": {"width": 1.5, "color": "#ffffff"},
            },
            hovertemplate=(
                f"{words['best']} {best:.2f}<br>%{{y:.1f}}{_unit(against)}<extra></extra>"
            ),
        )
        figure.add_shape(
            type="rect",
            x0=float(np.nanmin(by_draw)),
            x1=float(np.nanmax(by_draw)),
            y0=0,
            y1=1,
            yref="paper",
            fillcolor=_tint("hybrid"),
            line={"width": 0},
            layer="below",
        )
    if dial is not None:
        _mark(figure, dial, words["dial"])
    return figure


def _add_band(
    figure: go.Figure,
    x: Sequence[float],
    low: NDArray[np.floating],
    high: NDArray[np.floating],
    name: str,
) -> None:
    figure.add_scatter(
        x=[*x, *reversed(x)],
        y=[*(100 * high), *(100 * low[::-1])],
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillcolor=_tint(name),
        hoverinfo="skip",
        showlegend=False,
    )


def _add_line(
    figure: go.Figure,
    x: Sequence[float],
    y: NDArray[np.floating],
    name: str,
    words: Mapping[str, str],
) -> None:
    still = {"marker": {"opacity": 1}}  # a click chooses a level, and nothing else should fade
    figure.add_scatter(
        x=list(x),
        y=(100 * y).tolist(),
        mode="lines+markers",
        name=words[name],
        showlegend=False,
        line={"color": POOLING_COLOURS[name], "width": 3},
        marker={"size": 11, "symbol": list(POOLING_COLOURS).index(name)},
        selected=still,
        unselected=still,
    )


def _unit(against: bool) -> str:
    """What stands behind a number: differences are points, and the axis says so."""
    return "" if against else " %"


def _lay_out(figure: go.Figure, x: str, y: str, against: bool) -> None:
    figure.update_layout(
        height=380,
        margin={"l": 10, "r": 10, "t": 70, "b": 10},
        legend={
            "orientation": "h",
            "y": 1.1,
            "yanchor": "bottom",
            "x": 0,
            "font": {"size": 14},
            "entrywidthmode": "fraction",
            "entrywidth": 0.5,
        },
        xaxis={"title": {"text": x, "font": {"size": 15}}, "tickfont": {"size": 14}},
        yaxis={
            "title": {"text": y, "font": {"size": 15}},
            "tickfont": {"size": 14},
            "rangemode": "normal" if against else "tozero",
            "ticksuffix": _unit(against),
        },
        clickmode="event+select",
        font={"size": 15},
        dragmode=False,
    )


def _mark(figure: go.Figure, place: float, text: str) -> None:
    """A line across the chart at `at`, in the axis' own numbers, with a word above it.

    The word stays inside the chart also if the line is near an end.
    """
    figure.add_shape(
        type="line",
        x0=place if figure.layout.xaxis.type != "log" else 10**place,
        x1=place if figure.layout.xaxis.type != "log" else 10**place,
        y0=0,
        y1=1,
        yref="paper",
        line={"color": "#ff2d20", "width": 2},
    )
    first, last = figure.layout.xaxis.range
    figure.add_annotation(
        x=place,
        y=1,
        yref="paper",
        yanchor="bottom",
        xanchor=word_anchor((place - first) / (last - first)),
        showarrow=False,
        text=text,
    )


def _tint(name: str) -> str:
    """The colour of a pooling, thin enough for the other bands to show through."""
    return POOLING_COLOURS[name] + "2e"
