"""The numbers about feature maps, against slow and obvious references."""

import math
from itertools import product

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridpool.measure import (
    TIE,
    align,
    alike,
    changed_cells,
    clear_winners,
    distance_table,
    energy_kept,
    example_cell,
    gradient_shares,
    largest_change,
    negligible,
    relative_change,
    relative_distance,
    summarise,
    window_contrast,
    window_winners,
    winner_ties,
)
from hybridpool.window import check_window

WINDOWS = [
    {"kernel_size": 2},
    {"kernel_size": 2, "stride": 1},
    {"kernel_size": 2, "stride": 3},
    {"kernel_size": 3, "stride": 2, "padding": 1},
    {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True},
    {"kernel_size": 2, "stride": 2, "ceil_mode": True},
    {"kernel_size": 4, "stride": 4, "padding": 2, "ceil_mode": True},
    {"kernel_size": (1, 3), "stride": (2, 1), "padding": (0, 1)},
    {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 1), "ceil_mode": True},
    {"kernel_size": 1, "stride": 2, "ceil_mode": True},
]


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def with_ties(*shape, seed=0):
    return torch.randint(0, 3, shape, generator=torch.Generator().manual_seed(seed)).float()


def pair(value):
    return value if isinstance(value, tuple) else (value, value)


def windows_of(plane, kernel_size, stride=None, padding=0, ceil_mode=False):
    """Yield (row, column, {place in the window: value}) of each window PyTorch pools."""
    kernel, pad = pair(kernel_size), pair(padding)
    step = kernel if stride is None else pair(stride)
    outputs = F.max_pool2d(plane[None], kernel, step, pad, ceil_mode=ceil_mode).shape[-2:]
    for row, column in product(range(outputs[0]), range(outputs[1])):
        cells = {}
        for i, j in product(range(kernel[0]), range(kernel[1])):
            y, x = row * step[0] - pad[0] + i, column * step[1] - pad[1] + j
            if 0 <= y < plane.shape[0] and 0 <= x < plane.shape[1]:
                cells[i * kernel[1] + j] = plane[y, x].item()
        yield row, column, cells


def test_summary_has_the_four_numbers():
    summary = summarise(draw(3, 5, 7).double())
    values = draw(3, 5, 7).double().flatten().tolist()
    assert summary.minimum == min(values)
    assert summary.maximum == max(values)
    assert summary.mean == pytest.approx(sum(values) / 105)
    assert summary.energy == pytest.approx(sum(v * v for v in values) / 105)


def test_summary_sums_half_precision_without_overflow():
    summary = summarise(torch.full((64, 64), 1000.0, dtype=torch.float16))
    assert (summary.mean, summary.energy) == (1000.0, 1e6)


def test_summary_shows_nan_and_needs_a_cell():
    summary = summarise(torch.tensor([1.0, math.nan]))
    assert all(
        math.isnan(v) for v in (summary.minimum, summary.maximum, summary.mean, summary.energy)
    )
    with pytest.raises(ValueError, match=r"at least one cell.*\(0, 3\)"):
        summarise(torch.empty(0, 3))


def test_energy_kept():
    constant = torch.full((4, 6, 6), -3.0)
    assert energy_kept(F.avg_pool2d(constant, 2), constant) == 1
    feature_map = draw(4, 6, 6)
    assert energy_kept(F.avg_pool2d(feature_map, 2), feature_map) < 1
    assert energy_kept(F.max_pool2d(feature_map.abs(), 2), feature_map) > 1
    assert math.isnan(energy_kept(torch.zeros(2), torch.zeros(4)))
    assert energy_kept(torch.ones(2), torch.zeros(4)) == math.inf


@given(st.integers(0, 10_000), st.floats(0.01, 100))
@settings(max_examples=50)
def test_relative_distance_is_symmetric_bounded_and_free_of_scale(seed, scale):
    a, b = draw(2, 3, 4, seed=seed).double(), draw(2, 3, 4, seed=seed + 1).double()
    distance = relative_distance(a, b)
    assert 0 < distance <= 2
    assert relative_distance(b, a) == distance
    assert relative_distance(scale * a, scale * b) == pytest.approx(distance)
    assert relative_distance(a, a) == 0
    assert relative_distance(a, -a) == pytest.approx(2)


def test_relative_distance_of_maps_without_overlap_of_zeros_and_of_nan():
    assert relative_distance(torch.tensor([3.0, 0]), torch.tensor([0, 3.0])) == pytest.approx(
        math.sqrt(2)
    )
    assert relative_distance(torch.zeros(3), torch.zeros(3)) == 0
    assert math.isnan(relative_distance(torch.tensor([math.nan]), torch.ones(1)))
    with pytest.raises(ValueError, match=r"one shape.*\(3,\) and \(4,\)"):
        relative_distance(torch.zeros(3), torch.zeros(4))


def test_distance_table_has_each_pair_once_and_in_order():
    maps = {name: draw(2, 4, 4, seed=i) for i, name in enumerate(["max", "average", "hybrid"])}
    table = distance_table(maps)
    assert list(table) == [("max", "average"), ("max", "hybrid"), ("average", "hybrid")]
    for (a, b), distance in table.items():
        assert distance == relative_distance(maps[a], maps[b])


@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("make", [draw, with_ties])
def test_winners_and_ties_equal_nested_loops(window, make):
    feature_map = make(2, 7, 9)
    checked = check_window(**window)
    winners, ties = window_winners(feature_map, checked), winner_ties(feature_map, checked)
    expected = F.max_pool2d(
        feature_map,
        window["kernel_size"],
        window.get("stride"),
        window.get("padding", 0),
        ceil_mode=window.get("ceil_mode", False),
    )
    assert winners.shape == ties.shape == expected.shape
    for channel, plane in enumerate(feature_map):
        for row, column, cells in windows_of(plane, **window):
            best = max(cells.values())
            tied = [place for place, value in cells.items() if value == best]
            assert winners[channel, row, column] == tied[0]
            assert ties[channel, row, column] == len(tied)


@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_contrast_equals_nested_loops(window):
    feature_map = draw(2, 7, 9)
    contrast = window_contrast(feature_map, check_window(**window))
    for channel, plane in enumerate(feature_map):
        for row, column, cells in windows_of(plane, **window):
            expected = max(cells.values()) - sum(cells.values()) / len(cells)
            assert contrast[channel, row, column].item() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("measure", [window_winners, winner_ties, window_contrast])
def test_any_leading_dimensions_and_layouts_give_the_same(measure):
    feature_map = with_ties(2, 3, 5, 6, 8)
    window = check_window(3, 2, 1)
    whole = measure(feature_map, window)
    assert whole.shape == (2, 3, 5, 3, 4)
    for i, j in product(range(2), range(3)):
        assert torch.equal(whole[i, j], measure(feature_map[i, j], window))
    assert torch.equal(whole[1, 2, 4], measure(feature_map[1, 2, 4], window))
    channels_last = feature_map[0].to(memory_format=torch.channels_last)
    assert torch.equal(whole[0], measure(channels_last, window))


def test_infinities_and_nan_in_a_window():
    padded = check_window(2, padding=1)
    assert winner_ties(torch.full((2, 2), -math.inf), padded).tolist() == [[1, 1], [1, 1]]
    assert window_winners(torch.full((2, 2), -math.inf), 2).tolist() == [[0]]
    with_nan = torch.tensor([[1.0, math.nan], [math.nan, 5.0]])
    assert winner_ties(with_nan, 2).tolist() == [[0]]
    assert window_winners(with_nan, 2).tolist() == [[2]]
    assert window_contrast(with_nan, 2).isnan().all()


def test_contrast_of_equal_cells_is_never_below_zero():
    for dtype in (torch.float16, torch.bfloat16, torch.float32):
        even = torch.full((9, 9), 0.1, dtype=dtype)
        assert (window_contrast(even, check_window(3, 2, 1)) >= 0).all()


def test_rounding_makes_no_winner_and_no_spread():
    """A picture of one colour, as it comes out of a filter: equal but for rounding."""
    generator = torch.Generator().manual_seed(0)
    flat = torch.tensor([0.6, 0.0, 0.3])[:, None, None] + 5e-7 * torch.rand(
        3, 8, 8, generator=generator
    )
    assert (winner_ties(flat, 2) == 1).any()
    assert (clear_winners(flat, 2) == TIE).all()
    assert not changed_cells(flat, flat.flip(-1), negligible(flat)).any()
    assert example_cell(flat, 2)[0] == 0
    clear = flat.clone()
    clear[1, 0, 1] = 1e-4
    assert clear_winners(clear, 2)[1, 0, 0] == 1
    assert (clear_winners(clear, 2) != TIE).sum() == 1
    assert changed_cells(flat, clear, negligible(flat, clear)).sum() == 1


def test_what_is_negligible_is_counted_in_the_range_of_all_channels_and_zero():
    assert negligible(torch.zeros(2, 3, 3)) == 0
    assert negligible(torch.full((2, 2), -4.0)) == pytest.approx(4e-5)
    assert negligible(torch.tensor([-1.0, math.nan]), torch.tensor([3.0, math.inf])) == (
        pytest.approx(4e-5)
    )


def test_shares_that_differ_by_rounding_are_alike():
    assert alike(0.25, 0.25 + 1e-7)
    assert alike(math.nan, math.nan)
    assert alike(math.inf, math.inf)
    assert not alike(math.inf, 1.0)
    assert not alike(math.nan, 0.0)
    assert not alike(0.0123, 0.0124)


def test_the_example_cell_prefers_a_busy_channel_to_flat_ramp_dot_and_rounding():
    ramp = torch.arange(64.0).reshape(8, 8) / 63
    dot = torch.zeros(8, 8)
    dot[3, 3] = 1
    busy = with_ties(8, 8)
    busy[:4] = 0
    rounding = 1e-7 * with_ties(8, 8)
    assert window_contrast(rounding, 2).sum() * 1e7 > window_contrast(busy, 2).sum()
    feature_map = torch.stack([torch.ones(8, 8), ramp, dot, rounding, busy])
    channel, row, column = example_cell(feature_map, 2)
    assert channel == 4
    contrast = window_contrast(feature_map, 2)[4]
    assert contrast[row, column] == contrast.max()


def test_the_example_cell_does_not_depend_on_the_scale_of_channels():
    feature_map = draw(4, 8, 8)
    before = example_cell(feature_map, 2)
    assert example_cell(feature_map * torch.tensor([1.0, 0.5, 2.0, 0.25])[:, None, None], 2) == (
        before
    )


@given(
    st.integers(0, 10_000),
    st.sampled_from(WINDOWS),
    st.floats(0, 1),
    st.sampled_from([torch.float32, torch.float16]),
)
@settings(max_examples=60)
def test_the_example_cell_never_opens_on_zeros(seed, window, sparsity, dtype):
    random = torch.Generator().manual_seed(seed)
    feature_map = torch.randn(3, 6, 7, generator=random)
    feature_map[torch.rand(3, 6, 7, generator=random) < sparsity] = 0
    feature_map = feature_map.to(dtype)
    channel, row, column = example_cell(feature_map, check_window(**window))
    windows = {(r, c): cells for r, c, cells in windows_of(feature_map[channel], **window)}
    reached = [
        any(cells.values()) for plane in feature_map for _, _, cells in windows_of(plane, **window)
    ]
    assert any(windows[row, column].values()) == any(reached)


def test_the_example_cell_without_contrast_takes_what_is_furthest_from_zero():
    feature_map = torch.zeros(2, 4, 6)
    feature_map[1, 2:, 2:4] = -7
    assert example_cell(feature_map, 2) == (1, 1, 1)
    assert example_cell(torch.zeros(2, 4, 6), 2) == (0, 0, 0)
    assert example_cell(torch.arange(6.0).reshape(1, 2, 3), 1) == (0, 1, 2)


def test_the_example_cell_passes_over_nan_and_refuses_other_shapes():
    feature_map = torch.full((2, 4, 4), math.nan)
    feature_map[1, 0, 3] = 1
    assert example_cell(feature_map, 2) == (1, 0, 1)
    for shape in [(4, 4), (1, 2, 4, 4), (0, 4, 4)]:
        with pytest.raises(ValueError, match=r"\(C, H, W\)"):
            example_cell(torch.zeros(shape), 2)


@pytest.mark.parametrize(
    ("window", "words"),
    [
        ({"kernel_size": 0}, "kernel_size must be one integer or two, each at least 1"),
        ({"kernel_size": 2.0}, "kernel_size must be"),
        ({"kernel_size": (2, 2, 2)}, "kernel_size must be"),
        ({"kernel_size": 2, "stride": 0}, "stride must be"),
        ({"kernel_size": 2, "padding": -1}, "padding must be one integer or two, each at least 0"),
        ({"kernel_size": 3, "padding": 2}, "at most half of kernel_size"),
        ({"kernel_size": 5}, "does not fit into an input of 4 by 4"),
    ],
)
@pytest.mark.parametrize("measure", [window_winners, winner_ties, window_contrast, example_cell])
def test_impossible_windows_are_refused(measure, window, words):
    with pytest.raises(ValueError, match=words):
        measure(torch.ones(1, 4, 4), check_window(**window))


def test_a_window_larger_than_the_map_is_fine_in_ceil_mode():
    window = check_window(4, ceil_mode=True)
    assert window_winners(torch.tensor([[1.0, 2], [4, 3]]), window).tolist() == [[4]]


def test_what_is_no_feature_map_is_refused():
    with pytest.raises(TypeError, match=r"floating point.*int64"):
        window_winners(torch.ones(4, 4, dtype=torch.int64), 2)
    for shape in [(4,), (0, 4, 4)]:
        with pytest.raises(ValueError, match="shape is"):
            window_contrast(torch.ones(shape), 2)


def wave(height, width, rows, columns, down=0.0, right=0.0):
    """A cosine with so many cycles along rows and columns, its content moved down and right."""
    y = torch.arange(height, dtype=torch.float64)[:, None] - down
    x = torch.arange(width, dtype=torch.float64) - right
    return torch.cos(2 * math.pi * (rows * y / height + columns * x / width) + 0.3)


def test_relative_change_of_a_batch_equals_one_by_one():
    clean, changed = draw(4, 5, 6), draw(2, 3, 4, 5, 6, seed=1)
    whole = relative_change(clean, changed)
    assert whole.shape == (2, 3)
    for i, j in product(range(2), range(3)):
        expected = (changed[i, j] - clean).norm() / clean.norm()
        assert whole[i, j].item() == pytest.approx(expected.item(), rel=1e-5)
    channels = relative_change(clean, changed, map_dims=2)
    assert channels.shape == (2, 3, 4)
    assert channels[1, 2, 3] == relative_change(clean[3], changed[1, 2, 3])


@given(st.integers(0, 10_000), st.floats(0.01, 100))
@settings(max_examples=30)
def test_relative_change_knows_no_scale_and_grows_with_the_change(seed, scale):
    clean, noise = draw(2, 3, 4, seed=seed).double(), draw(2, 3, 4, seed=seed + 1).double()
    change = relative_change(clean, clean + noise)
    assert relative_change(scale * clean, scale * (clean + noise)) == pytest.approx(change.item())
    assert relative_change(clean, clean + 2 * noise) == pytest.approx(2 * change.item())


def test_relative_change_of_zeros_and_nan():
    zeros = torch.zeros(1, 2, 2)
    assert relative_change(zeros, zeros) == 0
    assert relative_change(zeros, zeros + 1) == math.inf
    assert relative_change(zeros + 1, zeros + math.nan).isnan()


def test_largest_change_of_a_batch():
    clean, changed = draw(4, 5, 6), draw(3, 4, 5, 6, seed=1)
    largest = largest_change(clean, changed)
    assert largest.tolist() == pytest.approx(
        [max((c - clean).abs().flatten().tolist()) for c in changed], rel=1e-6
    )
    assert largest_change(clean, changed, map_dims=2).shape == (3, 4)
    assert largest_change(clean, clean) == 0
    assert largest_change(clean, clean * math.nan).isnan()


def test_changed_cells():
    clean = torch.tensor([1.0, 1.0, math.nan, math.nan, 2.0, math.inf, math.inf])
    changed = torch.tensor([1.0, 1.25, math.nan, 3.0, math.nan, math.inf, 0.0])
    expected = [False, True, False, True, True, False, True]
    assert changed_cells(clean, changed).tolist() == expected
    expected[1] = False
    assert changed_cells(clean, changed, tolerance=0.25).tolist() == expected
    assert changed_cells(clean[:2], torch.stack([clean[:2], changed[:2]])).sum() == 1
    for tolerance in (-1.0, math.nan):
        with pytest.raises(ValueError, match="tolerance must be 0 or more"):
            changed_cells(clean, changed, tolerance)


@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("blend_weight", [0.0, 0.3, 1.0])
def test_gradient_shares_equal_nested_loops(window, blend_weight):
    feature_map = with_ties(2, 7, 9)
    expected = torch.zeros(2, 7, 9)
    kernel, pad = pair(window["kernel_size"]), pair(window.get("padding", 0))
    step = pair(window.get("stride") or kernel)
    for channel, plane in enumerate(feature_map):
        for row, column, cells in windows_of(plane, **window):
            winner = max(cells, key=lambda place: (cells[place], -place))
            for place in cells:
                i, j = divmod(place, kernel[1])
                y, x = row * step[0] - pad[0] + i, column * step[1] - pad[1] + j
                share = blend_weight * (place == winner) + (1 - blend_weight) / len(cells)
                expected[channel, y, x] += share
    shares = gradient_shares(feature_map, blend_weight, check_window(**window))
    torch.testing.assert_close(shares, expected)


def test_gradient_of_one_cell_sums_to_one_and_stays_in_its_window():
    feature_map = draw(3, 8, 8)
    upstream = torch.zeros(3, 4, 4)
    upstream[1, 2, 3] = 1
    weights = torch.tensor([0.1, 0.7, 0.9])[:, None, None]
    shares = gradient_shares(feature_map, weights, check_window(3, 2, 1), upstream=upstream)
    assert shares.sum().item() == pytest.approx(1)
    assert shares[1, 3:6, 5:8].min().item() == pytest.approx(0.3 / 9)
    assert shares.max().item() == pytest.approx(0.7 + 0.3 / 9)
    assert shares.count_nonzero() == 9


def test_padding_never_counts_in_the_averages_of_the_measures():
    feature_map = draw(2, 6, 6)
    window = check_window(3, 2, 1)
    counting = window._replace(count_include_pad=True)
    for measure in (window_contrast, example_cell):
        assert torch.equal(*(torch.as_tensor(measure(feature_map, w)) for w in (window, counting)))
    assert gradient_shares(feature_map, 0.0, counting).sum().item() == pytest.approx(2 * 9)


def test_gradient_shares_work_where_gradients_are_switched_off():
    feature_map = draw(2, 4, 4)
    expected = gradient_shares(feature_map, 0.5, 2)
    with torch.no_grad():
        assert torch.equal(gradient_shares(feature_map, 0.5, 2), expected)
    with torch.inference_mode():
        inside = feature_map.double() * 1
        upstream = inside.new_ones(2, 2, 2)
        shares = gradient_shares(inside, torch.tensor(0.5), 2, upstream=upstream)
    assert torch.equal(shares.float(), expected)


@pytest.mark.parametrize(("rows", "columns"), [(0, 0), (1, 0), (-1, 2), (3, -2), (-2, -3)])
def test_align_lays_the_same_content_over_each_other(rows, columns):
    world = draw(2, 20, 22)
    before, after = world[:, 5:15, 5:17], world[:, 5 - rows : 15 - rows, 5 - columns : 17 - columns]
    a, b = align(before, after, rows, columns)
    assert torch.equal(a, b)
    assert a.shape == (2, 10 - abs(rows), 12 - abs(columns))
    around = align(before, before.roll((rows, columns), (-2, -1)), rows, columns, "circular")
    assert torch.equal(*around)


@pytest.mark.parametrize(
    ("shift", "whole"), [(0.5, 0), (0.51, 1), (1.25, 1), (1.5, 1), (-0.5, 0), (-0.75, -1)]
)
def test_align_crops_by_the_nearest_whole_cell(shift, whole):
    before, after = draw(4, 8), draw(4, 8, seed=1)
    expected = align(before, after, 0, whole)
    for got, wanted in zip(align(before, after, 0, shift), expected, strict=True):
        assert torch.equal(got, wanted)


@pytest.mark.parametrize(("height", "width"), [(8, 10), (7, 9), (8, 9)])
def test_align_moves_a_wave_back_by_fractions_of_a_cell(height, width):
    before = wave(height, width, 2, 3) + 5
    after = wave(height, width, 2, 3, down=0.4, right=-1.7) + 5
    a, b = align(before, after, 0.4, -1.7, mode="circular")
    torch.testing.assert_close(a, b, atol=1e-12, rtol=0)


def test_align_refuses():
    with pytest.raises(ValueError, match="'mirror'"):
        align(torch.ones(4, 4), torch.ones(4, 4), 0, 0, mode="mirror")
    with pytest.raises(ValueError, match="leaves nothing"):
        align(torch.ones(4, 4), torch.ones(4, 4), 4, 0)
    with pytest.raises(ValueError, match="one shape"):
        align(torch.ones(4, 4), torch.ones(4, 5), 0, 0)


@pytest.mark.parametrize("pool", [F.max_pool2d, F.avg_pool2d])
def test_a_shift_by_the_stride_shifts_the_pooled_map(pool):
    picture = draw(3, 12, 12)
    shifted = picture.roll((2, -4), (-2, -1))
    assert torch.equal(*align(pool(picture, 2), pool(shifted, 2), 1, -2, "circular"))
    assert torch.equal(*align(pool(picture, 2), pool(shifted, 2), 1, -2))
    half = align(pool(picture, 2), pool(picture.roll(1, -1), 2), 0, 0.5)
    assert relative_change(*half) > 0.1


def test_average_pooling_carries_a_coarse_wave_along_by_half_a_cell_and_max_does_not():
    picture, shifted = wave(32, 32, 3, 2)[None], wave(32, 32, 3, 2, down=1)[None]
    distances = [
        relative_change(*align(pool(picture, 2), pool(shifted, 2), 0.5, 0, "circular")).item()
        for pool in (F.avg_pool2d, F.max_pool2d)
    ]
    assert distances[0] < 1e-12
    assert distances[1] > 1e-3
