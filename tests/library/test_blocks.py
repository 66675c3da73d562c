"""The ResNet-18, surgery on other models, and parameter groups."""

from functools import partial

import pytest
import torch
import torchvision
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from hybridpool import (
    POOLINGS,
    HybridPooling,
    HybridPoolingWithAttention,
    HybridResNetBlock,
    hybrid_resnet18,
    parameter_groups,
    replace_pooling,
)
from tests.draws import draw

pytestmark = pytest.mark.usefixtures("same_weights")


def poolings(model: nn.Module, kind: type[nn.Module] = HybridPooling) -> list[nn.Module]:
    return [module for module in model.modules() if type(module) is kind]


# The block.


@pytest.mark.parametrize("name", POOLINGS)
def test_a_block_ends_in_any_pooling(name):
    image = draw(2, 4, 8, 8)
    block = HybridResNetBlock(4, 8, pooling=name)
    assert block(image).shape == (2, 8, 4, 4)
    assert type(block.hybrid_pool) is type(POOLINGS[name](channels=8, kernel_size=2))


def test_a_block_takes_a_factory_and_tells_it_the_channels():
    block = HybridResNetBlock(4, 8, pooling=partial(HybridPooling, blend_weight=0.9))
    assert block.hybrid_pool.weight.shape == (8,)
    assert block.hybrid_pool.blend_weight[0].item() == pytest.approx(0.9)


def test_a_block_without_pooling_is_the_sum_of_its_ways():
    image = draw(2, 4, 8, 8)
    block = HybridResNetBlock(4, 8, pooling=None).eval()
    long = block.bn2(block.conv2(torch.relu(block.bn1(block.conv1(image)))))
    assert torch.equal(block(image), torch.relu(long + block.downsample(image)))


@pytest.mark.parametrize(
    "make", [partial(HybridResNetBlock, 4, 4), hybrid_resnet18, partial(replace_pooling, nn.ReLU())]
)
def test_an_unknown_pooling_is_refused_with_the_known_ones(make):
    with pytest.raises(ValueError, match="max, average, hybrid, attention, but got 'median'"):
        make(pooling="median")


# The network.


@pytest.mark.parametrize("name", POOLINGS)
@pytest.mark.parametrize(("small", "size"), [(True, 32), (False, 64)], ids=["cifar", "imagenet"])
def test_the_network_takes_every_pooling_and_trains(name, small, size):
    model = hybrid_resnet18(10, name, small_input=small)
    logits = model(draw(2, 3, size, size))
    assert logits.shape == (2, 10)
    logits.logsumexp(1).sum().backward()
    assert all(p.grad is not None for p in model.parameters())


def test_the_network_pools_before_each_stage():
    model = hybrid_resnet18(10)
    pools = poolings(model)
    assert [(pool.kernel_size, pool.stride, pool.padding) for pool in pools] == [
        (3, 2, 1),
        (2, 2, 0),
        (2, 2, 0),
        (2, 2, 0),
    ]
    sizes = []
    for pool in pools:
        pool.register_forward_hook(lambda _, args, out: sizes.append((args[0].shape, out.shape)))
    model.eval()(draw(1, 3, 64, 64))
    assert [tuple(before) for before, _ in sizes] == [
        (1, 64, 32, 32),
        (1, 64, 16, 16),
        (1, 128, 8, 8),
        (1, 256, 4, 4),
    ]
    assert [after[-1] for _, after in sizes] == [16, 8, 4, 2]
    assert len(poolings(hybrid_resnet18(10, small_input=True))) == 3


@pytest.mark.parametrize("small", [True, False], ids=["cifar", "imagenet"])
def test_only_pooling_makes_maps_smaller(small):
    model = hybrid_resnet18(10, small_input=small)
    strided = [m for m in model.modules() if isinstance(m, nn.Conv2d) and m.stride != (1, 1)]
    assert strided == ([] if small else [model.conv1])


@pytest.mark.parametrize(("size", "same"), [((64, 64), True), ((32, 96), True), ((40, 64), False)])
def test_the_network_computes_as_much_as_torchvision_s_on_multiples_of_32(size, same):
    counts = []
    for model in (hybrid_resnet18(10), torchvision.models.resnet18(num_classes=10)):
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            model.eval()(draw(1, 3, *size))
        counts.append(counter.get_total_flops())
    assert (counts[0] == counts[1]) == same


@pytest.mark.parametrize(("small", "least"), [(True, 8), (False, 29)], ids=["cifar", "imagenet"])
def test_the_smallest_input_is_the_one_that_is_named(small, least):
    model = hybrid_resnet18(10, small_input=small).eval()
    assert f"{least} × {least} or larger" in hybrid_resnet18.__doc__
    with torch.no_grad():
        assert model(draw(1, 3, least, least)).shape == (1, 10)
        with pytest.raises(ValueError, match="does not fit"):
            model(draw(1, 3, least - 1, least - 1))


def test_torchvision_s_weights_load_and_only_the_poolings_are_new():
    theirs = torchvision.models.resnet18(num_classes=10)
    model = hybrid_resnet18(10)
    found = model.load_state_dict(theirs.state_dict(), strict=False)
    assert found.unexpected_keys == []
    assert found.missing_keys == [
        "maxpool.weight",
        "layer2.pool.weight",
        "layer3.pool.weight",
        "layer4.pool.weight",
    ]
    plain = hybrid_resnet18(10, "max")
    plain.load_state_dict(theirs.state_dict())
    assert sum(p.numel() for p in plain.parameters()) == sum(p.numel() for p in theirs.parameters())


def test_attention_in_the_network_knows_its_channels():
    found = poolings(hybrid_resnet18(10, "attention"), HybridPoolingWithAttention)
    assert [pool.fc[0].in_features for pool in found] == [64, 64, 128, 256]


# Parameter groups.


def test_each_parameter_is_in_one_group_and_only_blends_are_spared():
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3),
        nn.BatchNorm2d(8),
        HybridPooling(),
        nn.Sequential(HybridPooling(channels=8), HybridPoolingWithAttention(8)),
    )
    model[0].weight.requires_grad_(False)
    decayed, spared = parameter_groups(model, 0.1)
    blends = [model[2].weight, model[3][0].weight, *model[3][1].parameters()]
    assert [id(p) for p in spared["params"]] == [id(p) for p in blends]
    assert spared["weight_decay"] == 0
    assert decayed["weight_decay"] == 0.1
    rest = [*model[0].parameters(), *model[1].parameters()]
    assert [id(p) for p in decayed["params"]] == [id(p) for p in rest]
    torch.optim.AdamW([decayed, spared])


def test_shared_parameters_and_modules_count_once():
    pool, linear = HybridPooling(), nn.Linear(2, 2)
    twin = HybridPooling()
    twin.weight = pool.weight
    holder = nn.Module()
    holder.register_parameter("borrowed", pool.weight)
    model = nn.Sequential(holder, linear, pool, twin, pool, linear)
    decayed, spared = parameter_groups(model, 0.1)
    assert [id(p) for p in spared["params"]] == [id(pool.weight)]
    assert [id(p) for p in decayed["params"]] == [id(linear.weight), id(linear.bias)]


def test_a_model_without_blend_weights_has_an_empty_group_that_optimizers_take():
    decayed, spared = parameter_groups(nn.Linear(2, 2), 0.1)
    assert (len(decayed["params"]), spared["params"]) == (2, [])
    torch.optim.SGD([decayed, spared], lr=0.1)
