"""The message that carries the numbers of the page "By hand" to the browser."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from hybridpool.by_hand import (
    AttentionByHand,
    ByHand,
    attend_by_hand,
)
from hybridpool.ui.browser.packing import pack_message
from hybridpool.ui.by_hand import sentences, words
from hybridpool.ui.by_hand.state import DECIMALS, LIMIT, Task, View
from hybridpool.viz.palette import POOLING_COLOURS, sequential


@dataclass(frozen=True)
class Sheet:
    """What the component shows.

    Attributes:
        task: The chosen grid, window and attention layer.
        work: The result.
        view: Where the dial stands, and which output cell is shown.
        serial: The time of the last edit that has arrived, by the browser's clock.
    """

    task: Task
    work: ByHand
    view: View
    serial: float = 0


def pack(sheet: Sheet) -> bytes:
    """Everything that the browser shows, as one message."""
    task, work = sheet.task, sheet.work
    attention = attend_by_hand(work.grid, work.window, seed=task.seed, hidden=task.hidden)
    shown = [work.grid, work.max, work.average]
    header = {
        "serial": sheet.serial,
        "look": asdict(sheet.view),
        "grid": {
            "rows": work.rows.size,
            "columns": work.columns.size,
            "values": work.grid.flatten().tolist(),
            "notes": sentences.grid_notes(work),
        },
        "area": area(work),
        "output": {
            "rows": work.rows.count,
            "columns": work.columns.count,
            "max": work.max.flatten().tolist(),
            "average": work.average.flatten().tolist(),
        },
        "kernel": work.window.kernel,
        "countPad": work.window.count_include_pad,
        "windows": [_window(work, index) for index in range(len(work.divisors))],
        "sizes": sentences.size_words(work),
        "low": min(values.min().item() for values in shown),
        "high": max(values.max().item() for values in shown),
        "totals": {
            "one": {
                "max": work.max_gradient.sum((1, 2)).tolist(),
                "average": work.average_gradient.sum((1, 2)).tolist(),
            },
            "sum": {
                "max": [work.max_gradient.sum().item()],
                "average": [work.average_gradient.sum().item()],
            },
        },
        "weightGradient": work.weight_gradient.flatten().tolist(),
        "weightGradientSum": work.weight_gradient.sum().item(),
        "attention": _attention(attention),
        "limits": {"limit": LIMIT, "decimals": DECIMALS},
        "colours": POOLING_COLOURS,
        "words": words.fixed_words() | {"honest": sentences.honest_words(task)},
    }
    arrays: dict[str, NDArray[Any]] = {
        "max_gradient": _doubles(work.max_gradient),
        "average_gradient": _doubles(work.average_gradient),
        "max_gradient_sum": _doubles(work.max_gradient.sum(0)),
        "average_gradient_sum": _doubles(work.average_gradient.sum(0)),
        "palette": sequential(),
    }
    return pack_message(header, arrays)


def area(work: ByHand) -> dict[str, object]:
    """The grid, its padding and the cells that windows reach beyond it, in reading order.

    Returns:
        ``kinds`` of the cells: 0 on the grid, 1 in the padding, 2 beyond; ``idle``: 1 where no
        window reaches; ``lead``: how many rows and columns lie before the grid.
    """
    down, across = work.rows, work.columns
    lead = down.padding
    places = [(r, c) for r in range(-lead, down.end) for c in range(-lead, across.end)]

    def kind(row: int, column: int) -> int:
        if row >= down.size + lead or column >= across.size + lead:
            return 2
        return int(not (0 <= row < down.size and 0 <= column < across.size))

    reached_rows = {start + step for start in down.starts for step in range(down.kernel)}
    reached_columns = {start + step for start in across.starts for step in range(across.kernel)}
    return {
        "rows": down.end + lead,
        "columns": across.end + lead,
        "lead": lead,
        "kinds": [kind(*place) for place in places],
        "idle": [int(r not in reached_rows or c not in reached_columns) for r, c in places],
    }


def _window(work: ByHand, index: int) -> dict[str, object]:
    lead = work.rows.padding
    width = work.columns.end + lead
    row, column = divmod(index, work.columns.count)
    return {
        "top": work.rows.starts[row] + lead,
        "left": work.columns.starts[column] + lead,
        "tied": [(r + lead) * width + c + lead for r, c in work.tied[index]],
        "divisor": work.divisors[index],
        "notes": sentences.window_notes(work, index),
    }


def _attention(steps: AttentionByHand) -> dict[str, object]:
    maps = {name: getattr(steps, name) for name in ("channels", "max", "average", "pooled")}
    vectors = ("means", "sums", "hidden", "logits", "values")
    parameters = ("first_weight", "first_bias", "second_weight", "second_bias")
    return {
        "names": words.channel_names(),
        **{name: values.flatten(1).tolist() for name, values in maps.items()},
        **{name: getattr(steps, name).tolist() for name in (*vectors, *parameters)},
        "totals": steps.channels.sum((-2, -1)).tolist(),
        "low": min(values.min().item() for values in maps.values()),
        "high": max(values.max().item() for values in maps.values()),
    }


def _doubles(values: Tensor) -> NDArray[np.float64]:
    return values.double().numpy()
