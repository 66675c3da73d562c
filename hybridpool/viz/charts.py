"""Plotly charts: plain numbers and translated words in, figures out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from typing import Any

import plotly.graph_objects as go
import plotly.io as pio

from hybridpool.viz.palette import POOLING_COLOURS


@cache
def _template(name: str) -> Any:
    return pio.templates[name].to_plotly_json()


class PlainFigure(go.Figure):  # type: ignore[misc]  # Plotly has no types
    """A figure that is sent as it was put together, for charts that are drawn at every move.

    Plotly checks every part of a figure when it is made and copies it when it is sent, which takes
    longer than all the rest. Here both is done only for those who look inside, as the tests do.

    Args:
        data: The traces, of numbers, texts, lists and dictionaries alone.
        layout: The layout, of the same.

    Example:
        >>> figure = PlainFigure([{"type": "bar", "y": [1, 2]}], {"height": 300})
        >>> figure.data[0].y, figure.layout.height
        ((1, 2), 300)
        >>> PlainFigure([{"type": "bar", "why": 1}], {}).data
        Traceback (most recent call last):
        ValueError: Invalid property specified for object of type plotly.graph_objs.Bar: 'why'
        ...
    """

    def __init__(self, data: list[dict[str, Any]], layout: dict[str, Any]) -> None:
        self._parts: dict[str, Any] = {"data": data, "layout": layout}

    def to_dict(self) -> dict[str, Any]:
        """What is sent: the parts, in the colours of the page."""
        layout = {"template": _template(pio.templates.default), **self._parts["layout"]}
        return {**self._parts, "layout": layout}

    @cached_property
    def _checked(self) -> go.Figure:
        return go.Figure(**self._parts)

    @property
    def data(self) -> Any:
        """The traces, checked by Plotly."""
        return self._checked.data

    @property
    def layout(self) -> Any:
        """The layout, checked by Plotly."""
        return self._checked.layout


#: Charts are laid out for text of this size, in pixels.
_USUAL = 14


def enlarged(figure: go.Figure, least: int) -> go.Figure:
    """The same chart with no text of less than `least` pixels, and as much more room.

    Args:
        figure: Any chart.
        least: The smallest size of its text, in pixels.

    Example:
        >>> chart = PlainFigure([], {"height": 280, "xaxis": {"tickfont": {"size": 14}}})
        >>> shown = enlarged(chart, 18).layout
        >>> shown.xaxis.tickfont.size, shown.yaxis.title.font.size, shown.height
        (18, 18, 360)
    """
    shown, factor = go.Figure(figure.to_dict()), least / _USUAL

    def write(*fonts: Any) -> None:
        for font in fonts:
            font.size = max(font.size or 0, least)

    layout = shown.layout
    # The page's theme gives each of these a size of its own, unless the chart says one.
    write(layout.font, layout.legend.font, layout.hoverlabel.font)
    shown.update_layout(xaxis={}, yaxis={})
    for each in (shown.for_each_xaxis, shown.for_each_yaxis):
        each(lambda axis: write(axis.tickfont, axis.title.font))
    shown.for_each_annotation(lambda words: write(words.font))
    shown.for_each_trace(lambda trace: write(trace.textfont), lambda trace: "textfont" in trace)
    bars = [axis.colorbar for axis in shown.select_coloraxes()]
    bars += [trace.colorbar for trace in shown.select_traces() if "colorbar" in trace]
    for bar in bars:
        write(bar.tickfont, bar.title.font)
    for place, sides in ((layout, ["height"]), (layout.margin, ["l", "r", "t", "b"])):
        for side in sides:
            place[side] = place[side] and round(factor * place[side])
    return shown


def weights_chart(
    blend_weight: Sequence[float],
    attention: Sequence[float],
    names: Sequence[str],
    selected: int,
    words: Mapping[str, str],
) -> PlainFigure:
    """Blend weight and attention value of every channel, the selected one marked.

    Args:
        blend_weight: One value a channel in [0, 1].
        attention: One value a channel in [0, 1].
        names: One name a channel, for the hover text.
        selected: Index of the channel that is shown.
        words: ``channel``, ``share_of_max``, ``blend_weight``, ``attention`` and ``selected``,
            already translated.

    Example:
        >>> words = dict.fromkeys(
        ...     ["channel", "share_of_max", "blend_weight", "attention", "selected"], "")
        >>> len(weights_chart([0.5], [0.4], ["Edge"], 0, words).data)
        2
    """
    numbers = list(range(1, len(names) + 1))
    hover = [f"{number} · {name}" for number, name in zip(numbers, names, strict=True)]
    return PlainFigure(
        data=[
            {
                "type": "bar",
                "name": words["attention"],
                "x": numbers,
                "y": list(attention),
                "customdata": hover,
                "marker": {"color": POOLING_COLOURS["attention"]},
                "hovertemplate": (
                    f"%{{customdata}}<br>{words['attention']} %{{y:.3f}}<extra></extra>"
                ),
            },
            {
                "type": "scatter",
                # Channels have no order that a line could follow.
                "mode": "markers",
                "name": words["blend_weight"],
                "x": numbers,
                "y": list(blend_weight),
                "customdata": hover,
                "marker": {
                    "color": POOLING_COLOURS["hybrid"],
                    "symbol": "diamond",
                    "size": 11,
                    "line": {"color": "#ffffff", "width": 1},
                },
                "hovertemplate": (
                    f"%{{customdata}}<br>{words['blend_weight']} %{{y:.3f}}<extra></extra>"
                ),
            },
        ],
        layout={
            "height": 320,
            "margin": {"l": 10, "r": 10, "t": 60, "b": 10},
            "legend": {"orientation": "h", "y": 1.12, "yanchor": "bottom", "x": 0},
            "bargap": 0.25,
            "xaxis": {
                "title": {"text": words["channel"]},
                "range": [0.4, len(names) + 0.6],
                "tick0": 1,
                "dtick": 1 if len(names) <= 16 else 7,
            },
            "yaxis": {"title": {"text": words["share_of_max"]}, "range": [0, 1]},
            "shapes": [
                {
                    "type": "rect",
                    "x0": selected + 0.5,
                    "x1": selected + 1.5,
                    "yref": "paper",
                    "y0": 0,
                    "y1": 1,
                    "line": {"color": "#ff2d20", "width": 2},
                    "layer": "above",
                }
            ],
            "annotations": [
                {
                    "x": selected + 1,
                    "y": 1,
                    "yref": "paper",
                    "yanchor": "bottom",
                    "showarrow": False,
                    "text": words["selected"],
                }
            ],
        },
    )


def present_points(
    place: float,
    shares: Mapping[str, float],
    name: str,
    marker: Mapping[str, Any],
    colours: Mapping[str, str] = POOLING_COLOURS,
    unit: str = " %",
) -> dict[str, Any]:
    """What marks on a chart of lines what the page shows now, one point for each pooling.

    Args:
        place: Where on the horizontal axis the points stand.
        shares: For each pooling the value, as a share of 1: the vertical axis is in per cent.
        name: What the points are called, already translated.
        marker: Their symbol and size.
        colours: The colour of each pooling.
        unit: What stands behind a value.

    Example:
        >>> points = present_points(2, {"max": 0.25}, "now", {"symbol": 5})
        >>> points["x"], points["y"]
        ([2], [25.0])
    """
    return {
        "type": "scatter",
        "x": [place] * len(shares),
        "y": [100 * share for share in shares.values()],
        "mode": "markers",
        "name": name,
        "marker": {
            **marker,
            "color": [colours[pooling] for pooling in shares],
            "line": {"width": 1.5, "color": "#ffffff"},
        },
        "hovertemplate": f"{name}<br>%{{y:.1f}}{unit}<extra></extra>",
    }
