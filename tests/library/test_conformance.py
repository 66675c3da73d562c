"""Sixty-one things that a hybrid pooling must get right, each a test of its own.

They were collected from PyTorch's tests and bug reports and from other frameworks' pooling layers.
Most have gone wrong somewhere. Where a map must be large before the library takes another way to
the same result, the case is tried on a small and on a large map.

These are not tested, or only in part:

- 3, 40: there is no layer for the whole map; a window as large as the map stands for it.
- 45: whether the backward pass on a GPU is deterministic; here only the CPU is tried.
- 50: runtimes older than the ones that are installed.
- 53: ``torch.jit.script``, which PyTorch has given up and the library refuses;
  ``torch.jit.trace`` is tried in its place.
- 61: a frozen blend weight of 0.5 in every comparison is a rule for benchmarks, not for layers.
"""

import copy
import io
import math
import pickle
import shutil
import sysconfig
import warnings
from collections.abc import Iterator
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd import forward_ad, gradcheck, gradgradcheck

from hybridpool import (
    HybridPooling,
    HybridPoolingWithAttention,
    HybridResNetBlock,
    hybrid_pool2d,
    parameter_groups,
    replace_pooling,
)
from tests import oracle

SMALL, LARGE = (2, 3, 8, 8), (2, 8, 64, 64)
WINDOWS = {
    "k2s2": {"kernel_size": 2},
    "k3s2p1": {"kernel_size": 3, "stride": 2, "padding": 1},
    "k3s2p1-ceil": {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True},
    "k2s3-ceil": {"kernel_size": 2, "stride": 3, "ceil_mode": True},
    "k3x2": {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 1), "ceil_mode": True},
    "k5s1p2": {"kernel_size": 5, "stride": 1, "padding": 2},
}
sizes = pytest.mark.parametrize("shape", [SMALL, LARGE], ids=["small", "large"])
windows = pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS.keys())
compiles = pytest.mark.skipif(
    not any(map(shutil.which, ((sysconfig.get_config_var("CXX") or "c++").split()[0], "g++"))),
    reason="torch.compile needs a C++ compiler on the CPU",
)


@pytest.fixture(autouse=True)
def same_weights() -> Iterator[None]:
    """Layers draw their weights with the global generator: the same ones, and none used up."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def draw(*shape: int, dtype: torch.dtype = torch.float32, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def from_logit(logit: float, **options: object) -> HybridPooling:
    pool = HybridPooling(**options)
    nn.init.constant_(pool.weight, logit)
    return pool


def gradient(input: Tensor, blend_weight: float | Tensor, **window: object) -> Tensor:
    """The gradient of the sum of the hybrid map."""
    leaf = input.detach().clone().requires_grad_()
    hybrid_pool2d(leaf, blend_weight, **window).sum().backward()
    return leaf.grad


# The ends, and the algebra between them.


@sizes
def test_case_01_a_large_logit_is_max_pooling_bit_for_bit(shape):
    image = draw(*shape)
    assert torch.equal(from_logit(40)(image), F.max_pool2d(image, 2))


@sizes
def test_case_02_a_small_logit_is_average_pooling_bit_for_bit(shape):
    image = draw(*shape)
    assert torch.equal(from_logit(-40)(image), F.avg_pool2d(image, 2))


def test_case_03_a_logit_of_0_is_the_mean_of_both():
    image = draw(2, 3, 8, 8)
    expected = (F.max_pool2d(image, 2) + F.avg_pool2d(image, 2)) / 2
    torch.testing.assert_close(from_logit(0)(image), expected)
    whole = (image.amax((2, 3), keepdim=True) + image.mean((2, 3), keepdim=True)) / 2
    torch.testing.assert_close(from_logit(0, kernel_size=8)(image), whole)


def test_case_04_the_blend_weight_is_given_not_its_logit():
    assert HybridPooling(blend_weight=0.5).blend_weight.item() == 0.5
    assert from_logit(0.5).blend_weight.item() == pytest.approx(0.6225, abs=1e-4)


@sizes
def test_case_05_a_window_of_one_cell_changes_nothing(shape):
    image = draw(*shape)
    for blend_weight in (0.0, 0.3, 0.5, 0.9, 1.0):
        pooled = hybrid_pool2d(image, blend_weight, 1, 1)
        torch.testing.assert_close(pooled, image, atol=5e-7, rtol=2e-7)


@windows
@sizes
def test_case_06_hybrid_grows_with_the_blend_weight_from_average_to_max(shape, window):
    image = draw(*shape, dtype=torch.float64)
    maps = torch.stack([hybrid_pool2d(image, w, **window) for w in (0.0, 0.2, 0.5, 0.7, 1.0)])
    assert (maps.diff(dim=0) >= -1e-15).all()
    assert (maps[0] >= -F.max_pool2d(-image, **{"stride": None, **window}) - 1e-15).all()


def test_case_07_scaling_and_shifting_the_values_scales_and_shifts_the_map():
    image, window = draw(2, 3, 8, 8), WINDOWS["k3s2p1"]
    pooled = hybrid_pool2d(image, 0.3, **window)
    torch.testing.assert_close(hybrid_pool2d(3 * image, 0.3, **window), 3 * pooled)
    torch.testing.assert_close(
        hybrid_pool2d(image + 5, 0.3, **window), pooled + 5, atol=2e-6, rtol=0
    )
    dark = partial(hybrid_pool2d, count_include_pad=True, **window)
    assert (dark(image + 5, 0.3) - dark(image, 0.3) - 5).abs().max() > 1.9
    assert not torch.allclose(hybrid_pool2d(-image, 0.3, **window), -pooled)


@pytest.mark.parametrize(
    "turn", [lambda x: x.flip(-1), lambda x: x.flip(-2), lambda x: x.rot90(1, (-2, -1))]
)
def test_case_08_turning_and_pooling_commute_where_the_windows_cover_the_map_evenly(turn):
    image = draw(2, 3, 8, 8)
    even = partial(hybrid_pool2d, blend_weight=0.3, kernel_size=2)
    torch.testing.assert_close(even(turn(image)), turn(even(image)))
    uneven = partial(hybrid_pool2d, blend_weight=0.3, **WINDOWS["k3s2p1"])
    assert not torch.allclose(uneven(turn(image)), turn(uneven(image)))


# Padding, and what an average is divided by.

MINUS_ONE = -torch.ones(1, 1, 4, 4)


def test_case_09_padding_in_the_average_is_counted_only_when_asked_for():
    pool = partial(hybrid_pool2d, MINUS_ONE, **WINDOWS["k3s2p1"])
    assert (pool(1.0, count_include_pad=True) == -1).all()
    assert (pool(0.5) == -1).all()
    expected = torch.tensor([[[[-13 / 18, -5 / 6], [-5 / 6, -1]]]])
    torch.testing.assert_close(pool(0.5, count_include_pad=True), expected)


def test_case_10_with_padding_counted_the_average_can_exceed_the_maximum():
    pool = partial(hybrid_pool2d, MINUS_ONE, **WINDOWS["k3s2p1"], count_include_pad=True)
    assert (pool(0.0) > pool(1.0)).sum() == 3


def test_case_11_padding_is_not_a_row_of_zeros_for_the_maximum():
    window = {"kernel_size": 3, "stride": 2}
    by_hand = hybrid_pool2d(F.pad(MINUS_ONE, (1, 1, 1, 1)), 1.0, **window)
    assert by_hand.tolist() == [[[[0, 0], [0, -1]]]]
    assert (hybrid_pool2d(MINUS_ONE, 1.0, padding=1, **window) == -1).all()


def test_case_12_windows_beyond_the_map_divide_by_what_they_hold():
    grid = torch.arange(1.0, 17.0).view(1, 1, 4, 4)
    pool = partial(hybrid_pool2d, grid, **WINDOWS["k3s2p1-ceil"])
    padded = torch.tensor([[[[14 / 9, 10 / 3, 2], [19 / 3, 11, 6], [4.5, 7.5, 4]]]])
    torch.testing.assert_close(pool(0.0, count_include_pad=True), padded)
    assert pool(0.0).tolist() == [[[[3.5, 5, 6], [9.5, 11, 12], [13.5, 15, 16]]]]
    assert pool(1.0).tolist() == [[[[6, 8, 8], [14, 16, 16], [14, 16, 16]]]]
    torch.testing.assert_close(pool(0.25, count_include_pad=True), 0.75 * padded + 0.25 * pool(1.0))


def test_case_13_cells_beyond_the_map_are_not_counted():
    grid = torch.arange(49.0).view(1, 1, 7, 7)
    for count_include_pad in (False, True):
        average = hybrid_pool2d(
            grid, 0.0, 2, 3, ceil_mode=True, count_include_pad=count_include_pad
        )
        assert average.tolist() == [[[[4, 7, 9.5], [25, 28, 30.5], [42.5, 45.5, 48]]]]


def test_case_14_flat_windows_with_padding_divide_by_no_zero():
    image = draw(1, 16, 4, 4)
    for options in ({}, {"count_include_pad": True}):
        pooled = hybrid_pool2d(image, 0.5, (1, 2), 2, (0, 1), ceil_mode=True, **options)
        assert pooled.shape == (1, 16, 2, 3)
        assert pooled.isfinite().all()


def test_case_15_no_window_lies_beyond_the_map():
    pooled = hybrid_pool2d(draw(1, 1, 6, 7), 0.5, 1, 2, ceil_mode=True)
    assert pooled.shape == (1, 1, 3, 4)
    assert pooled.isfinite().all()


def test_case_16_no_window_begins_in_the_padding_behind_the_map():
    image = draw(1, 1, 9, 9)
    pooled = hybrid_pool2d(image, 0.5, 4, 4, 2, ceil_mode=True)
    assert pooled.shape == (1, 1, 3, 3)
    expected = oracle.pool(image, oracle.blend(0.5), 4, 4, 2, ceil_mode=True)
    torch.testing.assert_close(pooled.double(), expected, atol=1e-6, rtol=0)


def test_case_17_a_large_window_in_ceil_mode():
    assert hybrid_pool2d(draw(1, 1, 32, 32), 0.5, 8, 4, ceil_mode=True).shape == (1, 1, 7, 7)


def test_case_18_shapes_are_those_of_max_and_average_pooling():
    tried = 0
    for (height, width), window in oracle.each_window((1, 1), (3, 5), (7, 9), (8, 6), (12, 4)):
        shape = hybrid_pool2d(torch.empty(1, 1, height, width, device="meta"), 0.5, **window).shape
        meta = torch.empty(1, 1, height, width, device="meta")
        assert shape == F.max_pool2d(meta, **window).shape, (height, width, window)
        assert shape == F.avg_pool2d(meta, **window).shape, (height, width, window)
        tried += 1
    assert tried > 500


def test_case_18_values_are_those_of_the_loops_on_every_window():
    image = draw(1, 1, 7, 9, dtype=torch.float64)
    for _, window in oracle.each_window((7, 9)):
        for count_include_pad in (False, True):
            options = {**window, "count_include_pad": count_include_pad}
            expected = oracle.pool(image, oracle.blend(0.3), **options)
            torch.testing.assert_close(
                hybrid_pool2d(image, 0.3, **options), expected, msg=lambda m, o=options: f"{o}: {m}"
            )


@pytest.mark.parametrize(
    ("window", "words"),
    [
        ({"kernel_size": 2, "padding": 2}, "at most half of kernel_size"),
        ({"kernel_size": 2, "padding": -1}, "padding must be .* at least 0"),
        ({"kernel_size": 2, "stride": 0}, "stride must be .* at least 1"),
        ({"kernel_size": 0}, "kernel_size must be .* at least 1"),
    ],
)
def test_case_19_windows_that_cannot_be_are_refused(window, words):
    with pytest.raises(ValueError, match=words):
        hybrid_pool2d(draw(1, 1, 8, 8), 0.5, **window)


def test_case_20_a_kernel_larger_than_the_map_fits_only_in_ceil_mode():
    image = draw(1, 1, 3, 3)
    with pytest.raises(ValueError, match=r"kernel_size \(4, 4\) does not fit .* 3 by 3"):
        hybrid_pool2d(image, 0.5, 4)
    pooled = hybrid_pool2d(image, 0.5, 4, ceil_mode=True)
    torch.testing.assert_close(pooled.item(), 0.5 * (image.max() + image.mean()).item())


@pytest.mark.parametrize("size", [(3, 5), (7, 9)], ids=str)
def test_case_21_uneven_windows_on_odd_maps(size):
    image = draw(2, 3, *size, dtype=torch.float64)
    window = WINDOWS["k3x2"]
    expected = oracle.pool(image, oracle.blend(0.3), **window)
    torch.testing.assert_close(hybrid_pool2d(image, 0.3, **window), expected)
    assert torch.equal(hybrid_pool2d(image, 0.3, (3, 2)), hybrid_pool2d(image, 0.3, (3, 2), (3, 2)))


def test_case_22_dilation_is_refused():
    for make in (
        partial(hybrid_pool2d, draw(1, 1, 8, 8), 0.5, 2),
        HybridPooling,
        partial(HybridPoolingWithAttention, 4),
    ):
        with pytest.raises(TypeError, match="dilation"):
            make(dilation=2)


@pytest.mark.parametrize("option", ["divisor_override", "return_indices"])
def test_case_23_a_divisor_and_indices_are_refused(option):
    for make in (
        partial(hybrid_pool2d, draw(1, 1, 8, 8), 0.5, 2),
        HybridPooling,
        partial(HybridPoolingWithAttention, 4),
    ):
        with pytest.raises(TypeError, match=option):
            make(**{option: 1})


# Shapes and batches.


@pytest.mark.parametrize("make", [HybridPooling, partial(HybridPoolingWithAttention, 3)])
def test_case_24_an_empty_batch_stays_empty(make):
    image = torch.zeros(0, 3, 8, 8, requires_grad=True)
    pooled = make()(image)
    assert pooled.shape == (0, 3, 4, 4)
    pooled.sum().backward()
    assert image.grad.shape == (0, 3, 8, 8)


@pytest.mark.parametrize("shape", [(2, 0, 8, 8), (2, 3, 0, 8), (2, 3, 8, 0)], ids=str)
def test_case_24_a_map_without_channels_or_cells_is_refused(shape):
    for padding in (0, 1):
        with pytest.raises(
            ValueError, match=r"^(kernel_size .* does not fit|Pooling needs .* but)"
        ):
            hybrid_pool2d(torch.zeros(shape), 0.5, 2, padding=padding)


@sizes
def test_case_25_an_unbatched_map_pools_like_a_batch_of_one(shape):
    image = draw(*shape)[0]
    for pool in (HybridPooling(), HybridPoolingWithAttention(shape[1])):
        assert torch.equal(pool(image), pool(image[None])[0])


@pytest.mark.parametrize("dim", [2, 5])
def test_case_26_other_ranks_are_refused(dim):
    with pytest.raises(ValueError, match=r"\(N, C, H, W\) or \(C, H, W\)"):
        hybrid_pool2d(torch.zeros((4,) * dim), 0.5, 2)


@sizes
def test_case_27_views_pool_like_copies(shape):
    batch, channels, height, width = shape
    views = [
        draw(batch, 2 * channels, height, width)[:, ::2],
        draw(batch, channels, width, height).transpose(2, 3),
        draw(1, channels, height, width).expand(batch, -1, -1, -1),
        draw(batch, 1, height, width).expand(-1, channels, -1, -1),
        draw(batch, channels, height + 2, width + 2)[..., 1:-1, 1:-1],
    ]
    for view in views:
        for window in (WINDOWS["k2s2"], WINDOWS["k3s2p1"]):
            expected = hybrid_pool2d(view.contiguous(), 0.3, **window)
            torch.testing.assert_close(hybrid_pool2d(view, 0.3, **window), expected)
            copied = gradient(view.contiguous(), 0.3, **window)
            leaf = torch.zeros_like(copied, requires_grad=True)
            hybrid_pool2d(leaf + view, 0.3, **window).sum().backward()
            torch.testing.assert_close(leaf.grad, copied)


def test_case_28_more_rows_than_float32_can_count():
    rows = 2**24 + 1
    image = torch.ones(1, 1, 1, 1).expand(1, 1, rows, 1)
    assert hybrid_pool2d(image, 0.5, 1, (2, 1)).shape == (1, 1, 2**23 + 1, 1)


# Data types and memory formats.


@pytest.mark.parametrize("dtype", [torch.int64, torch.uint8, torch.bool, torch.complex64], ids=str)
def test_case_29_only_real_floating_point_is_pooled(dtype):
    with pytest.raises(TypeError, match=str(dtype)):
        hybrid_pool2d(torch.ones(1, 1, 4, 4, dtype=dtype), 0.5, 2)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("weight_shape", [(), (1,), (8,), (2, 8)], ids=str)
def test_case_30_half_precision_comes_out_as_it_went_in(dtype, weight_shape):
    for shape in ((2, 8, 6, 6), LARGE):
        image = draw(*shape).to(dtype)
        assert hybrid_pool2d(image, torch.full(weight_shape, 0.3), 2).dtype == dtype
        leaf = image.requires_grad_()
        hybrid_pool2d(leaf, torch.full(weight_shape, 0.3), 2).sum().backward()
        assert leaf.grad.dtype == dtype


def test_case_31_autocast_stays_in_half_precision_and_trains():
    image = draw(1, 3, 8, 8)
    for pool in (HybridPooling(), HybridPooling(channels=8), HybridPoolingWithAttention(8)):
        model = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), pool)
        with torch.autocast("cpu", torch.bfloat16):
            pooled = model(image)
        assert pooled.dtype == torch.bfloat16
        pooled.float().sum().backward()
        assert all(weight.grad.dtype == torch.float32 for weight in model.parameters())


@windows
@sizes
def test_case_32_channels_last_is_kept_and_changes_no_value(shape, window):
    last = torch.channels_last
    image = draw(*shape)
    attention = HybridPoolingWithAttention(shape[1], stride=2)
    pairs = [
        (hybrid_pool2d(x, 0.3, **window), attention(x))
        for x in (image, image.to(memory_format=last))
    ]
    for plain, channels_last in zip(*pairs, strict=True):
        assert plain.is_contiguous()
        assert channels_last.is_contiguous(memory_format=last)
        torch.testing.assert_close(channels_last, plain)
    torch.testing.assert_close(
        gradient(image.to(memory_format=last), torch.full((1,), 0.3), **window),
        gradient(image, torch.full((1,), 0.3), **window),
    )


def test_case_33_a_large_window_of_half_precision_does_not_overflow():
    image = torch.full((1, 1, 64, 64), 1000.0, dtype=torch.float16)
    assert hybrid_pool2d(image, 0.5, 64).item() == 1000


def test_case_34_half_precision_is_blended_in_float32_and_rounded_once():
    image = draw(64, 16, 32, 32).to(torch.bfloat16)
    low, high = F.avg_pool2d(image, 2), F.max_pool2d(image, 2)
    expected = (0.3 * high.float() + 0.7 * low.float()).bfloat16()
    pooled = hybrid_pool2d(image, 0.3, 2)
    wrong = (pooled != expected).float().mean()
    # The last bit of a float32 sum may still move a tie; blending in bfloat16 moves a third.
    assert wrong < 1e-3
    assert ((0.3 * high + 0.7 * low) != expected).float().mean() > 0.3


# NaN and infinities.

SPECIAL = torch.tensor([0.0, 1.0, -2.0, math.inf, -math.inf, math.nan])


def special(*shape: int) -> Tensor:
    which = torch.randint(0, 40, shape, generator=torch.Generator().manual_seed(3))
    return torch.where(which < 6, SPECIAL[which.clamp(max=5)], draw(*shape))


@pytest.mark.parametrize("blend_weight", [0.0, 0.3, 1.0])
@windows
def test_case_35_to_38_nan_and_infinities_follow_the_formula(window, blend_weight):
    image = special(1, 2, 9, 8).double()
    expected = oracle.pool(image, oracle.blend(blend_weight), **window)
    torch.testing.assert_close(
        hybrid_pool2d(image, blend_weight, **window), expected, equal_nan=True
    )
    tensor = torch.full((1,), blend_weight)
    torch.testing.assert_close(hybrid_pool2d(image, tensor, **window), expected, equal_nan=True)


@windows
def test_case_35_to_38_hold_on_large_maps_too(window):
    image = special(*LARGE).double()
    for blend_weight in (0.0, 0.3, 1.0):
        single = hybrid_pool2d(image[1:, 3:4], blend_weight, **window)
        whole = hybrid_pool2d(image, torch.full((1,), blend_weight), **window)
        torch.testing.assert_close(whole[1:, 3:4], single, equal_nan=True)
        leaf = image.clone().requires_grad_()
        trained = hybrid_pool2d(leaf, torch.full((1,), blend_weight), **window)
        torch.testing.assert_close(trained.detach(), whole, equal_nan=True)


def test_case_35_nan_stays_visible():
    image = torch.zeros(1, 1, 4, 4)
    image[0, 0, 2, 1] = math.nan
    for blend_weight in (0.0, 0.3, 1.0):
        pooled = hybrid_pool2d(image, blend_weight, 2)
        assert pooled.isnan().tolist() == [[[[False, False], [True, False]]]]


def test_case_35_the_gradient_of_the_maximum_goes_to_the_last_nan():
    image = torch.full((1, 1, 3, 1), math.nan)
    assert gradient(image, 1.0, kernel_size=(3, 1)).flatten().tolist() == [0, 0, 1]


def test_case_36_minus_infinity_wins_through_the_average():
    image = torch.tensor([[[[-math.inf, 1], [2, 3]]]])
    assert hybrid_pool2d(image, 0.5, 2).item() == -math.inf
    assert hybrid_pool2d(torch.full((1, 1, 2, 2), -math.inf), 0.5, 2).item() == -math.inf


def test_case_37_both_infinities_give_nan():
    image = torch.tensor([[[[-math.inf, math.inf], [2, 3]]]])
    assert math.isnan(hybrid_pool2d(image, 0.5, 2).item())


@pytest.mark.parametrize("logit", [-1000.0, -120.0, 40.0, 1000.0])
def test_case_38_a_saturated_weight_pools_infinities_as_pytorch_s_layers_do(logit):
    image = torch.tensor([[[[math.inf, 1], [2, 3]], [[-math.inf, 1], [2, 3]]]])
    expected = F.max_pool2d(image, 2) if logit > 0 else F.avg_pool2d(image, 2)
    assert torch.equal(from_logit(logit)(image), expected)


@sizes
def test_case_39_gradients_through_nan_and_infinities_do_not_crash(shape):
    image = special(*shape)
    image[0, 0, :2, :2] = -math.inf
    for blend_weight in (0.0, 0.3, 1.0):
        assert gradient(image, torch.full((1,), blend_weight), kernel_size=2).shape == shape
    assert gradient(image, 1.0, kernel_size=2)[0, 0, :2, :2].tolist() == [[1, 0], [0, 0]]


# Gradients.


@sizes
def test_case_40_of_equal_maxima_the_first_gets_the_gradient(shape):
    image = torch.ones(shape)
    cell = gradient(image, 1.0, kernel_size=2)[..., :2, :2]
    assert torch.equal(cell, torch.tensor([[1.0, 0], [0, 0]]).expand_as(cell))
    cell = gradient(image, torch.full((1,), 0.5), kernel_size=2)[..., :2, :2]
    assert torch.equal(cell, torch.tensor([[0.625, 0.125], [0.125, 0.125]]).expand_as(cell))
    whole = gradient(torch.ones(1, 1, 2, 2), 0.5, kernel_size=2)
    assert whole.flatten().tolist() == [0.625, 0.125, 0.125, 0.125]


@windows
@pytest.mark.parametrize("count_include_pad", [False, True], ids=["inside", "with-padding"])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last], ids=str)
def test_case_40_gradients_are_those_of_the_loops(window, count_include_pad, layout):
    options = {**window, "count_include_pad": count_include_pad}
    image = torch.randint(0, 5, LARGE, generator=torch.Generator().manual_seed(1)).double()
    large = gradient(image.to(memory_format=layout), torch.full((1,), 0.3), **options)
    torch.testing.assert_close(
        large[1:, 3:4], oracle.input_gradient(image[1:, 3:4], 0.3, **options)
    )
    small = image[:, :2, :9, :8]
    torch.testing.assert_close(
        gradient(small.to(memory_format=layout), torch.full((1,), 0.3), **options),
        oracle.input_gradient(small, 0.3, **options),
    )


@sizes
def test_case_41_the_gradient_of_the_logit(shape):
    image, window = draw(*shape, dtype=torch.float64), WINDOWS["k3s2p1"]
    pool = HybridPooling(**window, blend_weight=0.3).double()
    pool(image).sum().backward()
    difference = hybrid_pool2d(image, 1.0, **window) - hybrid_pool2d(image, 0.0, **window)
    weight = pool.blend_weight.detach()
    expected = (weight * (1 - weight) * difference.sum()).view(1)
    torch.testing.assert_close(pool.weight.grad, expected)
    pool.zero_grad()
    pool(torch.full_like(image, 7)).sum().backward()
    torch.testing.assert_close(pool.weight.grad, torch.zeros_like(expected), atol=1e-10, rtol=0)


WEIGHT_SHAPES = pytest.mark.parametrize("weight_shape", [(), (1,), (2,), (1, 2)], ids=str)


@WEIGHT_SHAPES
def test_case_42_first_and_second_derivatives_against_finite_differences(weight_shape):
    image = draw(1, 2, 5, 4, dtype=torch.float64).requires_grad_()
    weight = torch.full(weight_shape, 0.3, dtype=torch.float64, requires_grad=True)
    pool = partial(hybrid_pool2d, **WINDOWS["k3s2p1"])
    arguments = (image, weight)
    assert gradcheck(pool, arguments, check_forward_ad=True, check_batched_grad=True)
    assert gradgradcheck(pool, arguments, check_batched_grad=True)


@pytest.mark.parametrize("name", ["k2s2", "k3s2p1"])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last], ids=str)
def test_case_42_derivatives_of_large_maps(name, layout):
    image = draw(*LARGE, dtype=torch.float64).to(memory_format=layout).requires_grad_()
    weight = torch.full((8,), 0.3, dtype=torch.float64, requires_grad=True)
    pool = partial(hybrid_pool2d, **WINDOWS[name])
    assert gradcheck(pool, (image, weight), fast_mode=True)
    assert gradgradcheck(pool, (image, weight), fast_mode=True)


def test_case_42_forward_mode_on_the_layers():
    image, tangent = draw(2, 3, 6, 6), draw(2, 3, 6, 6, seed=1)
    for pool in (HybridPooling(blend_weight=0.3), HybridPoolingWithAttention(3)):
        with forward_ad.dual_level():
            pooled = forward_ad.unpack_dual(pool(forward_ad.make_dual(image, tangent)))
        _, expected = torch.autograd.functional.jvp(pool, image, tangent)
        torch.testing.assert_close(pooled.tangent, expected)


@sizes
def test_case_43_overlapping_windows_add_their_gradients(shape):
    ones = gradient(torch.ones(1, 1, 4, 4), 1.0, kernel_size=3, stride=1)
    expected = torch.zeros(1, 1, 4, 4)
    expected[..., :2, :2] = 1
    assert torch.equal(ones, expected)
    peak = torch.zeros(shape)
    peak[..., 4, 4] = 1
    got = gradient(peak, torch.ones(1), kernel_size=3, stride=1)
    assert (got[..., 4, 4] == 9).all()


@sizes
def test_case_44_training_and_evaluation_pool_the_same_every_time(shape):
    image = draw(*shape)
    for pool in (HybridPooling(blend_weight=0.3), HybridPoolingWithAttention(shape[1])):
        first = pool.train()(image)
        assert torch.equal(pool(image), first)
        assert torch.equal(pool.eval()(image), first)
        # Without gradients the sums may be taken in another order.
        with torch.no_grad():
            torch.testing.assert_close(pool(image), first.detach())


@pytest.fixture
def deterministic() -> Iterator[None]:
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(before)


@sizes
@pytest.mark.usefixtures("deterministic")
def test_case_45_the_backward_pass_is_deterministic_on_the_cpu(shape):
    image, weight = draw(*shape), torch.full((1,), 0.3)
    first = gradient(image, weight, **WINDOWS["k3s2p1"])
    assert torch.equal(gradient(image, weight, **WINDOWS["k3s2p1"]), first)


# Compilers and exporters.


@pytest.fixture
def inductor() -> Iterator[None]:
    """Compile in this process, and leave nothing behind in it."""
    import torch._inductor.config as config

    torch.compiler.reset()
    with config.patch(compile_threads=1):
        yield
    torch.compiler.reset()


def pool_all(image: Tensor, weight: Tensor) -> list[Tensor]:
    return [
        hybrid_pool2d(image, weight, **window, count_include_pad=count_include_pad)
        for name, window in WINDOWS.items()
        for count_include_pad in (False, True)
        if name != "k5s1p2"
    ]


@compiles
@pytest.mark.usefixtures("inductor")
def test_case_46_and_48_compiled_values_equal_eager_ones():
    compiled = torch.compile(pool_all, fullgraph=True)
    weight = torch.tensor([0.3])
    ties = torch.randint(0, 3, (1, 2, 9, 7), generator=torch.Generator().manual_seed(2)).float()
    for image in (draw(1, 2, 9, 7), ties, special(1, 2, 9, 7)):
        for ours, expected in zip(compiled(image, weight), pool_all(image, weight), strict=True):
            torch.testing.assert_close(ours, expected, equal_nan=True)


def compare_gradients(**options: object) -> None:
    """On ties too: they must go to the same cell."""

    def pool(image: Tensor, weight: Tensor) -> Tensor:
        return hybrid_pool2d(image, weight, 2, ceil_mode=True, **options).sum()

    image = torch.randint(0, 3, (1, 1, 7, 7), generator=torch.Generator().manual_seed(2)).float()
    found = []
    for function in (pool, torch.compile(pool, fullgraph=True)):
        leaves = image.clone().requires_grad_(), torch.tensor([0.5], requires_grad=True)
        found.append(torch.autograd.grad(function(*leaves), leaves))
    for ours, expected in zip(*found, strict=True):
        torch.testing.assert_close(ours, expected)


@compiles
@pytest.mark.usefixtures("inductor")
def test_case_46_and_48_compiled_gradients_equal_eager_ones():
    compare_gradients()


@compiles
@pytest.mark.usefixtures("inductor")
@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="the compiled gradient of avg_pool2d is wrong (pytorch#198119)",
)
def test_case_47_compiled_gradients_in_ceil_mode_with_padding_counted():
    compare_gradients(count_include_pad=True)


@compiles
@pytest.mark.usefixtures("inductor")
def test_case_46_a_compiled_layer_equals_the_eager_one():
    image = draw(2, 4, 6, 6)
    model = HybridPoolingWithAttention(4)
    expected = model(image)
    torch.testing.assert_close(torch.compile(model, fullgraph=True)(image), expected)


def test_case_49_export_of_a_fixed_size():
    image = draw(2, 3, 8, 8)
    pool = HybridPooling(blend_weight=0.3)
    program = torch.export.export(pool, (image,))
    torch.testing.assert_close(program.module()(image), pool(image))
    called = {str(node.target) for node in program.graph.nodes if node.op == "call_function"}
    assert {"aten.max_pool2d.default", "aten.avg_pool2d.default", "aten.sigmoid.default"} <= called


def export_any(pool: nn.Module) -> nn.Module:
    dynamic = torch.export.Dim.AUTO
    shapes = ({0: dynamic, 2: dynamic, 3: dynamic},)
    return torch.export.export(pool, (draw(2, 3, 8, 8),), dynamic_shapes=shapes).module()


@pytest.mark.parametrize(
    "make",
    [partial(HybridPooling, 3, 2, 1), partial(HybridPoolingWithAttention, 3)],
    ids=["hybrid", "attention"],
)
def test_case_49_export_of_any_batch_and_size(make):
    plain = export_any(nn.MaxPool2d(3, 2, 1))
    try:
        plain(draw(5, 3, 11, 6))
    except AssertionError:
        pytest.skip("this PyTorch exports its own max pooling for one size alone")
    pool = make()
    exported = export_any(pool)
    for shape in ((2, 3, 8, 8), (5, 3, 11, 6), (4, 3, 16, 9)):
        torch.testing.assert_close(exported(draw(*shape)), pool(draw(*shape)))


def test_case_49_an_exported_batch_may_be_as_large_as_the_number_of_channels():
    pool, image = HybridPoolingWithAttention(3), draw(3, 3, 8, 8)
    torch.testing.assert_close(export_any(pool)(image), pool(image))


class Several(nn.Module):
    """One model of many windows: exporting is slow."""

    def __init__(self) -> None:
        super().__init__()
        self.pools = nn.ModuleList(
            HybridPooling(
                window["kernel_size"],
                window.get("stride"),
                window.get("padding", 0),
                ceil_mode=window.get("ceil_mode", False),
                count_include_pad=count_include_pad,
                blend_weight=0.3,
            )
            for window in WINDOWS.values()
            for count_include_pad in (False, True)
        )
        self.attention = HybridPoolingWithAttention(3)

    def forward(self, image: Tensor) -> list[Tensor]:
        return [pool(image) for pool in [*self.pools, self.attention]]


def test_case_50_onnx_runtime_pools_the_same():
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    image, model = draw(1, 3, 9, 8), Several().eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(model, (image,), dynamo=True, verbose=False)
    file = io.BytesIO()
    program.save(file)
    kinds = {node.op_type for node in program.model_proto.graph.node}
    assert {"MaxPool", "AveragePool"} <= kinds
    session = onnxruntime.InferenceSession(file.getvalue(), providers=["CPUExecutionProvider"])
    found = session.run(None, {session.get_inputs()[0].name: image.numpy()})
    for ours, expected in zip(found, model(image), strict=True):
        torch.testing.assert_close(torch.from_numpy(ours), expected.detach())


def test_case_51_vmap_over_maps_and_over_blend_weights():
    image = draw(4, 3, 8, 8)
    pool = partial(hybrid_pool2d, kernel_size=2)
    mapped = torch.func.vmap(pool, in_dims=(0, None))(image, torch.tensor(0.3))
    torch.testing.assert_close(mapped, pool(image, 0.3))
    weights = torch.linspace(0, 1, 7)
    mapped = torch.func.vmap(pool, in_dims=(None, 0))(image, weights)
    torch.testing.assert_close(mapped, torch.stack([pool(image, w) for w in weights]))


@sizes
def test_case_51_gradients_of_each_sample(shape):
    images, weight = draw(*shape), torch.tensor([0.3])

    def loss(weight: Tensor, image: Tensor) -> Tensor:
        return hybrid_pool2d(image, weight, 3, 2, 1).square().sum()

    mapped = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0))(weight, images)
    for image, got in zip(images, mapped, strict=True):
        leaf = weight.clone().requires_grad_()
        (expected,) = torch.autograd.grad(loss(leaf, image), leaf)
        torch.testing.assert_close(got, expected)


LAYERS = pytest.mark.parametrize(
    "make",
    [
        partial(HybridPooling, 3, None, 1, blend_weight=0.3, ceil_mode=True),
        partial(HybridPooling, channels=4),
        partial(HybridPoolingWithAttention, 4),
        partial(HybridResNetBlock, 4, 4),
    ],
    ids=["hybrid", "per-channel", "attention", "block"],
)


@LAYERS
def test_case_52_copies_pool_the_same(make):
    image, layer = draw(2, 4, 8, 8), make().eval()
    fresh = make().eval()
    fresh.load_state_dict(layer.state_dict())
    copies = [copy.deepcopy(layer), pickle.loads(pickle.dumps(layer)), fresh]
    for twin in copies:
        assert torch.equal(twin(image), layer(image))
        assert all(a is not b for a, b in zip(twin.parameters(), layer.parameters(), strict=True))


@LAYERS
def test_case_52_symbolic_tracing(make):
    image, layer = draw(2, 4, 8, 8), make().eval()
    traced = torch.fx.symbolic_trace(layer)
    assert torch.equal(traced(image), layer(image))
    assert torch.equal(traced(image[:1, :, :6, :7]), layer(image[:1, :, :6, :7]))


@LAYERS
def test_case_52_the_meta_device(make):
    with torch.device("meta"):
        layer = make()
    image = draw(2, 4, 8, 8)
    assert layer(image.to("meta")).shape == make()(image).shape
    layer.to_empty(device="cpu").load_state_dict(make().state_dict())
    assert layer.eval()(image).isfinite().all()


@pytest.mark.parametrize("shape", [(), (4,)], ids=str)
def test_case_52_a_checkpoint_with_another_number_of_weights_is_refused(shape):
    pool = HybridPooling()
    with pytest.raises(RuntimeError, match="size mismatch"):
        pool.load_state_dict({"weight": torch.full(shape, 2.0)})
    assert pool.weight.item() == 0


@pytest.mark.parametrize("make", [HybridPooling, partial(HybridPoolingWithAttention, 3)])
def test_case_53_a_trace_holds_the_formula_and_not_its_numbers(make):
    pool = make()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(pool, draw(2, 3, 8, 8))
    torch.testing.assert_close(traced(draw(2, 3, 8, 8, seed=1)), pool(draw(2, 3, 8, 8, seed=1)))


# Modules.


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_case_54_attention_works_with_few_channels(channels):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pool = HybridPoolingWithAttention(channels)
    for weight in pool.parameters():
        nn.init.ones_(weight)
    image = torch.ones(1, channels, 4, 4)
    assert (pool.attention(image) > pool.attention(0 * image)).all()


def test_case_55_attention_lies_between_0_and_1_and_blends_each_channel():
    image, pool = draw(2, 8, 6, 6), HybridPoolingWithAttention(8)
    attention = pool.attention(image)
    assert attention.shape == (2, 8)
    assert ((attention > 0) & (attention < 1)).all()
    assert torch.equal(pool(image), hybrid_pool2d(image, attention, 2))
    for sample in range(2):
        for channel in range(8):
            plane = image[sample, channel].view(1, 1, 6, 6)
            torch.testing.assert_close(
                pool(image)[sample, channel],
                hybrid_pool2d(plane, attention[sample, channel].item(), 2)[0, 0],
            )
    nn.init.zeros_(pool.fc[2].weight)
    nn.init.constant_(pool.fc[2].bias, 0.4)
    torch.testing.assert_close(pool(image), from_logit(0.4)(image))


@pytest.mark.parametrize("channels", [(16, 32), (1, 16), (8, 8)], ids=str)
@pytest.mark.parametrize("stride", [1, 2])
def test_case_56_a_block_fits_any_numbers_of_channels_and_any_stride(channels, stride):
    image = draw(2, channels[0], 8, 8)
    block = HybridResNetBlock(*channels, stride=stride)
    assert block(image).shape == (2, channels[1], 4 // stride, 4 // stride)
    assert (block.downsample is None) == (channels[0] == channels[1] and stride == 1)


def test_case_57_six_blocks_fit_into_a_small_image():
    image = draw(1, 4, 32, 32)
    pooled = [HybridResNetBlock(4, 4).eval() for _ in range(6)]
    with pytest.raises(ValueError, match="does not fit"):
        nn.Sequential(*pooled)(image)
    mixed = [HybridResNetBlock(4, 4, pooling="hybrid" if i % 2 else None) for i in range(6)]
    assert nn.Sequential(*mixed)(image).shape == (1, 4, 4, 4)


def test_case_58_no_blend_weight_decays():
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3), HybridPooling(), HybridPooling(channels=4), HybridResNetBlock(4, 4)
    )
    decaying, steady = parameter_groups(model, weight_decay=0.1)
    assert (decaying["weight_decay"], steady["weight_decay"]) == (0.1, 0)
    blends = [model[1].weight, model[2].weight, *model[3].hybrid_pool.parameters()]
    assert {id(p) for p in steady["params"]} == set(map(id, blends))
    together = [*decaying["params"], *steady["params"]]
    assert sorted(map(id, together)) == sorted(map(id, model.parameters()))
    optimizer = torch.optim.SGD([decaying, steady], lr=0.5)
    nn.init.constant_(model[1].weight, 3)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    before = model[0].weight.detach().clone()
    optimizer.step()
    assert model[1].weight.item() == 3
    torch.testing.assert_close(model[0].weight.detach(), 0.95 * before)


@pytest.mark.parametrize(
    ("layer", "count"),
    [
        (HybridPooling(), 1),
        (HybridPooling(channels=8), 8),
        (HybridPoolingWithAttention(8), 42),
        (HybridPoolingWithAttention(8, reduction=2), 2 * 8 * 4 + 8 + 4),
    ],
    ids=["scalar", "per-channel", "attention", "attention-reduced-less"],
)
def test_case_59_numbers_of_parameters(layer, count):
    assert sum(weight.numel() for weight in layer.parameters()) == count


def test_case_60_replacing_the_poolings_of_a_resnet_changes_nothing_at_blend_weight_1():
    from torchvision.models import resnet18

    image, model = draw(1, 3, 64, 64), resnet18(num_classes=5).eval()
    swapped = replace_pooling(model, partial(HybridPooling, blend_weight=1.0), inplace=False)
    assert isinstance(swapped.maxpool, HybridPooling)
    assert isinstance(model.maxpool, nn.MaxPool2d)
    assert torch.equal(swapped(image), model(image))


@pytest.mark.parametrize(
    ("pool", "blend_weight"),
    [
        (nn.MaxPool2d(3, 2, 1, ceil_mode=True), 1.0),
        (nn.AvgPool2d(3, 2, 1, ceil_mode=True), 0.0),
        (nn.AvgPool2d((3, 2), (1, 2), (1, 0), count_include_pad=False), 0.0),
        (nn.MaxPool2d(2), 1.0),
    ],
    ids=["max-ceil", "average-ceil-padding", "average-inside", "max"],
)
def test_case_60_a_replaced_pooling_keeps_its_window(pool, blend_weight):
    image = draw(1, 4, 10, 9)
    model = nn.Sequential(nn.Sequential(pool), nn.ReLU())
    expected = model(image)
    replace_pooling(model, partial(HybridPooling, blend_weight=blend_weight))
    assert isinstance(model[0][0], HybridPooling)
    assert torch.equal(model(image), expected)


@pytest.mark.parametrize(
    "pool",
    [
        nn.MaxPool2d(2, dilation=2),
        nn.MaxPool2d(2, return_indices=True),
        nn.AvgPool2d(2, divisor_override=3),
    ],
    ids=["dilation", "indices", "divisor"],
)
def test_case_60_what_hybrid_pooling_cannot_do_is_refused_not_dropped(pool):
    with pytest.raises(ValueError, match=r"dilation|return_indices|divisor_override"):
        replace_pooling(nn.Sequential(pool))
