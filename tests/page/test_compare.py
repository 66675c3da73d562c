"""Clean beside changed: what the browser gets gives PyTorch's numbers at every blend weight."""

import json
import struct
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from hybridpool.functional import hybrid_pool2d
from hybridpool.measure import changed_cells, largest_change, negligible, relative_change
from hybridpool.pictures.gallery import gallery_image
from hybridpool.pictures.image import fit_image
from hybridpool.pictures.perturb import NOISES
from hybridpool.sensitivity import Comparison, Perturbation, compare_traces, expected_maximum
from hybridpool.stem import load_stem
from hybridpool.trace import Settings, Trace, run_poolings, run_stem
from hybridpool.ui.browser import rows as compare
from hybridpool.ui.browser.rows import Rows
from hybridpool.ui.browser.words import is_learned, rows_words
from hybridpool.ui.settings import ResolvedView
from hybridpool.viz.palette import diverging
from hybridpool.viz.sensitivity_charts import winner_colours

CPU = torch.device("cpu")
WINDOWS: list[dict[str, Any]] = [
    {},
    {"kernel_size": 3, "padding": 1},
    {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True},
]
DONE = [
    Perturbation(level=0.2),
    Perturbation(noise="salt", level=0.05),
    Perturbation(kind="occlusion"),
    Perturbation(kind="occlusion", shape="disc", fill="black", top=0, left=0),
]
WEIGHTS = [0.0, 0.3, 0.77, 1.0]
SHOWN = ResolvedView(0.5, 2, 1, 1, False, "channel")


@cache
def traces(done: Perturbation, window: int = 0, picture: str = "coins") -> tuple[Trace, Trace]:
    settings = Settings(picture=picture, image_size=64, **WINDOWS[window])
    image, stem = fit_image(gallery_image(picture), 64), load_stem("filters")
    clean, changed = (
        run_poolings(run_stem(each, stem, CPU), settings) for each in (image, done.apply(image))
    )
    return clean, changed


def packed(done: Perturbation, window: int = 0) -> bytes:
    return compare.pack(Rows(compared(done, window), SHOWN, "coins", {}, done))


def compared(done: Perturbation, window: int = 0) -> Comparison:
    clean, changed = traces(done, window)
    size = clean.features.image.shape[-2], clean.features.image.shape[-1]
    return compare_traces(clean, changed, done.mask(size) if done.kind == "occlusion" else None)


def decode(message: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    (length,) = struct.unpack_from("<I", message)
    header = json.loads(message[4 : 4 + length])
    shapes = {"palette": [256, 3], "diverging": [256, 3], "winner_palette": [-1, 3]}
    pooled = header.get("pooled_shape", [-1])
    image = [*header["image_shape"], 3] if "image_shape" in header else [-1]
    shapes |= {f"image_{side}": image for side in ("clean", "changed")}
    shapes["reached"] = pooled[1:]
    arrays = {}
    for name, at in header["arrays"].items():
        start = 4 + length + at["offset"]
        raw = np.frombuffer(message[start : start + at["bytes"]], at["dtype"])
        arrays[name] = raw.reshape(shapes.get(name, pooled))
    return header, arrays


def hybrid(trace: Trace, weight: float) -> Tensor:
    return hybrid_pool2d(trace.feature_map, weight, **trace.settings.window)


def energy(products: list[list[float]], weight: float) -> Tensor:
    """As ``relative`` in rows.js: the squared norm of each channel's blend."""
    mm, ma, aa = torch.tensor(products, dtype=torch.float64).T
    return weight**2 * mm + 2 * weight * (1 - weight) * ma + (1 - weight) ** 2 * aa


# ---- the message -------------------------------------------------------------------------------


@pytest.mark.parametrize("window", range(len(WINDOWS)))
@pytest.mark.parametrize("done", DONE)
def test_maps_of_both_pictures_arrive_within_half_a_step_of_their_range(
    done: Perturbation, window: int
) -> None:
    clean, changed = traces(done, window)
    header, arrays = decode(packed(done, window))
    for side, trace in (("clean", clean), ("changed", changed)):
        low, high = (np.array(header["steps"][side][end])[:, None, None] for end in ("low", "high"))
        step = (high - low) / 65535
        for name in ("max", "average"):
            exact = trace.pooled[name].double().numpy()
            error = np.abs(low + arrays[f"{side}_{name}"] * step - exact)
            assert (error <= 0.51 * step + 1e-7).all()
    ends = [
        np.array([pick(trace.pooled[name].flatten(1).numpy(), 1) for name in ("max", "average")])
        for pick in (np.min, np.max)
        for trace in (clean, changed)
    ]
    assert header["low"] == np.concatenate(ends[:2]).min(0).tolist()
    assert header["high"] == np.concatenate(ends[2:]).max(0).tolist()


def test_what_follows_the_hand_travels_without_what_stays() -> None:
    done = Perturbation(level=0.2)
    rows = Rows(compared(done), SHOWN, "coins", {"word": "kept"}, done, "named")
    (header, arrays), (small, few) = (
        decode(pack(rows)) for pack in (compare.pack, compare.pack_change)
    )
    assert set(few) == {
        "changed_max",
        "changed_average",
        "image_changed",
        "winners_changed",
        "cells",
    }
    assert all(np.array_equal(few[name].ravel(), arrays[name].ravel()) for name in few)
    changing = set(small) - {"arrays", "steps"}
    assert all(small[name] == header[name] for name in changing)
    assert {"words", "names", "window", "key"} & changing == set()
    assert header["base"] == small["base"] == "named"
    assert len(compare.pack_change(rows)) < 0.6 * len(compare.pack(rows))


@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize("done", DONE)
def test_the_relative_change_at_every_blend_weight_is_that_of_hybrid_pool2d(
    done: Perturbation, weight: float
) -> None:
    clean, changed = traces(done)
    sums = compare.statistics(compared(done))
    moved, size = energy(sums["moved"], weight), energy(sums["size"], weight)
    before, after = hybrid(clean, weight), hybrid(changed, weight)
    by_channel = torch.where(moved > 0, (moved / size).sqrt(), 0)
    torch.testing.assert_close(
        by_channel, relative_change(before, after, map_dims=2), atol=2e-5, rtol=2e-5
    )
    whole = (moved.sum() / size.sum()).sqrt()
    torch.testing.assert_close(whole, relative_change(before, after), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("done", DONE)
def test_attention_and_largest_changes_are_the_layers_own(done: Perturbation) -> None:
    clean, changed = traces(done)
    sums = compare.statistics(compared(done))
    moved, size = (torch.tensor(sums[f"{name}_attention"]) for name in ("moved", "size"))
    expected = relative_change(clean.pooled["attention"], changed.pooled["attention"])
    assert (moved.sum() / size.sum()).sqrt().item() == pytest.approx(expected.item(), rel=1e-4)
    for name, largest in sums["largest"].items():
        expected = largest_change(clean.pooled[name], changed.pooled[name], map_dims=2)
        assert largest == pytest.approx(expected.tolist())


@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize("done", DONE)
def test_no_difference_leaves_the_range_of_its_colours(done: Perturbation, weight: float) -> None:
    clean, changed = traces(done)
    reach = torch.tensor(compare.statistics(compared(done))["reach"])[:, None, None]
    maps = [(hybrid(clean, weight), hybrid(changed, weight))]
    maps += [(clean.pooled[name], changed.pooled[name]) for name in clean.pooled]
    assert all(((after - before).abs() <= reach + 1e-6).all() for before, after in maps)


def test_zero_is_in_the_middle_of_the_colours_of_differences() -> None:
    table = diverging().astype(int)
    assert np.abs(table[127] - table[128]).max() <= 4
    assert table[127].min() > 235


@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize("done", DONE)
def test_the_bits_say_which_cells_of_a_blend_changed(done: Perturbation, weight: float) -> None:
    clean, changed = traces(done)
    _, arrays = decode(packed(done))
    bits = (1 if weight > 0 else 0) | (2 if weight < 1 else 0)
    rounding = 2 * negligible(*clean.pooled.values(), *changed.pooled.values())
    expected = changed_cells(hybrid(clean, weight), hybrid(changed, weight), rounding)
    marked = torch.from_numpy((arrays["cells"] & bits) > 0)
    # A change near rounding may be marked or not, and never one that is more.
    assert not (expected & ~marked).any()
    assert (marked & ~expected).double().mean() < 0.02
    attention = torch.from_numpy((arrays["cells"] & 4) > 0)
    pair = clean.pooled["attention"], changed.pooled["attention"]
    assert not (changed_cells(*pair, rounding) & ~attention).any()
    assert not (attention & ~changed_cells(*pair)).any()


def test_nothing_changed_is_said_with_zeros() -> None:
    nothing = Perturbation(level=0.0)
    header, arrays = decode(packed(nothing))
    assert not any(header["reach"])
    assert not arrays["cells"].any()
    assert not any(header["winners"]["changed"])


# ---- reach and winners -------------------------------------------------------------------------


def cells_that_see(mask: Tensor, trace: Trace) -> Tensor:
    """Slow and obvious: each pooled cell back to the pixels that it stands for."""
    kernel, stride, padding = trace.features.receptive_field
    settings = trace.settings
    rows, columns = trace.pooled["max"].shape[-2:]
    height, width = trace.feature_map.shape[-2:]
    seen = torch.zeros(rows, columns, dtype=torch.bool)
    for row in range(rows):
        for column in range(columns):
            top = row * settings.stride - settings.padding
            left = column * settings.stride - settings.padding
            for y in range(max(top, 0), min(top + settings.kernel_size, height)):
                for x in range(max(left, 0), min(left + settings.kernel_size, width)):
                    a, b = y * stride - padding, x * stride - padding
                    seen[row, column] |= mask[max(a, 0) : a + kernel, max(b, 0) : b + kernel].any()
    return seen


@pytest.mark.parametrize("window", range(len(WINDOWS)))
@pytest.mark.parametrize("done", DONE[2:])
def test_reach_is_every_cell_that_sees_the_occluder(done: Perturbation, window: int) -> None:
    clean, changed = traces(done, window)
    expected = cells_that_see(done.mask((clean.features.image.shape[-2], 64)), clean)
    found = compared(done, window).reached
    assert found is not None
    assert torch.equal(found, expected)
    assert 0 < found.sum() < found.numel()
    for name in ("max", "average", "hybrid"):
        cells = changed_cells(clean.pooled[name], changed.pooled[name])
        assert cells.any()
        assert not (cells & ~found).any(), name


def test_a_window_with_several_maxima_has_no_winner() -> None:
    clean, _ = traces(DONE[0])
    feature_map = torch.tensor([[[1.0, 2.0, 5.0, 5.0], [0.0, 0.0, 1.0, 5.0]]])
    features = replace(
        clean.features,
        feature_map=feature_map,
        channel_names=clean.features.channel_names[:1],
    )
    trace = run_poolings(features, Settings())
    seen = replace(SHOWN, channel=0)
    message = compare.pack(Rows(compare_traces(trace, trace), seen, "", {}))
    _, arrays = decode(message)
    assert arrays["winners_clean"].tolist() == [[[1, compare.NO_WINNER]]]


def test_a_clear_winner_that_now_ties_is_counted_and_the_words_say_so() -> None:
    """Of three windows one had a tie before, one ties now, and one keeps its winner."""
    features = traces(DONE[0])[0].features
    clean, changed = (
        run_poolings(
            replace(
                features,
                feature_map=torch.tensor([[[5.0, 5.0, 1.0, second, 3.0, 0.0], [0.0] * 6]]),
                channel_names=features.channel_names[:1],
            ),
            Settings(),
        )
        for second in (2.0, 1.0)
    )
    seen, words = replace(SHOWN, channel=0), rows_words()
    header, _ = decode(compare.pack(Rows(compare_traces(clean, changed), seen, "", words)))
    assert header["winners"] == {"windows": [2], "changed": [1]}
    assert header["words"]["winner_changed"] == "Another winner, or a tie"
    assert "had a tie before are not counted" in header["words"]["winner_note"]


@pytest.mark.parametrize("kernel", range(1, 9))
def test_every_place_of_a_window_has_a_colour_of_its_own(kernel: int) -> None:
    colours = winner_colours(kernel).astype(int)
    assert colours.shape == (kernel**2, 3)
    apart = np.abs(colours[:, None] - colours[None]).sum(-1)
    assert (apart[~np.eye(len(colours), dtype=bool)] >= 8).all()


# ---- facts that can be proved ------------------------------------------------------------------


def flat(value: float, noisy: Tensor) -> tuple[Trace, Trace]:
    """Traces of a flat feature map and of a noisy one, whatever stem they came from."""
    features = replace(traces(DONE[0])[0].features, feature_map=torch.full_like(noisy, value))
    settings = Settings()
    return (
        run_poolings(features, settings),
        run_poolings(replace(features, feature_map=noisy), settings),
    )


def test_gaussian_noise_on_a_flat_map_biases_max_by_a_known_share_of_sigma() -> None:
    generator = torch.Generator().manual_seed(0)
    clean, changed = flat(0.5, 0.5 + 0.1 * torch.randn(16, 512, 512, generator=generator))
    found = compare_traces(clean, changed)
    bias, relative = found.bias(2, 0.5), found.relative_change(0.5)
    assert bias["max"] == pytest.approx(expected_maximum(4), abs=0.01)
    assert bias["average"] == pytest.approx(0.0, abs=0.01)
    assert bias["hybrid"] == pytest.approx(expected_maximum(4) / 2, abs=0.01)
    assert relative["average"] < relative["hybrid"] < relative["max"]


def test_pepper_leaves_the_maximum_of_a_flat_map_as_it_is() -> None:
    grey = torch.full((16, 64, 64), 0.5)
    pepper = NOISES["pepper"].function(grey, 0.05, torch.Generator().manual_seed(0))
    clean, changed = flat(0.5, pepper)
    found = compare_traces(clean, changed)
    bias, relative = found.bias(2, 0.5), found.relative_change(0.5)
    assert 0 == relative["max"] < relative["hybrid"] < relative["average"]
    assert bias["average"] < bias["hybrid"] < bias["max"] == 0


@pytest.mark.parametrize(("stem", "where"), [("filters", "start"), ("cifar10-channel", "learned")])
def test_the_dial_goes_back_to_what_was_learned_or_to_the_start(stem: str, where: str) -> None:
    image = fit_image(gallery_image("coins"), 64)
    features = run_stem(image, load_stem(stem), torch.device("cpu"))
    clean = run_poolings(features, Settings(stem=stem, image_size=64, device="cpu"))
    words = rows_words(learned=is_learned(clean))
    assert words["restart"] == f"Back to {where} ({{weight}})"
