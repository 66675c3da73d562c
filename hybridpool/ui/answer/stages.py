"""Layer by layer: the three poolings of each network as small maps, in one table."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence

import streamlit as st
import torch
from PIL import Image

from hybridpool.answer.stages import Stage
from hybridpool.ui import compute
from hybridpool.ui.answer.picture import Seen
from hybridpool.ui.answer.rows import Row
from hybridpool.ui.words import _
from hybridpool.viz.palette import paint, sequential

_STYLE = """
<style>
.stages { overflow-x: auto; }
.stages table { border-collapse: collapse; font-size: 0.875rem; }
.stages :is(th, td) { text-align: left; vertical-align: top; padding: 0.4rem 1rem 0.4rem 0; }
.stages tr { border-top: 1px solid light-dark(#c9ccd3, #444c49); }
.stages .maps { display: flex; gap: 0.4rem; }
.stages figure { margin: 0; }
.stages img { width: 4.4rem; height: 4.4rem; image-rendering: pixelated; display: block; }
.stages figcaption { font-size: 0.8125rem; white-space: nowrap; }
</style>
"""


def show_stages(rows: Sequence[Row], seen: Seen, shown: int, weight: float | None) -> None:
    """The network of each row whose bars are shown, on the picture as it is.

    Args:
        rows: Whose networks.
        seen: The picture.
        shown: Which network of each row.
        weight: Where the dial stands.
    """
    st.header(_("Layer by layer"))
    lines = []
    for row in rows:
        network = row.networks[min(shown, len(row.networks) - 1)]
        found = compute.answer_stages(network, seen.image, seen.named, weight)
        cells = "".join(f"<td>{_cell(stage)}</td>" for stage in found)
        lines.append(f"<tr><th scope='row'>{html.escape(row.name)}</th>{cells}</tr>")
    pooling, network_word = _("Pooling {number}"), _("Network")
    titles = [network_word, *(pooling.format(number=number) for number in (1, 2, 3))]
    heads = "".join(f"<th scope='col'>{html.escape(title)}</th>" for title in titles)
    table = f"<table><tr>{heads}</tr>{''.join(lines)}</table>"
    label = html.escape(_("Layer by layer"))
    st.html(
        f'{_STYLE}<div class="stages" role="region" tabindex="0" aria-label="{label}">{table}</div>'
    )
    st.caption(
        _(
            "For each pooling the three channels that speak most for the answer to the clean "
            "picture, the first most of all: gradient times value, what a channel adds to the "
            "score to first order. The maps of one cell share one scale of colours, from dark for "
            "its lowest value to yellow for its highest. Channels are counted from 1."
        )
    )


def _cell(stage: Stage) -> str:
    low, high = stage.maps.min().item(), stage.maps.max().item()
    figures = []
    for channel, values, speaks in zip(
        stage.channels, stage.maps, stage.speaks.tolist(), strict=True
    ):
        source = _png(values, low, high)
        name = _("channel {number}").format(number=channel + 1)
        figures.append(
            f"<figure><img src='{source}' alt='{html.escape(name)}'>"
            f"<figcaption>{html.escape(name)}<br>{speaks:+.2f}</figcaption></figure>"
        )
    return f"<div class='maps'>{''.join(figures)}</div>{html.escape(blend_said(stage))}"


def blend_said(stage: Stage) -> str:
    """The blend weights of a pooling: one, or the span and mean of one for each channel."""
    if stage.weights is None:
        return ""
    if stage.weights.numel() == 1:
        return _("blend weight {value}").format(value=f"{stage.weights.item():.2f}")
    low, high, mean = (
        f"{value.item():.2f}"
        for value in (stage.weights.min(), stage.weights.max(), stage.weights.mean())
    )
    return _("blend weights {low} to {high}, mean {mean}").format(low=low, high=high, mean=mean)


def _png(values: torch.Tensor, low: float, high: float) -> str:
    file = io.BytesIO()
    Image.fromarray(paint(values.numpy(), low, high, sequential())).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
