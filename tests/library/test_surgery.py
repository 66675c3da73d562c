"""Surgery on other models: faithful, or it says what it leaves."""

import copy
import re
import warnings
from collections.abc import Callable
from functools import partial

import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn

from hybridpool import (
    HybridPooling,
    HybridPoolingWithAttention,
    hybrid_pool2d,
    replace_pooling,
)
from hybridpool.more_poolings import MORE_POOLINGS, GatedPooling
from tests.draws import draw

pytestmark = [
    pytest.mark.filterwarnings("ignore:replace_pooling leaves"),
    pytest.mark.usefixtures("same_weights"),
]


def poolings(model: nn.Module, kind: type[nn.Module] = HybridPooling) -> list[nn.Module]:
    return [module for module in model.modules() if type(module) is kind]


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


@pytest.mark.parametrize(
    ("which", "left"),
    [(["max"], nn.AvgPool2d), ("max", nn.AvgPool2d), ("average", nn.MaxPool2d)],
)
def test_which_poolings_are_replaced_can_be_chosen(which, left):
    model = nn.Sequential(nn.MaxPool2d(2), nn.Sequential(nn.AvgPool2d(2)))
    replace_pooling(model, which=which)
    assert len(poolings(model)) == 1
    assert len(poolings(model, left)) == 1


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
        (
            Detour((2, 3)),
            {"pooling": "attention", "example_input": draw(1, 3, 8, 8)},
            "^MaxPool2d 'pool' pools maps with 2 and with 3 channels",
        ),
        (
            Detour((3, 2)),
            {"pooling": HybridPooling, "example_input": draw(1, 3, 8, 8)},
            "^MaxPool2d 'pool' pools maps with 3 and with 2 channels",
        ),
        (
            Detour((3,)),
            {"pooling": "attention", "example_input": draw(1, 3, 8, 8)},
            "does not reach MaxPool2d 'unused'",
        ),
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
        "two-widths-each",
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


@pytest.mark.parametrize("pooling", ["hybrid", "max", "average", GatedPooling, *MORE_POOLINGS])
def test_a_pooling_that_is_the_same_for_all_channels_may_be_shared_or_stay_unreached(pooling):
    factory = pooling
    if pooling is GatedPooling:
        factory = lambda *, channels, count_include_pad, **window: GatedPooling(**window)  # noqa: E731
    model = Detour((2, 3))
    state = torch.random.get_rng_state()
    replace_pooling(model, MORE_POOLINGS.get(pooling, factory), example_input=draw(1, 3, 8, 8))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert type(model.pool) is type(model.unused)
    assert [pooled.shape[1] for pooled in model(draw(1, 3, 8, 8))] == [2, 3]


def test_what_cannot_be_replaced_can_be_left_as_it_is():
    model = nn.Sequential(
        nn.MaxPool2d(2, dilation=2),
        nn.MaxPool2d(2),
        nn.MaxPool2d(3, dilation=(1, 1)),
        nn.MaxPool2d(2, dilation=(1,)),
        nn.MaxPool2d(2, dilation=(1, 2)),
    )
    kinds = [nn.MaxPool2d, HybridPooling, HybridPooling, HybridPooling, nn.MaxPool2d]
    replace_pooling(model, strict=False)
    assert [type(module) for module in model] == kinds


@pytest.mark.parametrize("size", [(2,), [2]], ids=repr)
@pytest.mark.parametrize("make", [nn.MaxPool2d, nn.AvgPool2d])
def test_sizes_of_one_element_are_taken_as_pytorch_takes_them(make, size):
    image = draw(1, 3, 9, 9)
    for pool in (make(size), make(3, size, (1,))):
        model = replace_pooling(nn.Sequential(pool), blend_weight=None, inplace=False)
        assert type(model[0]) is HybridPooling
        assert torch.equal(model(image), pool(image))


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("how", ["script", "trace"])
def test_poolings_in_scripted_and_traced_parts_are_named(how):
    part = nn.Sequential(nn.Conv2d(3, 4, 3), nn.MaxPool2d(2)).eval()
    image = draw(1, 3, 16, 16)
    compiled = torch.jit.script(part) if how == "script" else torch.jit.trace(part, image)
    model = nn.Sequential(compiled, nn.AvgPool2d(2))
    for example in (None, image):
        message = warned(
            lambda example=example: replace_pooling(model, example_input=example, inplace=False)
        )
        assert message.endswith(" as they are: TorchScript MaxPool2d '0.1'.")
    with pytest.raises(ValueError, match=r"replaced, only TorchScript MaxPool2d '1'\.$"):
        replace_pooling(compiled)


def test_any_pooling_can_take_the_place_of_any_other():
    image = draw(1, 4, 8, 8)
    model = nn.Sequential(nn.AvgPool2d(3, 2, 1))
    replace_pooling(model, "max")
    assert torch.equal(model(image), nn.MaxPool2d(3, 2, 1)(image))
    replace_pooling(model, "average")
    assert torch.equal(model(image), nn.AvgPool2d(3, 2, 1, count_include_pad=False)(image))


# Faithful, or it says so.


def warned(act: Callable[[], nn.Module]) -> str:
    """The one warning of an action."""
    with pytest.warns(UserWarning, match="^replace_pooling leaves") as caught:
        act()
    assert len(caught) == 1
    return str(caught[0].message)


class Twice(nn.Module):
    """One pooling under two names, in one parent."""

    def __init__(self) -> None:
        super().__init__()
        self.first = self.second = nn.MaxPool2d(2)

    def forward(self, image: Tensor) -> Tensor:
        return self.second(self.first(image))


def test_a_pooling_under_several_names_of_one_parent_is_replaced_under_all():
    pool = nn.MaxPool2d(2)
    for model in (Twice(), nn.Sequential(pool, nn.ReLU(), pool)):
        replace_pooling(model, blend_weight=0.0)
        names = [name for name, _ in model.named_modules(remove_duplicate=False)]
        found = [model.get_submodule(name) for name in names if name not in ("", "1")]
        assert [type(module) for module in found] == [HybridPooling, HybridPooling]
        assert found[0] is found[1]
        image = draw(1, 2, 8, 8)
        assert torch.equal(model(image.abs()), F.avg_pool2d(F.avg_pool2d(image.abs(), 2), 2))


class Numbered(nn.Module):
    """Reads attributes of its layers, as the YOLO networks do."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.MaxPool2d(2), nn.ReLU())
        for number, layer in enumerate(self.layers):
            layer.i, layer.f, layer.type = number, -1, f"layer {number}"

    def forward(self, image: Tensor) -> Tensor:
        for number, layer in enumerate(self.layers):
            assert (layer.i, layer.f, layer.type) == (number, -1, f"layer {number}")
            image = layer(image)
        return image


def test_attributes_that_the_model_reads_go_over():
    model, image = Numbered(), draw(1, 3, 8, 8)
    expected = model(image)
    replace_pooling(model, blend_weight=1.0)
    assert type(model.layers[1]) is HybridPooling
    assert torch.equal(model(image), expected)


def test_what_a_pooling_was_given_as_a_module_goes_over():
    pool = nn.MaxPool2d(2)
    pool.register_buffer("seen", torch.tensor(3.0), persistent=False)
    pool.scale = nn.Parameter(torch.tensor(2.0))
    pool.norm = nn.BatchNorm2d(3)
    model = replace_pooling(nn.Sequential(pool))
    assert model[0].seen == 3
    assert set(model.state_dict()) >= {"0.scale", "0.norm.weight", "0.weight"}
    assert "0.seen" not in model.state_dict()


@pytest.mark.parametrize("inplace", [True, False])
def test_hooks_go_over_and_their_handles_remove_them(inplace):
    calls = []
    pool = nn.MaxPool2d(2)

    def note(name: str) -> Callable[..., None]:
        return lambda *_, **__: calls.append(name)

    handles = [
        pool.register_forward_pre_hook(note("before"), with_kwargs=True),
        pool.register_forward_hook(note("after"), always_call=True),
        pool.register_full_backward_pre_hook(note("back")),
        pool.register_full_backward_hook(note("backed")),
    ]
    model = replace_pooling(nn.Sequential(pool), inplace=inplace)
    model(draw(1, 1, 4, 4).requires_grad_()).sum().backward()
    assert calls == ["before", "after", "back", "backed"]
    if inplace:
        for handle in handles:
            handle.remove()
        model(draw(1, 1, 4, 4).requires_grad_()).sum().backward()
        assert len(calls) == 4


class Plain(nn.MaxPool2d):
    """Says how it is made, and nothing else."""

    def __init__(self, size: int = 3) -> None:
        super().__init__(size, 2, size // 2)


class Plainer(Plain):
    pass


class Louder(nn.MaxPool2d):
    def forward(self, input: Tensor) -> Tensor:
        return 2 * super().forward(input)


def test_a_subclass_with_nothing_but_an_init_is_replaced():
    image = draw(1, 2, 9, 9)
    for pool in (Plain(), Plainer(5)):
        model = replace_pooling(nn.Sequential(pool), blend_weight=1.0, inplace=False)
        assert type(model[0]) is HybridPooling
        assert torch.equal(model(image), pool(image))


@pytest.mark.parametrize(
    "pool",
    [
        Louder(2),
        nn.AdaptiveAvgPool2d(4),
        nn.AdaptiveMaxPool1d(4),
        nn.FractionalMaxPool2d(2, 3),
        nn.MaxPool1d(2),
        nn.AvgPool3d(2),
    ],
    ids=lambda pool: type(pool).__name__,
)
def test_poolings_of_other_kinds_are_named_in_one_warning(pool):
    model = nn.ModuleDict({"kept": pool, "gone": nn.MaxPool2d(2), "other": nn.MaxUnpool2d(2)})
    message = warned(lambda: replace_pooling(model))
    kind = type(pool).__name__
    assert message == f"replace_pooling leaves these poolings as they are: {kind} 'kept'."
    assert model["kept"] is pool
    assert type(model["gone"]) is HybridPooling


class Hidden(nn.Module):
    """Holds poolings where no module is looked for, one of them also where it is."""

    def __init__(self) -> None:
        super().__init__()
        self.shown = nn.MaxPool2d(2)
        self.stages = [nn.ReLU(), {"pool": nn.AvgPool2d(2)}, self.shown]

    def forward(self, image: Tensor) -> Tensor:
        return self.stages[1]["pool"](self.shown(image))


@pytest.mark.parametrize("example", [None, draw(1, 3, 8, 8)], ids=["alone", "with example"])
def test_poolings_in_plain_lists_are_named(example):
    message = warned(lambda: replace_pooling(nn.Sequential(Hidden()), example_input=example))
    for kind in ("AvgPool2d", "MaxPool2d"):
        assert f"{kind} in the plain attribute 'stages' of Hidden '0'" in message
    assert "called by" not in message


def test_poolings_called_as_functions_are_named_where_an_example_shows_them():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = torchvision.models.inception_v3(num_classes=4, init_weights=False)
    example = draw(1, 3, 96, 96)
    message = warned(lambda: replace_pooling(model, blend_weight=None, example_input=example))
    assert len(poolings(model)) == 2
    calls = re.findall(r"(max|avg)_pool2d called by Inception\w+ '(Mixed_\w+)'", message)
    assert len(calls) == 11
    assert ("max", "Mixed_6a") in calls
    assert ("avg", "Mixed_5b") in calls
    assert "AdaptiveAvgPool2d 'avgpool'" in message


class Calls(nn.Module):
    """Pools by functions only, one of them of ours."""

    def forward(self, image: Tensor) -> Tensor:
        image = F.max_pool2d(F.max_pool2d(image, 2), 2, return_indices=True)[0]
        image = torch.max_pool2d(image, 2) + hybrid_pool2d(image, 0.5, 2)
        return F.adaptive_avg_pool2d(image, 1)


def test_functions_of_every_way_are_seen_and_counted_by_kind():
    model = nn.Sequential(nn.AvgPool2d(1), Calls())
    message = warned(lambda: replace_pooling(model, example_input=draw(1, 1, 16, 16)))
    assert "max_pool2d called by Calls '1' 3 times" in message
    assert "adaptive_avg_pool2d called by Calls '1'." in message
    alone = nn.Sequential(Calls(), nn.AvgPool2d(1))
    message = warned(
        lambda: replace_pooling(alone, which="average", example_input=draw(1, 1, 16, 16))
    )
    assert message.endswith(": adaptive_avg_pool2d called by Calls '0'.")
    with pytest.raises(ValueError, match="can be replaced, only max_pool2d called by the Calls it"):
        replace_pooling(Calls(), example_input=draw(1, 1, 16, 16))


def test_what_is_not_asked_for_is_not_named():
    model = nn.Sequential(nn.MaxPool2d(2), nn.AdaptiveAvgPool2d(1), nn.AvgPool2d(1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        replace_pooling(model, which="max")
    assert [type(module) for module in model] == [
        HybridPooling,
        nn.AdaptiveAvgPool2d,
        nn.AvgPool2d,
    ]


class Pair(nn.Module):
    """A model with two inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = nn.MaxPool2d(2)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        return self.pool(input=torch.cat([left, right], 1))


@pytest.mark.parametrize(
    "example",
    [
        (draw(1, 2, 8, 8), draw(1, 3, 8, 8)),
        {"right": draw(1, 3, 8, 8), "left": draw(1, 2, 8, 8)},
    ],
    ids=["tuple", "names"],
)
def test_an_example_may_have_several_inputs(example):
    model = replace_pooling(Pair(), "attention", example_input=example)
    assert model.pool.fc[0].in_features == 5


class Listed(nn.Module):
    """A model that takes a list of pictures, as detectors do."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = nn.MaxPool2d(2)

    def forward(self, images: list[Tensor]) -> Tensor:
        return self.pool(torch.stack(images))


def test_a_list_is_one_input():
    example = [draw(3, 8, 8), draw(3, 8, 8)]
    model = replace_pooling(Listed(), "attention", example_input=example)
    assert model.pool.fc[0].in_features == 3


def odd(name: str, value: object) -> nn.Module:
    pool = nn.MaxPool2d(2)
    setattr(pool, name, value)
    return pool


def with_state_dict_hook() -> nn.Module:
    pool = nn.MaxPool2d(2)
    pool.register_state_dict_post_hook(lambda *_: None)
    return pool


@pytest.mark.parametrize(
    ("pool", "words"),
    [
        (odd("forward", lambda input: input), "'forward' of its own"),
        (odd("channels", 3), "'channels' of its own"),
        (odd("blend_weight", 3), "'blend_weight' of its own"),
        (odd("helper", nn.MaxPool2d(2).forward), None),
        (with_state_dict_hook(), "hooks on its state_dict"),
    ],
    ids=["forward", "channels", "property", "method", "state_dict"],
)
def test_what_the_new_pooling_could_not_keep_is_refused(pool, words):
    if words is None:
        pool.helper, words = pool.forward, "'helper' of its own"
    model = nn.Sequential(nn.Sequential(pool), nn.MaxPool2d(2))
    with pytest.raises(ValueError, match=rf"MaxPool2d '0\.0' has {words}.*strict=False"):
        replace_pooling(model)
    assert model[0][0] is pool
    assert type(model[1]) is nn.MaxPool2d
    assert f"MaxPool2d '0.0' with {words}" in warned(lambda: replace_pooling(model, strict=False))
    assert model[0][0] is pool
    assert type(model[1]) is HybridPooling


def test_the_run_of_the_example_leaves_nothing_behind_when_it_fails():
    class Fails(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.pool = nn.MaxPool2d(2)

        def forward(self, image: Tensor) -> Tensor:
            raise RuntimeError("as it happens")

    model = Fails()
    with pytest.raises(RuntimeError, match="as it happens"):
        replace_pooling(model, example_input=draw(1, 1, 4, 4))
    assert type(model.pool) is nn.MaxPool2d
    assert model.training
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


@pytest.mark.parametrize("which", ["", [], ()])
def test_which_must_name_something(which):
    with pytest.raises(ValueError, match="which must"):
        replace_pooling(nn.MaxPool2d(2), which=which)
