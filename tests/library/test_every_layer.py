"""What every pooling layer of ours promises, each on a small map and on a large one.

From 65,536 cells on, hybrid pooling takes other ways in eager mode on the CPU.
"""

import copy
import io
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize, prune

from hybridpool import HybridPooling, HybridPoolingWithAttention, hybrid_pool2d, parameter_groups
from hybridpool.base import Pooling2d
from hybridpool.more_poolings import (
    GatedPooling,
    HybridBlurPooling,
    LpPooling,
    MaxBlurPooling,
    SoftPooling,
    StochasticPooling,
)
from tests.draws import draw

CHANNELS = 8
BLENDS: dict[str, Callable[..., Pooling2d]] = {
    "hybrid": HybridPooling,
    "channel": lambda *window, **options: HybridPooling(*window, channels=CHANNELS, **options),
    "attention": lambda *window, **options: HybridPoolingWithAttention(
        CHANNELS, *window, **options
    ),
    "hybrid-blur": HybridBlurPooling,
    "gated": GatedPooling,
}
OTHERS: dict[str, Callable[..., Pooling2d]] = {
    "max-blur": MaxBlurPooling,
    "lp": LpPooling,
    "stochastic": StochasticPooling,
    "soft": SoftPooling,
}
LAYERS = BLENDS | OTHERS
every_layer = pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS.keys())
every_blend = pytest.mark.parametrize("make", BLENDS.values(), ids=BLENDS.keys())
sizes = pytest.mark.parametrize(
    "shape", [(2, CHANNELS, 8, 8), (2, CHANNELS, 64, 64)], ids=["small", "large"]
)
layouts = pytest.mark.parametrize(
    "layout", [torch.contiguous_format, torch.channels_last], ids=["contiguous", "channels-last"]
)
windows = pytest.mark.parametrize(
    "window", [(2, 2), (3, 2, 1), ((2, 1), 1), (1, 1)], ids=["tiles", "overlap", "flat", "one"]
)


pytestmark = pytest.mark.usefixtures("same_weights")


def gradients(layer: nn.Module, image: Tensor, behind: nn.Module) -> list[Tensor]:
    """What flows back through the layer, and through what stands behind it."""
    leaf = image.clone().requires_grad_()
    torch.manual_seed(1)  # for the layer that draws
    (behind(layer(leaf * 1)) * 0.5).square().sum().backward()
    return [leaf.grad, *(parameter.grad.clone() for parameter in layer.parameters())]


@every_layer
@sizes
@layouts
@windows
@pytest.mark.parametrize("batched", [True, False], ids=["batch", "one map"])
def test_an_operation_in_place_may_follow(make, shape, layout, window, batched):
    image = draw(*shape).to(memory_format=layout)
    if not batched:
        image = torch.cat([image[0]] * 2, dim=2)  # as many cells as the batch
    layer = make(*window)
    expected = gradients(layer, image, nn.ReLU())
    layer.zero_grad()
    torch.testing.assert_close(gradients(layer, image, nn.ReLU(inplace=True)), expected)


@every_layer
@sizes
@layouts
def test_a_map_pooled_without_gradients_can_be_changed_in_place_with_them(make, shape, layout):
    image, scale = draw(*shape).to(memory_format=layout), nn.Parameter(torch.tensor(2.0))
    for given in (image, image[0], torch.cat([image[0]] * 2, dim=2)):
        with torch.no_grad():
            pooled = make()(given)
        total = pooled.sum()
        pooled.mul_(scale).sum().backward()
        torch.testing.assert_close(scale.grad, total)
        scale.grad = None


@every_layer
@sizes
@windows
def test_channels_last_is_kept(make, shape, window):
    image, layer = draw(*shape), make(*window)
    torch.manual_seed(1)
    expected = layer(image)
    assert expected.is_contiguous()
    torch.manual_seed(1)
    pooled = layer(image.to(memory_format=torch.channels_last))
    assert pooled.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(pooled, expected, atol=1e-5, rtol=1e-5)


@every_layer
@sizes
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64], ids=str)
def test_maps_come_out_in_the_type_they_went_in(make, shape, dtype):
    layer, image = make(), draw(*shape).to(dtype)
    if not isinstance(layer, HybridPoolingWithAttention):
        assert layer(image).dtype == dtype
    assert layer.to(dtype)(image).dtype == dtype


# Weights near the ends in half precision.


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("make", [HybridPooling, HybridBlurPooling])
@sizes
def test_a_weight_near_an_end_is_not_the_end_in_half_precision(make, shape, dtype):
    layer = make(blend_weight=0.999).to(dtype)
    assert layer.blend_weight.item() == pytest.approx(0.999, abs=1e-5)
    layer(draw(*shape).to(dtype)).float().sum().backward()
    assert layer.weight.grad.abs().item() > 0


@sizes
def test_attention_near_an_end_is_not_the_end_in_half_precision(shape):
    layer = HybridPoolingWithAttention(CHANNELS)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.zero_()
        layer.fc[2].bias.fill_(7.0)
    layer = layer.bfloat16()
    image = draw(*shape).bfloat16()
    assert layer.attention(image).tolist() == [[pytest.approx(0.99909, abs=1e-5)] * CHANNELS] * 2
    layer(image).float().sum().backward()
    assert layer.fc[2].bias.grad.abs().min() > 0


def test_a_gate_near_an_end_is_not_the_end_in_half_precision():
    layer = GatedPooling().bfloat16()
    nn.init.constant_(layer.weight, 7.0)
    window = torch.tensor([[[1.0, 0.0], [0.0, 0.0]]], dtype=torch.bfloat16)
    assert layer.gate(window).item() == pytest.approx(0.99909, abs=1e-5)
    layer(window).float().sum().backward()
    assert layer.weight.grad.abs().max() > 0


def test_autocast_leaves_the_attention_in_float32():
    layer, image = HybridPoolingWithAttention(CHANNELS), draw(2, CHANNELS, 8, 8)
    with torch.autocast("cpu", torch.bfloat16):
        assert layer.attention(image).dtype == torch.float32
        assert layer(image.bfloat16()).dtype == torch.bfloat16


@pytest.mark.parametrize("make", [HybridPooling, HybridBlurPooling])
@pytest.mark.parametrize("channels", [1, 4])
def test_a_layer_for_other_channels_is_refused(make, channels):
    with pytest.raises(ValueError, match=rf"\({channels},\) or .* but got \(8,\)"):
        make(channels=CHANNELS)(draw(1, channels, 8, 8))


# Starting over.


@every_layer
def test_a_layer_that_was_made_without_memory_is_filled_by_reset_parameters(make):
    image = draw(2, CHANNELS, 8, 8)
    with torch.device("meta"):
        layer = make().eval()
    layer = layer.to_empty(device="cpu")
    with torch.no_grad():
        for values in (*layer.parameters(), *layer.buffers()):
            values.fill_(torch.nan)
    torch.manual_seed(3)
    if [*layer.parameters(), *layer.buffers()]:
        layer.reset_parameters()
    torch.manual_seed(3)
    assert torch.equal(layer(image), make().eval()(image))


# Sizes, types and compilers.


@every_layer
def test_integers_of_numpy_are_sizes(make):
    layer = make(np.int64(3), (np.uint8(2), np.int32(2)), np.int16(1))
    image = draw(2, CHANNELS, 9, 9)
    torch.manual_seed(1)
    expected = make(3, 2, 1).eval()
    expected.load_state_dict(layer.state_dict())
    assert torch.equal(layer.eval()(image), expected(image))
    assert "np." not in repr(layer)
    layer.kernel_size = np.int64(3)
    assert torch.equal(layer(image), expected(image))


def test_integers_of_numpy_count_channels():
    assert repr(HybridPooling(channels=np.int64(8))).endswith("channels=8)")
    assert HybridPoolingWithAttention(np.int64(8), reduction=np.int64(2)).fc[0].out_features == 4
    assert hybrid_pool2d(draw(3, 8, 8), 0.5, np.int64(2)).shape == (3, 4, 4)


FLOAT8 = [value for name, value in vars(torch).items() if name.startswith("float8_")]


@every_layer
@pytest.mark.parametrize("dtype", FLOAT8, ids=str)
def test_a_type_that_pytorch_cannot_pool_is_refused_in_our_words(make, dtype):
    image = torch.empty(1, CHANNELS, 4, 4, dtype=dtype)
    with pytest.raises(TypeError, match=rf"{dtype}.*input\.float\(\)\.$"):
        make()(image)


def test_a_blend_weight_of_8_bits_is_refused_in_our_words():
    with pytest.raises(TypeError, match=r"^blend_weight must be .* got torch\.float8_e5m2\.$"):
        hybrid_pool2d(draw(1, 1, 4, 4), torch.ones(1).to(torch.float8_e5m2), 2)


@every_layer
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_torch_jit_script_is_refused_in_one_sentence_that_names_the_way(make):
    for model in (make(), nn.Sequential(nn.ReLU(), nn.Sequential(make()))):
        with pytest.raises(NotImplementedError) as refusal:
            torch.jit.script(model)
        sentence = str(refusal.value)
        assert sentence.endswith("use torch.export.export or torch.jit.trace instead.")
        assert sentence.count(". ") == 0


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_torch_jit_script_of_the_function_is_refused_too():
    class Model(nn.Module):
        def forward(self, input: Tensor) -> Tensor:
            return hybrid_pool2d(input, 0.5, 2)

    for program in (hybrid_pool2d, Model()):
        with pytest.raises(
            NotImplementedError, match=r"torch\.export\.export or torch\.jit\.trace"
        ):
            torch.jit.script(program)


@pytest.mark.parametrize("name", [name for name in LAYERS if name != "stochastic"])
@sizes
@pytest.mark.filterwarnings("ignore")
def test_the_ways_that_are_named_work(name, shape):
    torch._dynamo.reset()  # older versions count the programs of all tests together
    layer, image = nn.Sequential(LAYERS[name]()).eval(), draw(*shape)
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.trace(layer, image), buffer)
    buffer.seek(0)
    other = draw(*shape, seed=1)
    torch.testing.assert_close(torch.jit.load(buffer)(other), layer(other))
    exported = torch.export.export(layer, (image,)).module()
    torch.testing.assert_close(exported(other), layer(other))


# Which parameters make the blend.


@every_layer
def test_every_parameter_of_a_blend_is_kept_from_weight_decay(make):
    layer, linear = make(), nn.Linear(2, 2)
    decayed, spared = parameter_groups(nn.Sequential(linear, layer), 0.1)
    assert list(map(id, spared["params"])) == list(map(id, layer.parameters()))
    assert list(map(id, decayed["params"])) == list(map(id, linear.parameters()))


@every_blend
@pytest.mark.parametrize("how", ["pruned", "parametrised", "both names"])
def test_blends_are_found_by_owner_whatever_their_parameters_are_called(make, how):
    layer = make()
    owner = layer.fc[2] if isinstance(layer, HybridPoolingWithAttention) else layer
    if how == "pruned":
        prune.identity(owner, "weight")
    elif how == "parametrised":
        parametrize.register_parametrization(owner, "weight", nn.Identity())
    else:
        holder = nn.Module()
        holder.borrowed = owner.weight
        layer = nn.ModuleList([holder, layer])
    model = nn.ModuleDict({"linear": nn.Linear(2, 2), "pool": layer})
    decayed, spared = parameter_groups(model, 0.1)
    assert {id(p) for p in spared["params"]} == {id(p) for p in layer.parameters()}
    assert {id(p) for p in decayed["params"]} == {id(p) for p in model["linear"].parameters()}


@pytest.mark.parametrize("how", ["pruned", "parametrised"])
def test_a_blend_weight_does_not_decay_whatever_its_parameter_is_called(how):
    layer = HybridPooling(blend_weight=0.9)
    if how == "pruned":
        prune.identity(layer, "weight")
    else:
        parametrize.register_parametrization(layer, "weight", nn.Identity())
    optimizer = torch.optim.SGD(parameter_groups(layer, 0.5), lr=0.1)
    for _ in range(50):
        for parameter in layer.parameters():
            parameter.grad = torch.zeros_like(parameter)
        optimizer.step()
    layer(draw(1, 1, 4, 4))  # pruning applies its mask here
    assert layer.blend_weight.item() == pytest.approx(0.9)


def test_a_layer_of_one_s_own_says_which_parameters_make_its_blend():
    class Scaled(HybridPooling):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(1))

        def blend_parameters(self) -> Iterator[nn.Parameter]:
            yield self.weight

    model = Scaled()
    decayed, spared = parameter_groups(model, 0.1)
    assert decayed["params"] == [model.scale]
    assert spared["params"] == [model.weight]


# Stochastic pooling's expectation.


def expectation(image: Tensor) -> Tensor:
    """The formula of its docstring on tiles of 2 × 2, for maps with a cell above zero in each."""
    cells = F.unfold(image, 2, stride=2).unflatten(1, (image.shape[1], 4))
    chances = cells.clamp(min=0)
    return (chances * cells).sum(2) / chances.sum(2)


@sizes
def test_the_expectation_of_stochastic_pooling_has_its_own_gradient(shape):
    found = []
    for pool in (StochasticPooling().eval(), expectation):
        image = draw(*shape).double().abs().requires_grad_()
        (pool(image).flatten(2) * torch.linspace(0, 1, shape[1])[:, None]).sum().backward()
        found.append(image.grad)
    torch.testing.assert_close(*found)
    single = torch.tensor([[[[1.0, 3.0], [0.0, -1.0]]]]).double().requires_grad_()
    assert torch.autograd.gradcheck(StochasticPooling().eval(), single + 0.1)
    dark = torch.full((1, 1, 2, 2), -1.0).requires_grad_()
    StochasticPooling().eval()(dark).sum().backward()
    assert dark.grad.tolist() == [[[[0.25, 0.25], [0.25, 0.25]]]]


@every_layer
def test_a_copy_and_a_pickle_pool_the_same(make):
    layer, image = make().eval(), draw(2, CHANNELS, 8, 8)
    buffer = io.BytesIO()
    torch.save(layer, buffer)
    buffer.seek(0)
    for twin in (copy.deepcopy(layer), torch.load(buffer, weights_only=False)):
        assert torch.equal(twin(image), layer(image))


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (LpPooling(p=3), "LpPooling(kernel_size=2, stride=2, padding=0, p=3)"),
        (
            MaxBlurPooling(3, 2, 1, ceil_mode=True),
            "MaxBlurPooling(kernel_size=3, stride=2, padding=1, ceil_mode=True, filter_size=3)",
        ),
        (
            HybridBlurPooling(channels=8),
            "HybridBlurPooling(kernel_size=2, stride=2, padding=0, channels=8, filter_size=3)",
        ),
        (GatedPooling(), "GatedPooling(kernel_size=2, stride=2, padding=0)"),
    ],
    ids=["lp", "max-blur", "hybrid-blur", "gated"],
)
def test_a_layer_prints_its_options(layer, text):
    assert repr(layer) == text


def test_every_pooling_layer_of_ours_is_tried_here():
    tried = {type(make()) for make in LAYERS.values()}
    waiting = Pooling2d.__subclasses__()
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        ours = kind.__module__.startswith("hybridpool.") and not kind.__name__.startswith("_")
        assert kind in tried or not ours or kind.forward is nn.Module.forward
