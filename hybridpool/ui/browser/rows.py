"""Clean, changed and their difference, for each pooling: what the browser gets and sends back.

Max and average maps of both pictures travel as 16 bit with one range a channel and side; the
browser blends them itself. What must be exact (sums, counts, largest changes) is computed here, the
sums in a form that holds for every blend weight. The clean side travels once, together with what
the browser needs to count the changed one while the hand moves. See ``assets/compare``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hybridpool.layers import POOLINGS
from hybridpool.measure import TIE, highest_contrast
from hybridpool.sensitivity import Comparison, Perturbation
from hybridpool.sensitivity.compare import Side
from hybridpool.ui.browser.component import MAPS, component
from hybridpool.ui.browser.packing import pack_message, pixels, quantised
from hybridpool.ui.settings import ResolvedView, view_of
from hybridpool.ui.words import fill
from hybridpool.viz.palette import POOLING_COLOURS, diverging, sequential
from hybridpool.viz.sensitivity_charts import winner_colours

#: How the browser reads a window whose maximum several cells share.
NO_WINNER = 255
_BITS = {"max": 1, "average": 2, "attention": 4}
_FILES = ("passage", "rows", "measuring", "outline", "patch", "live", "filmed", "compare")
SCRIPTS = (
    *MAPS,
    "common/engine.js",
    "common/changing.js",
    "common/camera.js",
    *(f"compare/{name}.js" for name in _FILES),
)


@dataclass(frozen=True)
class Live:
    """What the browser needs to count by itself what is done to the picture.

    Attributes:
        header: What follows the hand, in numbers and words.
        arrays: The picture, the weights it meets, and the numbers that were drawn.
    """

    header: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Rows:
    """What the rows show.

    Attributes:
        compared: The pictures and their maps.
        seen: The view to begin with.
        key: Names the maps before the change; a message with the same key keeps the view.
        words: Every word of the rows.
        done: What was done to the picture, if an occluder may be drawn on it.
        base: Names all that stays while only the level or the occluder moves.
        live: What follows the hand, if anything does.
    """

    compared: Comparison
    seen: ResolvedView
    key: str
    words: Mapping[str, str]
    done: Perturbation = field(default_factory=Perturbation)
    base: str = ""
    live: Live | None = None


def rows_component(name: str = "compare", style: str = "") -> Any:
    """The component that draws the rows, for each page one with a name and style of its own."""
    return component("compare", *SCRIPTS, name=name, style=style)


def pack(rows: Rows) -> bytes:
    """A comparison as one message: length, JSON header, arrays."""
    header, arrays = _clean_side(rows)
    steps, changed = _changed_side(rows)
    steps["steps"] |= header["steps"]
    return pack_message(header | steps, arrays | changed)


def pack_change(rows: Rows) -> bytes:
    """The same without what a browser holds that has had all of it for this `Rows.base`."""
    header, arrays = _changed_side(rows)
    return pack_message(header, arrays)


def _clean_side(rows: Rows) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """What stays while only the level or the occluder moves."""
    compared = rows.compared
    arrays, ranges = quantised(_maps("clean", compared.before))
    arrays["image_clean"] = pixels(compared.before.image)
    arrays["winners_clean"] = _winners(compared.before)
    arrays["palette"], arrays["diverging"] = sequential(), diverging()
    arrays["winner_palette"] = winner_colours(compared.layout.window[0])
    header = {
        "key": rows.key,
        "steps": {"clean": ranges},
        "start": compared.trace.blend_weight.tolist(),
        "names": [fill(name) for name in compared.trace.features.channel_names],
        **_layout(compared),
        "colours": {name: POOLING_COLOURS[name] for name in POOLINGS},
        "words": rows.words,
    }
    if rows.live:
        header["live"] = dict(rows.live.header)
        arrays |= rows.live.arrays
    return header, arrays


def _changed_side(rows: Rows) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """What the level or the occluder decides, and what is looked at."""
    compared = rows.compared
    sides = {"clean": compared.before, "changed": compared.after}
    arrays, ranges = quantised(_maps("changed", compared.after))
    arrays["image_changed"] = pixels(compared.after.image)
    arrays["winners_changed"] = _winners(compared.after)
    arrays["cells"] = _cells(compared)
    if compared.reached is not None:
        arrays["reached"] = compared.reached.to(torch.uint8).numpy()
    header = {
        "base": rows.base,
        "steps": {"changed": ranges},
        **_ranges(compared),
        **statistics(compared),
        "level": rows.done.level,
        "attention": {name: side.attention.tolist() for name, side in sides.items()},
        **_view(compared, rows.seen, rows.done),
    }
    return header, arrays


def _maps(name: str, side: Side) -> dict[str, Tensor]:
    return {f"{name}_{end}": side.pooled[end] for end in ("max", "average")}


def _ranges(compared: Comparison) -> dict[str, list[float]]:
    """The lowest and highest value of each channel, before and after together."""
    sides = compared.before, compared.after
    both = [side.pooled[end].flatten(1) for side in sides for end in ("max", "average")]
    low, high = (torch.stack([torch.aminmax(each, dim=1)[end] for each in both]) for end in (0, 1))
    return {"low": low.amin(0).tolist(), "high": high.amax(0).tolist()}


def statistics(compared: Comparison) -> dict[str, Any]:
    """Exact numbers of each channel: sums, largest changes and counts, in double precision.

    ``size`` and ``moved`` hold the sums of max², max · average and average² of the clean maps and
    of the differences: the squared norm of the hybrid map at blend weight s is
    s² · first + 2s(1 − s) · second + (1 − s)² · third.
    """
    changes = compared.changes
    moved, size, *_rest = changes.sums("attention")
    replaced, windows = compared.winners()
    return {
        "size": changes.clean[:, :3].tolist(),
        "moved": changes.moved[:, :3].tolist(),
        "size_attention": size.tolist(),
        "moved_attention": moved.tolist(),
        "largest": {name: compared.largest[name].tolist() for name in _BITS},
        "reach": compared.reach.tolist(),
        "winners": {"windows": windows.tolist(), "changed": replaced.tolist()},
    }


def _layout(compared: Comparison) -> dict[str, Any]:
    """Where the cells lie on the picture."""
    layout, shape = compared.layout, compared.before.pooled["max"].shape
    names = ("kernel", "stride", "padding")
    return {
        "pooled_shape": list(shape),
        "input_shape": [shape[0], *layout.map_size],
        "image_shape": list(compared.before.image.shape[-2:]),
        "window": dict(zip(names, layout.window, strict=True)),
        "stem": dict(zip(names, layout.stem, strict=True)),
    }


def _view(compared: Comparison, seen: ResolvedView, done: Perturbation) -> dict[str, Any]:
    """What is looked at to begin with: a pinned cell, else the one that shows most."""
    pooled = compared.before.pooled
    _, rows, columns = pooled["max"].shape
    cells = highest_contrast(pooled["max"], pooled["average"]).tolist()
    row, column = cells[seen.channel]
    if seen.pinned:
        row, column = min(seen.row, rows - 1), min(seen.column, columns - 1)
    height, width = compared.before.image.shape[-2:]
    box = done.box((height, width))
    return {
        "example_cells": cells,
        "view": {
            **asdict(view_of(seen)),
            **{"row": row, "column": column},
            **{"kind": done.kind, "fill": done.fill, "shape": done.shape},
            "against": done.against,
        },
        "box": dict(zip(("top", "left", "height", "width"), box, strict=True)),
    }


def _winners(side: Side) -> NDArray[np.uint8]:
    """The winner of each window as the browser reads it; zeros where there are none to compare."""
    winners = side.winners
    if winners is None:
        winners = torch.zeros(side.pooled["max"].shape, dtype=torch.int64)
    written: NDArray[np.uint8] = winners.where(winners != TIE, NO_WINNER).to(torch.uint8).numpy()
    return written


def _cells(compared: Comparison) -> NDArray[np.uint8]:
    """Which cells changed: 1 in max, 2 in average, 4 in attention, added up."""
    marked = torch.stack([compared.cells[name] * bit for name, bit in _BITS.items()])
    cells: NDArray[np.uint8] = marked.sum(0).to(torch.uint8).numpy()
    return cells
