"""The page "By hand": its controls, and the message that carries its numbers to the browser.

The browser shows what PyTorch computed and blends max and average itself while the dial turns; it
sends the numbers that a person typed, and where the dial and the window stand when they stop.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from torch import Tensor

from hybridpool.by_hand import (
    MAX_KERNEL,
    MAX_PADDING,
    SIDES,
    AttentionByHand,
    ByHand,
    attend_by_hand,
    pool_by_hand,
)
from hybridpool.trace import MAX_SEED
from hybridpool.ui.browser.component import component, pack_message
from hybridpool.ui.by_hand import words
from hybridpool.ui.by_hand.script import by_hand_script
from hybridpool.ui.by_hand.state import DECIMALS, HIDDEN, LIMIT, STATE, Look, Task, clean_cells
from hybridpool.ui.words import _
from hybridpool.viz.palette import POOLING_COLOURS, sequential
from hybridpool.window import ImpossibleWindowError

_SCRIPTS = ("common/maths.js", *(f"by_hand/{name}.js" for name in ("sheet", "editor", "attention")))


def show_controls() -> None:
    """The controls in the sidebar: numbers, window, attention layer."""
    task = STATE.chosen().task
    names = words.preset_names()
    if task.numbers == "own":
        names |= {"own": _("Your own numbers")}
    st.subheader(_("Numbers"))
    STATE.control(
        st.selectbox,
        "numbers",
        _("Grid"),
        options=list(names),
        format_func=names.__getitem__,
    )
    if task.numbers == "noise":
        _seed("draw", _("Seed"))
        st.button(_("Draw again"), key="by_hand_draw_again", on_click=_draw_again)
    low, high = SIDES
    STATE.control(st.slider, "rows", _("Rows"), min_value=low, max_value=high)
    STATE.control(st.slider, "columns", _("Columns"), min_value=low, max_value=high)
    _window_controls(task)
    st.subheader(_("Attention layer"))
    _seed("seed", _("Seed of the matrices"))
    STATE.control(
        st.segmented_control,
        "hidden",
        _("Hidden values"),
        options=list(HIDDEN),
        help=_("The article divides the channels by four, which leaves 1 hidden value here."),
        required=True,
    )


def current_work() -> tuple[Task, ByHand]:
    """The session's task worked out; what is impossible becomes a sentence beside the last good."""
    task = STATE.chosen().task
    place = st.container()
    try:
        work = pool_by_hand(task.grid(), task.window)
    except ImpossibleWindowError as problem:
        place.error(words.why_impossible(problem, task), icon=":material/error:")
        last: Task = st.session_state.get("by_hand_last_good", Task())
        return last, pool_by_hand(last.grid(), last.window)
    st.session_state["by_hand_last_good"] = task
    return task, work


def show_by_hand(task: Task, work: ByHand) -> None:
    """Draw grid, outputs, formulas, gradients and the attention layer."""
    draw = component("by_hand", *_SCRIPTS, "by_hand/by_hand.js")
    draw(
        key="by_hand",
        data=pack(task, work),
        on_edit_change=_edited,
        on_look_change=_looked,
        height="content",
    )


def show_download(task: Task) -> None:
    """A script that gives the same numbers."""
    st.download_button(
        _("PyTorch script"),
        data=by_hand_script(task, STATE.chosen().view),
        file_name="pooling_by_hand.py",
        mime="text/x-python",
        on_click="ignore",
        icon=":material/code:",
        help=_("A short script that gives the same numbers with the library."),
    )


def pack(task: Task, work: ByHand) -> bytes:
    """Everything that the browser shows, as one message."""
    attention = attend_by_hand(work.grid, work.window, seed=task.seed, hidden=task.hidden)
    shown = [work.grid, work.max, work.average]
    header = {
        "serial": st.session_state.get("by_hand_serial", 0),
        "look": asdict(STATE.chosen().view),
        "grid": {
            "rows": work.rows.size,
            "columns": work.columns.size,
            "values": work.grid.flatten().tolist(),
            "notes": words.grid_notes(work),
        },
        "area": area(work),
        "output": {
            "rows": work.rows.count,
            "columns": work.columns.count,
            "max": work.max.flatten().tolist(),
            "average": work.average.flatten().tolist(),
        },
        "kernel": [work.window.height, work.window.width],
        "countPad": work.window.count_include_pad,
        "windows": [_window(work, index) for index in range(len(work.divisors))],
        "sizes": words.size_words(work),
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
        "words": words.fixed_words() | {"honest": words.honest_words(task)},
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
    """The grid with its padding and what windows reach beyond it, in reading order.

    Returns:
        ``kinds`` of the cells: 0 on the grid, 1 in the padding, 2 beyond; ``idle``: 1 where no
        window comes; ``lead``: how many rows and columns lie before the grid.
    """
    down, across = work.rows, work.columns
    lead = work.window.padding
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
    lead = work.window.padding
    width = work.columns.end + lead
    row, column = divmod(index, work.columns.count)
    return {
        "top": work.rows.starts[row] + lead,
        "left": work.columns.starts[column] + lead,
        "tied": [(r + lead) * width + c + lead for r, c in work.tied[index]],
        "divisor": work.divisors[index],
        "notes": words.window_notes(work, index),
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


def _window_controls(task: Task) -> None:
    window = task.window
    st.subheader(_("Pooling window"))
    apart = st.toggle(
        _("Height and width apart"), value=window.height != window.width, key="by_hand_apart"
    )
    side = {"min_value": 1, "max_value": MAX_KERNEL}
    if apart:
        STATE.control(st.slider, "height", _("Kernel height"), **side)
        STATE.control(st.slider, "width", _("Kernel width"), **side)
    else:
        STATE.control(st.slider, ("height", "width"), _("Kernel size"), **side)
    STATE.control(st.slider, "stride", _("Stride"), **side)
    STATE.control(
        st.segmented_control,
        "padding",
        _("Padding"),
        options=list(range(MAX_PADDING + 1)),
        help=_("At most half the kernel size, as PyTorch demands."),
        required=True,
    )
    STATE.control(
        st.toggle,
        "ceil_mode",
        _("Ceil mode"),
        help=_("Keep a last window that only partly lies on the feature map."),
    )
    STATE.control(
        st.toggle,
        "count_include_pad",
        _("Average counts the padding"),
        help=_("PyTorch calls it count_include_pad: the padding's zeros take part in the average."),
    )


def _seed(field: str, label: str) -> None:
    STATE.control(st.number_input, field, label, min_value=0, max_value=MAX_SEED, step=1)


def _draw_again() -> None:
    STATE.choose(draw=(STATE.chosen().task.draw + 1) % (MAX_SEED + 1))


def _edited() -> None:
    sent = st.session_state["by_hand"].get("edit")
    shown = st.session_state.get("by_hand_last_good", Task())
    if not sent:
        return
    # The browser waits for this number to come back, also where the grid has changed since.
    st.session_state["by_hand_serial"] = int(sent["serial"])
    if len(sent["cells"]) != shown.rows:
        return
    typed = {"numbers": "own", "own": clean_cells(sent["cells"])}
    # Beside an impossible window the last good view takes the numbers too.
    st.session_state["by_hand_last_good"] = replace(shown, **typed)
    STATE.choose(**typed, rows=shown.rows, columns=shown.columns)


def _looked() -> None:
    sent = st.session_state["by_hand"].get("look")
    if sent:
        STATE.choose(**{name: sent[name] for name in Look.__dataclass_fields__})


def _doubles(values: Tensor) -> NDArray[np.float64]:
    return values.double().numpy()
