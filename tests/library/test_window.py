"""The window's geometry against PyTorch and against counting by hand."""

import itertools

import numpy as np
import oracle
import pytest
import torch
import torch.nn.functional as F

from hybridpool.window import Axis, ImpossibleWindowError, Span, Window, check_window, plain_size

WINDOWS = [
    Window((kernel, kernel), (stride, stride), (padding, padding), ceil_mode, counted)
    for kernel, stride, padding in [
        (1, 1, 0),
        (2, 2, 0),
        (3, 2, 1),
        (2, 3, 1),
        (5, 1, 2),
        (1, 3, 0),
    ]
    for ceil_mode in (False, True)
    for counted in (False, True)
] + [Window((3, 2), (2, 1), (1, 0), True, True), Window((2, 4), (1, 3), (0, 2), True, False)]
AXES = [
    Axis(size, kernel, stride, padding, ceil_mode)
    for size, kernel, stride in itertools.product((1, 4, 7, 9), (1, 2, 3, 5), (1, 2, 4))
    for padding in range(kernel // 2 + 1)
    for ceil_mode in (False, True)
    if size + 2 * padding >= kernel
]


def test_the_size_is_that_of_pytorch_for_every_window():
    for (height, width), options in oracle.each_window((5, 7), (8, 6), (12, 4)):
        window = check_window(**options)
        image = torch.empty(1, height, width, device="meta")
        assert window.out_size(height, width) == F.max_pool2d(image, **options).shape[1:]


@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_the_divisor_is_what_pytorch_divides_by(window):
    """A sum of ones, once divided and once not, gives the divisor away."""
    ones = torch.ones(1, 9, 8)
    options = (window.kernel, window.stride, window.padding, window.ceil_mode)
    divided = F.avg_pool2d(ones, *options, window.count_include_pad)
    summed = F.avg_pool2d(ones, *options, divisor_override=1)
    torch.testing.assert_close(window.divisor(9, 8).float(), (summed / divided)[0])


@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("lead", [(), (3,), (2, 3)], ids=str)
def test_the_cells_of_each_window_are_those_that_pytorch_pools(window, lead):
    image = torch.randn(*lead, 9, 8, generator=torch.Generator().manual_seed(0))
    cells, inside = window.cells(image, -torch.inf), window.inside(image)
    assert cells.shape[-3:] == inside.shape
    plane = image if lead else image[None]
    assert torch.equal(cells.amax(-1).reshape(-1), window.maximum(plane).reshape(-1))
    zeros = window.cells(image)
    assert torch.equal(zeros, cells.where(inside, 0))
    means = zeros.sum(-1) / window.divisor(9, 8)
    torch.testing.assert_close(means.reshape(-1), window.average(plane).reshape(-1))
    if not window.count_include_pad:
        assert torch.equal(inside.sum(-1), window.divisor(9, 8))


@pytest.mark.parametrize("axis", AXES, ids=str)
def test_every_cell_is_reached_dropped_or_skipped(axis):
    reached = {cell for index in range(axis.count) for cell in axis.inside(index)}
    assert sorted([*reached, *axis.dropped, *axis.skipped]) == list(range(axis.size))
    assert axis.starts == tuple(oracle.starts(*axis_numbers(axis)))
    assert axis.reach == axis.starts[-1] + axis.kernel
    for index in range(axis.count):
        assert axis.counted(index, False) == len(axis.inside(index))


def axis_numbers(axis: Axis) -> tuple[int, int, int, int, bool]:
    return axis.size, axis.kernel, axis.stride, axis.padding, axis.ceil_mode


@pytest.mark.parametrize("axis", AXES, ids=str)
def test_a_window_sees_what_it_holds_and_nothing_else(axis):
    for first in range(-axis.padding, axis.size + axis.padding):
        for stop in range(first, axis.size + axis.padding + 1):
            seeing = [
                index
                for index, start in enumerate(axis.starts)
                if any(first <= cell < stop for cell in range(start, start + axis.kernel))
            ]
            found = axis.seeing(Span(first, stop))
            if seeing:
                assert found == (seeing[0], seeing[-1] + 1)
            else:
                assert found.first == found.stop


def test_windows_that_tile_are_known():
    assert check_window(2).tiles(8, 6)
    assert check_window(2).tiles(9, 7)
    assert check_window((2, 3), ceil_mode=True).tiles(8, 6)
    assert not check_window(2, ceil_mode=True).tiles(9, 6)
    assert not check_window(3, 2).tiles(9, 9)
    assert not check_window(2, padding=1).tiles(8, 8)


@pytest.mark.parametrize(
    "size",
    [
        np.int64(3),
        np.uint8(3),
        np.array(3),
        np.array([3]),
        np.array([3, 3]),
        torch.Size([3, 3]),
        [3, 3],
        [3],
        (3, 3),
        (3,),
    ],
    ids=repr,
)
def test_every_kind_of_integer_is_a_size(size):
    assert check_window(size).kernel == (3, 3)
    plain = plain_size(size)
    assert plain in (3, (3,), (3, 3))
    assert {type(number) for number in np.ravel(np.array(plain, dtype=object))} == {int}


@pytest.mark.parametrize(
    "size", [0, -1, 2.0, "2", "22", None, (), (0,), (2, 2, 2), (2, 0), np.float32(2), np.zeros(2)]
)
def test_what_is_no_size_is_refused_in_a_sentence(size):
    with pytest.raises(ValueError, match=r"^kernel_size must be .* at least 1, but got .*\.$"):
        check_window(size)


def test_impossible_windows_say_why():
    with pytest.raises(ImpossibleWindowError, match="at most half") as refusal:
        check_window(3, padding=2)
    assert refusal.value.reason == "padding"
    with pytest.raises(
        ImpossibleWindowError, match="does not fit into an input of 4 by 2"
    ) as small:
        check_window(3).check_fits(4, 2)
    assert small.value.reason == "size"
