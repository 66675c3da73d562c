"""What `hybrid_pool2d` promises beyond the conformance cases.

Its ways of pooling on the CPU must all be the formula, bit for bit, and keep little for the
backward pass; its properties must hold for windows that hypothesis thinks of; on a GPU it must do
the same.
"""

import math
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, ClassVar

import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

import hybridpool._cpu as cpu
from hybridpool import hybrid_pool2d
from tests import oracle

LAYOUTS = pytest.mark.parametrize(
    "layout", [torch.contiguous_format, torch.channels_last], ids=["contiguous", "channels_last"]
)
# Which way a map takes: as it is, channels last, samples folded into channels, or in tiles.
SHAPES = {"wide": (2, 9, 13, 12), "narrow": (5, 2, 11, 14), "single": (1, 1, 9, 16)}
WINDOWS: dict[str, tuple[Any, ...]] = {
    "tiles": (2, 2, 0),
    "tiles-2x3": ((2, 3), None, 0),
    "tiles-1x1": (1, 1, 0),
    "overlap": (3, 2, 1),
    "overlap-3x2": ((3, 2), (2, 1), (1, 1)),
    "gaps": (2, 3, 1),
    "large-step": (4, 5, 2),
}
DTYPES = [torch.float32, torch.float64, torch.bfloat16, torch.float16]


def cuda(test: Callable[..., None]) -> Callable[..., None]:
    """Mark a test that needs a GPU, and leave it out where there is none."""
    missing = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
    return pytest.mark.cuda(missing(test))


@pytest.fixture
def every_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let small maps take the ways that are meant for large ones."""
    for name in vars(cpu):
        if name.startswith("_FEWEST"):
            monkeypatch.setattr(cpu, name, 0)


def draw(*shape: int, dtype: torch.dtype = torch.float32, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


def weights(batch: int, channels: int) -> Iterator[Tensor]:
    for shape in ((), (1,), (channels,), (batch, channels), (batch, channels, 1, 1)):
        yield torch.rand(shape, generator=torch.Generator().manual_seed(1))


def formula(input: Tensor, weight: Tensor, window: tuple[Any, ...], **options: bool) -> Tensor:
    """The formula in PyTorch's own layers, with half precision blended in float32."""
    kernel, stride, padding = window
    step = kernel if stride is None else stride
    maximum = F.max_pool2d(input, kernel, step, padding, ceil_mode=options.get("ceil_mode", False))
    average = F.avg_pool2d(input, kernel, step, padding, **{"count_include_pad": False, **options})
    if weight.dim() in (1, 2):
        weight = weight[..., None, None]
    wide = torch.promote_types(input.dtype, torch.float32)
    weight = weight.to(wide)
    return (weight * maximum.to(wide) + (1 - weight) * average.to(wide)).to(input.dtype)


@pytest.mark.usefixtures("every_size")
@LAYOUTS
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS.keys())
def test_every_way_of_pooling_gives_the_formula_bit_for_bit(window, shape, layout):
    for dtype in DTYPES:
        image = draw(*shape, dtype=dtype).to(memory_format=layout)
        for weight in weights(*shape[:2]):
            for ceil_mode in (False, True):
                for count_include_pad in (False, True):
                    options = {"ceil_mode": ceil_mode, "count_include_pad": count_include_pad}
                    expected = formula(image, weight, window, **options)
                    pooled = hybrid_pool2d(image, weight, *window, **options)
                    assert pooled.dtype == dtype
                    assert torch.equal(pooled, expected)
                    leaf = image.clone().requires_grad_()
                    assert torch.equal(hybrid_pool2d(leaf, weight, *window, **options), expected)
                    if shape[1] > 1:
                        assert pooled.stride() == expected.stride()


@pytest.mark.usefixtures("every_size")
@LAYOUTS
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS.keys())
def test_every_way_of_training_gives_the_gradients_of_the_formula(window, shape, layout):
    # Few values, so that many windows hold their maximum more than once.
    image = draw(*shape, dtype=torch.float64).round().to(memory_format=layout)
    for weight in weights(*shape[:2]):
        for ceil_mode in (False, True):
            for count_include_pad in (False, True):
                options = {"ceil_mode": ceil_mode, "count_include_pad": count_include_pad}
                found = []
                for pool in (hybrid_pool2d, None):
                    leaves = [t.double().clone().requires_grad_() for t in (image, weight)]
                    pooled = (
                        formula(*leaves, window, **options)
                        if pool is None
                        else pool(*leaves, *window, **options)
                    )
                    grad = draw(*pooled.shape, dtype=torch.float64, seed=2)
                    found.append(torch.autograd.grad(pooled, leaves, grad))
                torch.testing.assert_close(*found)
                assert found[0][1].shape == weight.shape


@cache
def pytorch_takes_batched_gradients(layout: torch.memory_format) -> bool:
    """Whether PyTorch's own max pooling does; older versions refuse them in channels last."""
    image = draw(1, 2, 4, 4, dtype=torch.float64).to(memory_format=layout).requires_grad_()
    options = {"fast_mode": True, "check_batched_grad": True, "raise_exception": False}
    return gradgradcheck(lambda image: F.max_pool2d(image, 2), (image,), **options)


@pytest.mark.usefixtures("every_size")
@LAYOUTS
@pytest.mark.parametrize("shape", [(1, 2, 6, 5), (2, 1, 4, 4)], ids=str)
@pytest.mark.parametrize("window", ["tiles", "tiles-2x3", "overlap", "gaps"])
def test_every_way_of_training_has_second_derivatives_and_batched_ones(window, shape, layout):
    image = draw(*shape, dtype=torch.float64).to(memory_format=layout).requires_grad_()

    def pool(image: Tensor, weight: Tensor) -> Tensor:
        return hybrid_pool2d(image, weight, *WINDOWS[window], ceil_mode=True)

    for weight in weights(*shape[:2]):
        weight = weight.double().requires_grad_()
        batched = pytorch_takes_batched_gradients(layout)
        options = {"fast_mode": True, "check_batched_grad": batched}
        assert gradcheck(pool, (image, weight), check_forward_ad=True, **options)
        assert gradgradcheck(pool, (image, weight), check_fwd_over_rev=True, **options)


@pytest.mark.usefixtures("every_size")
def test_third_derivatives_are_those_of_the_formula():
    found = []
    for pool in (hybrid_pool2d, lambda image, weight, *window: formula(image, weight, window)):
        image = draw(1, 2, 6, 6, dtype=torch.float64).requires_grad_()
        weight = torch.full((2,), 0.3, dtype=torch.float64, requires_grad=True)
        value = (pool(image, weight, 2, 2, 0) ** 3).sum()
        for leaf in (image, weight, weight):
            (grad,) = torch.autograd.grad(value, leaf, create_graph=True)
            value = (grad**2).sum()
        found.append(value)
    torch.testing.assert_close(*found)
    assert found[0] != 0


@pytest.mark.usefixtures("every_size")
def test_only_what_needs_a_gradient_gets_one():
    image, weight = draw(2, 9, 8, 8), torch.full((9,), 0.3)
    for needs in ((True, False), (False, True)):
        leaves = [
            t.clone().requires_grad_(need) for t, need in zip((image, weight), needs, strict=True)
        ]
        hybrid_pool2d(*leaves, 2).sum().backward()
        assert [leaf.grad is not None for leaf in leaves] == list(needs)
    assert not hybrid_pool2d(image, weight, 2).requires_grad


@pytest.mark.usefixtures("every_size")
@LAYOUTS
def test_half_precision_trains_as_closely_as_it_can(layout):
    image = draw(2, 9, 8, 8, dtype=torch.bfloat16).to(memory_format=layout)
    found = []
    for dtype in (torch.bfloat16, torch.float64):
        leaf = image.detach().to(dtype).requires_grad_()
        weight = torch.tensor([0.3], requires_grad=True)
        (hybrid_pool2d(leaf, weight, 3, 2, 1) ** 2).sum().backward()
        assert leaf.grad.dtype == dtype
        assert weight.grad.dtype == torch.float32
        found.append((leaf.grad.double(), weight.grad.double()))
    torch.testing.assert_close(*found, rtol=0.05, atol=0.1)


# What is kept for the backward pass.


def kept_bytes(pool: Callable[[Tensor], Tensor], image: Tensor) -> int:
    """How much memory the graph holds on to, the input itself included."""
    storages = {}

    def pack(tensor: Tensor) -> Tensor:
        storages[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        pooled = pool(image)
    assert pooled.requires_grad
    return sum(storages.values())


@pytest.mark.parametrize("window", [WINDOWS["tiles"], WINDOWS["overlap"]], ids=["k2s2", "k3s2p1"])
def test_a_large_map_keeps_one_number_and_one_index_for_each_window(window):
    image = draw(4, 16, 64, 64).requires_grad_()
    weight = torch.tensor([0.3], requires_grad=True)
    cells, windows = image.numel(), image.numel() // 4
    ours = kept_bytes(lambda image: hybrid_pool2d(image, weight, *window), image)
    assert ours == (4 + 4) * windows + 4
    theirs = kept_bytes(lambda image: formula(image, weight, window), image)
    assert theirs >= (8 + 4 + 4) * windows + 4 * cells
    frozen = kept_bytes(lambda image: hybrid_pool2d(image, torch.tensor([0.3]), *window), image)
    assert frozen == 4 * windows + 4
    first = image.detach()
    assert kept_bytes(lambda image: hybrid_pool2d(image, weight, *window), first) == 4 * windows + 4


# What is refused, and what passes.


@pytest.mark.parametrize("blend_weight", [-0.1, 1.1, math.nan, math.inf, 2])
def test_a_number_outside_0_and_1_is_refused(blend_weight):
    with pytest.raises(ValueError, match=rf"blend_weight .* \[0, 1\], but got {blend_weight}"):
        hybrid_pool2d(draw(1, 1, 4, 4), blend_weight, 2)


@pytest.mark.parametrize(
    ("values", "words"),
    [([1.5], "1.5 to 1.5"), ([0.5, -0.25], "-0.25 to 0.5"), ([0.5, 3.0], "0.5 to 3")],
    ids=str,
)
def test_a_tensor_outside_0_and_1_is_refused_where_it_can_be_read(values, words):
    image, weight = draw(1, 2, 4, 4), torch.tensor(values)
    for leaf in (weight, weight.clone().requires_grad_()):
        with pytest.raises(ValueError, match=f"got {words}"):
            hybrid_pool2d(image, leaf, 2)


def test_a_blend_weight_that_has_become_nan_shows():
    image = draw(1, 2, 4, 4)
    assert hybrid_pool2d(image, torch.tensor(math.nan), 2).isnan().all()
    pooled = hybrid_pool2d(image, torch.tensor([math.nan, 0.5]), 2)
    assert pooled.isnan().all((0, 2, 3)).tolist() == [True, False]


@pytest.mark.parametrize(
    "shape", [(3,), (2,), (4, 1), (1, 4), (2, 4, 1), (2, 4, 2, 2), (4, 1, 1), (2, 2, 4)], ids=str
)
def test_a_blend_weight_that_does_not_fit_is_refused_with_what_would(shape):
    with pytest.raises(ValueError, match=r"\(4,\) or \(2, 4\).* but got") as refusal:
        hybrid_pool2d(draw(2, 4, 4, 4), torch.full(shape, 0.5), 2)
    assert str(refusal.value).endswith(f"but got {shape}.")


def test_a_blend_weight_of_integers_is_refused():
    with pytest.raises(TypeError, match="int64"):
        hybrid_pool2d(draw(2, 4, 4, 4), torch.tensor(1), 2)


@pytest.mark.parametrize("name", ["kernel_size", "stride", "padding"])
@pytest.mark.parametrize("value", [(1, 2, 3), (-1,), "2", 2.0, (1, 1.5), -1, None], ids=repr)
def test_windows_of_anything_but_one_or_two_integers_are_refused(name, value):
    if (name, value) == ("stride", None):
        return
    with pytest.raises(ValueError, match=name) as refusal:
        hybrid_pool2d(draw(1, 1, 8, 8), 0.5, **{"kernel_size": 4, name: value})
    assert str(refusal.value).endswith(f"but got {value!r}.")


def test_one_number_in_a_sequence_is_as_good_as_the_number():
    image = draw(1, 1, 8, 8)
    assert torch.equal(hybrid_pool2d(image, 1.0, (3,), [2], (1,)), F.max_pool2d(image, 3, 2, 1))
    assert torch.equal(hybrid_pool2d(image, 1.0, (3, 2), [1]), F.max_pool2d(image, (3, 2), [1]))


def test_lists_are_as_good_as_tuples():
    image = draw(1, 1, 8, 8)
    expected = hybrid_pool2d(image, 0.5, (3, 2), (2, 1), (1, 0))
    assert torch.equal(hybrid_pool2d(image, 0.5, [3, 2], [2, 1], [1, 0]), expected)


# Who else is watching.


class Logged(torch.Tensor):
    """A subclass that notes which functions it goes through."""

    seen: ClassVar[list[Any]] = []

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        cls.seen.append(function)
        return super().__torch_function__(function, types, args, kwargs or {})


def test_subclasses_see_the_function_as_one():
    image = draw(1, 2, 4, 4)
    Logged.seen = []
    pooled = hybrid_pool2d(image.as_subclass(Logged), 0.5, 2, padding=1)
    assert Logged.seen[0] is hybrid_pool2d
    assert torch.equal(pooled.as_subclass(Tensor), hybrid_pool2d(image, 0.5, 2, padding=1))


def test_modes_that_watch_single_operations_see_the_formula():
    from torch.utils.flop_counter import FlopCounterMode

    image, weight = draw(2, 8, 64, 64), torch.tensor([0.3], requires_grad=True)
    with FlopCounterMode(display=False):
        pooled = hybrid_pool2d(image, weight, 2)
    assert torch.equal(pooled, hybrid_pool2d(image, weight, 2))


@pytest.mark.usefixtures("every_size")
def test_deferred_storage_is_let_through():
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        pooled = hybrid_pool2d(torch.empty(2, 9, 8, 8), torch.empty(9), 3, 2, 1)
    assert pooled.shape == (2, 9, 4, 4)


@pytest.mark.usefixtures("every_size")
@pytest.mark.parametrize("window", [WINDOWS["tiles"], WINDOWS["overlap"]], ids=["k2s2", "k3s2p1"])
def test_another_default_device_changes_nothing(window):
    # Sizes that no other test has, so that nothing about them is remembered yet.
    image = draw(2, 9, 10, 18).requires_grad_()
    with torch.device("meta"):
        hybrid_pool2d(image, 0.3, *window).sum().backward()
    expected = image.detach().clone().requires_grad_()
    formula(expected, torch.tensor(0.3), window).sum().backward()
    torch.testing.assert_close(image.grad, expected.grad)


@pytest.mark.usefixtures("every_size")
def test_transforms_of_functions_see_the_formula():
    images, window = draw(3, 2, 4, 6, 6), WINDOWS["overlap"]
    weights = torch.tensor([0.2, 0.5, 0.9])

    def loss(weight: Tensor, image: Tensor) -> Tensor:
        return (hybrid_pool2d(image, weight, *window) ** 2).sum()

    found = torch.func.vmap(torch.func.grad(loss))(weights, images)
    expected = [torch.func.grad(loss)(w, image) for w, image in zip(weights, images, strict=True)]
    torch.testing.assert_close(found, torch.stack(expected))
    hessian = torch.func.hessian(loss)(weights[0], images[0])
    slope = formula(images[0], torch.ones(()), window) - formula(images[0], torch.zeros(()), window)
    torch.testing.assert_close(hessian, 2 * (slope**2).sum())


# Properties, for windows and maps that hypothesis thinks of.


@st.composite
def cases(draw_from: st.DrawFn, padded: bool = True) -> tuple[Tensor, dict[str, Any]]:
    kernel = draw_from(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    step = draw_from(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    padding = tuple(draw_from(st.integers(0, k // 2)) if padded else 0 for k in kernel)
    size = [draw_from(st.integers(k, 12)) for k in kernel]
    batch = draw_from(st.sampled_from([(), (1,), (3,)]))
    shape = (*batch, draw_from(st.integers(1, 3)), *size)
    image = draw(*shape, dtype=torch.float64, seed=draw_from(st.integers(0, 99)))
    if len(shape) == 4 and draw_from(st.booleans()):
        image = image.to(memory_format=torch.channels_last)
    window = {"kernel_size": kernel, "stride": step, "padding": padding}
    return image, {**window, "ceil_mode": draw_from(st.booleans())}


blend_weights = st.floats(0, 1)


@given(cases(), blend_weights)
def test_hybrid_lies_between_average_and_max(case, blend_weight):
    image, window = case
    average, hybrid, maximum = (hybrid_pool2d(image, w, **window) for w in (0, blend_weight, 1))
    assert (average <= hybrid + 1e-12).all()
    assert (hybrid <= maximum + 1e-12).all()


@given(cases(), st.booleans())
def test_the_ends_are_pytorch_s_own_layers(case, count_include_pad):
    image, window = case
    pooled = [
        hybrid_pool2d(image, end, **window, count_include_pad=count_include_pad)
        for w in (0.0, 1.0)
        for end in (w, torch.tensor(w), torch.full(image.shape[-3:-2], w))
    ]
    average = F.avg_pool2d(image, **window, count_include_pad=count_include_pad)
    maximum = F.max_pool2d(image, **window)
    for ours, theirs in zip(pooled, 3 * [average] + 3 * [maximum], strict=True):
        assert torch.equal(ours, theirs)


@given(cases(), blend_weights)
def test_it_is_the_formula_in_loops(case, blend_weight):
    image, window = case
    expected = oracle.pool(image, oracle.blend(blend_weight), **window)
    torch.testing.assert_close(hybrid_pool2d(image, blend_weight, **window), expected)


@given(cases(), blend_weights, st.floats(-1e3, 1e3))
def test_a_constant_map_stays_constant(case, blend_weight, value):
    image, window = case
    pooled = hybrid_pool2d(torch.full_like(image, value), blend_weight, **window)
    torch.testing.assert_close(pooled, torch.full_like(pooled, value))


@given(cases(), blend_weights, st.floats(0, 1e3), st.floats(-1e3, 1e3))
def test_scale_and_offset_of_the_values_come_through(case, blend_weight, scale, offset):
    image, window = case
    pooled = hybrid_pool2d(scale * image + offset, blend_weight, **window)
    expected = scale * hybrid_pool2d(image, blend_weight, **window) + offset
    torch.testing.assert_close(pooled, expected, rtol=1e-9, atol=1e-9)


@given(cases(padded=False), blend_weights)
def test_a_shift_by_one_stride_is_a_shift_by_one_window(case, blend_weight):
    image, window = case
    down, right = window["stride"]
    shifted = image[..., down:, right:]
    kernel = window["kernel_size"]
    assume(shifted.shape[-2] >= kernel[0] and shifted.shape[-1] >= kernel[1])
    pooled = hybrid_pool2d(shifted, blend_weight, **window)
    expected = hybrid_pool2d(image, blend_weight, **window)[..., 1:, 1:]
    assert torch.equal(pooled, expected)


@given(cases(), blend_weights, st.sampled_from([(-1,), (-2,), (-2, -1)]))
def test_mirrors_commute_with_pooling_where_windows_reach_the_far_side_evenly(
    case, blend_weight, axes
):
    image, window = case
    for axis in (0, 1):
        over = image.shape[axis - 2] + 2 * window["padding"][axis] - window["kernel_size"][axis]
        assume(over % window["stride"][axis] == 0)
    pooled = hybrid_pool2d(image.flip(axes), blend_weight, **window)
    torch.testing.assert_close(pooled, hybrid_pool2d(image, blend_weight, **window).flip(axes))


# On a GPU.


@cuda
@LAYOUTS
@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS.keys())
def test_a_gpu_pools_and_learns_as_the_cpu_does(window, layout):
    found = []
    for device in ("cuda", "cpu"):
        image = draw(2, 8, 32, 32).round().to(device, memory_format=layout).requires_grad_()
        weight = torch.full((8,), 0.3, device=device, requires_grad=True)
        pooled = hybrid_pool2d(image, weight, *window)
        assert pooled.is_contiguous(memory_format=layout)
        pooled.pow(2).sum().backward()
        found.append([t.detach().cpu() for t in (pooled, image.grad, weight.grad)])
    torch.testing.assert_close(*found, rtol=1e-4, atol=1e-4)


@cuda
def test_a_gpu_s_autocast_stays_in_float16_and_trains():
    image = draw(2, 3, 16, 16).cuda()
    conv = torch.nn.Conv2d(3, 8, 3).cuda()
    weight = torch.tensor([0.3], device="cuda", requires_grad=True)
    with torch.autocast("cuda", torch.float16):
        pooled = hybrid_pool2d(conv(image), weight, 2)
    assert pooled.dtype == torch.float16
    pooled.float().sum().backward()
    assert weight.grad.dtype == torch.float32


@cuda
def test_side_by_side_windows_have_deterministic_gradients_on_a_gpu():
    found = []
    for _ in range(3):
        image = draw(4, 16, 64, 64).cuda().requires_grad_()
        weight = torch.tensor([0.3], device="cuda", requires_grad=True)
        hybrid_pool2d(image, weight, 2).pow(2).sum().backward()
        found.append(image.grad)
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])


@cuda
def test_the_weight_is_not_read_from_the_gpu():
    image, weight = draw(1, 2, 4, 4).cuda(), torch.tensor([0.5], device="cuda")
    before = torch.cuda.get_sync_debug_mode()
    torch.cuda.set_sync_debug_mode("error")
    try:
        hybrid_pool2d(image, weight, 2)
        hybrid_pool2d(image, 0.5, 2)
    finally:
        torch.cuda.set_sync_debug_mode(before)
