"""Layer by layer: the poolings of each network as small maps, each a button that opens it."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st
import torch
from PIL import Image

from hybridpool.answer.stages import Stage
from hybridpool.ui import compute
from hybridpool.ui.answer.opened import show_opened
from hybridpool.ui.answer.picture import Seen
from hybridpool.ui.answer.rows import Row
from hybridpool.ui.answer.state import STATE, Opened
from hybridpool.ui.answer.words import walk_words
from hybridpool.ui.browser import sent
from hybridpool.ui.browser.component import BASE, component, show_packed, taken
from hybridpool.ui.browser.packing import pack_message
from hybridpool.ui.phrases import signed
from hybridpool.ui.words import _, language
from hybridpool.viz.palette import paint, sequential

_KEY = "answer_walk"
_OPENED: dict[str, sent.Check] = {
    "row": sent.text,
    "pooling": sent.whole,
    "channel": sent.whole,
}


def show_stages(rows: Sequence[Row], seen: Seen, shown: int, weight: float | None) -> None:
    """The network of each row whose bars are shown, on the picture as it is.

    Args:
        rows: Whose networks.
        seen: The picture.
        shown: Which network of each row.
        weight: Where the dial stands.
    """
    st.header(_("Layer by layer"))
    networks = {row.key: row.networks[min(shown, len(row.networks) - 1)] for row in rows}
    opened, told = STATE.chosen().opened, taken(_KEY, "opened")
    keys = tuple(network.key for network in networks.values())

    def pack() -> bytes:
        lines = []
        for row in rows:
            found = compute.answer_stages(networks[row.key], seen.image, seen.named, weight)
            poolings = [_pooling(stage) for stage in found]
            lines.append({"key": row.key, "name": row.name, "poolings": poolings})
        most = max(len(line["poolings"]) for line in lines)
        pooling = _("Pooling {number}")
        header = {
            "rows": lines,
            "titles": [_("Network"), *(pooling.format(number=at + 1) for at in range(most))],
            "opened": None if opened is None else opened.told(),
            "told": told,
            "words": walk_words(),
        }
        return pack_message(header, {})

    shows = (seen.named, weight, keys, opened, language())
    show_packed(component("walk", *BASE, "walk/walk.js"), _KEY, shows, pack, opened=_open)
    st.caption(
        _(
            "For each pooling the three channels that speak most for the answer to the clean "
            "picture, the first most of all: gradient times value, what a channel adds to the "
            "score to first order. The maps of one cell share one scale of colours, from dark for "
            "its lowest value to yellow for its highest. Channels are counted from 1. Click a map "
            "to open its pooling, with the window behind each cell."
        )
    )
    if opened is not None and opened.row in networks:
        (row,) = (row for row in rows if row.key == opened.row)
        show_opened(row.name, networks[opened.row], opened, seen, weight, told)


def _open(told: Mapping[str, Any]) -> None:
    if found := sent.checked(told, _OPENED):
        STATE.choose(opened=Opened(**found))


def _pooling(stage: Stage) -> dict[str, Any]:
    low, high = stage.maps.min().item(), stage.maps.max().item()
    name = _("channel {number}")
    maps = [
        {
            "channel": channel,
            "source": _png(values, low, high),
            "lines": [name.format(number=channel + 1), signed(speaks)],
        }
        for channel, values, speaks in zip(
            stage.channels, stage.maps, stage.speaks.tolist(), strict=True
        )
    ]
    return {"maps": maps, "said": blend_said(stage)}


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
