"""Charts of shifts, spectra and gradients: plain numbers and translated words in, figures out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from hybridpool.viz.charts import present_points
from hybridpool.viz.palette import POOLING_COLOURS, diverging, sequential, word_anchor

#: The further poolings; their lines are dashed, so that colour is not all that tells them apart.
MORE_COLOURS = {
    "blur": "#E69F00",
    "lp": "#56B4E9",
    "stochastic": "#A6761D",
    "soft": "#8E7CC3",
}
COLOURS = POOLING_COLOURS | MORE_COLOURS | {"feature_map": "#808080", "ideal": "#808080"}
_DASHES = {
    **dict.fromkeys(MORE_COLOURS, "dash"),
    "feature_map": "solid",
    "ideal": "dot",
}
#: Low, middle and high frequencies and those beyond what a pooled map can carry along an axis;
#: each legible with its ink in both themes.
BAND_COLOURS = {"low": "#3B528B", "middle": "#21918C", "high": "#AADC32", "beyond": "#9A9A9A"}
_BAND_INK = {"low": "#FFFFFF", "middle": "#FFFFFF", "high": "#1A1A1A", "beyond": "#1A1A1A"}
_MOST_PRINTED = 81


def shift_chart(
    shifts: Sequence[int],
    changes: Mapping[str, Sequence[float]],
    present: int,
    here: Mapping[str, float],
    words: Mapping[str, str],
) -> go.Figure:
    """Distance of the aligned maps against the shift, one line for each pooling.

    Args:
        shifts: The shifts in pixels, rising.
        changes: For each pooling the distance at each shift.
        present: The shift along this axis that is shown on the page.
        here: For each pooling the distance that is shown on the page.
        words: The names of the poolings, ``shift``, ``distance``, ``present`` and ``shown``,
            already translated.

    Example:
        >>> words = dict.fromkeys(["max", "shift", "distance", "present", "shown"], "")
        >>> len(shift_chart([-1, 0, 1], {"max": [0.2, 0, 0.2]}, 1, {"max": 0.2}, words).data)
        2
    """
    figure = go.Figure()
    for place, (name, values) in enumerate(changes.items()):
        figure.add_scatter(
            x=list(shifts),
            y=[100 * value for value in values],
            mode="lines+markers",
            name=words[name],
            line={"color": COLOURS[name], "width": 3, "dash": _DASHES.get(name, "solid")},
            marker={"size": 9, "symbol": place},
            hovertemplate=f"{words[name]}<br>%{{x}} px: %{{y:.1f}} %<extra></extra>",
        )
    marker = {"symbol": 23, "size": 13}
    figure.add_trace(present_points(present, here, words["shown"], marker, COLOURS))
    figure.add_vline(x=present, line={"color": "#ff2d20", "width": 2})
    figure.add_annotation(
        x=present,
        y=1,
        yref="paper",
        yanchor="bottom",
        xanchor=word_anchor((present - shifts[0]) / (shifts[-1] - shifts[0])),
        showarrow=False,
        text=words["present"],
    )
    _lay_out(figure, words["shift"], words["distance"])
    figure.update_xaxes(dtick=2, range=[shifts[0] - 0.4, shifts[-1] + 0.4], zeroline=False)
    figure.update_yaxes(rangemode="tozero", ticksuffix=" %")
    return figure


def spectrum_chart(
    spectra: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    limit: float,
    words: Mapping[str, str],
) -> go.Figure:
    """Radially averaged power spectra, power on a logarithmic axis.

    Args:
        spectra: For each map frequencies in cycles per cell of the feature map, and powers; a
            power of zero is left out.
        limit: The Nyquist frequency of the pooled maps.
        words: The names of the maps, ``frequency``, ``power`` and ``limit``, already translated.

    Example:
        >>> words = dict.fromkeys(["max", "frequency", "power", "limit"], "")
        >>> figure = spectrum_chart({"max": ([0.1, 0.2], [1.0, 0.0])}, 0.25, words)
        >>> figure.data[0].y
        (1.0, None)
    """
    figure = go.Figure()
    for name, (frequencies, powers) in spectra.items():
        figure.add_scatter(
            x=list(frequencies),
            y=[power if power > 0 else None for power in powers],
            mode="lines",
            name=words[name],
            line={
                "color": COLOURS[name],
                "width": 2.5,
                "dash": _DASHES.get(name, "solid"),
            },
            hovertemplate=f"{words[name]}<br>%{{x:.3f}}: %{{y:.3g}}<extra></extra>",
        )
    figure.add_vline(x=limit, line={"color": "#ff2d20", "width": 2, "dash": "dot"})
    figure.add_annotation(
        x=limit, y=1, yref="paper", yanchor="bottom", showarrow=False, text=words["limit"]
    )
    _lay_out(figure, words["frequency"], words["power"])
    figure.update_xaxes(rangemode="tozero")
    figure.update_yaxes(type="log", exponentformat="power", dtick=1)
    return figure


def shares_chart(shares: Mapping[str, Sequence[float]], words: Mapping[str, str]) -> go.Figure:
    """Share of the energy in the same bands of frequencies: one stacked bar for each map.

    Args:
        shares: For each map the shares in the order of `BAND_COLOURS`.
        words: The names of the maps and of the bands, and ``share``, already translated.

    Example:
        >>> words = dict.fromkeys(["max", *BAND_COLOURS, "share"], "")
        >>> [bar.x[0] for bar in shares_chart({"max": [0.5, 0.25, 0.125, 0.125]}, words).data]
        [50.0, 25.0, 12.5, 12.5]
    """
    figure = go.Figure()
    names = list(shares)
    for place, (band, colour) in enumerate(BAND_COLOURS.items()):
        values = [100 * shares[name][place] for name in names]
        figure.add_bar(
            x=values,
            y=[words[name] for name in names],
            orientation="h",
            name=words[band],
            marker={"color": colour},
            text=[f"{value:.0f} %" if value >= 6 else "" for value in values],
            textposition="inside",
            textangle=0,
            textfont={"color": _BAND_INK[band]},
            hovertemplate=f"%{{y}}<br>{words[band]}: %{{x:.1f}} %<extra></extra>",
        )
    _lay_out(figure, words["share"], "")
    figure.update_layout(
        barmode="stack",
        height=130 + 36 * len(names),
        bargap=0.25,
        legend={"traceorder": "normal", "y": 1.02},
        margin={"t": 50},
    )
    figure.update_xaxes(range=[0, 100], ticksuffix=" %")
    figure.update_yaxes(range=[len(names) - 0.5, -0.5], automargin=True)
    return figure


def gradient_chart(
    values: NDArray[np.floating],
    corner: tuple[int, int],
    far: float,
    words: Mapping[str, str],
    *,
    signed: bool = False,
) -> go.Figure:
    """A map of gradients in true cells, each square, numbers inside where there is room.

    Args:
        values: The map or a part of it (rows, columns).
        corner: Row and column of its first cell, from 0; they are printed from 1.
        far: The largest magnitude of all maps that share the colours.
        words: ``row``, ``column`` and ``gradient``, already translated.
        signed: Whether colours diverge from zero in the middle, or rise from zero.

    Example:
        >>> words = dict.fromkeys(["row", "column", "gradient"], "")
        >>> gradient_chart(np.array([[0.25, 0.75]]), (4, 0), 1, words).data[0].y
        (5,)
    """
    rows, columns = values.shape
    table = diverging() if signed else sequential()
    scale = [[i / 255, f"#{bytes(colour).hex()}"] for i, colour in enumerate(table)]
    small = values.size <= _MOST_PRINTED
    heat = go.Heatmap(
        z=values,
        x=list(range(corner[1] + 1, corner[1] + columns + 1)),
        y=list(range(corner[0] + 1, corner[0] + rows + 1)),
        zmin=-far if signed else 0,
        zmax=far or 1,
        zsmooth=False,
        colorscale=scale,
        xgap=int(small),
        ygap=int(small),
        text=[[f"{value:.3g}" if value else "" for value in line] for line in values.tolist()]
        if small
        else None,
        texttemplate="%{text}" if small else None,
        colorbar={"orientation": "h", "thickness": 10, "y": -0.12, "yanchor": "top", "nticks": 5},
        hovertemplate=(
            f"{words['row']} %{{y}}, {words['column']} %{{x}}<br>"
            f"{words['gradient']} %{{z:.4g}}<extra></extra>"
        ),
    )
    figure = go.Figure(heat)
    figure.update_layout(height=340, margin={"l": 10, "r": 10, "t": 5, "b": 60}, dragmode=False)
    if small:
        figure.update_xaxes(dtick=1)
        figure.update_yaxes(dtick=1)
    figure.update_xaxes(constrain="domain", showgrid=False, zeroline=False)
    figure.update_yaxes(
        range=[corner[0] + rows + 0.5, corner[0] + 0.5],
        scaleanchor="x",
        constrain="domain",
        showgrid=False,
        zeroline=False,
    )
    return figure


def _lay_out(figure: go.Figure, x: str, y: str) -> None:
    figure.update_layout(
        height=400,
        margin={"l": 10, "r": 10, "t": 80, "b": 10},
        legend={"orientation": "h", "y": 1.1, "yanchor": "bottom", "x": 0},
        xaxis={"title": {"text": x}, "tickfont": {"size": 14}},
        yaxis={"title": {"text": y}, "tickfont": {"size": 14}},
        dragmode=False,
    )
