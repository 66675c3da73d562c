"""One pooling of a network, opened: its maps, the window behind each cell, and the formulas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch

from hybridpool.answer import Network, OpenStage
from hybridpool.answer.stages import WINDOW
from hybridpool.measure import highest_contrast
from hybridpool.ui import compute
from hybridpool.ui.answer.picture import Seen
from hybridpool.ui.answer.state import SIDE, STATE, Opened
from hybridpool.ui.answer.words import stage_words
from hybridpool.ui.browser import sent
from hybridpool.ui.browser.component import PANELS, component, show_packed
from hybridpool.ui.browser.packing import pack_message, pixels, ranges_of
from hybridpool.ui.phrases import signed
from hybridpool.ui.words import _, language
from hybridpool.viz.palette import POOLING_COLOURS, sequential

_KEY = "answer_stage"
_SCRIPTS = (*PANELS, "common/engine.js", "common/through.js", "stage/stage.js")


def show_opened(
    name: str, network: Network, opened: Opened, seen: Seen, weight: float | None, told: float
) -> None:
    """Draw it; the channel that is looked at lands in the session's state.

    Args:
        name: What the network's row is called.
        network: The network.
        opened: Which of its poolings, and which channel to begin with.
        seen: The picture, as it is.
        weight: Where the dial stands.
        told: When the walk was clicked last.
    """
    shows = (network.key, opened.pooling, seen.named, weight, told, language())

    def pack() -> bytes:
        stage = compute.opened_stage(network, opened.pooling, seen.image, seen.named, weight)
        title = _("{name}: pooling {number}").format(name=name, number=opened.pooling + 1)
        return packed_stage(stage, seen, title, opened.channel, told)

    show_packed(component("stage", *_SCRIPTS), _KEY, shows, pack, view=_look_at, closed=_close)


def packed_stage(stage: OpenStage, seen: Seen, title: str, channel: int, told: float) -> bytes:
    """A pooling as one message: numbers as PyTorch has them, and where to begin."""
    cells = highest_contrast(stage.maximum, stage.average).tolist()
    channel = min(channel, len(cells) - 1)
    kernel, stride, padding = stage.receptive_field
    blend = torch.full((len(cells),), 0.5) if stage.blend is None else stage.blend
    header = {
        "title": title,
        "told": told,
        "input_shape": list(stage.feature_map.shape),
        "pooled_shape": list(stage.pooled.shape),
        "image_shape": [SIDE, SIDE],
        "stem": {"kernel": kernel, "stride": stride, "padding": padding},
        "window": {
            **{"kernel": WINDOW, "stride": WINDOW, "padding": 0},
            **{"ceilMode": False, "countPad": False},
        },
        **ranges_of([stage.feature_map, stage.pooled]),
        "example_cells": cells,
        "start": blend.tolist(),
        "blended": stage.blend is not None,
        "names": [signed(speaks) for speaks in stage.speaks.tolist()],
        "colours": {name: POOLING_COLOURS[name] for name in ("max", "average", "hybrid")},
        "words": stage_words(blends=stage.blend is not None),
        "view": {
            **{"weight": None, "channel": channel, "pinned": False, "scope": "channel"},
            **dict(zip(("row", "column"), cells[channel], strict=True)),
        },
    }
    maps = {
        "feature_map": stage.feature_map,
        **{"max": stage.maximum, "average": stage.average, "own": stage.pooled},
    }
    arrays = {key: values.contiguous().numpy() for key, values in maps.items()}
    arrays |= {"palette": sequential(), "image": pixels(seen.image)}
    return pack_message(header, arrays)


def _look_at(told: Mapping[str, Any]) -> None:
    found = sent.checked(told, {"channel": sent.whole})
    opened = STATE.chosen().opened
    if found and opened is not None:
        STATE.choose(opened=replace(opened, channel=found["channel"]))


def _close(_told: Mapping[str, Any]) -> None:
    STATE.choose(opened=None)
