"""Charts of how sure networks stay of their answer: plain numbers and translated words in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import wrap

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from hybridpool.viz.palette import ARM_COLOURS, word_anchor

OWN_COLOUR = "#767676"
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "star", "hexagon", "x")


def sureness_chart(
    levels: Sequence[float],
    sure: Mapping[str, Sequence[Sequence[float]]],
    present: float,
    words: Mapping[str, str],
    *,
    logarithmic: bool = False,
    reverse: bool = False,
) -> go.Figure:
    """Probability of the clean answer against the level, each pooling with a band.

    The line is the mean over networks and draws, the band one standard deviation to either side.

    Args:
        levels: The levels, rising.
        sure: For each pooling and level the probability in every network and draw.
        present: The level that is shown on the page.
        words: The names of the poolings, ``level``, ``sure`` and ``present``, translated.
        logarithmic: Whether equal steps along the axis are equal ratios.
        reverse: Whether the axis runs from high to low.

    Example:
        >>> words = dict.fromkeys(["max", "level", "sure", "present"], "")
        >>> band, line = sureness_chart([0, 1], {"max": [[1.0], [0.25]]}, 1, words).data
        >>> list(line.y)
        [100.0, 25.0]
    """
    figure = go.Figure()
    found = {name: [np.array(at) * 100 for at in values] for name, values in sure.items()}
    for name, values in found.items():
        mean = np.array([at.mean() for at in values])
        spread = np.array([at.std() for at in values])
        figure.add_scatter(
            x=[*levels, *levels[::-1]],
            y=[*(mean + spread).clip(0, 100), *(mean - spread).clip(0, 100)[::-1]],
            mode="lines",
            fill="toself",
            fillcolor=_faint(_colour(name)),
            line={"width": 0},
            hoverinfo="skip",
            showlegend=False,
        )
    for place, (name, values) in enumerate(found.items()):
        _line(figure, place, name, levels, [float(at.mean()) for at in values], words)
    _lay_out(figure, levels, words["level"], words["sure"], present, words["present"])
    _axis(figure, levels, logarithmic=logarithmic, reverse=reverse)
    return figure


def sameness_chart(
    levels: Sequence[float],
    same: Mapping[str, Sequence[float]],
    flips: Mapping[str, Sequence[float]],
    present: float,
    words: Mapping[str, str],
    *,
    logarithmic: bool = False,
    reverse: bool = False,
) -> go.Figure:
    """Share of networks and draws that keep their answer; where most have lost it is ringed.

    Args:
        levels: The levels, rising.
        same: For each pooling the share at each level.
        flips: For each pooling the levels at which its answer flips.
        present: The level that is shown on the page.
        words: The names of the poolings, ``level``, ``same``, ``flip`` and ``present``,
            translated.
        logarithmic: Whether equal steps along the axis are equal ratios.
        reverse: Whether the axis runs from high to low.

    Example:
        >>> words = dict.fromkeys(["max", "level", "same", "flip", "present"], "")
        >>> line, ring = sameness_chart([0, 1], {"max": [1, 0.2]}, {"max": [1]}, 0, words).data
        >>> list(ring.x), list(ring.y)
        ([1], [20.0])
    """
    figure = go.Figure()
    for place, (name, shares) in enumerate(same.items()):
        _line(figure, place, name, levels, [100 * share for share in shares], words)
    for name, at in flips.items():
        if not at:
            continue
        figure.add_scatter(
            x=list(at),
            y=[100 * same[name][list(levels).index(level)] for level in at],
            mode="markers",
            marker={
                "symbol": "circle-open",
                "size": 17,
                "color": _colour(name),
                "line": {"width": 3},
            },
            hovertemplate=f"{words[name]}<br>{words['flip']} %{{x:~g}}<extra></extra>",
            showlegend=False,
        )
    _lay_out(figure, levels, words["level"], words["same"], present, words["present"])
    _axis(figure, levels, logarithmic=logarithmic, reverse=reverse)
    return figure


def places_chart(
    picture: NDArray[np.uint8],
    sure: Mapping[str, NDArray[np.floating]],
    says: Mapping[str, Sequence[Sequence[str]]],
    activation: Mapping[str, NDArray[np.floating]],
    words: Mapping[str, str],
) -> go.Figure:
    """Two rows of maps, a column for each pooling, behind the picture itself.

    Above, the probability of the answer by the middle of a patch; below, what each cell of the last
    map adds to its score. Each row has one scale for all poolings.

    Args:
        picture: (H, W, 3)
        sure: For each pooling the probability by place.
        says: For each pooling what is named there.
        activation: For each pooling what each cell adds, positive or negative.
        words: The names of the poolings, ``picture``, ``sure`` and ``adds``, translated.

    Example:
        >>> flat, words = np.zeros((2, 2)), dict.fromkeys(["max", "picture", "sure", "adds"], "")
        >>> shown = np.zeros((4, 4, 3), np.uint8)
        >>> said = {"max": [["a"] * 2] * 2}
        >>> figure = places_chart(shown, {"max": flat}, said, {"max": flat}, words)
        >>> len(figure.data)  # the picture twice, and two maps
        4
    """
    names = list(sure)
    figure = make_subplots(
        rows=2,
        cols=len(names) + 1,
        column_titles=[words["picture"], *("<br>".join(wrap(words[name], 11)) for name in names)],
        horizontal_spacing=0.012,
        vertical_spacing=0.06,
    )
    far = max((float(np.abs(each).max()) for each in activation.values()), default=1.0) or 1.0
    for row in (1, 2):
        figure.add_trace(go.Image(z=picture, hoverinfo="skip"), row, 1)
    for place, name in enumerate(names, 2):
        figure.add_trace(
            go.Heatmap(
                z=100 * sure[name],
                customdata=says[name],
                coloraxis="coloraxis",
                hovertemplate=f"{words[name]}<br>{words['sure']} %{{z:.0f}} %<br>"
                "%{customdata}<extra></extra>",
            ),
            1,
            place,
        )
        figure.add_trace(
            go.Heatmap(
                z=activation[name],
                coloraxis="coloraxis2",
                hovertemplate=f"{words[name]}<br>{words['adds']} %{{z:+.2f}}<extra></extra>",
            ),
            2,
            place,
        )
    figure.update_xaxes(visible=False, constrain="domain")
    figure.update_yaxes(visible=False, autorange="reversed", constrain="domain")
    for each in range(1, 2 * len(names) + 3):
        figure.update_layout({f"yaxis{each}": {"scaleanchor": f"x{each}"}})
    bar = {"thickness": 12, "len": 0.46, "x": 1.01}
    figure.update_layout(
        height=330,
        margin={"l": 5, "r": 10, "t": 40, "b": 10},
        coloraxis={
            "colorscale": "Viridis",
            "cmin": 0,
            "cmax": 100,
            "colorbar": bar | {"y": 0.77, "ticksuffix": " %"},
        },
        coloraxis2={
            "colorscale": "RdBu_r",
            "cmin": -far,
            "cmax": far,
            "colorbar": bar | {"y": 0.23},
        },
    )
    return figure


def _colour(name: str) -> str:
    return ARM_COLOURS.get(name, OWN_COLOUR)


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.1)"


def _line(
    figure: go.Figure,
    place: int,
    name: str,
    levels: Sequence[float],
    values: Sequence[float],
    words: Mapping[str, str],
) -> None:
    figure.add_scatter(
        x=list(levels),
        y=list(values),
        mode="lines+markers",
        name=words[name],
        line={"color": _colour(name), "width": 2.5},
        marker={"symbol": _SYMBOLS[place % len(_SYMBOLS)], "size": 8},
        hovertemplate=f"{words[name]}<br>{words['level']} %{{x:~g}}<br>%{{y:.0f}} %<extra></extra>",
    )


def _lay_out(
    figure: go.Figure, levels: Sequence[float], x: str, y: str, present: float, word: str
) -> None:
    figure.update_layout(
        height=380,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.08, "x": 0},
        clickmode="event+select",
    )
    figure.update_xaxes(title=x)
    figure.update_yaxes(title=y, range=[-3, 103], ticksuffix=" %")
    if levels[0] <= present <= levels[-1] and len(levels) > 1:
        share = (present - levels[0]) / (levels[-1] - levels[0])
        figure.add_vline(present, line={"width": 1.5, "dash": "dash", "color": "#808080"})
        figure.add_annotation(
            x=present, y=1.0, yref="paper", yanchor="bottom", text=word, showarrow=False,
            xanchor=word_anchor(share),
        )  # fmt: skip


def _axis(figure: go.Figure, levels: Sequence[float], *, logarithmic: bool, reverse: bool) -> None:
    figure.update_xaxes(
        type="log" if logarithmic else "linear",
        autorange="reversed" if reverse else True,
        tickvals=list(levels),
        ticktext=[f"{level:g}" for level in levels],
    )
    if logarithmic:
        for mark in figure.layout.annotations:
            mark.x = float(np.log10(mark.x))
