"""The ResNet-18, surgery on other models, and parameter groups."""

import copy
from collections.abc import Iterator
from functools import partial

import pytest
import torch
import torchvision
from torch import Tensor, nn
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


@pytest.fixture(autouse=True)
def same_weights() -> Iterator[None]:
    """Networks draw their weights with the global generator: the same ones, and none used up."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


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


def test_the_network_computes_as_much_as_torchvision_s():
    counts = []
    for model in (hybrid_resnet18(10), torchvision.models.resnet18(num_classes=10)):
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            model.eval()(draw(1, 3, 64, 64))
        counts.append(counter.get_total_flops())
    assert counts[0] == counts[1]


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


# Surgery.


@pytest.mark.parametrize(
    ("make", "count"),
    [
        (torchvision.models.resnet18, 1),
        (torchvision.models.squeezenet1_1, 3),
        (torchvision.models.densenet121, 4),
        (partial(torchvision.models.googlenet, aux_logits=False, init_weights=False), 13),
    ],
    ids=["resnet18", "squeezenet", "densenet", "googlenet"],
)
def test_models_of_torchvision_compute_the_same_where_every_pooling_starts_as_it_was(make, count):
    model = make(num_classes=4).eval()
    swapped = replace_pooling(model, blend_weight=None, inplace=False)
    assert len(poolings(swapped)) == count
    assert poolings(swapped, nn.MaxPool2d) + poolings(swapped, nn.AvgPool2d) == []
    assert poolings(model) == []
    image = draw(1, 3, 64, 64)
    assert torch.equal(swapped(image), model(image))
    with torch.no_grad():
        assert torch.equal(swapped(image), model(image))


@pytest.mark.parametrize(
    ("pool", "blend_weight"),
    [
        (nn.MaxPool2d(3, 2, 1), 1.0),
        (nn.MaxPool2d((2, 3), ceil_mode=True), 1.0),
        (nn.AvgPool2d(3, 2, 1), 0.0),
        (nn.AvgPool2d(3, 2, 1, count_include_pad=False, ceil_mode=True), 0.0),
    ],
    ids=["max", "max-ceil", "average-with-padding", "average-inside-ceil"],
)
def test_the_window_is_kept(pool, blend_weight):
    image = draw(2, 4, 11, 10)
    image[0, 0, 5] = -torch.inf
    for x in (image, draw(4, 8, 64, 64)):
        swapped = replace_pooling(nn.Sequential(pool), blend_weight=blend_weight, inplace=False)
        assert torch.equal(swapped(x), pool(x))
    mixed = replace_pooling(nn.Sequential(pool), blend_weight=0.5, inplace=False)
    assert not torch.equal(mixed(image), pool(image))


@pytest.mark.parametrize(("which", "left"), [("max", nn.AvgPool2d), ("average", nn.MaxPool2d)])
def test_which_poolings_are_replaced_can_be_chosen(which, left):
    model = nn.Sequential(nn.MaxPool2d(2), nn.Sequential(nn.AvgPool2d(2)))
    replace_pooling(model, which=[which])
    assert len(poolings(model)) == 1
    assert len(poolings(model, left)) == 1


def test_adaptive_poolings_and_subclasses_are_left_alone():
    class Louder(nn.MaxPool2d):
        def forward(self, input: Tensor) -> Tensor:
            return 2 * super().forward(input)

    model = nn.Sequential(nn.AdaptiveAvgPool2d(4), Louder(2), nn.MaxPool2d(2))
    replace_pooling(model)
    assert [type(module) for module in model] == [nn.AdaptiveAvgPool2d, Louder, HybridPooling]


def test_in_place_is_the_model_itself_and_otherwise_a_copy():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.MaxPool2d(2))
    copied = replace_pooling(model, inplace=False)
    assert copied is not model
    assert type(model[1]) is nn.MaxPool2d
    copied[0].weight.data.zero_()
    assert model[0].weight.abs().sum() > 0
    assert replace_pooling(model) is model
    assert type(model[1]) is HybridPooling


def test_a_model_that_is_a_pooling_is_replaced_by_one():
    pool = replace_pooling(nn.MaxPool2d(3, 2, 1))
    assert repr(pool) == "HybridPooling(kernel_size=3, stride=2, padding=1)"


def test_a_pooling_that_is_used_twice_stays_one():
    pool = nn.MaxPool2d(2)
    model = nn.ModuleDict({"a": pool, "b": nn.Sequential(pool), "c": nn.MaxPool2d(2)})
    replace_pooling(model)
    assert model["a"] is model["b"][0]
    assert model["a"] is not model["c"]
    assert len(list(model.parameters())) == 2


def test_mode_device_and_type_are_kept():
    model = nn.Sequential(
        nn.Sequential(nn.Conv2d(3, 4, 3, dtype=torch.float64), nn.MaxPool2d(2)),
        nn.Sequential(nn.Conv2d(4, 4, 3, device="meta"), nn.ReLU(), nn.AvgPool2d(2)),
    )
    model[0].eval()
    replace_pooling(model)
    first, second = poolings(model)
    assert (first.weight.dtype, first.weight.device.type) == (torch.float64, "cpu")
    assert (second.weight.dtype, second.weight.device.type) == (torch.float32, "meta")
    assert (first.training, second.training) == (False, True)
    early = replace_pooling(nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(3, 4, 3).half()))
    assert early[0].weight.dtype == torch.float16


def test_attention_learns_its_channels_from_an_example():
    model = torchvision.models.squeezenet1_1(num_classes=4)
    model.train()
    model.features[0].eval()
    modes = [module.training for module in model.modules()]
    before = copy.deepcopy(model.state_dict())
    swapped = replace_pooling(model, "attention", example_input=draw(1, 3, 64, 64), inplace=False)
    found = poolings(swapped, HybridPoolingWithAttention)
    assert [pool.fc[0].in_features for pool in found] == [64, 128, 256]
    assert swapped.eval()(draw(2, 3, 64, 64)).shape == (2, 4)
    assert [module.training for module in model.modules()] == modes
    assert all(torch.equal(now, before[name]) for name, now in model.state_dict().items())


def test_the_example_leaves_no_trace_in_the_model():
    model = nn.Sequential(nn.BatchNorm2d(3), nn.Dropout(), nn.MaxPool2d(2))
    model[1].eval()
    before = copy.deepcopy(model.state_dict())
    state = torch.random.get_rng_state()
    replace_pooling(model, HybridPooling, example_input=draw(2, 3, 8, 8))
    assert model[2].weight.shape == (3,)
    assert [module.training for module in model] == [True, False, True]
    assert all(
        torch.equal(now, before[name])
        for name, now in model.state_dict().items()
        if "2" not in name
    )
    assert torch.equal(torch.random.get_rng_state(), state)
    assert not any(module._forward_pre_hooks for module in model.modules())


class Detour(nn.Module):
    """Pools the same module at two widths, and another one never."""

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.pool, self.unused, self.widths = nn.MaxPool2d(2), nn.MaxPool2d(2), widths

    def forward(self, image: Tensor) -> list[Tensor]:
        return [self.pool(image[:, :width]) for width in self.widths]


@pytest.mark.parametrize(
    ("model", "options", "words"),
    [
        (nn.Sequential(nn.ReLU()), {}, "no MaxPool2d or AvgPool2d"),
        (nn.Sequential(nn.AvgPool2d(2)), {"which": ["max"]}, "no MaxPool2d that"),
        (nn.Sequential(nn.MaxPool2d(2)), {"which": ["median"]}, "'median'"),
        (nn.Sequential(nn.MaxPool2d(2)), {"blend_weight": 1.5}, "got 1.5"),
        (nn.Sequential(nn.MaxPool2d(2)), {"pooling": "attention"}, "example_input"),
        (Detour((2, 3)), {"example_input": draw(1, 3, 8, 8)}, "2 and with 3 channels"),
        (Detour((3,)), {"example_input": draw(1, 3, 8, 8)}, "does not reach"),
        (nn.Sequential(nn.MaxPool2d(2), nn.MaxPool2d(2, dilation=2)), {}, "'1' has dilation=2"),
        (nn.Sequential(nn.MaxPool2d(2, return_indices=True)), {}, "return_indices=True"),
        (nn.Sequential(nn.AvgPool2d(2, divisor_override=3)), {}, "divisor_override=3"),
    ],
    ids=[
        "no-pooling",
        "no-such-pooling",
        "which",
        "blend-weight",
        "no-example",
        "two-widths",
        "unreached",
        "dilation",
        "indices",
        "divisor",
    ],
)
def test_what_cannot_be_replaced_is_refused_and_the_model_is_as_it_was(model, options, words):
    before = [type(module) for module in model.modules()]
    with pytest.raises(ValueError, match=words) as refusal:
        replace_pooling(model, **options)
    assert str(refusal.value).count(". ") == 0
    assert [type(module) for module in model.modules()] == before
    assert all(module.training for module in model.modules())
    assert not any(module._forward_pre_hooks for module in model.modules())


def test_what_cannot_be_replaced_can_be_left_as_it_is():
    model = nn.Sequential(
        nn.MaxPool2d(2, dilation=2), nn.MaxPool2d(2), nn.MaxPool2d(3, dilation=(1, 1))
    )
    replace_pooling(model, strict=False)
    assert [type(module) for module in model] == [nn.MaxPool2d, HybridPooling, HybridPooling]


def test_any_pooling_can_take_the_place_of_any_other():
    image = draw(1, 4, 8, 8)
    model = nn.Sequential(nn.AvgPool2d(3, 2, 1))
    replace_pooling(model, "max")
    assert torch.equal(model(image), nn.MaxPool2d(3, 2, 1)(image))
    replace_pooling(model, "average")
    assert torch.equal(model(image), nn.AvgPool2d(3, 2, 1, count_include_pad=False)(image))


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
