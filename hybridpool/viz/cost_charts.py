"""Charts of what poolings cost: plain numbers and translated words in, figures out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
    """One bar: a key of `COST_COLOURS`, its label, and its milliseconds.

    Attributes:
        name: The pooling.
        label: What it is called.
        forward: Median of the forward pass.
        whole: Median of the whole step.
        quartiles: Those of the whole step.
        hatched: Whether the bar is hatched, for what is compiled.
    """

    name: str
    label: str
    forward: float
    whole: float
    quartiles: tuple[float, float]
    hatched: bool = False


def time_chart(bars: Sequence[TimeBar], words: Mapping[str, str]) -> go.Figure:
    """Horizontal bars of time in multiples of max alone, the quartiles as whiskers.

    The first bar named ``max`` and the first named ``copy`` are the references.

    Args:
        bars: From top to bottom.
        words: ``forward``, ``backward``, ``relative``, ``max``, ``copy``, ``of_max``, ``of_copy``
            and ``quartiles``, already translated; the last three hold places for numbers.

    Example:
        >>> words = dict.fromkeys(["forward", "backward", "relative", "max", "copy", "quartiles",
        ...     "of_max", "of_copy"], "")
        >>> bars = [TimeBar("copy", "c", 1, 1, (1, 1)), TimeBar("max", "m", 1, 4, (3, 5))]
        >>> forward, backward, numbers = time_chart(bars, words).data
        >>> list(forward.x), list(backward.x)
        ([0.25, 0.25], [0.0, 0.75])
    """
    of_max = next(bar.whole for bar in bars if bar.name == "max")
    of_copy = next(bar.whole for bar in bars if bar.name == "copy")
    labels = [bar.label for bar in bars]
    hover = [
        "<br>".join(
            [
                f"{bar.label}: {bar.whole:.3g} ms",
                words["quartiles"].format(low=f"{low:.3g}", high=f"{high:.3g}"),
                words["of_max"].format(ratio=f"{bar.whole / of_max:.2f}"),
                words["of_copy"].format(ratio=f"{bar.whole / of_copy:.2f}"),
            ]
        )
        for bar in bars
        for low, high in [bar.quartiles]
    ]
    parts = {
        "forward": [bar.forward for bar in bars],
        "backward": [max(bar.whole - bar.forward, 0) for bar in bars],
    }
    figure = go.Figure()
    for part, values in parts.items():
        last = part == "backward"
        figure.add_bar(
            y=labels,
            x=[value / of_max for value in values],
            orientation="h",
            name=words[part],
            customdata=hover,
            hovertemplate="%{customdata}<extra></extra>",
            marker={
                "color": [COST_COLOURS[bar.name] for bar in bars],
                "opacity": 0.45 if last else 1,
                "pattern": {
                    "shape": ["/" if bar.hatched else "" for bar in bars],
                    "fgcolor": "#ffffff",
                    "size": 7,
                },
            },
            showlegend=any(parts["backward"]),
            error_x=_whiskers(bars, of_max) if last else None,
        )
    ends = [max(bar.quartiles[1], bar.whole) / of_max for bar in bars]
    figure.add_scatter(
        y=labels,
        x=ends,
        mode="text",
        text=[f"  {bar.whole / of_max:.2f} ×" for bar in bars],
        textposition="middle right",
        textfont={"size": 15},
        cliponaxis=False,
        hoverinfo="skip",
        showlegend=False,
    )
    _lay_out(figure, len(bars), words["relative"])
    figure.update_layout(barmode="stack")
    longest = max(ends)
    figure.update_xaxes(range=[0, 1.18 * longest])
    # One of the two words hangs below the axis' top, so that close lines leave both readable.
    for at, word, place in ((1.0, words["max"], "max"), (of_copy / of_max, words["copy"], "copy")):
        left = at < 1 or (at == 1 and place == "copy")
        figure.add_vline(x=at, line={"color": COST_COLOURS[place], "width": 2, "dash": "dot"})
        figure.add_annotation(
            x=at,
            y=1,
            yref="paper",
            yanchor="bottom",
            xanchor="right" if left and at > 0.15 * longest else "left",
            yshift=0 if place == "max" else 20,
            showarrow=False,
            text=word,
            font={"color": COST_COLOURS[place], "size": 14},
        )
    return figure


def share_chart(
    shares: Mapping[str, Mapping[str, float]],
    names: Mapping[str, str],
    network_names: Mapping[str, str],
    words: Mapping[str, str],
) -> go.Figure:
    """For each network the share of a step that its pooling layers take, one bar a pooling.

    Args:
        shares: Network -> pooling -> share in [0, 1].
        names: What each pooling is called.
        network_names: What each network is called.
        words: ``share``, already translated.

    Example:
        >>> figure = share_chart(
        ...     {"a": {"max": 0.1}, "b": {"max": 0.2}}, {"max": ""}, {"a": "A", "b": "B"},
        ...     {"share": ""})
        >>> [list(bars.x) for bars in figure.data]
        [[10.0], [20.0]]
    """
    figure = go.Figure()
    for network, found in shares.items():
        first = network == next(iter(shares))
        percents = [100 * share for share in found.values()]
        figure.add_bar(
            y=[names[name] for name in found],
            x=percents,
            orientation="h",
            name=network_names[network],
            marker={
                "color": [COST_COLOURS[name] for name in found],
                "opacity": 1 if first else 0.45,
            },
            text=[f" {value:.2g} %" for value in percents],
            textposition="outside",
            cliponaxis=False,
            hovertemplate=f"{network_names[network]}<br>%{{y}}: %{{x:.2f}} %<extra></extra>",
        )
    _lay_out(figure, 2 * max(map(len, shares.values())), words["share"])
    longest = max(100 * share for found in shares.values() for share in found.values())
    figure.update_layout(barmode="group")
    figure.update_xaxes(range=[0, 1.18 * longest], ticksuffix=" %")
    return figure


def _whiskers(bars: Sequence[TimeBar], unit: float) -> dict[str, object]:
    return {
        "type": "data",
        "symmetric": False,
        "array": [(bar.quartiles[1] - bar.whole) / unit for bar in bars],
        "arrayminus": [(bar.whole - bar.quartiles[0]) / unit for bar in bars],
        "color": _GREY,
        "thickness": 2,
    }


def _lay_out(figure: go.Figure, rows: int, title: str) -> None:
    figure.update_layout(
        height=150 + 36 * rows,
        margin={"l": 10, "r": 10, "t": 90, "b": 10},
        legend={"orientation": "h", "y": 1, "yanchor": "top", "yref": "container", "x": 0},
        xaxis={"title": {"text": title, "font": {"size": 15}}, "tickfont": {"size": 14}},
        yaxis={"autorange": "reversed", "tickfont": {"size": 15}, "automargin": True},
        font={"size": 15},
        bargap=0.25,
        dragmode=False,
    )
