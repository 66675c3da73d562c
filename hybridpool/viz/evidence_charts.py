"""Charts of trained networks: plain numbers and translated words in.

A line is a mean over seeds; its band or bar is the interval of that mean. Every arm has one
colour and one symbol everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import plotly.graph_objects as go

from hybridpool.viz.palette import ARM_COLOURS

_SYMBOLS = {
    "max": "circle",
    "average": "square",
    "fixed": "x",
    "hybrid": "diamond",
    "channel": "triangle-up",
    "attention": "cross",
    "blur": "triangle-down",
    "frozen": "hexagon",
    "gated": "star",
    "hybrid_blur": "bowtie",
    "strided": "pentagon",
}
_DASHED = {"fixed", "frozen", "channel", "gated", "blur", "hybrid_blur", "strided"}
_LAYER_COLOURS = ("#8E7CC3", "#21918C", "#D55E00", "#0072B2", "#CC79A7")
_INK = "#808080"
_ZERO = "#ff2d20"


class Interval(NamedTuple):
    """A mean and the ends of its confidence interval."""

    mean: float
    low: float
    high: float


def accuracy_chart(
    values: Mapping[str, Mapping[int, float]],
    intervals: Mapping[str, Interval],
    words: Mapping[str, str],
) -> go.Figure:
    """Accuracy by arm: every seed a dot, the mean a line with its interval below them.

    Args:
        values: For each arm the accuracy of each seed, as a share.
        intervals: For each arm the mean over seeds with its interval.
        words: The names of the arms, ``accuracy``, ``seed`` and ``mean``, already translated.

    Example:
        >>> words = dict.fromkeys(["max", "accuracy", "seed", "mean"], "")
        >>> chart = accuracy_chart({"max": {0: 0.7, 1: 0.5}}, {"max": Interval(0.6, 0, 1)}, words)
        >>> [list(trace.x) for trace in chart.data]
        [[70.0, 50.0], [60.0]]
    """
    figure = go.Figure()
    for place, (arm, by_seed) in enumerate(values.items()):
        colour = ARM_COLOURS.get(arm, _INK)
        figure.add_scatter(
            x=[100 * value for value in by_seed.values()],
            y=[place - 0.14] * len(by_seed),
            customdata=list(by_seed),
            mode="markers",
            marker={"color": colour, "size": 10, "opacity": 0.75, "symbol": _SYMBOLS.get(arm)},
            hovertemplate=(
                f"{words[arm]}<br>{words['seed']} %{{customdata}}<br>%{{x:.2f}} %<extra></extra>"
            ),
            showlegend=False,
        )
        interval = intervals[arm]
        figure.add_scatter(
            x=[100 * interval.mean],
            y=[place + 0.16],
            error_x=_bars([interval], colour) if len(by_seed) > 1 else None,
            mode="markers",
            marker={"symbol": "line-ns", "size": 18, "line": {"color": colour, "width": 4}},
            hovertemplate=(
                f"{words[arm]}<br>{words['mean']} %{{x:.2f}} %<br>"
                f"{100 * interval.low:.2f} – {100 * interval.high:.2f} %<extra></extra>"
            ),
            showlegend=False,
        )
    _lay_out(figure, words["accuracy"], "")
    figure.update_layout(height=90 + 58 * len(values), margin={"t": 20})
    figure.update_xaxes(ticksuffix=" %", zeroline=False)
    _name_rows(figure, [words[arm] for arm in values])
    return figure


def forest_chart(
    rows: Sequence[tuple[str, Mapping[str, Interval]]],
    words: Mapping[str, str],
    *,
    margin: float = 0.0,
) -> go.Figure:
    """Differences with their intervals, one row a condition, a line at 0.

    Filled symbols are intervals that do not reach 0.

    Args:
        rows: From the top, the name of each comparison and its difference for each baseline.
        words: The names of the baselines as they stand in the legend, and ``difference``.
        margin: Differences up to this share count as none; the chart shades them.

    Example:
        >>> words = {"max": "against max", "difference": "points"}
        >>> chart = forest_chart([("clean", {"max": Interval(0.02, 0.01, 0.03)})], words)
        >>> list(chart.data[0].x), chart.data[0].marker.symbol
        ([2.0], ('circle',))
    """
    figure = go.Figure()
    names = list(dict.fromkeys(name for _, intervals in rows for name in intervals))
    for name in names:
        colour, symbol = ARM_COLOURS.get(name, _INK), _SYMBOLS.get(name, "circle")
        places, intervals = [], []
        for row, (_, by_baseline) in enumerate(rows):
            if name in by_baseline:
                share = (names.index(name) + 1) / (len(names) + 1)
                places.append(row + 0.7 * (share - 0.5))
                intervals.append(by_baseline[name])
        clear = [interval.low > 0 or interval.high < 0 for interval in intervals]
        figure.add_scatter(
            x=[100 * interval.mean for interval in intervals],
            y=places,
            error_x=_bars(intervals, colour),
            customdata=[
                [rows[round(y)][0], 100 * interval.low, 100 * interval.high]
                for y, interval in zip(places, intervals, strict=True)
            ],
            mode="markers",
            name=words[name],
            marker={
                "color": colour,
                "size": 12,
                "symbol": [symbol if sure else f"{symbol}-open" for sure in clear],
                "line": {"width": 2.5, "color": colour},
            },
            hovertemplate=(
                f"%{{customdata[0]}}, {words[name]}<br>%{{x:+.2f}} "
                "(%{customdata[1]:+.2f} … %{customdata[2]:+.2f})<extra></extra>"
            ),
        )
    if margin:
        figure.add_vrect(-100 * margin, 100 * margin, fillcolor=_INK, opacity=0.18, line_width=0)
    figure.add_vline(x=0, line={"color": _ZERO, "width": 2})
    _lay_out(figure, words["difference"], "")
    lines = sum(len(intervals) for _, intervals in rows)
    figure.update_layout(height=150 + max(58 * len(rows), 24 * lines))
    figure.update_xaxes(zeroline=False, tickformat="+~g")
    _name_rows(figure, [label for label, _ in rows])
    return figure


def lines_chart(
    lines: Mapping[str, tuple[Sequence[float], Sequence[Interval]]],
    words: Mapping[str, str],
    *,
    logarithmic: bool = False,
) -> go.Figure:
    """A share against another quantity, one line for each arm, with bands.

    Args:
        lines: For each arm the places along the axis, and mean and interval at each.
        words: The names of the arms, ``x`` and ``y``, already translated.
        logarithmic: Whether equal steps along the axis are equal ratios.

    Example:
        >>> words = {"max": "Max", "x": "severity", "y": "accuracy"}
        >>> line = ([0, 1], [Interval(0.7, 0.6, 0.8), Interval(0.5, 0.4, 0.6)])
        >>> band, mean = lines_chart({"max": line}, words).data
        >>> list(mean.y)
        [70.0, 50.0]
    """
    figure = go.Figure()
    for arm, (places, intervals) in lines.items():
        x = list(places)
        figure.add_scatter(
            x=[*x, *reversed(x)],
            y=[
                *(100 * each.high for each in intervals),
                *(100 * each.low for each in reversed(intervals)),
            ],
            mode="lines",
            line={"width": 0},
            fill="toself",
            fillcolor=ARM_COLOURS.get(arm, _INK) + "26",
            hoverinfo="skip",
            showlegend=False,
        )
    for arm, (places, intervals) in lines.items():
        figure.add_scatter(
            x=list(places),
            y=[100 * each.mean for each in intervals],
            customdata=[[100 * each.low, 100 * each.high] for each in intervals],
            mode="lines+markers",
            name=words[arm],
            line={
                "color": ARM_COLOURS.get(arm, _INK),
                "width": 3,
                "dash": "dash" if arm in _DASHED else "solid",
            },
            marker={"size": 10, "symbol": _SYMBOLS.get(arm, "circle")},
            hovertemplate=(
                f"{words[arm]}<br>{words['x']} %{{x:.4~g}}<br>%{{y:.1f}} % "
                "(%{customdata[0]:.1f} – %{customdata[1]:.1f})<extra></extra>"
            ),
        )
    _lay_out(figure, words["x"], words["y"])
    places = sorted({each for where, _ in lines.values() for each in where})
    figure.update_xaxes(
        type="log" if logarithmic else "linear",
        tickvals=places,
        ticktext=[f"{each:,.0f}" if logarithmic else f"{each:g}" for each in places],
        tickangle=0,
        zeroline=False,
    )
    return figure


class Path(NamedTuple):
    """How blend weights of one layer moved: steps, their mean, and the ends of their range."""

    steps: Sequence[int]
    mean: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]


def paths_chart(paths: Mapping[str, Path], words: Mapping[str, str]) -> go.Figure:
    """Blend weights by layer over the training, each with the range of its channels and seeds.

    Args:
        paths: For each layer its path; the names are shown as they are.
        words: ``steps``, ``blend_weight``, ``max`` and ``average``, already translated.

    Example:
        >>> words = dict.fromkeys(["steps", "blend_weight", "max", "average"], "")
        >>> path = Path([0, 1], [0.5, 0.6], [0.5, 0.5], [0.5, 1.0])
        >>> band, line = paths_chart({"pooling 1": path}, words).data
        >>> list(line.y)
        [0.5, 0.6]
    """
    figure = go.Figure()
    for number, (name, path) in enumerate(paths.items()):
        colour = _LAYER_COLOURS[number % len(_LAYER_COLOURS)]
        figure.add_scatter(
            x=[*path.steps, *reversed(path.steps)],
            y=[*path.high, *reversed(path.low)],
            mode="lines",
            line={"width": 0},
            fill="toself",
            fillcolor=colour + "2e",
            hoverinfo="skip",
            showlegend=False,
        )
        figure.add_scatter(
            x=list(path.steps),
            y=list(path.mean),
            customdata=list(zip(path.low, path.high, strict=True)),
            mode="lines",
            name=name,
            line={"color": colour, "width": 3, "dash": ("solid", "dash", "dot")[number % 3]},
            hovertemplate=(
                f"{name}<br>{words['steps']} %{{x}}<br>%{{y:.3f}} "
                "(%{customdata[0]:.3f} – %{customdata[1]:.3f})<extra></extra>"
            ),
        )
    _lay_out(figure, words["steps"], words["blend_weight"])
    figure.update_yaxes(
        range=[-0.02, 1.02],
        tickvals=[0, 0.25, 0.5, 0.75, 1],
        ticktext=[f"0 {words['average']}", "0.25", "0.5", "0.75", f"1 {words['max']}"],
        ticksuffix="",
        zeroline=False,
    )
    figure.add_hline(y=0.5, line={"color": _INK, "width": 1, "dash": "dot"})
    return figure


def _bars(intervals: Sequence[Interval], colour: str) -> dict[str, object]:
    """Bars from the low to the high end of each interval."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [100 * (interval.high - interval.mean) for interval in intervals],
        "arrayminus": [100 * (interval.mean - interval.low) for interval in intervals],
        "color": colour,
        "thickness": 2.5,
        "width": 6,
    }


def _name_rows(figure: go.Figure, labels: Sequence[str]) -> None:
    """One named row after the other, from the top."""
    figure.update_yaxes(
        tickvals=list(range(len(labels))),
        ticktext=list(map(_wrapped, labels)),
        range=[len(labels) - 0.5, -0.5],
        ticksuffix="",
        zeroline=False,
        showgrid=False,
    )


def _wrapped(label: str, width: int = 22) -> str:
    """A label on two lines where it is long, so that a phone has room for the chart."""
    if len(label) <= width or " " not in label:
        return label
    middle = min(
        (index for index, letter in enumerate(label) if letter == " "),
        key=lambda index: abs(index - len(label) / 2),
    )
    return f"{label[:middle]}<br>{label[middle + 1 :]}"


def _lay_out(figure: go.Figure, x: str, y: str) -> None:
    figure.update_layout(
        height=420,
        margin={"l": 10, "r": 10, "t": 60, "b": 10},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "font": {"size": 14}},
        xaxis={"title": {"text": x, "font": {"size": 15}}, "tickfont": {"size": 14}},
        yaxis={
            "title": {"text": y, "font": {"size": 15}},
            "tickfont": {"size": 14},
            "ticksuffix": " %",
        },
        font={"size": 15},
        dragmode=False,
    )
