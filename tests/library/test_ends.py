"""Blend weights of exactly 0 or 1, beside infinite cells and beside weights that became NaN."""

import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from hybridpool import HybridPooling, hybrid_pool2d
from hybridpool.more_poolings import HybridBlurPooling
from tests.draws import draw
from tests.library.test_functional import cuda

ends = pytest.mark.parametrize("end", [0.0, 1.0])
infinities = pytest.mark.parametrize("infinity", [-math.inf, math.inf])
sizes = pytest.mark.parametrize("shape", [(2, 4, 8, 8), (2, 8, 96, 96)], ids=["small", "large"])


def with_infinities(shape: tuple[int, ...], infinity: float) -> Tensor:
    image = draw(*shape)
    image[..., ::2, ::2] = infinity
    return image


def logit_gradient(layer: HybridPooling, run: Callable[[Tensor], Tensor], image: Tensor) -> Tensor:
    run(image.requires_grad_()).sum().backward()
    assert layer.weight.grad is not None
    return layer.weight.grad


@ends
@infinities
@sizes
@pytest.mark.parametrize("per_channel", [False, True], ids=["one", "each channel"])
@pytest.mark.parametrize("kind", [HybridPooling, HybridBlurPooling])
def test_a_layer_at_an_end_stays_there_beside_infinite_cells(
    kind, per_channel, shape, infinity, end
):
    layer = kind(channels=shape[1] if per_channel else None, blend_weight=end)
    assert not logit_gradient(layer, layer, with_infinities(shape, infinity)).any()


@ends
def test_channels_at_an_end_leave_the_gradients_of_the_others_alone(end):
    layer, image = HybridPooling(channels=2, blend_weight=end), draw(1, 2, 8, 8)
    image[:, 0, ::2, ::2] = -math.inf
    with torch.no_grad():
        layer.weight[1] = 0.3
    found = logit_gradient(layer, layer, image.clone())
    blend = torch.tensor(0.3).sigmoid()
    contrast = (F.max_pool2d(image[:, 1], 2) - F.avg_pool2d(image[:, 1], 2)).sum()
    torch.testing.assert_close(
        found, torch.stack([torch.tensor(0.0), contrast * blend * (1 - blend)])
    )


@ends
@infinities
def test_the_formula_as_it_stands_gives_the_logit_of_an_end_no_gradient_either(infinity, end):
    torch._dynamo.reset()
    layer = HybridPooling(blend_weight=end)
    run = torch.compile(layer, backend="eager", fullgraph=True)
    assert not logit_gradient(layer, run, with_infinities((2, 4, 8, 8), infinity)).any()


@cuda
@ends
@infinities
def test_a_gpu_gives_the_logit_of_an_end_no_gradient_either(infinity, end):
    layer = HybridPooling(blend_weight=end).cuda()
    image = with_infinities((2, 4, 8, 8), infinity).cuda()
    assert not logit_gradient(layer, layer, image).any()


def test_a_saturated_logit_pools_as_it_did():
    for logit in (-1000.0, -120.0, -90.0, 16.0, 17.0, 40.0):
        layer = HybridPooling()
        torch.nn.init.constant_(layer.weight, logit)
        assert torch.equal(layer.blend_weight, torch.tensor([logit]).sigmoid())
        with torch.no_grad():
            assert torch.equal(layer.blend_weight, torch.tensor([logit]).sigmoid())


@pytest.mark.parametrize("shape", [(2,), (1, 2)], ids=str)
def test_one_nan_does_not_hide_a_blend_weight_out_of_range(shape):
    for value in (7.0, -0.5):
        weight = torch.tensor([math.nan, value]).reshape(shape).requires_grad_()
        with pytest.raises(ValueError, match=rf"got {value:g} to {value:g}"):
            hybrid_pool2d(torch.ones(1, 2, 2, 2), weight, 1)


@ends
@sizes
def test_one_nan_does_not_hide_the_exact_ends_of_the_others(shape, end):
    image, weight = with_infinities(shape, -math.inf), torch.full((shape[1],), end)
    weight[0] = math.nan
    pool = F.max_pool2d if end else F.avg_pool2d
    for leaf in (image, image.clone().requires_grad_()):
        pooled = hybrid_pool2d(leaf, weight, 2)
        assert pooled[:, 0].isnan().all()
        assert torch.equal(pooled[:, 1:], pool(image, 2)[:, 1:])


def test_weights_that_are_all_nan_give_nan():
    assert hybrid_pool2d(torch.ones(1, 2, 2, 2), torch.full((2,), math.nan), 1).isnan().all()
