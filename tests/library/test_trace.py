"""One picture through everything: settings, the record of a run, seeds, and too little memory."""

import dataclasses
import math
import random
from collections.abc import Mapping
from functools import cache
from itertools import product

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from hybridpool import trace as trace_module
from hybridpool.pictures.gallery import gallery_image
from hybridpool.pictures.image import fit_image
from hybridpool.stem import load_stem
from hybridpool.trace import (
    CHANNELS,
    DEVICES,
    IMAGE_SIZES,
    MAX_KERNEL,
    MAX_SEED,
    Features,
    Settings,
    available_devices,
    pooling_layers,
    resolve_device,
    run_poolings,
    run_stem,
)
from hybridpool.window import ImpossibleWindowError

CPU = torch.device("cpu")
WINDOWS = [
    {"kernel_size": kernel, "stride": stride, "padding": padding, "ceil_mode": ceil}
    for kernel, stride, padding in [
        (1, 1, 0),
        (2, 2, 0),
        (2, 3, 1),
        (3, 2, 1),
        (5, 4, 2),
        (8, 8, 4),
    ]
    for ceil in (False, True)
]


def features_of(feature_map: Tensor, **changes: object) -> Features:
    """A record as `run_stem` makes it, around any feature map."""
    channels, height, width = feature_map.shape
    plain: dict[str, object] = {
        "image": torch.zeros(3, 2 * height, 2 * width),
        "feature_map": feature_map,
        "channel_names": load_stem("random", channels=channels).channel_names,
        "receptive_field": (7, 2, 3),
        "pooling_state": {},
        "device": CPU,
        "seconds": 0.0,
        "fell_back": False,
    }
    return Features(**{**plain, **changes})  # type: ignore[arg-type]


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


# ---- settings ----------------------------------------------------------------------------------

wild_settings = st.builds(
    Settings,
    picture=st.text(),
    image_size=st.integers(),
    stem=st.just("filters"),
    channels=st.integers(),
    seed=st.integers(),
    kernel_size=st.integers(),
    stride=st.integers(),
    padding=st.integers(),
    ceil_mode=st.booleans(),
    count_include_pad=st.booleans(),
    blend_weight=st.floats(),
    device=st.text() | st.sampled_from(DEVICES),
)


@cache
def smallest_features(channels: int) -> Features:
    """The smallest that the page can meet: twice as long as wide, at the smallest size."""
    longest = torch.rand(3, 40, 500, generator=torch.Generator().manual_seed(1))
    image = fit_image(longest, IMAGE_SIZES[0])
    return run_stem(image, load_stem("random", channels=channels), CPU)


@settings(max_examples=120)
@given(wild_settings)
def test_whatever_is_asked_for_can_be_computed_once_clamped(wanted: Settings) -> None:
    allowed = wanted.clamped()
    assert allowed.image_size in IMAGE_SIZES
    assert allowed.channels in CHANNELS
    assert 0 <= allowed.seed <= MAX_SEED
    assert 1 <= allowed.kernel_size <= MAX_KERNEL
    assert 1 <= allowed.stride <= MAX_KERNEL
    assert 0 <= allowed.padding <= allowed.kernel_size // 2
    assert 0 <= allowed.blend_weight <= 1
    assert allowed.clamped() == allowed

    found = run_poolings(smallest_features(allowed.channels), allowed)
    shapes = {tuple(values.shape) for values in found.pooled.values()}
    assert len(shapes) == 1
    assert 0 not in shapes.pop()
    assert all(values.isfinite().all() for values in found.pooled.values())


@settings(max_examples=60)
@given(wild_settings)
def test_clamping_leaves_alone_what_can_be_computed(wanted: Settings) -> None:
    allowed = wanted.clamped()
    for field in dataclasses.fields(Settings):
        before, after = getattr(wanted, field.name), getattr(allowed, field.name)
        possible = {
            "image_size": IMAGE_SIZES,
            "channels": CHANNELS,
            "seed": range(MAX_SEED + 1),
            "kernel_size": range(1, MAX_KERNEL + 1),
            "stride": range(1, MAX_KERNEL + 1),
            "padding": range(allowed.kernel_size // 2 + 1),
            "device": DEVICES,
        }.get(field.name)
        if field.name == "blend_weight":
            kept = 0 <= before <= 1
        else:
            kept = possible is None or before in possible
        assert not kept or after == before, field.name


@pytest.mark.parametrize(
    ("asked", "given_back"),
    [
        ({"kernel_size": 0, "padding": 3}, {"kernel_size": 1, "padding": 0}),
        ({"kernel_size": 5, "padding": 3}, {"kernel_size": 5, "padding": 2}),
        ({"image_size": 150}, {"image_size": 160}),
        ({"image_size": 10**9}, {"image_size": 224}),
        ({"channels": -5}, {"channels": 8}),
        ({"stride": 99}, {"stride": 8}),
        ({"seed": -1}, {"seed": 0}),
        ({"blend_weight": math.nan}, {"blend_weight": 0.5}),
        ({"blend_weight": 1.5}, {"blend_weight": 1.0}),
        ({"device": "tpu"}, {"device": "auto"}),
    ],
)
def test_clamping_goes_to_the_nearest(
    asked: dict[str, object], given_back: dict[str, object]
) -> None:
    allowed = Settings(**asked).clamped()  # type: ignore[arg-type]
    assert {name: getattr(allowed, name) for name in given_back} == given_back


def test_records_are_frozen() -> None:
    found = run_poolings(features_of(noise(8, 6, 6)), Settings())
    for record, field in [(Settings(), "seed"), (found, "pooled"), (found.features, "image")]:
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(record, field, None)


# ---- numbers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("window", "count_pad"), list(product(WINDOWS, [False, True])))
def test_pooled_maps_equal_pytorchs_own_layers(window: dict[str, int], count_pad: bool) -> None:
    feature_map = noise(8, 21, 30)
    chosen = Settings(**window, count_include_pad=count_pad, blend_weight=0.3, seed=4)  # type: ignore[arg-type]
    found = run_poolings(features_of(feature_map), chosen)

    maximum = nn.MaxPool2d(**window)(feature_map)
    average = nn.AvgPool2d(**window, count_include_pad=count_pad)(feature_map)
    torch.testing.assert_close(found.pooled["max"], maximum, rtol=0, atol=0)
    torch.testing.assert_close(found.pooled["average"], average)
    torch.testing.assert_close(found.pooled["hybrid"], 0.3 * maximum + 0.7 * average)
    share = found.attention[:, None, None]
    torch.testing.assert_close(found.pooled["attention"], share * maximum + (1 - share) * average)


@pytest.mark.parametrize(("weight", "same_as"), [(1.0, "max"), (0.0, "average")])
def test_the_ends_of_the_dial_are_max_and_average(weight: float, same_as: str) -> None:
    found = run_poolings(features_of(noise(8, 12, 15)), Settings(blend_weight=weight))
    assert torch.equal(found.pooled["hybrid"], found.pooled[same_as])


def test_attention_values_follow_the_articles_formula() -> None:
    feature_map = noise(16, 9, 11).abs()
    chosen = Settings(seed=12)
    squeeze, excite = (
        layer
        for layer in pooling_layers(16, chosen)["attention"].modules()
        if isinstance(layer, nn.Linear)
    )
    means = feature_map.mean((1, 2))
    hidden = F.relu(squeeze.weight @ means + squeeze.bias)
    expected = torch.sigmoid(excite.weight @ hidden + excite.bias)
    found = run_poolings(features_of(feature_map), chosen)
    torch.testing.assert_close(found.attention, expected)
    assert found.attention.shape == (16,)
    assert torch.unique(found.attention).numel() == 16


def test_the_record_says_what_it_was_computed_with() -> None:
    image = fit_image(gallery_image("coins"), 96)
    stem = load_stem("filters")
    features = run_stem(image, stem, CPU)
    torch.testing.assert_close(features.feature_map, stem(image[None])[0])
    assert features.image is image
    assert features.channel_names == stem.channel_names
    assert features.receptive_field == (7, 2, 3)
    assert features.seconds > 0

    chosen = Settings(picture="coins", image_size=96, kernel_size=3, blend_weight=0.2)
    found = run_poolings(features, chosen)
    assert found.settings == chosen
    assert found.features is features
    assert found.seconds > 0
    assert not found.fell_back
    assert found.blend_weight.shape == (16,)
    torch.testing.assert_close(found.blend_weight, torch.full((16,), 0.2))
    for values in (found.feature_map, found.attention, found.blend_weight, *found.pooled.values()):
        assert values.device == CPU
        assert not values.requires_grad


def test_each_cell_of_the_feature_map_sees_only_its_receptive_field() -> None:
    """The frame in the picture is drawn from `receptive_field`: it must be the truth."""
    image = torch.full((3, 40, 40), 0.5)
    for key in ("filters", "random"):
        stem = load_stem(key)
        kernel, stride, padding = run_stem(image, stem, CPU).receptive_field
        changed = image.clone()
        changed[:, 20, 23] = 1.0
        before, after = (run_stem(each, stem, CPU).feature_map for each in (image, changed))
        rows, columns = torch.where((before != after).any(0))
        for cells, pixel in ((rows, 20), (columns, 23)):
            start = cells * stride - padding
            assert bool(((start <= pixel) & (pixel < start + kernel)).all())
        assert rows.numel() > 0


def test_a_trained_stem_brings_its_pooling_parameters() -> None:
    layers = pooling_layers(8, Settings(seed=1))
    trained = {name: value + 0.5 for name, value in layers["attention"].state_dict().items()}
    state: Mapping[str, Mapping[str, Tensor]] = {
        "hybrid": {"weight": torch.tensor([2.0])},
        "attention": trained,
    }
    feature_map = noise(8, 10, 10)
    found = run_poolings(features_of(feature_map, pooling_state=state), Settings(seed=1))
    learned = torch.tensor(2.0).sigmoid()
    torch.testing.assert_close(found.blend_weight, learned.expand(8))
    torch.testing.assert_close(
        found.pooled["hybrid"], torch.lerp(found.pooled["average"], found.pooled["max"], learned)
    )
    untrained = run_poolings(features_of(feature_map), Settings(seed=1))
    assert not torch.allclose(found.attention, untrained.attention)


def test_a_trained_stem_may_bring_one_blend_weight_for_each_channel() -> None:
    state = {"hybrid": {"weight": torch.linspace(-2, 2, 8)}}
    found = run_poolings(features_of(noise(8, 10, 10), pooling_state=state), Settings())
    learned = torch.linspace(-2, 2, 8).sigmoid()
    torch.testing.assert_close(found.blend_weight, learned)
    torch.testing.assert_close(
        found.pooled["hybrid"],
        torch.lerp(found.pooled["average"], found.pooled["max"], learned[:, None, None]),
    )


def test_a_window_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ImpossibleWindowError, match="does not fit into an input of 4 by 4 cells"):
        run_poolings(features_of(noise(8, 4, 4)), Settings(kernel_size=8))


# ---- seeds -------------------------------------------------------------------------------------


def test_the_attention_layer_starts_from_its_seed_alone() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        first = pooling_layers(16, Settings(seed=3))["attention"].state_dict()
        torch.manual_seed(2)
        second = pooling_layers(16, Settings(seed=3))["attention"].state_dict()
    other = pooling_layers(16, Settings(seed=4))["attention"].state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not any(torch.equal(first[name], other[name]) for name in first)


def test_the_attention_layer_starts_as_pytorch_would_start_it() -> None:
    """Weights and biases fill the range that `nn.Linear` draws from, and no more."""
    for layer in pooling_layers(64, Settings(seed=5))["attention"].modules():
        if isinstance(layer, nn.Linear):
            bound = 1 / math.sqrt(layer.in_features)
            for values in (layer.weight, layer.bias):
                assert values.abs().max() <= bound
                assert values.abs().max() > 0.8 * bound


def test_a_run_leaves_the_global_generators_alone() -> None:
    """Sessions share the process: one must not move the random numbers of another."""
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()
    stem = load_stem("random", seed=7, channels=8)
    run_poolings(run_stem(torch.zeros(3, 16, 16), stem, CPU), Settings(seed=9))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]
    assert np.random.get_state()[1].tolist() == before[2]


def test_the_same_settings_give_the_same_numbers() -> None:
    image = fit_image(gallery_image("brick"), 64)

    def run() -> dict[str, Tensor]:
        stem = load_stem("random", seed=2, channels=8)
        return dict(run_poolings(run_stem(image, stem, CPU), Settings(seed=2)).pooled)

    first, second = run(), run()
    assert all(torch.equal(first[name], second[name]) for name in first)


# ---- devices -----------------------------------------------------------------------------------


def test_devices() -> None:
    assert available_devices()[0] == "cpu"
    assert resolve_device("cpu") == CPU
    best = torch.device(available_devices()[-1])
    assert resolve_device("auto") == best
    assert resolve_device("no such device") == best


class _FullElsewhere(nn.Module):
    """A layer for which every device but the CPU has too little memory."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, batch: Tensor) -> Tensor:
        if batch.device.type != "cpu":
            raise torch.OutOfMemoryError("out of memory")
        result: Tensor = self.inner(batch)
        return result


def test_too_little_memory_for_the_stem_falls_back_to_the_cpu(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    image = noise(3, 24, 24).abs()
    stem = load_stem("filters")
    expected = run_stem(image, stem, CPU)
    monkeypatch.setattr(stem, "bn", _FullElsewhere(stem.bn))
    found = run_stem(image, stem, torch.device("meta"))
    assert found.fell_back
    assert found.device == CPU
    assert torch.equal(found.feature_map, expected.feature_map)
    assert run_poolings(found, Settings()).fell_back


def test_too_little_memory_for_the_poolings_falls_back_to_the_cpu(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    feature_map = noise(8, 12, 12)
    expected = run_poolings(features_of(feature_map), Settings())

    def poolings() -> dict[str, object]:
        largest = trace_module.POOLINGS["max"]
        return {
            **trace_module.POOLINGS,
            "max": lambda **options: _FullElsewhere(largest(**options)),
        }

    monkeypatch.setattr(trace_module, "POOLINGS", poolings())
    found = run_poolings(features_of(feature_map, device=torch.device("meta")), Settings())
    assert found.fell_back
    assert found.device == CPU
    for name, values in expected.pooled.items():
        assert torch.equal(found.pooled[name], values)
    assert torch.equal(found.attention, expected.attention)


def test_too_little_memory_on_the_cpu_itself_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(batch: Tensor) -> Tensor:
        raise torch.OutOfMemoryError("out of memory")

    stem = load_stem("filters")
    monkeypatch.setattr(stem, "forward", full)
    with pytest.raises(torch.OutOfMemoryError):
        run_stem(torch.zeros(3, 16, 16), stem, CPU)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_the_gpu_gives_the_same_numbers_and_keeps_the_stem_on_the_cpu() -> None:
    image = fit_image(gallery_image("coins"), 96)
    stem = load_stem("filters")
    expected = run_poolings(run_stem(image, stem, CPU), Settings(seed=3))
    found = run_poolings(run_stem(image, stem, torch.device("cuda")), Settings(seed=3))
    assert found.device.type == "cuda"
    assert next(stem.parameters()).device == CPU
    for name, values in expected.pooled.items():
        # Convolutions on a GPU may use TF32, which keeps three to four digits.
        torch.testing.assert_close(found.pooled[name], values, rtol=5e-3, atol=5e-3)
