"""What a person has chosen on the page "By hand", frozen, and the link that restores it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from hybridpool.by_hand import MAX_KERNEL, MAX_PADDING, PRESETS, SIDES, preset_grid
from hybridpool.trace import MAX_SEED
from hybridpool.ui import page_state
from hybridpool.ui.page_state import PageState, Parameter, Values, wholes
from hybridpool.window import Window

#: Numbers in the cells lie between minus and plus this, with so many decimals.
LIMIT = 9999
DECIMALS = 3
HIDDEN = (1, 2)

Cells = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class WindowOptions:
    """The window as a person chooses it: one stride and one padding for both directions.

    Args:
        height: Rows of the window.
        width: Columns of the window.
        stride: Step of the window in cells.
        padding: Cells added at each border.
        ceil_mode: Whether a window that sticks out at the end counts.
        count_include_pad: Whether the average counts padding as zeros.
    """

    height: int = 2
    width: int = 2
    stride: int = 2
    padding: int = 0
    ceil_mode: bool = False
    count_include_pad: bool = False

    @property
    def window(self) -> Window:
        """The same as a window, which may be an impossible one."""
        return Window(
            (self.height, self.width),
            (self.stride, self.stride),
            (self.padding, self.padding),
            self.ceil_mode,
            self.count_include_pad,
        )


@dataclass(frozen=True)
class Task:
    """Everything that decides the numbers.

    Args:
        numbers: One of `PRESETS`, or ``"own"``.
        rows: Rows of the grid.
        columns: Columns of the grid.
        draw: Seed of the noise.
        own: The person's own numbers, used if `numbers` is ``"own"``.
        options: The window and how it moves.
        seed: Seed of the attention layer.
        hidden: Hidden values of the attention layer.
    """

    numbers: str = "ramp"
    rows: int = 4
    columns: int = 4
    draw: int = 0
    own: Cells = ()
    options: WindowOptions = field(default_factory=WindowOptions)
    seed: int = 0
    hidden: int = 2

    @property
    def window(self) -> Window:
        """The window that moves over the grid."""
        return self.options.window

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
        options = self.options
        known = (*PRESETS, "own") if self.own else PRESETS
        return replace(
            self,
            numbers=self.numbers if self.numbers in known else Task.numbers,
            rows=_clamp(self.rows, *SIDES),
            columns=_clamp(self.columns, *SIDES),
            draw=_clamp(self.draw, 0, MAX_SEED),
            seed=_clamp(self.seed, 0, MAX_SEED),
            hidden=_clamp(self.hidden, *HIDDEN),
            options=replace(
                options,
                height=_clamp(options.height, 1, MAX_KERNEL),
                width=_clamp(options.width, 1, MAX_KERNEL),
                stride=_clamp(options.stride, 1, MAX_KERNEL),
                padding=_clamp(options.padding, 0, MAX_PADDING),
            ),
        )


@dataclass(frozen=True)
class View:
    """Which part of the result is shown; nothing here changes what is computed.

    Args:
        weight: Where the dial stands.
        step: How many output cells are filled; None if the window has not been stopped yet.
        row: Row of the selected output cell.
        column: Its column.
        back: Whether the gradient is that of ``"one"`` output cell or of the ``"sum"`` of all.
        hide: Whether results stay hidden until somebody asks for them.
    """

    weight: float = 0.5
    step: int | None = None
    row: int = 0
    column: int = 0
    back: str = "one"
    hide: bool = False

    def clamped(self) -> View:
        """The nearest that can be shown."""
        return replace(
            self,
            weight=min(max(self.weight, 0.0), 1.0),
            back=self.back if self.back == "sum" else "one",
        )


@dataclass(frozen=True)
class Chosen:
    """What a person has chosen: the task, and which part of its result is shown."""

    task: Task = field(default_factory=Task)
    view: View = field(default_factory=View)

    def clamped(self) -> Chosen:
        """The nearest that can be shown; the cell is clamped once the output is there."""
        return Chosen(self.task.clamped(), self.view.clamped())


def clean_cells(lines: Sequence[Sequence[object]]) -> Cells:
    """Turn whatever was sent into numbers that the grid can hold.

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


def _read_cells(text: str) -> Values:
    return {"own": clean_cells([line.split("_") for line in text.split("~")])} if text else {}


def _write_cells(chosen: Chosen) -> str | None:
    if chosen.task.numbers != "own":
        return None
    return "~".join("_".join(map(cell_text, line)) for line in chosen.task.grid().tolist())


def _read_window(text: str) -> Values:
    values = wholes(
        r"(?P<height>\d+)x(?P<width>\d+)-(?P<stride>\d+)-(?P<padding>\d+)(?:-ceil)?(?:-zeros)?"
    )(text)
    return values | {"ceil_mode": "-ceil" in text, "count_include_pad": "-zeros" in text}


def _write_window(chosen: Chosen) -> str:
    options = chosen.task.options
    sizes = f"{options.height}x{options.width}-{options.stride}-{options.padding}"
    return sizes + "-ceil" * options.ceil_mode + "-zeros" * options.count_include_pad


def _write_at(chosen: Chosen) -> str | None:
    seen = chosen.view
    return None if seen.step is None else page_state.cell_text(seen.row, seen.column)


def _along(chosen: Chosen, values: Values) -> Values:
    """Keep the numbers that a person typed in their places when the size of the grid changes."""
    if chosen.task.numbers == "own" and values.keys() & {"rows", "columns"}:
        return {"own": clean_cells(chosen.task.grid().tolist())} | values
    return values


def _cell(value: object) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return 0.0
    if not math.isfinite(number):
        return 0.0
    return round(min(max(number, -LIMIT), LIMIT), DECIMALS) + 0.0


def _clamp(value: int, low: int, high: int) -> int:
    return min(max(value, low), high)


STATE = PageState(
    "by_hand",
    Chosen(),
    (
        Parameter("numbers", "numbers"),
        Parameter(
            "grid",
            values=wholes(r"(?P<rows>\d+)x(?P<columns>\d+)"),
            write=lambda chosen: f"{chosen.task.rows}x{chosen.task.columns}",
        ),
        Parameter("cells", values=_read_cells, write=_write_cells),
        Parameter(
            "grid-seed",
            "draw",
            old="draw",
            write=lambda chosen: str(chosen.task.draw) if chosen.task.numbers == "noise" else None,
        ),
        Parameter("window", values=_read_window, write=_write_window),
        Parameter(
            "layer",
            values=wholes(r"(?P<seed>\d+)-(?P<hidden>\d+)"),
            write=lambda chosen: f"{chosen.task.seed}-{chosen.task.hidden}",
        ),
        Parameter("dial", "weight"),
        Parameter(
            "step",
            values=wholes(r"(?P<step>\d+)"),
            write=lambda chosen: page_state.text_of(chosen.view.step),
        ),
        Parameter("at", values=page_state.read_cell, write=_write_at),
        Parameter(
            "back",
            "back",
            write=lambda chosen: "sum" if chosen.view.back == "sum" else None,
        ),
        Parameter(
            "hide",
            "hide",
            write=lambda chosen: "1" if chosen.view.hide else None,
        ),
    ),
    _along,
)
