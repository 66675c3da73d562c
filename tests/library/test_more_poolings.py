"""Poolings to compare with, against nested loops, PyTorch and what can be proved."""

import copy
import itertools
import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from hybridpool.more_poolings import (
    MORE_POOLINGS,
    GatedPooling,
    HybridBlurPooling,
    LpPooling,
    MaxBlurPooling,
    SoftPooling,
    StochasticPooling,
)

WINDOWS = [
    {"kernel_size": 2, "stride": 2},
    {"kernel_size": 3, "stride": 2, "padding": 1},
    {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True},
    {"kernel_size": (2, 3), "stride": (3, 1), "padding": (1, 0), "ceil_mode": True},
    {"kernel_size": 2, "stride": 3},
]
ALL = list(itertools.product(MORE_POOLINGS, WINDOWS))


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def pair(value: object) -> tuple[int, int]:
    return value if isinstance(value, tuple) else (value, value)


def windows(plane: Tensor, window: dict, stride: object = None) -> list[list[list[float]]]:
    """The cells on the map of every window, by loops alone; `stride` in place of the window's."""
    kernel, padding = pair(window["kernel_size"]), pair(window.get("padding", 0))
    steps = pair(window["stride"])
    sizes = F.max_pool2d(plane[None], **window).shape[1:]
    if stride is not None:
        whole = [
            side + 2 * p - k + 1 for side, p, k in zip(plane.shape, padding, kernel, strict=True)
        ]
        ends = [(size - 1) * step + 1 for size, step in zip(sizes, steps, strict=True)]
        sizes = [max(both) for both in zip(whole, ends, strict=True)]
        steps = pair(stride)
    found = []
    for i in range(sizes[0]):
        line = []
        for j in range(sizes[1]):
            cells = []
            for y, x in itertools.product(range(kernel[0]), range(kernel[1])):
                row, column = i * steps[0] - padding[0] + y, j * steps[1] - padding[1] + x
                if 0 <= row < plane.shape[0] and 0 <= column < plane.shape[1]:
                    cells.append(plane[row, column].item())
            line.append(cells)
        found.append(line)
    return found


def each(function, plane: Tensor, window: dict) -> Tensor:
    lines = [[function(cells) for cells in line] for line in windows(plane, window)]
    return torch.tensor(lines, dtype=torch.float64)


def slow_soft(cells: list[float]) -> float:
    weights = [math.exp(value) for value in cells]
    return sum(w * v for w, v in zip(weights, cells, strict=True)) / sum(weights)


def slow_expected(cells: list[float]) -> float:
    chances = [max(value, 0) for value in cells]
    if sum(chances) == 0:
        chances = [1.0] * len(cells)
    return sum(c * v for c, v in zip(chances, cells, strict=True)) / sum(chances)


def slow_hybrid(cells: list[float], weight: float) -> float:
    return weight * max(cells) + (1 - weight) * sum(cells) / len(cells)


def slow_gated(plane: Tensor, window: dict, mask: Tensor) -> Tensor:
    """Each window's own blend weight; the mask meets zeros beyond the map."""
    padding, steps = pair(window.get("padding", 0)), pair(window["stride"])
    lines = []
    for i, line in enumerate(windows(plane, window)):
        lines.append([])
        for j, cells in enumerate(line):
            score = 0.0
            for y, x in itertools.product(range(mask.shape[0]), range(mask.shape[1])):
                row, column = i * steps[0] - padding[0] + y, j * steps[1] - padding[1] + x
                if 0 <= row < plane.shape[0] and 0 <= column < plane.shape[1]:
                    score += (mask[y, x] * plane[row, column]).item()
            lines[-1].append(slow_hybrid(cells, 1 / (1 + math.exp(-score))))
    return torch.tensor(lines, dtype=torch.float64)


def slow_blur(plane: Tensor, window: dict, pool=max) -> Tensor:
    dense = [[pool(cells) for cells in line] for line in windows(plane, window, stride=1)]
    rows, columns = len(dense), len(dense[0])
    steps = pair(window["stride"])

    def blurred(row: int, column: int) -> float:
        total = 0.0
        for dy, dx in itertools.product((-1, 0, 1), repeat=2):
            y, x = min(max(row + dy, 0), rows - 1), min(max(column + dx, 0), columns - 1)
            total += (2 - abs(dy)) * (2 - abs(dx)) / 16 * dense[y][x]
        return total

    return torch.tensor(
        [[blurred(y, x) for x in range(0, columns, steps[1])] for y in range(0, rows, steps[0])],
        dtype=torch.float64,
    )


@pytest.mark.parametrize("window", WINDOWS)
def test_each_equals_its_formula_in_loops(window):
    plane = draw(7, 9)
    cases = {
        "soft": (SoftPooling(**window), each(slow_soft, plane, window)),
        "stochastic": (StochasticPooling(**window).eval(), each(slow_expected, plane, window)),
        "lp": (
            LpPooling(p=3, **window),
            each(lambda c: (sum(abs(v) ** 3 for v in c) / len(c)) ** (1 / 3), plane, window),
        ),
        "blur": (MaxBlurPooling(**window), slow_blur(plane, window)),
        "hybrid blur": (
            HybridBlurPooling(blend_weight=0.3, **window).double(),
            slow_blur(plane, window, lambda cells: slow_hybrid(cells, 0.3)),
        ),
    }
    gated = GatedPooling(**window).double()
    mask = draw(*gated.weight.shape, seed=1)
    gated.weight.data.copy_(mask)
    cases["gated"] = (gated, slow_gated(plane, window, mask))
    for name, (layer, wanted) in cases.items():
        torch.testing.assert_close(layer(plane[None])[0], wanted, msg=lambda text, n=name: n + text)


@pytest.mark.parametrize(("name", "window"), ALL)
def test_the_size_is_that_of_max_pooling_and_channels_stay_apart(name, window):
    layer = MORE_POOLINGS[name](channels=3, count_include_pad=False, **window).eval()
    batch = draw(2, 3, 8, 7)
    found = layer(batch)
    assert found.shape == F.max_pool2d(batch, **window).shape
    torch.testing.assert_close(found[1, 2], layer(batch[1])[2])
    torch.testing.assert_close(found[1, 2], layer(batch[1, 2:])[0])


@pytest.mark.parametrize(("name", "window"), ALL)
@pytest.mark.parametrize("training", [True, False])
def test_a_constant_stays_constant(name, window, training):
    layer = MORE_POOLINGS[name](channels=1, **window).train(training)
    constant = torch.full((1, 1, 7, 8), 0.7)
    found = layer(constant)
    torch.testing.assert_close(found, torch.full_like(found, 0.7))


@pytest.mark.parametrize(("name", "window"), ALL)
def test_no_value_leaves_the_range_of_the_map(name, window):
    positive = draw(1, 2, 9, 9).abs()
    found = MORE_POOLINGS[name](channels=2, **window)(positive)
    low, high = positive.aminmax()
    assert found.min() >= low - 1e-12
    assert found.max() <= high + 1e-12


def test_lp_meets_average_max_and_pytorchs_sum():
    positive = draw(1, 2, 8, 8).abs()
    torch.testing.assert_close(LpPooling(p=1)(positive), F.avg_pool2d(positive, 2))
    torch.testing.assert_close(
        LpPooling(p=400)(positive), F.max_pool2d(positive, 2), rtol=0.005, atol=0
    )
    torch.testing.assert_close(LpPooling(p=2)(positive), F.lp_pool2d(positive, 2.0, 2) / 2)


def test_lp_counts_padding_as_zeros_only_when_asked():
    ones = torch.ones(1, 2, 2)
    assert LpPooling(2, 2, 1)(ones).tolist() == [[[1.0, 1.0], [1.0, 1.0]]]
    assert LpPooling(2, 2, 1, count_include_pad=True)(ones).tolist() == [[[0.5, 0.5], [0.5, 0.5]]]


def test_lp_has_a_gradient_of_zero_on_zeros_and_stands_large_numbers():
    zeros = torch.zeros(1, 2, 2, requires_grad=True)
    LpPooling()(zeros).sum().backward()
    assert zeros.grad is not None
    assert zeros.grad.tolist() == [[[0.0, 0.0], [0.0, 0.0]]]
    assert LpPooling(p=9)(torch.full((1, 2, 2), 1e30)).item() == pytest.approx(1e30)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32], ids=str)
def test_lp_does_not_lose_a_dim_window_beside_a_bright_cell_at_the_usual_power(dtype):
    image = torch.ones(1, 2, 4).index_fill(2, torch.tensor(3), 6000.0).to(dtype)
    expected = torch.tensor([[[1.0, math.sqrt((6000**2 + 1) / 2)]]]).to(dtype)
    torch.testing.assert_close(LpPooling(p=2)(image), expected)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("count_include_pad", [False, True])
def test_lp_of_a_high_power_is_the_formula_for_dim_windows_too(window, count_include_pad):
    image = draw(2, 7, 9)
    image[:, 5:, 6:] *= 1e30
    layer = LpPooling(p=50, count_include_pad=count_include_pad, **window)
    # In float64 the powers of neither half leave the range, each for itself.
    powers = (image.abs().double().log() * 50).exp()
    dim = powers.where(image.abs() < 1e20, 0)
    bright = ((image.abs() / 1e30).double() ** 50).where(image.abs() > 1e20, 0)
    options = {"count_include_pad": count_include_pad, **window}
    means = [F.avg_pool2d(part, **options) ** (1 / 50) for part in (dim, bright)]
    expected = means[1].mul(1e30).where(means[1] > 0, means[0])
    torch.testing.assert_close(layer(image.float()), expected.float(), rtol=1e-5, atol=0)


def test_lp_of_a_high_power_gives_dim_windows_their_gradient():
    image = torch.tensor([[[0.1, 0.1, 1.0, 1.0], [0.1, 0.1, 1.0, 1.0]]], requires_grad=True)
    LpPooling(p=50)(image).sum().backward()
    torch.testing.assert_close(image.grad, torch.full((1, 2, 4), 0.25))


def test_soft_pooling_stands_large_numbers_and_keeps_negative_ones():
    found = SoftPooling()(torch.tensor([[[900.0, 899.0, -5.0, -5.0], [0.0, 0.0, -5.0, -5.0]]]))
    share = 1 / (1 + math.exp(-1))
    assert found.flatten().tolist() == pytest.approx([900 * share + 899 * (1 - share), -5])


@pytest.mark.parametrize("name", [*sorted(MORE_POOLINGS.keys() - {"stochastic"}), "lp of 5"])
def test_gradients_agree_with_finite_differences(name):
    window = {"kernel_size": 3, "stride": 2, "padding": 1}
    layer = (
        LpPooling(p=5, **window)
        if name == "lp of 5"
        else MORE_POOLINGS[name](channels=1, **window).eval()
    )
    values = draw(1, 1, 5, 5, seed=3).requires_grad_()
    assert torch.autograd.gradcheck(layer, values)


def test_the_gradient_of_stochastic_pooling_goes_to_the_cell_that_was_drawn():
    values = draw(1, 1, 6, 6).abs().requires_grad_()
    pooled = StochasticPooling(generator=torch.Generator().manual_seed(1))(values)
    pooled.sum().backward()
    assert values.grad is not None
    assert values.grad.unique().tolist() == [0, 1]
    torch.testing.assert_close((values.grad * values).sum(), pooled.sum())


def test_stochastic_pooling_draws_in_proportion_and_repeats_with_its_seed():
    window = torch.tensor([[1.0, 3.0], [0.0, 4.0]]).repeat(1, 1, 100, 100)
    layer = StochasticPooling(generator=torch.Generator().manual_seed(5))
    found = layer(window)
    shares = {value: (found == value).double().mean().item() for value in (0, 1, 3, 4)}
    # 10,000 draws: five standard deviations are 0.025.
    assert shares == pytest.approx({0: 0, 1: 0.125, 3: 0.375, 4: 0.5}, abs=0.025)
    assert shares[0] == 0
    again = StochasticPooling(generator=torch.Generator().manual_seed(5))(window)
    assert torch.equal(found, again)
    state = torch.get_rng_state()
    layer(window)
    assert torch.equal(torch.get_rng_state(), state)


def test_stochastic_pooling_draws_any_cell_where_none_is_above_zero_but_never_padding():
    negative = -1 - torch.arange(4.0).view(1, 2, 2)
    layer = StochasticPooling(3, 1, 1, generator=torch.Generator().manual_seed(0))
    seen = {value for _ in range(40) for value in layer(negative).flatten().tolist()}
    assert seen == {-1.0, -2.0, -3.0, -4.0}


def test_stochastic_pooling_draws_no_cell_without_a_chance_in_half_precision():
    window = torch.tensor([[1.0, 0.0], [0.0, 0.0]], dtype=torch.float16)
    image = window.repeat(1, 500, 500)
    # With this seed one of the waits would be zero in float16.
    layer = StochasticPooling(generator=torch.Generator().manual_seed(20))
    assert layer(image).unique().tolist() == [1.0]


def test_stochastic_pooling_expects_large_values_of_half_precision():
    image = torch.full((1, 2, 2), 40000.0, dtype=torch.float16, requires_grad=True)
    pooled = StochasticPooling().eval()(image)
    assert pooled.item() == 40000
    pooled.sum().backward()
    assert image.grad.tolist() == [[[0.25, 0.25], [0.25, 0.25]]]


def test_blur_pooling_hardly_minds_a_shift_that_max_pooling_minds():
    steps = torch.tensor([0.0, 0, 1, 1]).repeat(4).expand(1, 8, 16)
    moved = steps.roll(1, -1)

    def change(layer) -> float:
        return (layer(steps) - layer(moved))[..., 2:-2].abs().mean().item()

    assert change(MaxBlurPooling(1, 2)) == 0.5 * change(torch.nn.MaxPool2d(1, 2))


def test_blur_with_one_tap_is_max_pooling_and_filters_sum_to_one():
    batch = draw(1, 2, 9, 9)
    assert torch.equal(MaxBlurPooling(3, 2, 1, filter_size=1)(batch), F.max_pool2d(batch, 3, 2, 1))
    assert MaxBlurPooling(filter_size=5).taps.sum() == 1
    assert MaxBlurPooling().state_dict() == {}


def test_a_gate_that_knows_nothing_is_a_half_of_each_and_learns():
    layer = GatedPooling(2)
    batch = draw(2, 3, 8, 8).float()
    half = 0.5 * (F.max_pool2d(batch, 2) + F.avg_pool2d(batch, 2))
    torch.testing.assert_close(layer(batch), half)
    layer(batch).square().sum().backward()
    assert layer.weight.grad.abs().min() > 0
    assert layer.gate(batch).shape == (2, 3, 4, 4)


def test_hybrid_blur_is_max_blur_at_its_end_and_learns_between():
    batch = draw(1, 2, 9, 9).float()
    ends = HybridBlurPooling(3, 2, 1, blend_weight=1)(batch)
    torch.testing.assert_close(ends, MaxBlurPooling(3, 2, 1)(batch))
    layer = HybridBlurPooling(channels=2)
    layer(batch).square().sum().backward()
    assert layer.weight.grad.shape == (2,)
    assert layer.weight.grad.abs().min() > 0


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: MaxBlurPooling(filter_size=4), "odd"),
        (lambda: LpPooling(p=0.5), "from 1"),
        (lambda: LpPooling(p=math.nan), "from 1"),
        (lambda: SoftPooling(2, 2, 2), "at most half"),
        (lambda: SoftPooling(9)(torch.zeros(1, 4, 4)), "does not fit"),
        (lambda: MaxBlurPooling()(torch.zeros(1, 4, 4, dtype=torch.int64)), "floating-point"),
        (lambda: LpPooling()(torch.zeros(4, 4)), "shape"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(make, words):
    with pytest.raises((ValueError, TypeError), match=words):
        make()


def test_layers_can_be_copied():
    layer = StochasticPooling(generator=torch.Generator().manual_seed(2))
    values = draw(1, 4, 4).abs()
    assert torch.equal(copy.deepcopy(layer)(values), layer(values))
