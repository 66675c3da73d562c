"""The layers and the table of poolings, beyond the article's examples and the conformance cases."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hybridpool import POOLINGS, HybridPooling, HybridPoolingWithAttention, hybrid_pool2d
from hybridpool.more_poolings import HybridBlurPooling

FLOATS = [torch.float64, torch.float32, torch.float16, torch.bfloat16]
LAYERS: dict[str, Callable[..., nn.Module]] = {
    "one": HybridPooling,
    "each": lambda **window: HybridPooling(channels=4, **window),
    "attention": lambda **window: HybridPoolingWithAttention(4, **window),
}
each_layer = pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS.keys())


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


# The table.


def test_the_table_names_the_four_poolings_in_order():
    assert list(POOLINGS) == ["max", "average", "hybrid", "attention"]


@pytest.mark.parametrize("count_include_pad", [False, True])
@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize("name", POOLINGS)
def test_every_entry_is_called_alike_and_pools_to_the_same_shape(
    name, ceil_mode, count_include_pad
):
    pool = POOLINGS[name](
        channels=4,
        kernel_size=(3, 2),
        stride=(2, 1),
        padding=(1, 0),
        ceil_mode=ceil_mode,
        count_include_pad=count_include_pad,
    )
    assert isinstance(pool, nn.Module)
    image = draw(2, 4, 9, 8)
    maximum = F.max_pool2d(image, (3, 2), (2, 1), (1, 0), ceil_mode=ceil_mode)
    average = F.avg_pool2d(image, (3, 2), (2, 1), (1, 0), ceil_mode, count_include_pad)
    pooled = pool(image)
    torch.testing.assert_close(pool(image[0]), pooled[0])
    weight = {
        "max": 1.0,
        "average": 0.0,
        "hybrid": 0.5,
        "attention": pool.attention(image)[..., None, None] if name == "attention" else None,
    }[name]
    torch.testing.assert_close(pooled, weight * maximum + (1 - weight) * average)


def test_the_ends_of_the_table_are_pytorch_s_own_layers():
    window = {"channels": 4, "kernel_size": 3, "stride": 2, "padding": 1}
    assert type(POOLINGS["max"](**window)) is nn.MaxPool2d
    average = POOLINGS["average"](**window)
    assert type(average) is nn.AvgPool2d
    assert not average.count_include_pad


def test_hybrid_learns_one_weight_by_name_and_one_for_each_channel_as_a_class():
    window = {"channels": 4, "kernel_size": 2, "stride": 2, "blend_weight": 0.25}
    for make, shape in ((POOLINGS["hybrid"], (1,)), (HybridPooling, (4,))):
        pool = make(**window)
        assert pool.weight.shape == shape
        torch.testing.assert_close(pool.blend_weight.detach(), torch.full(shape, 0.25))


# Where the blend weight starts, and that it learns.


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("end", [0.0, 1.0])
def test_the_ends_are_exact_in_every_type(end, dtype):
    pool = HybridPooling(3, 2, 1, blend_weight=end).to(dtype)
    assert pool.blend_weight.item() == end
    assert pool.weight.isfinite().all()
    image = draw(2, 4, 9, 9).to(dtype)
    image[0, 0, 4, 4] = -torch.inf
    image[0, 1] = -torch.inf
    pytorch_s = nn.MaxPool2d(3, 2, 1) if end else nn.AvgPool2d(3, 2, 1, count_include_pad=False)
    assert torch.equal(pool(image), pytorch_s(image))
    with torch.no_grad():
        assert torch.equal(pool(image), pytorch_s(image))


def test_weight_decay_leaves_an_end_a_number():
    pool = HybridPooling(blend_weight=1.0)
    optimizer = torch.optim.SGD(pool.parameters(), lr=0.1, weight_decay=0.1)
    pool(draw(1, 1, 4, 4)).sum().backward()
    optimizer.step()
    assert pool.weight.item() == pytest.approx(990)
    assert pool.blend_weight.item() == 1


@pytest.mark.parametrize("blend_weight", [1e-6, 0.25, 0.5, 0.75, 1 - 1e-6])
def test_the_start_is_accurate_near_the_ends_too(blend_weight):
    pool = HybridPooling(blend_weight=blend_weight).double()
    assert pool.blend_weight.item() == pytest.approx(blend_weight, rel=1e-5)
    assert 1 - pool.blend_weight.item() == pytest.approx(1 - blend_weight, rel=1e-5)


@pytest.mark.parametrize("truth", [0.1, 0.8])
@pytest.mark.parametrize("channels", [None, 4])
def test_the_blend_weight_finds_the_mix_that_made_the_data(truth, channels):
    image = draw(4, 4, 16, 16)
    target = hybrid_pool2d(image, truth, 2)
    pool = HybridPooling(channels=channels)
    optimizer = torch.optim.Adam(pool.parameters(), lr=0.2)
    for _ in range(100):
        optimizer.zero_grad()
        F.mse_loss(pool(image), target).backward()
        optimizer.step()
    found = pool.blend_weight.detach()
    torch.testing.assert_close(found, torch.full_like(found, truth), rtol=0, atol=1e-2)


def test_attention_finds_which_channel_wants_which_pooling():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        pool = HybridPoolingWithAttention(2, reduction=1)
    image = draw(8, 2, 8, 8)
    target = hybrid_pool2d(image, torch.tensor([1.0, 0.0]), 2)
    optimizer = torch.optim.Adam(pool.parameters(), lr=0.1)
    for _ in range(150):
        optimizer.zero_grad()
        F.mse_loss(pool(image), target).backward()
        optimizer.step()
    attention = pool.attention(image)
    assert (attention[:, 0] > 0.9).all()
    assert (attention[:, 1] < 0.1).all()


def test_reset_lets_the_blend_weight_start_over():
    pool = HybridPooling(channels=3, blend_weight=0.25)
    nn.init.zeros_(pool.weight)
    pool.reset_parameters()
    torch.testing.assert_close(pool.blend_weight.detach(), torch.full((3,), 0.25))


def test_a_layer_made_without_storage_can_be_filled_later():
    with torch.device("meta"):
        pool = HybridPooling(channels=3, blend_weight=0.25)
    assert pool(torch.empty(1, 3, 8, 8, device="meta")).shape == (1, 3, 4, 4)
    pool = pool.to_empty(device="cpu")
    pool.reset_parameters()
    torch.testing.assert_close(pool.blend_weight.detach(), torch.full((3,), 0.25))


# Options.


@each_layer
def test_no_stride_is_the_kernel_and_two_is_the_default(make):
    image = draw(1, 4, 12, 12)
    assert make(kernel_size=3, stride=None)(image).shape[-2:] == (4, 4)
    assert make(kernel_size=3)(image).shape[-2:] == (5, 5)
    assert make()(image).shape[-2:] == (6, 6)


@each_layer
def test_options_that_are_changed_later_count(make):
    pool = make()
    pool.kernel_size, pool.stride, pool.padding, pool.ceil_mode = 3, 3, 1, True
    assert pool(draw(1, 4, 9, 9)).shape[-2:] == (4, 4)


@each_layer
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"kernel_size": 0}, "kernel_size .* got 0"),
        ({"stride": 0}, "stride .* got 0"),
        ({"padding": 2}, r"padding .* half of kernel_size \(2, 2\), but got \(2, 2\)"),
        ({"padding": -1}, "padding .* got -1"),
    ],
    ids=str,
)
def test_windows_that_cannot_be_are_refused_when_the_layer_is_made(make, options, words):
    with pytest.raises(ValueError, match=words):
        make(**options)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: HybridPooling(blend_weight=1.2), "got 1.2"),
        (lambda: HybridPooling(blend_weight=float("nan")), "got nan"),
        (lambda: HybridPooling(channels=0), "got 0"),
        (lambda: HybridPoolingWithAttention(0), "channels=0"),
        (lambda: HybridPoolingWithAttention(4, reduction=0), "reduction=0"),
    ],
    ids=["weight", "nan", "channels", "attention-channels", "reduction"],
)
def test_numbers_that_cannot_be_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def quantised(*shape: int) -> Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.quantize_per_tensor(torch.ones(shape), 0.1, 0, torch.quint8)


WEIGHTS_OF_NO_KIND = [None, "a", [0.3], {}, 1j, np.full(3, 0.3)]


@pytest.mark.parametrize("weight", [*WEIGHTS_OF_NO_KIND, torch.tensor([0.3, 0.4])], ids=repr)
@pytest.mark.parametrize("make", [HybridPooling, HybridBlurPooling])
def test_a_start_that_is_no_number_is_refused_in_one_sentence(make, weight):
    kind = type(weight).__name__
    with pytest.raises(TypeError, match=rf"^blend_weight must be a number, but got {kind}\.$"):
        make(blend_weight=weight)


@pytest.mark.parametrize("weight", WEIGHTS_OF_NO_KIND, ids=repr)
def test_a_blend_weight_that_is_no_number_is_refused_in_one_sentence(weight):
    kind = type(weight).__name__
    with pytest.raises(TypeError, match=rf"a number or a tensor, but got {kind}\.$"):
        hybrid_pool2d(draw(1, 4, 8, 8), weight, 2)


@each_layer
@pytest.mark.parametrize(
    ("image", "error", "words"),
    [
        (torch.ones(1, 4, 8, 8, dtype=torch.int64), TypeError, r"int64.*input\.float\(\)"),
        (torch.ones(1, 4, 8, 8, dtype=torch.bool), TypeError, "bool"),
        (torch.ones(1, 4, 8, 8, dtype=torch.complex64), TypeError, "complex64"),
        (torch.ones(8, 8), ValueError, r"\(8, 8\)"),
        (torch.ones(1, 1, 4, 8, 8), ValueError, r"\(1, 1, 4, 8, 8\)"),
        (torch.ones(1, 4, 1, 8), ValueError, "1 by 8 cells"),
        (torch.ones(1, 0, 8, 8), ValueError, r"channels and cells, but got \(1, 0, 8, 8\)"),
        (quantised(1, 4, 8, 8), TypeError, r"quint8.*input\.dequantize\(\)"),
        (np.ones((1, 4, 8, 8)), TypeError, r"got ndarray.*torch\.as_tensor\(input\)"),
        ([[[1.0, 2.0], [3.0, 4.0]]], TypeError, r"got list.*torch\.as_tensor\(input\)"),
        (None, TypeError, "got NoneType"),
    ],
    ids=[
        "int",
        "bool",
        "complex",
        "flat",
        "volume",
        "small",
        "empty",
        "quantised",
        "array",
        "list",
        "nothing",
    ],
)
def test_inputs_that_cannot_be_pooled_are_refused_in_one_sentence(make, image, error, words):
    with pytest.raises(error, match=words) as refusal:
        make()(image)
    assert str(refusal.value).count(". ") == 0
    assert str(refusal.value).endswith(".")


@each_layer
def test_a_small_map_that_ceil_mode_lets_in_is_pooled(make):
    image = draw(1, 4, 3, 3)
    pooled = make(kernel_size=4, stride=4, ceil_mode=True)(image)
    assert pooled.shape == (1, 4, 1, 1)
    low, high = image.mean((2, 3), keepdim=True), image.amax((2, 3), keepdim=True)
    assert ((low < pooled) & (pooled < high)).all()


def test_a_layer_for_other_channels_is_refused_with_the_shapes():
    with pytest.raises(ValueError, match=r"\(4,\) or \(1, 4\) for this input, but got \(3,\)"):
        HybridPooling(channels=3)(draw(1, 4, 8, 8))


def test_attention_for_other_channels_is_refused_with_the_number():
    layer = HybridPoolingWithAttention(8)
    for image in (draw(2, 5, 8, 8), draw(5, 8, 8)):
        for pool in (layer, layer.attention):
            with pytest.raises(ValueError, match=r"for 8 channels, .* make it with channels=5\.$"):
                pool(image)


@pytest.mark.parametrize(
    ("pool", "text"),
    [
        (HybridPooling(), "HybridPooling(kernel_size=2, stride=2, padding=0)"),
        (
            HybridPooling((3, 2), None, 1, channels=8, ceil_mode=True, count_include_pad=True),
            "HybridPooling(kernel_size=(3, 2), stride=(3, 2), padding=1, ceil_mode=True, "
            "count_include_pad=True, channels=8)",
        ),
    ],
    ids=["plain", "all"],
)
def test_a_layer_prints_its_options(pool, text):
    assert repr(pool) == text


# Types.


@each_layer
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_a_layer_of_any_type_pools_maps_of_its_type(make, dtype):
    image = draw(2, 4, 8, 8)
    pool = make()
    expected = pool(image)
    pooled = pool.to(dtype)(image.to(dtype))
    assert pooled.dtype == dtype
    tolerance: dict[str, Any] = {"rtol": 0.02, "atol": 0.02} if dtype.itemsize == 2 else {}
    torch.testing.assert_close(pooled.float(), expected, **tolerance)


@pytest.mark.parametrize("channels", [None, 4])
def test_a_float32_blend_weight_pools_maps_of_every_type(channels):
    pool = HybridPooling(channels=channels, blend_weight=0.3)
    for dtype in FLOATS:
        image = draw(2, 4, 8, 8).to(dtype).requires_grad_()
        pooled = pool(image)
        assert pooled.dtype == dtype
        pooled.sum().backward()
        assert image.grad.dtype == dtype
        assert pool.weight.grad.dtype == torch.float32


def cuda(test: Callable[..., None]) -> Callable[..., None]:
    """Mark a test that needs a GPU, and leave it out where there is none."""
    missing = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
    return pytest.mark.cuda(missing(test))


@cuda
@each_layer
def test_a_layer_on_a_gpu_trains_under_autocast(make):
    pool, image = make().cuda(), draw(2, 4, 8, 8).cuda()
    with torch.autocast("cuda", torch.float16):
        pooled = pool(image.half())
        assert pooled.dtype == torch.float16
    pooled.float().sum().backward()
    assert all(weight.grad.isfinite().all() for weight in pool.parameters())


@cuda
@each_layer
def test_a_layer_moves_to_a_gpu_and_back(make):
    pool, image = make(), draw(2, 4, 8, 8)
    expected = pool(image)
    torch.testing.assert_close(pool.cuda()(image.cuda()).cpu(), expected)
    assert torch.equal(pool.cpu()(image), expected)
