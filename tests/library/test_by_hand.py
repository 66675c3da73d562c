"""Pooling by hand: places, numbers, gradients, attention, the link and the script."""

import ast
import io
import math
from contextlib import redirect_stdout
from dataclasses import replace
from itertools import product

import pytest
import torch
import torch.nn.functional as F
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor

from hybridpool import hybrid_pool2d
from hybridpool.by_hand import (
    MAX_KERNEL,
    MAX_PADDING,
    PRESETS,
    SIDES,
    attend_by_hand,
    derived_channels,
    pool_by_hand,
    preset_grid,
)
from hybridpool.ui.by_hand.packing import area
from hybridpool.ui.by_hand.script import by_hand_script
from hybridpool.ui.by_hand.state import LIMIT, STATE, Chosen, Task, View, WindowOptions
from hybridpool.window import Axis, ImpossibleWindowError, Window, check_window

ARTICLE = torch.arange(1.0, 17.0, dtype=torch.float64).reshape(4, 4)

sides = st.integers(*SIDES)
kernels = st.integers(1, MAX_KERNEL)
options = st.builds(
    WindowOptions,
    kernels,
    kernels,
    kernels,
    st.integers(0, MAX_PADDING),
    st.booleans(),
    st.booleans(),
)
numbers = st.integers(-LIMIT * 1000, LIMIT * 1000).map(lambda thousandths: thousandths / 1000)


@st.composite
def grids(draw: st.DrawFn) -> Tensor:
    """A grid of few different numbers, so that many windows have ties."""
    rows, columns = draw(sides), draw(sides)
    cells = draw(st.lists(st.integers(-3, 3), min_size=rows * columns, max_size=rows * columns))
    return torch.tensor(cells, dtype=torch.float64).reshape(rows, columns)


@st.composite
def exercises(draw: st.DrawFn) -> tuple[Tensor, Window]:
    """A grid and a window that PyTorch accepts for it."""
    grid = draw(grids())
    height, width = draw(kernels), draw(kernels)
    padding = draw(st.integers(0, min(height, width) // 2))
    height, width = (
        min(kernel, size + 2 * padding)
        for kernel, size in zip((height, width), grid.shape, strict=True)
    )
    padding = min(padding, min(height, width) // 2)
    return grid, WindowOptions(
        height, width, draw(kernels), padding, draw(st.booleans()), draw(st.booleans())
    ).window


OVERHANG = (ARTICLE, WindowOptions(3, 2, 2, 1, ceil_mode=True, count_include_pad=True).window)
GAPS = (preset_grid("noise", 8, 7, 1), WindowOptions(1, 2, 3).window)

# ---- the article ------------------------------------------------------------------------------


def test_the_article_s_grid_gives_the_article_s_results() -> None:
    work = pool_by_hand(ARTICLE, check_window(2))
    assert torch.equal(preset_grid("ramp", 4, 4), ARTICLE)
    assert work.max.tolist() == [[6, 8], [14, 16]]
    assert work.average.tolist() == [[3.5, 5.5], [11.5, 13.5]]


# ---- places -----------------------------------------------------------------------------------


def check(window: Window, size: int) -> None:
    window.check()
    window.check_fits(size, size)


def test_there_are_as_many_windows_as_pytorch_makes_and_refusals_are_pytorch_s() -> None:
    choices = product(range(2, 9), range(1, 9), range(1, 9), range(5), (False, True))
    for size, kernel, stride, padding, ceil_mode in choices:
        window = WindowOptions(kernel, kernel, stride, padding, ceil_mode).window
        try:
            expected = F.avg_pool2d(torch.ones(1, size, size), kernel, stride, padding, ceil_mode)
        except RuntimeError:
            with pytest.raises(ImpossibleWindowError):
                check(window, size)
        else:
            check(window, size)
            assert Axis(size, kernel, stride, padding, ceil_mode).count == expected.shape[-1]


@pytest.mark.parametrize(
    ("window", "reason"),
    [
        (WindowOptions(3, 3, padding=2).window, "padding"),
        (WindowOptions(2, 5).window, "size"),
        (WindowOptions(5, 2).window, "size"),
    ],
)
def test_an_impossible_window_says_which_rule_it_breaks(window: Window, reason: str) -> None:
    with pytest.raises(ImpossibleWindowError) as raised:
        pool_by_hand(ARTICLE, window)
    assert raised.value.reason == reason
    with pytest.raises(ImpossibleWindowError):
        attend_by_hand(ARTICLE, window)


@given(exercises())
@example(OVERHANG)
@example(GAPS)
def test_greyed_cells_are_those_that_no_average_depends_on(exercise: tuple[Tensor, Window]) -> None:
    work = pool_by_hand(*exercise)
    drawn = area(work)
    inside = [idle for kind, idle in zip(drawn["kinds"], drawn["idle"], strict=True) if kind == 0]
    assert inside == (work.average_gradient.sum(0) == 0).flatten().int().tolist()


@given(exercises())
@example(GAPS)
@example((preset_grid("ramp", 7, 7), WindowOptions(1, 2, 3).window))
def test_ceil_mode_keeps_what_is_dropped_and_nothing_that_is_stepped_over(
    exercise: tuple[Tensor, Window],
) -> None:
    grid, window = exercise
    axes = window._replace(ceil_mode=False).axes(*grid.shape)
    rounded_up = window._replace(ceil_mode=True).axes(*grid.shape)
    for axis, kept in zip(axes, rounded_up, strict=True):
        assert kept.dropped == ()
        assert kept.skipped == axis.skipped
        assert not axis.skipped or axis.stride > axis.kernel


@given(exercises())
@example(OVERHANG)
def test_the_drawn_area_holds_grid_padding_and_all_that_windows_reach(
    exercise: tuple[Tensor, Window],
) -> None:
    work = pool_by_hand(*exercise)
    drawn = area(work)
    kinds = torch.tensor(drawn["kinds"]).reshape(drawn["rows"], drawn["columns"])
    lead = drawn["lead"]
    rows, columns = work.grid.shape
    expected = torch.full_like(kinds, 2)
    expected[: rows + 2 * lead, : columns + 2 * lead] = 1
    expected[lead : lead + rows, lead : lead + columns] = 0
    assert torch.equal(kinds, expected)
    assert work.rows.starts[-1] + lead + work.rows.kernel <= drawn["rows"]
    assert work.columns.starts[-1] + lead + work.columns.kernel <= drawn["columns"]


@given(exercises())
@example(OVERHANG)
def test_divisors_are_pytorch_s(exercise: tuple[Tensor, Window]) -> None:
    grid, window = exercise
    work = pool_by_hand(torch.ones_like(grid), window)
    inside = [
        len(work.rows.inside(i)) * len(work.columns.inside(j))
        for i in range(work.rows.count)
        for j in range(work.columns.count)
    ]
    shares = torch.tensor(inside, dtype=torch.float64) / torch.tensor(work.divisors)
    torch.testing.assert_close(work.average.flatten(), shares)


# ---- numbers and gradients --------------------------------------------------------------------


@given(exercises())
@example(OVERHANG)
@example(GAPS)
def test_values_are_what_a_pencil_gives(exercise: tuple[Tensor, Window]) -> None:
    grid, window = exercise
    work = pool_by_hand(grid, window)
    for (i, top), (j, left) in product(enumerate(work.rows.starts), enumerate(work.columns.starts)):
        cells = [
            grid[row, column].item()
            for row in range(top, top + window.kernel[0])
            for column in range(left, left + window.kernel[1])
            if 0 <= row < grid.shape[0] and 0 <= column < grid.shape[1]
        ]
        index = i * work.columns.count + j
        assert work.max[i, j] == max(cells)
        assert work.average[i, j].item() == pytest.approx(sum(cells) / work.divisors[index])
        assert len(work.tied[index]) == cells.count(max(cells))
        assert all(grid[place] == max(cells) for place in work.tied[index])


@given(exercises())
@example((preset_grid("ties", 5, 5), WindowOptions(3, 3, 1, 1).window))
@example(OVERHANG)
def test_max_sends_its_gradient_to_the_first_of_the_tied_cells(
    exercise: tuple[Tensor, Window],
) -> None:
    work = pool_by_hand(*exercise)
    expected = torch.zeros_like(work.max_gradient)
    for index, places in enumerate(work.tied):
        expected[(index, *places[0])] = 1
    assert torch.equal(work.max_gradient, expected)


@given(exercises(), st.floats(0, 1))
@example(OVERHANG, 0.3)
def test_hybrid_s_gradient_is_the_blend_of_both(
    exercise: tuple[Tensor, Window], weight: float
) -> None:
    grid, window = exercise
    work = pool_by_hand(grid, window)
    cells = grid.clone().requires_grad_()
    pooled = hybrid_pool2d(cells[None], weight, **window.arguments)
    (gradient,) = torch.autograd.grad(pooled.sum(), cells)
    blended = weight * work.max_gradient + (1 - weight) * work.average_gradient
    torch.testing.assert_close(blended.sum(0), gradient)


@given(exercises())
def test_the_blend_weight_s_gradient_is_max_minus_average(exercise: tuple[Tensor, Window]) -> None:
    work = pool_by_hand(*exercise)
    torch.testing.assert_close(work.weight_gradient, work.max - work.average)


def test_one_row_of_the_gradient_belongs_to_one_window() -> None:
    work = pool_by_hand(*OVERHANG)
    step = 1e-6
    for row, column in product(range(4), range(4)):
        moved = work.grid.clone()
        moved[row, column] += step
        slope = (pool_by_hand(moved, work.window).average - work.average) / step
        torch.testing.assert_close(
            work.average_gradient[:, row, column], slope.flatten(), atol=1e-6, rtol=0
        )


# ---- presets and channels ---------------------------------------------------------------------


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize(("rows", "columns"), [(2, 2), (3, 8), (8, 8)])
def test_presets_fill_any_size_with_numbers_that_the_cells_can_show(
    name: str, rows: int, columns: int
) -> None:
    grid = preset_grid(name, rows, columns, seed=5)
    assert grid.shape == (rows, columns)
    assert torch.equal(grid, grid.round(decimals=1))
    assert not torch.signbit(grid[grid == 0]).any()


def test_presets_show_what_they_are_called() -> None:
    assert preset_grid("checkerboard", 3, 3).tolist() == [[0, 8, 0], [8, 0, 8], [0, 8, 0]]
    assert preset_grid("bright", 4, 4).sum() == preset_grid("bright", 4, 4)[1, 1] == 9
    assert preset_grid("ties", 3, 4).unique().tolist() == [5]
    assert preset_grid("negative", 4, 4).max() == -1
    with pytest.raises(ValueError, match="'stripes': choose one of ramp"):
        preset_grid("stripes", 4, 4)


def test_noise_is_drawn_from_its_seed_alone() -> None:
    before = torch.get_rng_state()
    first = preset_grid("noise", 8, 8, seed=1)
    assert torch.equal(first, preset_grid("noise", 8, 8, seed=1))
    assert not torch.equal(first, preset_grid("noise", 8, 8, seed=2))
    assert torch.equal(torch.get_rng_state(), before)
    many = torch.stack([preset_grid("noise", 8, 8, seed) for seed in range(200)])
    assert many.mean().item() == pytest.approx(5, abs=0.1)
    assert many.std().item() == pytest.approx(3, abs=0.1)


@given(grids())
def test_channels_are_made_as_the_page_says(grid: Tensor) -> None:
    numbers, turned, across, down = derived_channels(grid)
    assert torch.equal(numbers, grid)
    for row, column in product(*map(range, grid.shape)):
        here = grid[row, column]
        assert turned[row, column] == grid.min() + grid.max() - here
        assert across[row, column] == (abs(here - grid[row, column - 1]) if column else 0)
        assert down[row, column] == (abs(here - grid[row - 1, column]) if row else 0)


# ---- the attention layer ----------------------------------------------------------------------


@pytest.mark.parametrize("hidden", [1, 2])
@pytest.mark.parametrize(("grid", "window"), [(ARTICLE, check_window(2)), OVERHANG, GAPS])
def test_every_step_of_the_attention_layer_is_what_a_pencil_gives(
    grid: Tensor, window: Window, hidden: int
) -> None:
    steps = attend_by_hand(grid, window, seed=3, hidden=hidden)
    assert steps.first_weight.shape == (hidden, 4)
    assert steps.second_weight.shape == (4, hidden)
    means = [sum(channel.flatten().tolist()) / grid.numel() for channel in steps.channels]
    assert steps.means.tolist() == pytest.approx(means)
    for d in range(hidden):
        products = [steps.first_weight[d, c].item() * means[c] for c in range(4)]
        assert steps.sums[d].item() == pytest.approx(sum(products) + steps.first_bias[d].item())
        assert steps.hidden[d].item() == max(0, steps.sums[d].item())
    for c in range(4):
        products = [
            steps.second_weight[c, d].item() * steps.hidden[d].item() for d in range(hidden)
        ]
        logit = sum(products) + steps.second_bias[c].item()
        assert steps.logits[c].item() == pytest.approx(logit)
        value = 1 / (1 + math.exp(-logit))
        assert steps.values[c].item() == pytest.approx(value)
        work = pool_by_hand(steps.channels[c], window)
        assert torch.equal(steps.max[c], work.max)
        assert torch.equal(steps.average[c], work.average)
        torch.testing.assert_close(steps.pooled[c], value * work.max + (1 - value) * work.average)


def test_the_matrices_are_drawn_from_their_seed_within_pytorch_s_bounds() -> None:
    before = torch.get_rng_state()
    drawn = [attend_by_hand(ARTICLE, check_window(2), seed=seed) for seed in range(60)]
    again = attend_by_hand(ARTICLE, check_window(2), seed=59)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(drawn[-1].first_weight, again.first_weight)
    assert torch.equal(drawn[-1].values, again.values)
    for name, inputs in product(("weight", "bias"), (4, 2)):
        part = f"{'first' if inputs == 4 else 'second'}_{name}"
        values = torch.stack([getattr(steps, part) for steps in drawn])
        assert torch.equal(values, values.round(decimals=2))
        assert values.abs().max() <= 1 / math.sqrt(inputs) + 0.005
        # A uniform distribution from -b to b has the standard deviation b / sqrt(3).
        assert values.std().item() == pytest.approx(1 / math.sqrt(3 * inputs), rel=0.2)


# ---- the link ---------------------------------------------------------------------------------

tasks = st.builds(
    Task,
    numbers=st.sampled_from(PRESETS),
    rows=sides,
    columns=sides,
    draw=st.integers(0, 9999),
    options=options,
    seed=st.integers(0, 9999),
    hidden=st.integers(1, 2),
)
looks = st.builds(
    View,
    weight=st.integers(0, 100).map(lambda percent: percent / 100),
    step=st.integers(1, 81),
    row=st.integers(0, 8),
    column=st.integers(0, 8),
    back=st.sampled_from(["one", "sum"]),
)


@st.composite
def own_tasks(draw: st.DrawFn) -> Task:
    task = draw(tasks)
    line = st.tuples(*[numbers] * task.columns)
    return replace(task, numbers="own", draw=0, own=draw(st.tuples(*[line] * task.rows)))


@given(tasks | own_tasks(), looks)
def test_a_link_restores_the_numbers_the_window_and_what_is_looked_at(
    task: Task, seen: View
) -> None:
    link = STATE.query(Chosen(task, seen))
    if task.numbers != "noise":
        task = replace(task, draw=0)
    assert STATE.read(link).task == task
    assert STATE.read(link).view == seen
    assert all(text.isascii() and not set(text) & set("%+&=#; ,") for text in link.values())


names = st.sampled_from(
    sorted({"numbers", "cells", *STATE.query(Chosen(Task(numbers="noise"), View(step=1)))})
)
odd_texts = st.text(max_size=12) | st.sampled_from(
    ["9" * 40, "99x99", "0x0", "nan", "inf-1", "-1", "own", "1_2~3", "nan_inf~1e99_x", "3x3-0-9",
     "8x8-8-4-ceil-zeros", "1-1-1", "1e5"]
)  # fmt: skip


@given(st.dictionaries(names, odd_texts))
@example({"numbers": "own", "cells": "nan_inf~1e99_x", "grid": "2x2"})
@example({"numbers": "own", "cells": ""})
@example({"window": "0x99-0-9"})
def test_any_link_gives_something_that_can_be_shown(parameters: dict[str, str]) -> None:
    task, seen = STATE.read(parameters).task, STATE.read(parameters).view
    assert task == task.clamped()
    grid = task.grid()
    assert grid.shape == (task.rows, task.columns)
    assert grid.isfinite().all()
    assert grid.abs().max() <= LIMIT
    assert 0 <= seen.weight <= 1
    assert seen.row >= 0
    assert seen.column >= 0


def test_a_link_to_the_article_s_page_is_short() -> None:
    assert STATE.query(Chosen(Task(), View())) == {
        "numbers": "ramp", "grid": "4x4", "window": "2x2-2-0", "layer": "0-2", "dial": "0.5"
    }  # fmt: skip


# ---- the script -------------------------------------------------------------------------------


@pytest.mark.parametrize("back", ["one", "sum"])
def test_the_script_prints_the_page_s_numbers(back: str) -> None:
    options = WindowOptions(3, 2, 2, 1, ceil_mode=True, count_include_pad=True)
    task = Task(numbers="noise", rows=4, columns=5, draw=2, options=options)
    seen = View(weight=0.25, step=3, row=1, column=2, back=back)
    output = io.StringIO()
    with redirect_stdout(output):
        exec(compile(by_hand_script(task, seen), "script", "exec"), {})
    printed = dict(line.split(" ", 1) for line in output.getvalue().splitlines())
    work = pool_by_hand(task.grid(), task.window)
    hybrid = 0.25 * work.max + 0.75 * work.average
    gradient = 0.25 * work.max_gradient + 0.75 * work.average_gradient
    chosen = 1 * work.columns.count + 2
    expected = {
        "max": work.max,
        "average": work.average,
        "hybrid": hybrid,
        "gradient": gradient.sum(0) if back == "sum" else gradient[chosen],
    }
    assert printed.keys() == expected.keys()
    for name, values in expected.items():
        found = torch.tensor(ast.literal_eval(printed[name]), dtype=torch.float64)
        torch.testing.assert_close(found, values)
