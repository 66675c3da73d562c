"""Noise sweeps, best blend weights and shift curves, against plain loops and dense search."""

import math
from itertools import product

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from hybridpool import trace as trace_module
from hybridpool.measure import align, relative_change
from hybridpool.pictures.perturb import NOISES, shift
from hybridpool.sensitivity import (
    NoiseSweep,
    best_blend_weight,
    compare_shifted,
    compare_traces,
    expected_maximum,
    noise_sweep,
    shift_curve,
)
from hybridpool.sensitivity.changes import Changes, clean_sums, moved_sums
from hybridpool.stem import STEMS, ChannelName, ConvStem, load_stem
from hybridpool.trace import Settings, run_poolings, run_stem

CPU = torch.device("cpu")
POOLINGS = ("max", "average", "hybrid", "attention")
WINDOWS = [
    {},
    {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True},
    {"kernel_size": 2, "stride": 3, "padding": 1, "count_include_pad": True},
    {"kernel_size": 4, "stride": 1, "blend_weight": 0.2},
]


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def picture(height, width, seed=0):
    """Smooth areas with a little texture."""
    coarse = torch.rand(1, 3, 5, 6, generator=seeded(seed))
    smooth = F.interpolate(coarse, (height, width), mode="bicubic")[0]
    texture = torch.rand(3, height, width, generator=seeded(seed + 1)) - 0.5
    return (0.1 + 0.7 * smooth + 0.1 * texture).clamp(0, 1)


def make_stem(weight, **more):
    names = tuple(ChannelName("Filter") for _ in weight)
    return ConvStem(weight, STEMS["random"], names, **more).eval().requires_grad_(False)


def no_stem():
    """A stem that hands each colour on as it is, so that what is known of noise can be tested."""
    return make_stem(torch.eye(3)[:, :, None, None], stride=1, padding=0)


def whole_pass(image, stem, config):
    return run_poolings(run_stem(image, stem, CPU), config)


def maps_of(trace):
    return {**trace.pooled, "feature_map": trace.feature_map}


def sweep_of(*arguments, **more):
    *_, sweep = noise_sweep(*arguments, **more)
    return sweep


@pytest.mark.parametrize(
    ("noise", "window"),
    [*((noise, WINDOWS[0]) for noise in NOISES), *(("speckle", window) for window in WINDOWS[1:])],
    ids=str,
)
def test_a_sweep_equals_a_plain_loop(noise, window):
    image, stem = picture(22, 26), load_stem("random", seed=3, channels=5)
    config = Settings(device="cpu", seed=4, **window)
    kind = NOISES[noise]
    levels, seeds = (kind.default, kind.high), (7, 0, 5)
    sweep = sweep_of(image, stem, config, noise, levels, seeds)
    assert (sweep.noise, sweep.levels, sweep.seeds) == (noise, levels, seeds)
    clean = whole_pass(image, stem, config)
    for (i, seed), (j, level) in product(enumerate(seeds), enumerate(levels)):
        noisy = whole_pass(kind.function(image, level, seeded(seed)), stem, config)
        added = noisy.feature_map.double() - clean.feature_map.double()
        for name, before in maps_of(clean).items():
            after = maps_of(noisy)[name]
            assert sweep.relative_change(name)[i, j].item() == pytest.approx(
                relative_change(before, after).item(), rel=1e-5
            )
            mean = (after.double() - before.double()).mean() / added.std(correction=0)
            assert sweep.changes.bias(name)[i, j].item() == pytest.approx(
                mean.item(), rel=1e-4, abs=1e-6
            )
            for channel in range(5):
                assert sweep.relative_change(name, channel)[i, j].item() == pytest.approx(
                    relative_change(before[channel], after[channel]).item(), rel=1e-5
                )
                mean = (after[channel].double() - before[channel].double()).mean()
                mean /= added[channel].std(correction=0)
                assert sweep.changes.bias(name, channel)[i, j].item() == pytest.approx(
                    mean.item(), rel=1e-4, abs=1e-6
                )


def test_records_grow_seed_by_seed_and_a_stopped_sweep_leaves_nothing_behind():
    image, stem = picture(20, 20), load_stem("filters")
    state, before = torch.get_rng_state(), image.clone()
    arguments = (image, stem, Settings(device="cpu"), "gaussian", (0.0, 0.1, 0.3))
    records = list(noise_sweep(*arguments, range(4)))
    assert [record.seeds for record in records] == [(0,), (0, 1), (0, 1, 2), (0, 1, 2, 3)]
    assert [record.seconds for record in records] == sorted(record.seconds for record in records)
    for record in records:
        count = len(record.seeds)
        for name in (*POOLINGS, "feature_map"):
            found = record.relative_change(name)
            assert found.shape == (count, 3)
            assert torch.equal(found, records[-1].relative_change(name)[:count])
    started = noise_sweep(*arguments, range(100))
    first = next(started)
    assert torch.is_grad_enabled()
    started.close()
    assert torch.equal(first.changes.moved, records[0].changes.moved)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(image, before)


def test_no_noise_changes_nothing_at_all():
    sweep = sweep_of(
        picture(20, 20), load_stem("filters"), Settings(device="cpu"), "gaussian", (0.0,), (0, 1)
    )
    for name in (*POOLINGS, "feature_map"):
        assert (sweep.relative_change(name) == 0).all()
        assert (sweep.changes.bias(name) == 0).all()
    best = best_blend_weight(sweep, 0)
    assert math.isnan(best.blend_weight)
    assert all(math.isnan(weight) for weight in best.by_seed)
    assert best.relative_change == 0


@pytest.mark.parametrize(("kernel_size", "expected"), [(2, 1.0294), (3, 1.4850)])
def test_gaussian_noise_on_a_flat_patch_biases_max_by_its_sigmas_and_average_not_at_all(
    kernel_size, expected
):
    flat = torch.full((3, 240, 240), 0.5)
    config = Settings(device="cpu", kernel_size=kernel_size, stride=kernel_size)
    sweep = sweep_of(flat, no_stem(), config, "gaussian", (0.1,), range(3))
    for blend_weight in (0.0, 0.25, 0.5, 1.0):
        bias = sweep.changes.bias("hybrid", blend_weight=blend_weight).mean().item()
        # Three seeds of 3 × 240 × 240 values: five standard errors are below 0.02.
        assert bias == pytest.approx(blend_weight * expected, abs=0.02)
    assert torch.equal(sweep.changes.bias("max"), sweep.changes.bias("hybrid", blend_weight=1.0))
    changes = [sweep.relative_change(name).mean() for name in ("average", "hybrid", "max")]
    assert changes == sorted(changes)
    assert best_blend_weight(sweep, 0).blend_weight < 0.01


def test_pepper_leaves_max_on_a_flat_patch_and_salt_is_hardest_on_it():
    flat = torch.full((3, 200, 200), 0.5)
    amount = 0.05
    config = Settings(device="cpu", blend_weight=0.5)
    pepper = sweep_of(flat, no_stem(), config, "pepper", (amount,), range(4))
    # Max falls to 0 only where a window is hit four times over.
    share = pepper.relative_change("max").square().mean().item()
    assert share == pytest.approx(amount**4, abs=5 * amount**2 / math.sqrt(4 * 3 * 100 * 100))
    assert best_blend_weight(pepper, 0).blend_weight > 0.95
    salt = sweep_of(flat, no_stem(), config, "salt", (amount,), range(4))
    assert best_blend_weight(salt, 0).blend_weight == 0
    for sweep in (pepper, salt):
        ends = sweep.relative_change("max"), sweep.relative_change("average")
        hybrid = sweep.relative_change("hybrid")
        assert (torch.minimum(*ends) < hybrid).all()
        assert (hybrid < torch.maximum(*ends)).all()


def test_the_curve_over_blend_weights_equals_blends_made_one_by_one():
    image, stem = picture(24, 24), load_stem("filters")
    sweep = sweep_of(image, stem, Settings(device="cpu"), "speckle", (0.3,), (2,))
    clean = whole_pass(image, stem, Settings(device="cpu"))
    noisy = whole_pass(NOISES["speckle"].function(image, 0.3, seeded(2)), stem, Settings())
    for weight in torch.linspace(0, 1, 21).tolist():
        before, after = (
            torch.lerp(each.pooled["average"].double(), each.pooled["max"].double(), weight)
            for each in (clean, noisy)
        )
        found = sweep.relative_change("hybrid", blend_weight=weight).item()
        assert found == pytest.approx(relative_change(before, after).item(), rel=1e-6)
        found = sweep.relative_change("hybrid", 3, blend_weight=weight).item()
        assert found == pytest.approx(relative_change(before[3], after[3]).item(), rel=1e-6)


def sweep_from(moved, clean):
    """A sweep of one level, from changes (S, 2, C, H, W) of max and average maps (2, C, H, W)."""
    of_moved = moved_sums(*moved.unbind(1), contrast=clean[0] - clean[1])
    of_clean = clean_sums(*clean.expand_as(moved).unbind(1))
    nothing = torch.zeros(0)
    changes = Changes(of_moved[:, None], of_clean[:, None], {}, nothing, nothing, nothing)
    seeds = tuple(range(len(moved)))
    return NoiseSweep(
        settings=Settings(),
        noise="gaussian",
        levels=(0.1,),
        seeds=seeds,
        changes=changes,
        device=torch.device("cpu"),
        seconds=0.0,
    )


def dense_search(moved, clean):
    """The least mean square of relative changes over a fine grid of blend weights."""
    weights = torch.linspace(0, 1, 1001).double()
    blend = weights[:, None, None, None, None]
    size = (blend * clean[0] + (1 - blend) * clean[1]).square().sum((-3, -2, -1))
    errors = [
        (blend * of_max + (1 - blend) * of_average).square().sum((-3, -2, -1)) / size
        for of_max, of_average in moved
    ]
    return weights, torch.stack(errors)


SCALES = st.one_of(st.just(0.0), st.floats(0.01, 3))


@given(st.integers(0, 10_000), SCALES, SCALES, st.floats(-1, 1))
@settings(max_examples=40)
def test_the_best_blend_weight_is_that_of_a_dense_search(seed, of_max, of_average, common):
    random = seeded(seed)
    moved = torch.randn(3, 2, 2, 3, 4, generator=random).double() + common
    moved *= torch.tensor([of_max, of_average]).double()[:, None, None, None]
    clean = torch.rand(2, 2, 3, 4, generator=random).double() + 0.1
    best = best_blend_weight(sweep_from(moved, clean), 0)
    weights, errors = dense_search(moved, clean)
    least = errors.mean(0).min().sqrt().item()
    assert best.relative_change <= least * (1 + 1e-9) + 1e-12
    assert best.relative_change == pytest.approx(least, rel=1e-4, abs=1e-9)
    if of_max == of_average == 0:
        assert math.isnan(best.blend_weight)
        return
    assert 0 <= best.blend_weight <= 1
    nearest = (weights - best.blend_weight).abs().argmin()
    assert errors.mean(0)[nearest].sqrt().item() == pytest.approx(least, rel=1e-3, abs=1e-9)
    for weight, error in zip(best.by_seed, errors, strict=True):
        nearest = (weights - weight).abs().argmin()
        assert error[nearest].item() == pytest.approx(error.min().item(), rel=1e-3, abs=1e-12)


def test_a_best_blend_weight_between_the_ends_and_at_one_channel():
    """Errors 1 of max and 2 of average in different cells: 4/5 balances them, w² + 4 (1 − w)²."""
    moved = torch.tensor([[[1.0, 0.0]], [[0.0, 2.0]]]).double()[None, :, :, None]
    clean = torch.ones(2, 1, 1, 2).double()
    best = best_blend_weight(sweep_from(moved, clean), 0)
    assert best.blend_weight == pytest.approx(0.8)
    assert best.relative_change == pytest.approx(math.sqrt(0.8 / 2))
    both = torch.cat([moved, moved.flip(1)], dim=2)
    clean = torch.ones(2, 2, 1, 2).double()
    chosen = [
        best_blend_weight(sweep_from(both, clean), 0, channel).blend_weight
        for channel in (0, 1, None)
    ]
    assert chosen == pytest.approx([0.8, 0.2, 0.5])


@pytest.mark.parametrize(
    ("noise", "levels", "seeds", "words"),
    [
        ("pink", (0.1,), (0,), r"noise must be one of gaussian.*'pink'"),
        ("gaussian", (), (0,), "got 0 levels and 1 seeds"),
        ("gaussian", (0.1,), (), "got 1 levels and 0 seeds"),
        ("salt", (1.5,), (0,), "amount must be a share from 0 to 1"),
    ],
)
def test_impossible_sweeps_are_refused(noise, levels, seeds, words):
    with pytest.raises(ValueError, match=words):
        sweep_of(
            picture(16, 16), load_stem("filters"), Settings(device="cpu"), noise, levels, seeds
        )


class Square(nn.Module):
    """A pooling that is no blend of max and average."""

    def __init__(self, channels, kernel_size, stride, **window):
        super().__init__()
        self.pool = nn.LPPool2d(2, kernel_size, stride)

    def forward(self, feature_map):
        return self.pool(feature_map)


def test_a_pooling_that_is_added_to_the_table_has_its_curves_too(monkeypatch):
    monkeypatch.setattr(trace_module, "POOLINGS", {**trace_module.POOLINGS, "square": Square})
    image, stem, config = picture(24, 28), load_stem("filters"), Settings(device="cpu")
    sweep = sweep_of(image, stem, config, "salt", (0.1,), (1,))
    noisy = NOISES["salt"].function(image, 0.1, seeded(1))
    before, after = (whole_pass(each, stem, config).pooled["square"] for each in (image, noisy))
    expected = relative_change(before, after).item()
    assert sweep.relative_change("square").item() == pytest.approx(expected, rel=1e-5)
    curve = shift_curve(image, stem, config, reach=4)
    before, after = (
        whole_pass(shift(image, 0, pixels, margin=4), stem, config).pooled["square"]
        for pixels in (0, 4)
    )
    aligned = align(
        inside(before, image, stem, config, 4), inside(after, image, stem, config, 4), 0, 1
    )
    expected = relative_change(*aligned).item()
    assert curve.relative_change("square")[-1].item() == pytest.approx(expected, rel=1e-5)


def inside(pooled, image, stem, config, margin, window=True):
    """Slow and obvious: the cells of a cropped view's map that see no pixel beyond the view."""
    kernel, stride, padding = stem.receptive_field
    kept = []
    for cells, pixels in zip(pooled.shape[-2:], image.shape[-2:], strict=True):
        here = []
        for cell in range(cells):
            first = cell * config.stride - config.padding if window else cell
            last = first + (config.kernel_size if window else 1) - 1
            low, high = first * stride - padding, last * stride - padding + kernel
            if low >= 0 and high <= pixels - 2 * margin:
                here.append(cell)
        kept.append(slice(here[0], here[-1] + 1))
    return pooled[:, kept[0], kept[1]]


@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("axis", ["rows", "columns"])
def test_a_cropped_shift_curve_equals_a_plain_loop(window, axis):
    image, stem = picture(40, 44), load_stem("random", seed=3, channels=5)
    config = Settings(device="cpu", seed=4, **window)
    curve = shift_curve(image, stem, config, reach=5, axis=axis)
    assert curve.shifts == tuple(range(-5, 6))
    clean = maps_of(whole_pass(shift(image, 0, 0, margin=5), stem, config))
    for at, pixels in enumerate(curve.shifts):
        distance = (pixels, 0) if axis == "rows" else (0, pixels)
        shifted = maps_of(whole_pass(shift(image, *distance, margin=5), stem, config))
        for name, before in clean.items():
            step = 2 if name == "feature_map" else 2 * config.stride
            cells = (each / step for each in distance)
            both = (
                inside(each, image, stem, config, 5, window=name != "feature_map")
                for each in (before, shifted[name])
            )
            expected = relative_change(*align(*both, *cells)).item()
            found = curve.relative_change(name)[at].item()
            assert found == pytest.approx(expected, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("window", [{"kernel_size": 1, "stride": 1}, *WINDOWS], ids=str)
def test_a_view_moved_by_whole_cells_changes_nothing_but_attention(window):
    """The border is no finding: cells that see beyond either view are left out."""
    image, stem, config = picture(72, 80), load_stem("filters"), Settings(device="cpu", **window)
    step = 2 * config.stride
    curve = shift_curve(image, stem, config, reach=2 * step)
    for name in ("max", "average", "hybrid"):
        assert (curve.relative_change(name)[::step] < 1e-6).all()
    trace = whole_pass(image, stem, config)
    compared = compare_shifted(trace, stem, step, -step, reach=2 * step)
    for name in ("max", "average"):
        assert not compared.cells[name].any()
        torch.testing.assert_close(compared.before.pooled[name], compared.after.pooled[name])
    assert torch.equal(compared.before.image, compared.after.image)
    rows, columns = compared.layout.map_size
    kernel, stride, _ = compared.layout.stem
    assert compared.before.image.shape == (
        3,
        (rows - 1) * stride + kernel,
        (columns - 1) * stride + kernel,
    )


@pytest.mark.parametrize("mode", ["crop", "circular"])
@pytest.mark.parametrize("window", WINDOWS[:3], ids=str)
def test_one_shift_is_a_point_of_the_curve(window, mode):
    image, stem = picture(64, 60), load_stem("filters")
    trace = whole_pass(image, stem, Settings(device="cpu", seed=2, **window))
    curve = shift_curve(image, stem, trace.settings, axis="rows", mode=mode)
    for pixels in (-5, 3):
        found = compare_shifted(trace, stem, pixels, 0, mode=mode)
        for weight in (None, 0.2):
            for name, value in found.relative_change(weight).items():
                line = curve.relative_change(
                    name, blend_weight=weight if name == "hybrid" else None
                )
                assert value == pytest.approx(line[curve.shifts.index(pixels)].item())
        attention = relative_change(
            found.before.pooled["attention"], found.after.pooled["attention"]
        )
        assert found.relative_change()["attention"] == pytest.approx(attention.item(), rel=1e-4)


def test_what_rounding_leaves_of_one_colour_is_no_change():
    """Resizing leaves a picture of one colour equal but for rounding."""
    image = torch.full((3, 96, 96), 0.3) + 5e-7 * torch.rand(3, 96, 96, generator=seeded())
    stem, config = load_stem("filters"), Settings(device="cpu")
    trace = whole_pass(image, stem, config)
    shifted = compare_shifted(trace, stem, 1, 3)
    assert not any(cells.any() for cells in shifted.cells.values())
    noisy = whole_pass(image.flip(-1), stem, config)
    compared = compare_traces(trace, noisy)
    replaced, windows = compared.winners()
    assert (int(replaced.sum()), int(windows.sum())) == (0, 0)
    assert compared.bias(0) == {}


@pytest.mark.parametrize("kernel_size", [1])
def test_a_window_of_one_cell_has_no_best_blend_weight(kernel_size):
    config = Settings(device="cpu", kernel_size=kernel_size, stride=2)
    sweep = sweep_of(picture(24, 24), load_stem("filters"), config, "gaussian", (0.1,), range(2))
    best = best_blend_weight(sweep, 0)
    assert math.isnan(best.blend_weight)
    assert all(math.isnan(weight) for weight in best.by_seed)
    expected = sweep.relative_change("max").square().mean().sqrt().item()
    assert best.relative_change == pytest.approx(expected)


@pytest.mark.parametrize("count", [1, 4, 9, 64])
def test_the_expected_maximum_is_that_of_many_draws(count):
    draws = torch.randn(200_000, count, generator=seeded(1)).amax(-1)
    assert expected_maximum(count) == pytest.approx(draws.mean().item(), abs=0.01)


def around(image, stem, config):
    """The maps of a picture without a border, made with circular padding at every step."""
    kernel, stride, padding = stem.receptive_field
    values = (image - stem.mean) / stem.std
    after = kernel - 1 - padding
    padded = F.pad(values[None], (padding, after, padding, after), mode="circular")
    feature_map = stem.bn(F.conv2d(padded, stem.conv.weight, stem.conv.bias, stride)).relu()
    after = config.kernel_size - config.stride - config.padding
    sides = (config.padding, max(0, after), config.padding, max(0, after))
    repeated = F.pad(feature_map, sides, mode="circular")
    window = config.kernel_size, config.stride
    cells = [side // config.stride for side in feature_map.shape[-2:]]
    return {
        "max": F.max_pool2d(repeated, *window)[0, :, : cells[0], : cells[1]],
        "average": F.avg_pool2d(repeated, *window)[0, :, : cells[0], : cells[1]],
        "feature_map": feature_map[0],
    }


@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("padding_mode", ["replicate", "zeros"])
def test_a_circular_shift_curve_sees_no_border(window, padding_mode):
    weight = torch.randn(4, 3, 5, 5, generator=seeded(1)) / 5
    stem = make_stem(weight, stride=2, padding=1, padding_mode=padding_mode, mean=(0.5, 0.4, 0.3))
    image, config = picture(24, 36), Settings(device="cpu", **window)
    curve = shift_curve(image, stem, config, reach=7, mode="circular")
    clean = around(image, stem, config)
    for at, pixels in enumerate(curve.shifts):
        shifted = around(shift(image, 0, pixels, "circular"), stem, config)
        for name, before in clean.items():
            step = 2 if name == "feature_map" else 2 * config.stride
            aligned = align(before, shifted[name], 0, pixels / step, "circular")
            expected = relative_change(*aligned).item()
            found = curve.relative_change(name)[at].item()
            assert found == pytest.approx(expected, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_a_circular_shift_by_whole_steps_changes_nothing_for_any_pooling(window):
    config = Settings(device="cpu", **window)
    step = 2 * config.stride
    stem = load_stem("filters")
    curve = shift_curve(picture(31, 37), stem, config, reach=2 * step, axis="rows", mode="circular")
    for name in POOLINGS:
        moved = curve.relative_change(name)
        # Attention's mean adds the same cells in another order.
        assert (moved[::step] < 1e-12).all()
        inner = torch.ones(len(moved), dtype=torch.bool)
        inner[::step] = False
        assert (moved[inner] > 1e-3).all()
    assert (curve.relative_change("max")[::step] == 0).all()


def test_attention_values_of_a_shifted_picture_are_those_of_its_own_feature_map():
    image, stem, config = picture(40, 40), load_stem("filters"), Settings(device="cpu", seed=2)
    curve = shift_curve(image, stem, config, reach=3)
    for at, pixels in ((3, 0), (5, 2)):
        trace = whole_pass(shift(image, 0, pixels, margin=3), stem, config)
        torch.testing.assert_close(curve.changes.attention_changed[at].float(), trace.attention)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"axis": "diagonal"}, r"along columns or rows.*'diagonal' and 8"),
        ({"reach": -1}, r"from 0, but got 'columns' and -1"),
        ({"mode": "mirror"}, r"crop, circular.*'mirror'"),
        ({"reach": 8}, "margin"),
    ],
)
def test_impossible_shifts_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        shift_curve(picture(16, 16), load_stem("filters"), Settings(device="cpu"), **arguments)


def test_a_picture_smaller_than_a_step_cannot_go_around():
    with pytest.raises(ValueError, match="at least one step of the pooled map, 16 pixels"):
        shift_curve(
            picture(40, 12), load_stem("filters"), Settings(stride=8, device="cpu"), mode="circular"
        )


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_gpu_gives_the_same_curves():
    image, stem = picture(40, 48), load_stem("filters")
    for name in POOLINGS:
        of_noise, of_shift = (
            [
                sweep_of(image, stem, config, "poisson", (20.0, 5.0), (0, 1)).relative_change(name),
                shift_curve(image, stem, config, reach=3).relative_change(name),
            ]
            for config in (Settings(device="cpu"), Settings(device="cuda"))
        )
        for expected, found in zip(of_noise, of_shift, strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)
