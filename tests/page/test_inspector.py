"""What is sent to the browser, and what a person takes home: the same numbers as PyTorch's."""

import ast
import subprocess
import sys
from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from hybridpool.functional import hybrid_pool2d
from hybridpool.measure import example_cell
from hybridpool.pictures.gallery import gallery_image
from hybridpool.pictures.image import fit_image, read_image
from hybridpool.stem import load_stem
from hybridpool.trace import Features, Settings, Trace, maps_at, run_poolings, run_stem
from hybridpool.ui.browser import inspector
from hybridpool.ui.browser.packing import quantised, rest
from hybridpool.ui.browser.words import inspector_words
from hybridpool.ui.explore import downloads
from hybridpool.ui.explore.script import reproduction_script
from hybridpool.ui.settings import ResolvedView, View
from hybridpool.viz.palette import POOLING_COLOURS, sequential
from tests.shown import decode_message

ROOT = Path(__file__).resolve().parents[2]
ASSETS = ROOT / "assets"
CPU = torch.device("cpu")
WINDOWS = [
    {},
    {"kernel_size": 3, "padding": 1},
    {"kernel_size": 3, "padding": 1, "ceil_mode": True},
    {"kernel_size": 5, "stride": 3, "padding": 2, "count_include_pad": True},
    {"kernel_size": 1, "stride": 1},
    {"kernel_size": 2, "stride": 5},
]


@cache
def features(picture: str = "coins", size: int = 64) -> Features:
    return run_stem(fit_image(gallery_image(picture), size), load_stem("filters"), CPU)


def trace_of(feature_map: Tensor, **window: Any) -> Trace:
    """A trace of any feature map, whatever stem it came from."""
    around = replace(
        features(),
        feature_map=feature_map,
        channel_names=features().channel_names[:1] * len(feature_map),
    )
    return run_poolings(around, Settings(**window))


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


SHOWN = ResolvedView(0.5, 0, 0, 0, False, "channel")


def packed(trace: Trace, view: ResolvedView = SHOWN, caption: str = "") -> bytes:
    stem = load_stem("random", channels=len(trace.feature_map))
    return inspector.pack(inspector.Inspected(trace, view, caption, inspector_words(), stem))


# ---- the message -------------------------------------------------------------------------------


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("feature_map", [noise(8, 13, 18), 1e-4 * noise(8, 9, 9) - 3.0])
def test_maps_arrive_within_half_a_quantisation_step(
    feature_map: Tensor, window: dict[str, Any]
) -> None:
    found = trace_of(feature_map, **window)
    header, arrays = decode_message(packed(found))
    low, high = (np.array(header[end])[:, None, None] for end in ("low", "high"))
    step = (high - low) / 65535
    for name, values in [("input", feature_map), *found.pooled.items()]:
        if name in arrays:
            decoded = low + arrays[name] * step
            error = np.abs(decoded - values.double().numpy())
            assert (error <= 0.5 * step * (1 + 1e-2) + 1e-7 * np.abs(low)).all(), name


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("weight", [0.0, 0.3, 0.77, 1.0])
def test_the_browsers_blend_is_hybrid_pool2d(weight: float, window: dict[str, Any]) -> None:
    feature_map = noise(8, 12, 15, seed=3)
    found = trace_of(feature_map, **window)
    header, arrays = decode_message(packed(found))
    low, high = (np.array(header[end])[:, None, None] for end in ("low", "high"))
    average, maximum = (arrays[name].astype(float) for name in ("average", "max"))
    blended = low + (average + weight * (maximum - average)) * (high - low) / 65535
    expected = hybrid_pool2d(feature_map, weight, **found.settings.window)
    assert np.abs(blended - expected.numpy()).max() <= ((high - low) / 65535).max()


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.sampled_from(WINDOWS), st.sampled_from([0.0, 0.5, 3.0]))
def test_the_quantised_maximum_is_one_of_the_windows_quantised_values(
    seed: int, window: dict[str, Any], spread: float
) -> None:
    """So the page can ring the winner by comparing whole numbers, ties included."""
    feature_map = (noise(2, 9, 11, seed=seed) * spread).round(decimals=1)
    found = trace_of(feature_map, **window)
    _, arrays = decode_message(packed(found))
    quantised = torch.from_numpy(arrays["input"].astype(np.float32))
    shape = {name: value for name, value in found.settings.window.items() if "count" not in name}
    expected = torch.nn.functional.max_pool2d(quantised, **shape)
    assert torch.equal(torch.from_numpy(arrays["max"].astype(np.float32)), expected)


def test_a_channel_of_one_value_has_no_range_to_divide_by() -> None:
    header, arrays = decode_message(packed(trace_of(torch.full((2, 6, 6), 1.5))))
    assert header["low"] == header["high"] == [1.5, 1.5]
    assert not any(arrays[name].any() for name in ("input", "max", "average"))


@pytest.mark.parametrize("window", WINDOWS)
def test_the_header_describes_the_maps(window: dict[str, Any]) -> None:
    found = run_poolings(features(), Settings(blend_weight=0.35, **window))
    seen = ResolvedView(0.8, 3, 4, 5, True, "all")
    header, arrays = decode_message(packed(found, seen, "CPU, at once"))
    chosen = found.settings
    assert header["input_shape"] == list(found.feature_map.shape)
    assert header["pooled_shape"] == list(found.pooled["hybrid"].shape)
    assert header["window"] == {
        "kernel": chosen.kernel_size,
        "stride": chosen.stride,
        "padding": chosen.padding,
        "ceilMode": chosen.ceil_mode,
        "countPad": chosen.count_include_pad,
    }
    places = {name: header["stem"][name] for name in ("kernel", "stride", "padding")}
    assert places == {"kernel": 7, "stride": 2, "padding": 3}
    assert header["start"] == pytest.approx([0.35] * header["input_shape"][0])
    assert header["view"] == {
        "weight": 0.8, "channel": 3, "row": 4, "column": 5, "pinned": True, "scope": "all",
        "clipped": False, "difference": False, "left": "", "right": "", "divider": 50, "beside": "",
    }  # fmt: skip
    assert header["caption"] == "CPU, at once"
    assert header["colours"] == POOLING_COLOURS
    assert header["names"] == [str(name) for name in found.features.channel_names]
    np.testing.assert_allclose(header["attention"], found.attention.numpy(), rtol=1e-6)
    np.testing.assert_array_equal(arrays["palette"], sequential())
    shown = arrays["image"].transpose(2, 0, 1) / 255
    assert np.abs(shown - found.features.image.numpy()).max() <= 0.5 / 255 + 1e-6


def test_the_message_stays_the_same_for_the_same_trace() -> None:
    found = run_poolings(features(), Settings())
    assert packed(found) == packed(found)


def test_each_channel_opens_on_the_cell_where_max_and_average_differ_most() -> None:
    found = run_poolings(features(), Settings(kernel_size=3, padding=1))
    contrast = found.pooled["max"] - found.pooled["average"]
    for channel, (row, column) in enumerate(inspector.example_cells(found)):
        assert contrast[channel, row, column] == contrast[channel].max()


# ---- what is looked at -------------------------------------------------------------------------


@pytest.fixture
def looking() -> Any:
    def at(view: View, found: Trace) -> ResolvedView:
        return inspector.resolved_view(found, view)

    return at


@pytest.mark.parametrize("picture", ["coins", "horse", "stars", "checks"])
def test_the_first_view_is_the_example_cell_and_never_all_zeros(looking: Any, picture: str) -> None:
    found = run_poolings(features(picture), Settings(blend_weight=0.4))
    seen = looking(View(), found)
    assert (seen.channel, seen.row, seen.column) == example_cell(found.feature_map, 2)
    assert found.pooled["max"][seen.channel, seen.row, seen.column] > 0
    assert seen.weight == pytest.approx(0.4)
    assert not seen.pinned


@given(
    view=st.builds(
        View,
        weight=st.none() | st.floats(0, 1),
        channel=st.none() | st.integers(0, 10**9),
        row=st.integers(0, 10**9),
        column=st.integers(0, 10**9),
        pinned=st.booleans(),
    )
)
def test_whatever_a_link_looks_at_lies_inside_the_maps(view: View) -> None:
    found = run_poolings(features(), Settings())
    channels, rows, columns = found.pooled["max"].shape
    seen = inspector.resolved_view(found, view)
    assert 0 <= seen.channel < channels
    assert 0 <= seen.row < rows
    assert 0 <= seen.column < columns
    assert seen.weight == (0.5 if view.weight is None else view.weight)
    if view.pinned:
        assert (seen.row, seen.column) == (min(view.row, rows - 1), min(view.column, columns - 1))


# ---- words -------------------------------------------------------------------------------------


# ---- what a person takes home ------------------------------------------------------------------


@pytest.mark.parametrize("weight", [0.5, 0.3, 0.0, 1.0])
def test_the_hybrid_map_follows_the_dial(weight: float) -> None:
    found = run_poolings(features(), Settings(kernel_size=3, padding=1))
    maps = maps_at(found, weight)
    expected = torch.lerp(found.pooled["average"], found.pooled["max"], weight)
    torch.testing.assert_close(maps["hybrid"], expected)
    for name in ("max", "average", "attention"):
        assert maps[name] is found.pooled[name]


def test_the_hybrid_map_is_what_the_dial_says_also_for_a_trained_stem(looking: Any) -> None:
    """A trained stem may bring a blend weight of its own: dial, table and file must agree."""
    trained = replace(features(), pooling_state={"hybrid": {"weight": torch.tensor([2.0])}})
    found = run_poolings(trained, Settings())
    weight = looking(View(), found).weight
    torch.testing.assert_close(
        maps_at(found, weight)["hybrid"],
        torch.lerp(found.pooled["average"], found.pooled["max"], weight),
    )


def test_the_maps_file_holds_what_the_page_shows() -> None:
    found = run_poolings(features(), Settings(kernel_size=3, padding=1))
    file = np.load(
        BytesIO(downloads._npz(found, replace(SHOWN, weight=0.25))()), allow_pickle=False
    )
    assert file["blend_weight"] == 0.25
    expected: dict[str, Tensor] = {
        "image": found.features.image,
        "feature_map": found.feature_map,
        "attention_values": found.attention,
        "max": found.pooled["max"],
        "average": found.pooled["average"],
        "attention": found.pooled["attention"],
        "hybrid": hybrid_pool2d(found.feature_map, 0.25, 3, 2, 1),
    }
    assert set(file.files) == {*expected, "blend_weight"}
    for name, values in expected.items():
        assert file[name].dtype == np.float32
        np.testing.assert_array_equal(file[name], values.numpy())


def run_script(text: str, folder: Path) -> str:
    ast.parse(text)
    (folder / "hybrid_pooling.py").write_text(text, "utf-8")
    done = subprocess.run(
        [sys.executable, "hybrid_pooling.py"],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def expected_lines(found: Trace, seen: ResolvedView) -> list[str]:
    lines = [f"channel: {found.features.channel_names[seen.channel]}"]
    for name, values in maps_at(found, seen.weight).items():
        one = values[seen.channel]
        lines.append(f"{name:10} {one.min():.3f} to {one.max():.3f}, mean {one.mean():.3f}")
    return [*lines, f"attention value of the channel: {found.attention[seen.channel]:.3f}"]


def test_the_script_gives_the_numbers_of_a_gallery_picture(tmp_path: Path) -> None:
    chosen = Settings(
        picture="brick", image_size=96, stem="random", channels=8, seed=11,
        kernel_size=3, stride=2, padding=1, ceil_mode=True, blend_weight=0.5,
    )  # fmt: skip
    stem = load_stem("random", seed=11, channels=8)
    found = run_poolings(run_stem(fit_image(gallery_image("brick"), 96), stem, CPU), chosen)
    seen = replace(SHOWN, weight=0.85, channel=5)
    assert run_script(reproduction_script(found, seen), tmp_path).splitlines() == expected_lines(
        found, seen
    )


def test_the_script_gives_the_numbers_of_an_upload(tmp_path: Path) -> None:
    name = 'it\'s my "cat" \\ 猫.png'
    pixels = np.random.default_rng(5).integers(0, 256, (50, 70, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / name)
    image = read_image((tmp_path / name).read_bytes())
    chosen = Settings(picture="upload", image_size=64)
    found = run_poolings(run_stem(fit_image(image, 64), load_stem("filters"), CPU), chosen)
    seen = replace(SHOWN, weight=0.5, channel=15)
    assert run_script(
        reproduction_script(found, seen, name), tmp_path
    ).splitlines() == expected_lines(found, seen)


def test_the_script_carries_every_setting_that_decides_the_numbers() -> None:
    text = reproduction_script(run_poolings(features(), Settings()), SHOWN)
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    (made,) = (call for call in calls if getattr(call.func, "id", "") == "Settings")
    named = {keyword.arg for keyword in made.keywords}
    assert named == set(Settings.__dataclass_fields__) - {"picture", "device"}


def test_what_rounding_took_from_the_map_travels_too() -> None:
    values = torch.randn(3, 17, 9, generator=torch.Generator().manual_seed(0)) * 5
    arrays, ranges = quantised({"input": values})
    fine = rest(values, arrays["input"], ranges)
    low, high = (np.array(ranges[end]).reshape(-1, 1, 1) for end in ("low", "high"))
    back = low + (high - low) * (arrays["input"] + fine / 255 - 0.5) / 65535
    assert np.abs(back - values.numpy()).max() <= (high - low).max() / 65535 / 509
    flat = torch.full((1, 2, 2), 3.5)
    arrays, ranges = quantised({"input": flat})
    assert set(rest(flat, arrays["input"], ranges).flatten()) == {128}
