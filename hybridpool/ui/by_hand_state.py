"""What a person has chosen on the page "By hand", frozen, and the link that restores it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import streamlit as st
import torch
from torch import Tensor

from hybridpool.by_hand import MAX_KERNEL, MAX_PADDING, PRESETS, SIDES, Window, preset_grid
from hybridpool.trace import MAX_SEED
from hybridpool.ui import words

#: Numbers in the cells lie between minus and plus this, with so many decimals.
LIMIT = 9999
DECIMALS = 3
HIDDEN = (1, 2)

Cells = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Task:
    """Everything that decides the numbers.

    Args:
        numbers: One of `PRESETS`, or ``"own"``.
        rows: Rows of the grid.
        columns: Columns of the grid.
        draw: Seed of the noise.
        own: The person's own numbers, used if `numbers` is ``"own"``.
        window: The window and how it moves.
        seed: Seed of the attention layer.
        hidden: Hidden values of the attention layer.
    """

    numbers: str = "ramp"
    rows: int = 4
    columns: int = 4
    draw: int = 0
    own: Cells = ()
    window: Window = field(default_factory=Window)
    seed: int = 0
    hidden: int = 2

    def grid(self) -> Tensor:
        """The numbers as a tensor.

        Example:
            >>> Task(numbers="own", rows=1, columns=3, own=((7.0,),)).grid().tolist()
            [[7.0, 0.0, 0.0]]
        """
        if self.numbers != "own":
            return preset_grid(self.numbers, self.rows, self.columns, self.draw)
        grid = torch.zeros(self.rows, self.columns, dtype=torch.float64)
        for row, line in enumerate(self.own[: self.rows]):
            for column, value in enumerate(line[: self.columns]):
                grid[row, column] = value
        return grid

    def clamped(self) -> Task:
        """The nearest task whose parts can be shown; a link may ask for anything.

        Whether the window fits the grid is another question: the page answers it in words.
        """
        window = self.window
        return replace(
            self,
            rows=_clamp(self.rows, *SIDES),
            columns=_clamp(self.columns, *SIDES),
            draw=_clamp(self.draw, 0, MAX_SEED),
            seed=_clamp(self.seed, 0, MAX_SEED),
            hidden=_clamp(self.hidden, *HIDDEN),
            window=replace(
                window,
                height=_clamp(window.height, 1, MAX_KERNEL),
                width=_clamp(window.width, 1, MAX_KERNEL),
                stride=_clamp(window.stride, 1, MAX_KERNEL),
                padding=_clamp(window.padding, 0, MAX_PADDING),
            ),
        )


@dataclass(frozen=True)
class Look:
    """What is looked at; nothing here changes what is computed.

    Args:
        weight: Where the dial stands.
        step: How many output cells are filled; None if the window has not been stopped yet.
        row: Row of the output cell that is looked at.
        column: Its column.
        back: Whether the gradient is that of ``"one"`` output cell or of the ``"sum"`` of all.
    """

    weight: float = 0.5
    step: int | None = None
    row: int = 0
    column: int = 0
    back: str = "one"


def task() -> Task:
    """The task of this session, at first that of the link."""
    if "by_hand_task" not in st.session_state:
        parameters = st.query_params.to_dict()
        st.session_state["by_hand_task"] = task_from(parameters)
        st.session_state["by_hand_look"] = look_from(parameters)
    found: Task = st.session_state["by_hand_task"]
    return found


def look() -> Look:
    """What this session looks at, at first what the link says."""
    task()
    found: Look = st.session_state["by_hand_look"]
    return found


def change(**values: object) -> None:
    """Change the task; names of the window's own fields change the window."""
    now = task()
    of_window = {name: values.pop(name) for name in list(values) if hasattr(now.window, name)}
    changed = replace(now, window=replace(now.window, **of_window), **values)  # type: ignore[arg-type]
    st.session_state["by_hand_task"] = changed.clamped()


def set_look(seen: Look) -> None:
    """Remember what is looked at."""
    st.session_state["by_hand_look"] = seen


def mirror_in_link(shown: Task) -> None:
    """Write what is shown into the address bar, so that the link restores it."""
    wanted = query(shown, look()) | {"lang": words.language()}
    if st.session_state.get("large"):
        wanted["large"] = "1"
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)


def clean_cells(lines: Sequence[Sequence[object]]) -> Cells:
    """Numbers as the grid can hold them, whatever was sent.

    Example:
        >>> clean_cells([[1.23456, 1e9, "x"]])
        ((1.235, 9999.0, 0.0),)
    """
    return tuple(tuple(_cell(value) for value in line[: SIDES[1]]) for line in lines[: SIDES[1]])


def cell_text(value: float) -> str:
    """A number as short as it can be written with `DECIMALS` decimals.

    Example:
        >>> cell_text(3.0), cell_text(-0.25)
        ('3', '-0.25')
    """
    text = f"{value:.{DECIMALS}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def query(chosen: Task, seen: Look) -> dict[str, str]:
    """The state as the parameters of a link, the seeds too. No character needs an escape.

    Example:
        >>> query(Task(), Look(weight=0.25))["window"]
        '2x2-2-0'
    """
    window = chosen.window
    parameters = {
        "numbers": chosen.numbers,
        "grid": f"{chosen.rows}x{chosen.columns}",
        "window": f"{window.height}x{window.width}-{window.stride}-{window.padding}"
        + "-ceil" * window.ceil_mode
        + "-zeros" * window.count_include_pad,
        "layer": f"{chosen.seed}-{chosen.hidden}",
        "dial": f"{seen.weight:g}",
    }
    if chosen.numbers == "noise":
        parameters["draw"] = str(chosen.draw)
    if chosen.numbers == "own":
        lines = chosen.grid().tolist()
        parameters["cells"] = "~".join("_".join(map(cell_text, line)) for line in lines)
    if seen.step is not None:
        parameters["step"] = str(seen.step)
        parameters["at"] = f"{seen.row + 1}-{seen.column + 1}"
    if seen.back == "sum":
        parameters["back"] = "sum"
    return parameters


def task_from(parameters: Mapping[str, str]) -> Task:
    """The task that a link asks for; what cannot be read stays as it is by default.

    Example:
        >>> task_from({"grid": "99x3", "window": "3x2-1-1-ceil"}).window.width
        2
    """
    values: dict[str, object] = {}
    if parameters.get("numbers") in PRESETS:
        values["numbers"] = parameters["numbers"]
    rows, columns = _integers(r"(\d+)x(\d+)", parameters.get("grid", "")) or (4, 4)
    values |= {"rows": rows, "columns": columns}
    if parameters.get("numbers") == "own" and parameters.get("cells"):
        lines = [line.split("_") for line in parameters["cells"].split("~")]
        values |= {"numbers": "own", "own": clean_cells(lines)}
    if draw := _integers(r"(\d+)", parameters.get("draw", "")):
        values["draw"] = draw[0]
    if layer := _integers(r"(\d+)-(\d+)", parameters.get("layer", "")):
        values |= {"seed": layer[0], "hidden": layer[1]}
    text = parameters.get("window", "")
    if window := _integers(r"(\d+)x(\d+)-(\d+)-(\d+)(?:-ceil)?(?:-zeros)?", text):
        height, width, stride, padding = window
        values["window"] = Window(height, width, stride, padding, "-ceil" in text, "-zeros" in text)
    return Task(**values).clamped()  # type: ignore[arg-type]


def look_from(parameters: Mapping[str, str]) -> Look:
    """What a link looks at; the cell is clamped once the output is there.

    Example:
        >>> look_from({"dial": "7", "step": "3", "at": "2-1"})
        Look(weight=1.0, step=3, row=1, column=0, back='one')
    """
    weight = _cell(parameters.get("dial", "x"), default=Look.weight)
    seen = Look(
        weight=min(max(weight, 0.0), 1.0),
        back="sum" if parameters.get("back") == "sum" else "one",
    )
    step = _integers(r"(\d+)", parameters.get("step", ""))
    row, column = _integers(r"(\d+)-(\d+)", parameters.get("at", "")) or (1, 1)
    if not step:
        return seen
    return replace(seen, step=step[0], row=max(row - 1, 0), column=max(column - 1, 0))


def _integers(pattern: str, text: str) -> tuple[int, ...]:
    found = re.fullmatch(pattern, text, re.ASCII)
    return tuple(min(int(digits[:9]), 10**6) for digits in found.groups()) if found else ()


def _cell(value: object, default: float = 0.0) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return default
    if not math.isfinite(number):
        return default
    return round(min(max(number, -LIMIT), LIMIT), DECIMALS) + 0.0


def _clamp(value: int, low: int, high: int) -> int:
    return min(max(value, low), high)
