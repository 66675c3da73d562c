"""Occlusion maps against whole passes for every place, and who can see a patch at all."""

import math
from itertools import product

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from hybridpool import trace as trace_module
from hybridpool.measure import changed_cells, largest_change, relative_change
from hybridpool.pictures.perturb import FILLS, SHAPES, occlude, occlusion_mask
from hybridpool.sensitivity import Occluder, compare_traces, occlusion_map
from hybridpool.sensitivity.receptive_field import cells_seeing
from hybridpool.stem import STEMS, ChannelName, ConvStem, load_stem
from hybridpool.trace import Settings, run_poolings, run_stem

CPU = torch.device("cpu")
POOLINGS = ("max", "average", "hybrid", "attention")


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def picture(height, width, seed=0):
    return torch.rand(3, height, width, generator=seeded(seed))


def make_stem(weight, bias=None, norm=None, pooling_state=None, **more):
    names = tuple(ChannelName("Filter") for _ in weight)
    stem = ConvStem(
        weight, STEMS["random"], names, bias=bias, norm=norm, pooling_state=pooling_state, **more
    )
    return stem.eval().requires_grad_(False)


def random_stem(kernel, channels=5, seed=0, with_norm=False, **more):
    random = seeded(seed)
    weight = torch.randn(channels, 3, kernel, kernel, generator=random) / kernel
    bias = torch.randn(channels, generator=random) / 4
    norm = None
    if with_norm:
        norm = {
            "weight": torch.rand(channels, generator=random) + 0.5,
            "bias": torch.randn(channels, generator=random) / 4,
            "running_mean": torch.randn(channels, generator=random) / 4,
            "running_var": torch.rand(channels, generator=random) + 0.5,
            "num_batches_tracked": torch.tensor(1),
        }
    return make_stem(weight, bias, norm, mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4), **more)


def whole_pass(image, stem, config):
    return run_poolings(run_stem(image, stem, CPU), config)


def places(length, side, stride):
    """As often as it takes until the patch has covered everything."""
    starts = [0]
    while starts[-1] + side < length:
        starts.append(starts[-1] + stride)
    return starts


@st.composite
def cases(draw):
    kernel = draw(st.integers(1, 6))
    stem = random_stem(
        kernel,
        seed=draw(st.integers(0, 99)),
        with_norm=draw(st.booleans()),
        stride=draw(st.integers(1, 4)),
        padding=draw(st.integers(0, kernel + 1)),
        padding_mode=draw(st.sampled_from(["replicate", "zeros"])),
    )
    window = draw(st.integers(1, 4))
    config = Settings(
        device="cpu",
        seed=draw(st.integers(0, 99)),
        kernel_size=window,
        stride=draw(st.integers(1, 5)),
        padding=draw(st.integers(0, window // 2)),
        ceil_mode=draw(st.booleans()),
        count_include_pad=draw(st.booleans()),
        blend_weight=draw(st.sampled_from([0.0, 0.3, 1.0])),
    )
    image = picture(draw(st.integers(1, 19)), draw(st.integers(1, 19)), draw(st.integers(0, 99)))
    size = draw(st.integers(1, 24)), draw(st.integers(1, 24))
    steps = tuple(
        max(draw(st.integers(1, 9)), (whole - side) // 3)
        for whole, side in zip(image.shape[-2:], size, strict=True)
    )
    try:
        whole_pass(image, stem, config)
    except (RuntimeError, ValueError):
        assume(False)
    return image, stem, config, size, steps


@given(cases(), st.sampled_from(FILLS), st.sampled_from(SHAPES), st.integers(0, 9))
@settings(max_examples=60)
def test_the_map_equals_whole_passes_for_every_place(case, fill, shape, seed):
    image, stem, config, size, steps = case
    *_, found = occlusion_map(
        image, stem, config, size=size, stride=steps, fill=fill, shape=shape, seed=seed
    )
    assert list(found.tops) == places(image.shape[-2], size[0], steps[0])
    assert list(found.lefts) == places(image.shape[-1], size[1], steps[1])
    clean = whole_pass(image, stem, config)
    expected = {
        (name, dims): torch.empty(len(found.tops), len(found.lefts), *(5,) * (dims == 2)).double()
        for name, dims in product((*POOLINGS, "feature_map"), (3, 2))
    }
    for (i, top), (j, left) in product(enumerate(found.tops), enumerate(found.lefts)):
        occluded = occlude(image, top, left, *size, fill, seeded(seed), shape)
        trace = whole_pass(occluded, stem, config)
        for (name, dims), grid in expected.items():
            before, after = (
                each.feature_map if name == "feature_map" else each.pooled[name]
                for each in (clean, trace)
            )
            grid[i, j] = relative_change(before, after, map_dims=dims)
    for name in (*POOLINGS, "feature_map"):
        # Whole passes round blends and attention values to float32; the map does not.
        close = {"rtol": 2e-5, "atol": 2e-6}
        torch.testing.assert_close(found.relative_change(name), expected[name, 3], **close)
        for channel in range(5):
            grid = expected[name, 2][..., channel]
            torch.testing.assert_close(found.relative_change(name, channel), grid, **close)


@given(
    st.integers(0, 99),
    st.sampled_from(["replicate", "zeros"]),
    st.sampled_from(["black", "grey"]),
    st.booleans(),
    st.booleans(),
)
@settings(max_examples=12)
def test_max_and_average_maps_equal_whole_passes_exactly_where_no_sum_is_rounded(
    seed, padding_mode, fill, ceil_mode, count_include_pad
):
    """Filters of small whole numbers on eighths: float32 and double hold every sum exactly."""
    random = seeded(seed)
    weight = torch.randint(-3, 4, (4, 3, 5, 5), generator=random).float()
    stem = make_stem(weight, stride=2, padding=2, padding_mode=padding_mode)
    image = torch.randint(0, 9, (3, 22, 19), generator=random) / 8
    config = Settings(
        device="cpu",
        kernel_size=4,
        stride=2,
        padding=2,
        ceil_mode=ceil_mode,
        count_include_pad=count_include_pad,
    )
    *_, found = occlusion_map(image, stem, config, size=(7, 6), stride=(5, 4), fill=fill)
    clean = whole_pass(image, stem, config).pooled
    for (i, top), (j, left) in product(enumerate(found.tops), enumerate(found.lefts)):
        pooled = whole_pass(occlude(image, top, left, 7, 6, fill), stem, config).pooled
        maximum, average = (
            (pooled[name].double() - clean[name].double()).square().sum((-2, -1)).tolist()
            for name in ("max", "average")
        )
        assert found.changes.moved[i, j, :, 0].tolist() == maximum
        # The average divides by 12 at some borders, so squares may round in another order.
        assert found.changes.moved[i, j, :, 2].tolist() == pytest.approx(average, rel=1e-14)


def test_one_map_answers_for_every_blend_weight():
    image, stem = picture(24, 20), random_stem(3, stride=2, padding=1)
    *_, found = occlusion_map(image, stem, Settings(device="cpu"), size=8, stride=8)
    for weight in (0.0, 0.2, 0.9, 1.0):
        config = Settings(device="cpu", blend_weight=weight)
        *_, again = occlusion_map(image, stem, config, size=8, stride=8)
        torch.testing.assert_close(
            found.relative_change("hybrid", blend_weight=weight),
            again.relative_change("hybrid"),
            rtol=1e-6,
            atol=0,
        )
    ends = [found.relative_change("hybrid", blend_weight=weight) for weight in (0.0, 1.0)]
    assert torch.equal(ends[0], found.relative_change("average"))
    assert torch.equal(ends[1], found.relative_change("max"))


def test_a_patch_that_hides_nothing_changes_nothing_at_all():
    image = torch.full((3, 40, 40), 0.5)
    image[:, :8, :8] = picture(8, 8)
    *_, found = occlusion_map(image, load_stem("filters"), Settings(device="cpu"), size=8, stride=8)
    for name in (*POOLINGS, "feature_map"):
        moved = found.relative_change(name)
        assert moved[0, 0] > 0
        assert (moved.flatten()[1:] == 0).all()


def test_cells_that_see_no_patch_stay_whatever_the_size_of_its_input_does_to_a_convolution(
    monkeypatch,
):
    convolve = torch.nn.functional.conv2d

    def rounded_by_size(batch, *rest):
        return convolve(batch, *rest) + 1e-5 * batch.shape[-1]

    monkeypatch.setattr(torch.nn.functional, "conv2d", rounded_by_size)
    stem = random_stem(1, stride=4, padding=0)  # sees every fourth pixel and nothing between
    *_, found = occlusion_map(picture(16, 16), stem, Settings(device="cpu"), size=2, stride=2)
    for name in (*POOLINGS, "feature_map"):
        moved = found.relative_change(name)
        assert (moved[1::2] == 0).all()
        assert (moved[:, 1::2] == 0).all()
    assert (found.relative_change("feature_map")[::2, ::2] > 0).all()


def test_a_patch_larger_than_the_picture_covers_it_from_one_place():
    image, stem = picture(20, 30), load_stem("filters")
    *_, found = occlusion_map(image, stem, Settings(device="cpu"), size=(50, 31), fill="black")
    assert (found.tops, found.lefts) == ((0,), (0,))
    # Black gives the readable filters nothing to answer to: all that was there is gone.
    black = whole_pass(torch.zeros_like(image), stem, Settings()).pooled["average"]
    clean = whole_pass(image, stem, Settings()).pooled["average"]
    expected = relative_change(clean, black).item()
    assert found.relative_change("average").item() == pytest.approx(expected, rel=1e-6)


def test_records_grow_row_by_row_and_never_change_afterwards():
    image, stem = picture(64, 40), random_stem(3, stride=2, padding=1)
    records = list(occlusion_map(image, stem, Settings(device="cpu"), size=4, stride=(1, 12)))
    *_, whole = records
    rows, columns = len(whole.tops), len(whole.lefts)
    assert (rows, columns) == (61, 4)
    assert len(records) <= 25
    assert [record.done for record in records] == sorted({record.done for record in records})
    assert whole.done == rows * columns
    for record in records:
        assert record.done % columns == 0
        known = record.done // columns
        for name in (*POOLINGS, "feature_map"):
            moved = record.relative_change(name)
            assert torch.equal(moved[:known], whole.relative_change(name)[:known])
            assert moved[known:].isnan().all()
    assert [record.seconds for record in records] == sorted(record.seconds for record in records)
    assert whole.at(2, 1) == Occluder(2, 12, 4, 4)


def test_the_same_call_gives_the_same_map_and_leaves_nothing_behind():
    image, stem = picture(33, 37), random_stem(3, stride=2, padding=1, with_norm=True)
    before = image.clone(), {name: each.clone() for name, each in stem.state_dict().items()}
    state = torch.get_rng_state()
    arguments = {"size": 9, "stride": 7, "fill": "noise", "seed": 3}
    *_, first = occlusion_map(image, stem, Settings(device="cpu"), **arguments)
    started = occlusion_map(image, stem, Settings(device="cpu"), **arguments)
    next(started)
    assert torch.is_grad_enabled()
    started.close()
    *_, second = occlusion_map(image, stem, Settings(device="cpu"), **arguments)
    assert torch.equal(first.changes.moved, second.changes.moved)
    assert torch.equal(first.changes.attention_changed, second.changes.attention_changed)
    *_, other = occlusion_map(image, stem, Settings(device="cpu"), **{**arguments, "seed": 4})
    assert not torch.equal(first.changes.moved, other.changes.moved)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(image, before[0])
    assert all(torch.equal(each, before[1][name]) for name, each in stem.state_dict().items())
    assert not any(tensor.requires_grad for tensor in (first.changes.moved, stem.conv.weight))


class RootMeanSquare(nn.Module):
    """A pooling that is no blend of max and average."""

    def __init__(self, channels, kernel_size, stride, **window):
        super().__init__()
        self.pool = nn.LPPool2d(2, kernel_size, stride, ceil_mode=window["ceil_mode"])

    def forward(self, feature_map):
        return self.pool(feature_map)


def test_a_pooling_that_is_added_to_the_table_has_its_map_too(monkeypatch):
    monkeypatch.setattr(
        trace_module, "POOLINGS", {**trace_module.POOLINGS, "square": RootMeanSquare}
    )
    image, stem = picture(25, 22), random_stem(3, stride=2, padding=1)
    config = Settings(device="cpu", kernel_size=3, stride=2)
    *_, found = occlusion_map(image, stem, config, size=9, stride=8)
    clean = whole_pass(image, stem, config)
    for (i, top), (j, left) in product(enumerate(found.tops), enumerate(found.lefts)):
        trace = whole_pass(occlude(image, top, left, 9, 9), stem, config)
        expected = relative_change(clean.pooled["square"], trace.pooled["square"])
        assert found.relative_change("square")[i, j].item() == pytest.approx(
            expected.item(), rel=1e-5
        )


def test_learned_parameters_of_a_trained_stem_count():
    learned = {
        "hybrid": {"weight": torch.tensor([1.5])},
        "attention": {
            name: torch.randn(shape, generator=seeded(5))
            for name, shape in (
                ("fc.0.weight", (1, 5)),
                ("fc.0.bias", (1,)),
                ("fc.2.weight", (5, 1)),
                ("fc.2.bias", (5,)),
            )
        },
    }
    image, stem = picture(24, 24), random_stem(3, stride=2, padding=1, pooling_state=learned)
    *_, found = occlusion_map(image, stem, Settings(device="cpu"), size=12, stride=12)
    clean = whole_pass(image, stem, Settings())
    trace = whole_pass(occlude(image, 12, 0, 12, 12), stem, Settings())
    for name in POOLINGS:
        expected = relative_change(clean.pooled[name], trace.pooled[name]).item()
        assert found.relative_change(name)[1, 0].item() == pytest.approx(expected, rel=1e-5)
    torch.testing.assert_close(found.changes.attention[1, 0].float(), clean.attention)
    torch.testing.assert_close(found.changes.attention_changed[1, 0].float(), trace.attention)


def test_the_effect_of_one_patch_is_that_of_a_whole_pass():
    image, stem = picture(40, 36), load_stem("filters")
    config = Settings(device="cpu", blend_weight=0.25)
    mask = occlusion_mask((40, 36), -3, 20, 12, 30, "disc")
    covered = occlude(image, -3, 20, 12, 30, "noise", seeded(8), "disc")
    clean, changed = (whole_pass(each, stem, config) for each in (image, covered))
    found = compare_traces(clean, changed, mask)
    assert found.covered == pytest.approx(mask.double().mean().item())
    for name in POOLINGS:
        pair = clean.pooled[name], changed.pooled[name]
        expected = relative_change(*pair).item()
        assert found.relative_change()[name] == pytest.approx(expected, rel=1e-5)
        if name != "hybrid":
            assert torch.equal(found.largest[name], largest_change(*pair, map_dims=2))
            rounding = 1e-5 * max(each.max().item() for each in clean.pooled.values())
            for channel in range(stem.channels):
                marked = found.changed(name, channel)
                beyond = changed_cells(*(each[channel] for each in pair), 2 * rounding)
                assert not (beyond & ~marked).any()
                assert name == "attention" or not (marked & ~found.reached).any()


@given(cases(), st.integers(-6, 22), st.integers(-6, 22))
@settings(max_examples=60)
def test_the_cells_in_reach_are_exactly_those_that_see_the_patch(case, top, left):
    """Where every tap of a filter is positive, light on black reaches all who can see it."""
    image, stem, config, (height, width), _ = case
    first = stem.conv
    assume(first.padding[0] < first.kernel_size[0])
    weight = torch.ones_like(first.weight)
    positive = make_stem(
        weight,
        stride=first.stride[0],
        padding=first.padding[0],
        padding_mode=first.padding_mode,
    )
    black = torch.zeros_like(image)
    lit = occlude(black, top, left, height, width, "grey")
    pooled = whole_pass(lit, positive, config).pooled["average"]
    mask = occlusion_mask(tuple(image.shape[-2:]), top, left, height, width)
    expected = cells_seeing(mask, positive.receptive_field, config).expand_as(pooled)
    assert torch.equal(pooled > 0, expected)


@pytest.mark.parametrize(
    ("patch", "rows", "columns"),
    [
        ((30, 30, 1, 1), (7, 9), (7, 9)),
        # Cells 12 to 17 of the feature map see pixels 28 to 31; pooled 2 × 2 that is 6 to 8.
        ((28, 28, 4, 4), (6, 9), (6, 9)),
        ((64, 0, 9, 9), (0, 0), (0, 0)),
        ((-9, -9, 99, 99), (0, 16), (0, 16)),
    ],
)
def test_a_pixel_is_seen_by_the_nearest_pooled_cells(patch, rows, columns):
    seen = cells_seeing(occlusion_mask((64, 64), *patch), (7, 2, 3), Settings())
    expected = torch.zeros(16, 16, dtype=torch.bool)
    expected[slice(*rows), slice(*columns)] = True
    assert torch.equal(seen, expected)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"size": 0}, "at least 1, but got 0 and 8"),
        ({"stride": (4, 0)}, r"at least 1, but got 32 and \(4, 0\)"),
        ({"fill": "pink"}, r"fill must be one of.*'pink'"),
        ({"shape": "star"}, r"shape must be one of.*'star'"),
    ],
)
def test_impossible_patches_are_refused_at_once(arguments, words):
    with pytest.raises(ValueError, match=words):
        occlusion_map(picture(16, 16), load_stem("filters"), Settings(device="cpu"), **arguments)


def test_a_window_that_does_not_fit_is_refused_at_once():
    with pytest.raises(ValueError, match="does not fit into an input of 4 by 4 cells"):
        occlusion_map(picture(8, 8), load_stem("filters"), Settings(kernel_size=8, device="cpu"))


def test_what_is_no_pooling_has_no_map():
    *_, found = occlusion_map(picture(16, 16), load_stem("filters"), Settings(device="cpu"))
    with pytest.raises(ValueError, match=r"one of max, average.*'median'"):
        found.relative_change("median")
    with pytest.raises(ValueError, match=r'only "hybrid" has a blend weight.*0.5 for \'max\''):
        found.relative_change("max", blend_weight=0.5)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_gpu_gives_the_same_map():
    image, stem = picture(64, 48), load_stem("filters")
    arguments = {"size": 16, "stride": 8, "fill": "blur", "shape": "disc"}
    *_, expected = occlusion_map(image, stem, Settings(device="cpu"), **arguments)
    *_, found = occlusion_map(image, stem, Settings(device="cuda"), **arguments)
    assert found.device.type == "cuda"
    for name in POOLINGS:
        torch.testing.assert_close(
            found.relative_change(name), expected.relative_change(name), rtol=1e-3, atol=1e-4
        )
    assert math.isfinite(found.seconds)
