"""Charts of what poolings cost: plain numbers and translated words in, figures out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from hybridpool.viz.frequency_charts import MORE_COLOURS
from hybridpool.viz.palette import POOLING_COLOURS

_GREY = "#8a8f8d"
COST_COLOURS = POOLING_COLOURS | {
    "copy": _GREY,
    "article": "#56B4E9",
    "hybrid_channel": "#5fc6a6",
    "blur": MORE_COLOURS["blur"],
}


@dataclass(frozen=True)
class TimeBar:
    """One bar: a key of `COST_COLOURS`, its label, and its time as multiples of max alone.

    Attributes:
        name: The pooling.
        label: What it is called.
        forward: Median of the forward pass.
        whole: Median of the whole step.
        quartiles: The quartiles of the whole step.
        hover: The text when it is pointed at.
        hatched: Whether the bar is hatched, which stands for compiled.
    """

    name: str
    label: str
    forward: float
    whole: float
    quartiles: tuple[float, float]
    hover: str = ""
    hatched: bool = False


@dataclass(frozen=True)
class ShareBar:
    """One bar of a share of a step.

    Attributes:
        share: In [0, 1].
        quartiles: The quartiles over the turns, drawn as whiskers.
        text: The share as it is printed.
    """

    share: float
    quartiles: tuple[float, float]
    text: str


def time_chart(bars: Sequence[TimeBar], words: Mapping[str, str]) -> go.Figure:
    """Horizontal bars of time in multiples of max alone, the quartiles as whiskers.

    Args:
        bars: The bars from top to bottom; lines mark 1 and the first bar named ``copy``.
        words: ``forward``, ``backward``, ``compiled``, ``relative``, ``max`` and ``copy``, already
            translated.

    Example:
        >>> keys = ["forward", "backward", "compiled", "relative", "max", "copy"]
        >>> bars = [TimeBar("copy", "c", 0.5, 0.5, (0, 1)), TimeBar("max", "m", 0.25, 1, (1, 1))]
        >>> forward, backward, *_ = time_chart(bars, dict.fromkeys(keys, "")).data
        >>> list(forward.x), list(backward.x)
        ([0.5, 0.25], [0.0, 0.75])
    """
    labels = [bar.label for bar in bars]
    parts = {
        "forward": [bar.forward for bar in bars],
        "backward": [max(bar.whole - bar.forward, 0) for bar in bars],
    }
    whiskers = _spans([(bar.whole, bar.quartiles) for bar in bars])
    figure = go.Figure()
    for part, values in parts.items():
        figure.add_bar(
            y=labels,
            x=values,
            orientation="h",
            customdata=[bar.hover for bar in bars],
            hovertemplate="%{customdata}<extra></extra>",
            marker={
                **_fill([COST_COLOURS[bar.name] for bar in bars], part),
                "pattern": _pattern(["/" if bar.hatched else "" for bar in bars]),
            },
            showlegend=False,
            error_x=whiskers if part == "backward" else None,
        )
    ends = [max(bar.quartiles[1], bar.whole) for bar in bars]
    figure.add_scatter(
        y=labels,
        x=ends,
        mode="text",
        text=[f"  {_multiple(bar.whole)} ×" for bar in bars],
        textposition="middle right",
        textfont={"size": 15},
        cliponaxis=False,
        hoverinfo="skip",
        showlegend=False,
    )
    if any(parts["backward"]):
        _explain(figure, words["forward"], _fill(_GREY, "forward"))
        _explain(figure, words["backward"], {"color": _GREY + "73"})  # 45 % of it
    if any(bar.hatched for bar in bars):
        _explain(figure, words["compiled"], {"color": _GREY, "pattern": _pattern("/")})
    _lay_out(figure, len(bars), words["relative"])
    figure.update_layout(barmode="stack")
    figure.update_xaxes(range=[0, 1.18 * max(ends)])
    of_copy = next(bar.whole for bar in bars if bar.name == "copy")
    _mark(figure, 1.0, "max", words["max"], shift=0)
    _mark(figure, of_copy, "copy", words["copy"], shift=20)
    return figure


def share_chart(
    shares: Mapping[str, Mapping[str, ShareBar]],
    names: Mapping[str, str],
    network_names: Mapping[str, str],
    words: Mapping[str, str],
) -> go.Figure:
    """For each network the share of a step that its pooling layers take, quartiles as whiskers.

    Args:
        shares: Network -> pooling -> its bar; the second network is hatched.
        names: The name of each pooling.
        network_names: The name of each network.
        words: ``share``, already translated.

    Example:
        >>> bar = ShareBar(0.1, (0.05, 0.25), "10 %")
        >>> figure = share_chart({"a": {"max": bar}}, {"max": ""}, {"a": "A"}, {"share": ""})
        >>> list(figure.data[0].x), list(figure.data[0].error_x.array)
        ([10.0], [15.0])
    """
    figure = go.Figure()
    patterns = {network: _pattern("/" if index else "") for index, network in enumerate(shares)}
    for network, by_pooling in shares.items():
        figure.add_bar(
            y=[names[name] for name in by_pooling],
            x=[100 * bar.share for bar in by_pooling.values()],
            error_x=_spans([(bar.share, bar.quartiles) for bar in by_pooling.values()], 100),
            orientation="h",
            offsetgroup=network,
            marker={
                "color": [COST_COLOURS[name] for name in by_pooling],
                "pattern": patterns[network],
            },
            customdata=[bar.text for bar in by_pooling.values()],
            showlegend=False,
            hovertemplate=f"{network_names[network]}<br>%{{y}}: %{{customdata}}<extra></extra>",
        )
        # Beside the whisker, which the bar's own text would cross.
        figure.add_scatter(
            y=[names[name] for name in by_pooling],
            x=[100 * max(bar.share, bar.quartiles[1]) for bar in by_pooling.values()],
            mode="text",
            text=[f"  {bar.text}" for bar in by_pooling.values()],
            textposition="middle right",
            textfont={"size": 15},
            cliponaxis=False,
            hoverinfo="skip",
            offsetgroup=network,
            showlegend=False,
        )
    for network, pattern in patterns.items():
        _explain(figure, network_names[network], {"color": _GREY, "pattern": pattern})
    _lay_out(figure, 2 * max(map(len, shares.values())), words["share"])
    bars = [bar for by_pooling in shares.values() for bar in by_pooling.values()]
    longest = max(100 * max(bar.share, bar.quartiles[1]) for bar in bars)
    figure.update_layout(barmode="group", scattermode="group", margin={"t": 50})
    figure.update_xaxes(range=[0, 1.18 * longest], ticksuffix=" %")
    return figure


def _fill(colour: object, part: str) -> dict[str, object]:
    return {"color": colour, "opacity": 0.45 if part == "backward" else 1}


def _pattern(shape: object) -> dict[str, object]:
    return {"shape": shape, "fillmode": "overlay", "fgcolor": "#ffffff", "size": 7, "solidity": 0.4}


def _explain(figure: go.Figure, text: str, marker: Mapping[str, object]) -> None:
    """An entry of the legend in grey, because each colour stands for a pooling."""
    figure.add_bar(y=[None], x=[None], orientation="h", name=text, marker=marker)


def _mark(figure: go.Figure, place: float, name: str, word: str, *, shift: int) -> None:
    """A dotted line with a word above it, each in the colour of the pooling."""
    figure.add_vline(x=place, line={"color": COST_COLOURS[name], "width": 2, "dash": "dot"})
    figure.add_annotation(
        x=place,
        y=1,
        yref="paper",
        yanchor="bottom",
        xanchor="left",
        yshift=shift,
        showarrow=False,
        text=word,
        font={"color": COST_COLOURS[name], "size": 14},
    )


def _multiple(value: float) -> str:
    """Two decimals, or two significant digits if these are zeros: 0.0023 is not 0.00."""
    if abs(value) >= 0.1 or value == 0:
        return f"{value:.2f}"
    return np.format_float_positional(value, precision=2, unique=False, fractional=False)


def _spans(
    bars: Sequence[tuple[float, tuple[float, float]]], scale: float = 1
) -> dict[str, object]:
    """Whiskers from the first quartile to the third around each middle."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [scale * (high - middle) for middle, (_, high) in bars],
        "arrayminus": [scale * (middle - low) for middle, (low, _) in bars],
        "color": _GREY,
        "thickness": 2,
    }


def _lay_out(figure: go.Figure, rows: int, title: str) -> None:
    figure.update_layout(
        height=150 + 36 * rows,
        margin={"l": 10, "r": 10, "t": 90, "b": 10},
        legend={
            "orientation": "h",
            "yref": "container",
            "y": 1,
            "yanchor": "top",
            "x": 0,
            "traceorder": "normal",
            "font": {"size": 14},
            "itemclick": False,
            "itemdoubleclick": False,
        },
        xaxis={"title": {"text": title, "font": {"size": 15}}, "tickfont": {"size": 14}},
        yaxis={"autorange": "reversed", "tickfont": {"size": 15}, "automargin": True},
        font={"size": 15},
        bargap=0.25,
        dragmode=False,
    )
