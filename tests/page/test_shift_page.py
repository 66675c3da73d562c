"""The page "Shift and frequency": maps, spectra, routes, sentences, the link, every control."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import streamlit as st
import torch
import torch.nn.functional as F
from PIL import Image
from streamlit.testing.v1 import AppTest

from hybridpool.layers import POOLINGS
from hybridpool.measure import gradient_shares
from hybridpool.more_poolings import MORE_POOLINGS
from hybridpool.pictures.gallery import gallery_image
from hybridpool.pictures.image import fit_image
from hybridpool.sensitivity import Comparison, Study, compare_shifted, shift_curve
from hybridpool.sensitivity.frequency import (
    SHARES,
    gradient_maps,
    pool,
    spectrum_of,
    spread_of,
)
from hybridpool.sensitivity.shifts import MODES, REACH
from hybridpool.sensitivity.study import BANDS
from hybridpool.stem import ConvStem, load_stem
from hybridpool.trace import Settings, Trace, run_poolings, run_stem
from hybridpool.ui import phrases
from hybridpool.ui.settings import ResolvedView
from hybridpool.ui.shift import frequency_sentences as frequency_findings
from hybridpool.ui.shift import rows as shift_compare
from hybridpool.ui.shift import sentences as shift_findings
from hybridpool.ui.shift import state as shift_state
from hybridpool.ui.shift import words as shift_words
from hybridpool.viz.frequency_charts import BAND_COLOURS, COLOURS, gradient_chart, shift_chart
from hybridpool.viz.palette import paint, sequential
from hybridpool.window import check_window
from tests import apps
from tests.apps import good, link_of
from tests.shown import parts_of

SMALL = {"size": "64", "stem": "filters", "picture": "coins", "lang": "en"}
NAMES = {"max": "Max", "average": "Average", "hybrid": "Hybrid", "blur": "Blur"}
IN_ENGLISH = (shift_findings, frequency_findings, phrases, shift_words)

pytestmark = pytest.mark.usefixtures("english")


@pytest.fixture(scope="module")
def stem() -> ConvStem:
    return load_stem("filters")


@pytest.fixture(scope="module")
def image() -> torch.Tensor:
    return fit_image(gallery_image("coins"), 64)


def traced(image: torch.Tensor, stem: ConvStem, **settings: object) -> Trace:
    chosen = Settings(image_size=64, device="cpu", **settings)
    return run_poolings(run_stem(image, stem, torch.device("cpu")), chosen)


def shifted(image: torch.Tensor, stem: ConvStem, chosen: Study, **settings: Any) -> Comparison:
    trace = traced(image, stem, **settings)
    more = partial(chosen.layers, trace.settings)
    return compare_shifted(trace, stem, chosen.rows, chosen.columns, mode=chosen.mode, more=more)


# ---- what is chosen, and the link --------------------------------------------------------------


@pytest.mark.parametrize(
    "chosen",
    [
        Study(),
        Study(-8, 8, "circular", "rows", ("blur", "soft"), 7, "high", "all", None, None, "picture"),
        Study(more=tuple(MORE_POOLINGS), row=3, column=0),
    ],
)
def test_a_link_restores_what_was_chosen(chosen: Study) -> None:
    assert shift_state.STATE.read(shift_state.STATE.query(chosen)) == chosen


@pytest.mark.parametrize(
    "parameters",
    [
        {"down": "99999999999999999999", "right": "-nan", "edge": "", "along": "depth"},
        {"more": "blur-blur-<b>-", "draw": "-3", "band": "none", "from": "-1", "on": "1"},
        {"from": "1-2-3", "gradient": "nobody", "down": "1e3"},
        {"from": "x-2"},
    ],
)
def test_a_link_can_ask_for_anything(parameters: dict[str, str]) -> None:
    found = shift_state.STATE.read(parameters)
    assert found == found.clamped()
    assert abs(found.rows) <= REACH
    assert found.mode in MODES
    assert found.row is None
    assert set(found.more) <= set(MORE_POOLINGS)


def test_everything_that_is_shown_has_a_name_and_a_colour() -> None:
    names = shift_words.all_names()
    assert set(names) == {"feature_map", "ideal", *POOLINGS, *MORE_POOLINGS} == set(COLOURS)
    assert len(set(names.values())) == len(names)
    assert set(shift_words.mode_notes()) == set(shift_words.mode_names()) == set(MODES)
    assert set(shift_words.band_names()) == set(BANDS)
    assert list(shift_words.share_names()) == list(SHARES) == list(BAND_COLOURS)


def test_bands_of_the_picture_add_up_to_it(image: torch.Tensor) -> None:
    mean = image.mean((-2, -1), keepdim=True)
    parts = [Study(band=band).filtered(image) - mean for band in ("low", "middle", "high")]
    torch.testing.assert_close(sum(parts) + mean, image, atol=1e-5, rtol=0)
    assert Study().filtered(image) is image


# ---- shifted maps ------------------------------------------------------------------------------


def test_around_the_edge_whole_steps_change_nothing_in_any_pooling(image, stem):
    more = ("blur", "lp", "soft")
    found = shifted(image, stem, Study(4, -8, "circular", more=more)).relative_change()
    assert set(found) == {*POOLINGS, *more}
    assert max(found.values()) < 1e-5


def test_the_curve_agrees_with_the_rows_for_every_pooling_shown(image, stem):
    chosen = Study(rows=-2, columns=0, axis="rows", more=("blur", "stochastic"), draw=3)
    rows = shifted(image, stem, chosen).relative_change()
    settings = traced(image, stem).settings
    more = partial(chosen.layers, settings)
    curve = shift_curve(image, stem, settings, axis="rows", more=more)
    assert set(rows) == {*POOLINGS, "blur", "stochastic"}
    for name, value in rows.items():
        line = curve.relative_change(name).tolist()
        assert len(line) == 2 * REACH + 1
        assert line[REACH] == 0
        assert line[REACH - 2] == pytest.approx(value)
        assert value > 0


def test_blur_minds_a_shift_by_half_a_cell_less_than_max(image, stem):
    chosen = Study(0, 2, "circular", more=("blur",))
    found = shifted(image, stem, chosen).relative_change()
    assert found["blur"] < 0.8 * found["max"]


def test_pictures_are_laid_over_each_other_as_the_maps_are(image, stem):
    found = shifted(image, stem, Study(4, -8))
    before, after = found.before.image, found.after.image
    assert torch.equal(before, after)
    # The views are 48 x 48 at most; a pooled cell sees 9 pixels, 4 a step, and none of a border.
    cells = [(side - 2 * REACH - 6) // 4 for side in image.shape[-2:]]
    expected = (cells[0] - 1, cells[1] - 2)
    assert tuple(found.before.pooled["max"].shape[1:]) == expected
    assert tuple(before.shape[1:]) == tuple(4 * (count - 1) + 9 for count in expected)


def test_a_picture_too_small_is_refused(stem):
    tiny = torch.rand(3, 16, 64, generator=torch.Generator().manual_seed(0))
    trace = traced(tiny, stem)
    with pytest.raises(ValueError, match="margin"):
        compare_shifted(trace, stem, 0, 1)
    settings = replace(trace.settings, stride=8, kernel_size=8)
    features = replace(trace.features, image=tiny[:, :8])
    wide = replace(trace, settings=settings, features=features)
    with pytest.raises(ValueError, match="one step"):
        compare_shifted(wide, stem, 0, 1, mode="circular")


# ---- the rows ----------------------------------------------------------------------------------


def test_the_message_frames_windows_of_the_real_size_and_says_before_and_after(image, stem):
    found = shifted(image, stem, Study(columns=4), kernel_size=3, padding=1)
    seen = ResolvedView(0.5, 2, 99, 99, True, "channel")
    st.session_state.clear()
    header, _ = parts_of(shift_compare.pack(found, seen, "coins"))
    # Cells that see nothing of a border have windows and filters without padding.
    assert header["window"] == {"kernel": 3, "stride": 2, "padding": 0}
    assert header["stem"] == {"kernel": 7, "stride": 2, "padding": 0}
    _, rows, columns = header["pooled_shape"]
    assert header["input_shape"][1:] == [2 * rows + 1, 2 * columns + 1]
    assert (header["view"]["row"], header["view"]["column"]) == (rows - 1, columns - 1)
    assert header["view"]["channel"] == 2
    assert (header["words"]["clean"], header["words"]["changed"]) == ("Before", "After")
    assert header["image_shape"] == list(found.before.image.shape[1:])
    assert header["image_shape"] == [2 * side + 5 for side in header["input_shape"][1:]]


def test_rows_of_further_poolings_are_true_cells_in_the_colours_of_the_rows_above(image, stem):
    found = shifted(image, stem, Study(columns=2, more=("soft",)))
    text = shift_compare.more_rows(found, 3, "channel")
    pictures = re.findall(r'src="data:image/png;base64,([^"]+)" alt="([^"]+)"', text)
    assert [alt for _, alt in pictures] == ["Soft, Before", "Soft, After", "Soft, Difference"]
    before, after = (
        side.pooled["soft"][3].double().numpy() for side in (found.before, found.after)
    )
    both = [
        side.pooled[name][3] for side in (found.before, found.after) for name in ("max", "average")
    ]
    low, high = min(x.min().item() for x in both), max(x.max().item() for x in both)
    for (data, _), values in zip(pictures[:2], (before, after), strict=True):
        painted = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
        assert np.array_equal(painted, paint(values, low, high, sequential()))
    change = np.linalg.norm(after - before) / np.linalg.norm(before)
    assert f"{100 * change:.1f} %" in text


# ---- spectra -----------------------------------------------------------------------------------


def test_pooled_maps_are_those_of_the_trace_and_dense_ones_hold_them(image, stem):
    trace = traced(image, stem, kernel_size=3, padding=1)
    chosen = Study(more=("blur", "lp", "soft"))
    for name in (*POOLINGS, *chosen.more):
        strided = pool(trace, chosen, name, None)
        dense = pool(trace, chosen, name, None, dense=True)
        torch.testing.assert_close(dense[:, ::2, ::2], strided)
        if name in POOLINGS:
            torch.testing.assert_close(strided, trace.pooled[name])


def test_the_power_over_the_plane_adds_up_to_the_variance(image, stem):
    trace = traced(image, stem)
    for name, stride in (("feature_map", 1), ("max", 2)):
        values = trace.feature_map if name == "feature_map" else trace.pooled[name]
        found = spectrum_of(trace, Study(), name, None)
        assert found.frequency[0] == pytest.approx(1 / (max(values.shape[-2:]) * stride))
        assert sum(found.shares) == pytest.approx(1)
        # White noise of variance 1 has a power of 1 at every frequency, whatever the stride.
    noise = torch.randn(64, 32, 32, generator=torch.Generator().manual_seed(0))
    white = replace(trace, feature_map=noise)
    found = spectrum_of(white, Study(), "feature_map", None)
    assert np.mean(found.power) == pytest.approx(1, rel=0.02)


def test_what_is_reduced_without_aliasing_aliases_nothing(image, stem):
    trace = traced(image, stem)
    assert spectrum_of(trace, Study(), "feature_map", None).aliased is None
    assert spectrum_of(trace, Study(), "ideal", None).aliased == 0
    found = {
        name: spectrum_of(trace, Study(more=("blur",)), name, None).aliased
        for name in ("max", "blur")
    }
    assert 0 < found["blur"] < found["max"]


def test_bands_are_the_same_waves_for_every_map(image, stem):
    """A wave of the feature map that every pooled map carries is in one band of all of them."""
    trace = traced(image, stem, kernel_size=2, stride=2)
    y = torch.arange(32.0)[:, None]
    for cycles, band in ((2, 0), (4, 1), (7, 2)):
        # So many cycles on 32 cells: the Nyquist frequency of the pooled map is 8 of them.
        wave = torch.cos(2 * torch.pi * cycles * y / 32).expand(1, 32, 32)
        here = replace(trace, feature_map=wave)
        for name in ("feature_map", "ideal", "average"):
            shares = spectrum_of(here, Study(), name, None).shares
            assert shares[band] == pytest.approx(1, abs=1e-6), (cycles, name)
    fine = replace(trace, feature_map=torch.cos(2 * torch.pi * 12 * y / 32).expand(1, 32, 32))
    assert spectrum_of(fine, Study(), "feature_map", None).shares[3] == pytest.approx(1)


def test_a_picture_of_one_colour_has_no_frequencies(stem):
    trace = traced(torch.full((3, 64, 64), 0.3), stem)
    for name in ("feature_map", "max"):
        assert all(np.isnan(share) for share in spectrum_of(trace, Study(), name, None).shares)


# ---- routes ------------------------------------------------------------------------------------


def test_the_gradient_of_one_cell_adds_up_to_one_and_is_shown_around_its_window(image, stem):
    trace = traced(image, stem)
    found = gradient_maps(trace, stem, image, 1, 0.25, (5, 6), False)
    for values in found.maps.values():
        assert values.sum().item() == pytest.approx(1)
    assert (found.maps["max"] > 0).sum() == 1
    window = found.maps["average"][10:12, 12:14]
    torch.testing.assert_close(window, torch.full((2, 2), 0.25))
    torch.testing.assert_close(
        found.maps["hybrid"], 0.25 * found.maps["max"] + 0.75 * found.maps["average"]
    )
    assert found.corner == (8, 10)
    assert found.part("max").shape == (6, 6)
    assert spread_of(found.maps["average"]) == (4, 2)


def test_the_gradient_on_the_picture_says_what_a_brighter_pixel_does(image, stem):
    trace = traced(image, stem)
    channel = int(trace.feature_map.flatten(1).mean(1).argmax())
    found = gradient_maps(trace, stem, image, channel, 0.5, None, True)
    row, column = divmod(int(found.maps["average"].abs().argmax()), image.shape[-1])
    step = 1e-3
    brighter = image.double().clone()
    brighter[:, row, column] += step
    double = load_stem("filters").double()

    def total(picture: torch.Tensor) -> float:
        with torch.no_grad():
            return F.avg_pool2d(double(picture), 2)[channel].sum().item()

    slope = (total(brighter) - total(image.double())) / step
    assert found.maps["average"][row, column].item() == pytest.approx(slope, rel=0.05)


def test_a_gradient_whose_colours_cancel_is_not_called_silent(stem):
    image = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(0))
    trace = traced(image, stem)
    opponent = [name.template for name in trace.features.channel_names].index("Red against green")
    found = gradient_maps(trace, stem, image, opponent, 0.5, None, True)
    assert found.cancels
    said = frequency_findings.spread(dict.fromkeys(NAMES, (0, 0)), 9, NAMES, cancels=True)
    assert "red, green and blue cancel" in said
    assert "silent" not in said
    # Nothing arrives where the map is zero, and nothing cancels on the feature map.
    black = torch.zeros_like(image)
    assert not gradient_maps(traced(black, stem), stem, black, opponent, 0.5, None, True).cancels
    assert not gradient_maps(trace, stem, image, opponent, 0.5, None, False).cancels
    assert not gradient_maps(trace, stem, image, 0, 0.5, None, True).cancels


def test_overlapping_windows_add_their_gradients(image, stem):
    trace = traced(image, stem, kernel_size=3, stride=1)
    found = gradient_maps(trace, stem, image, 0, 1.0, None, False)
    assert found.part("max").shape == trace.feature_map.shape[1:]
    torch.testing.assert_close(
        found.maps["max"], gradient_shares(trace.feature_map[0], 1.0, check_window(3, 1))
    )


# ---- sentences ---------------------------------------------------------------------------------


def test_a_shift_is_said_in_pixels_and_cells() -> None:
    assert shift_findings.moved(0, 0, (0, 0)).endswith("before and after are the same.")
    assert shift_findings.moved(0, -1, (0, -0.25)) == (
        "The picture moved 1 px to the left: 0.25 cells of the pooled map."
    )
    assert shift_findings.moved(0, 4, (0, 1.0)) == (
        "The picture moved 4 px to the right: 1 cell of the pooled map."
    )
    assert shift_findings.moved(4, 2, (1.0, 0.5)) == (
        "The picture moved 4 px down and 2 px to the right: 1 and 0.5 cells of the pooled map."
    )


@pytest.mark.parametrize(
    ("distances", "words"),
    [
        (
            {"max": 0.3, "average": 0.2, "blur": 0.1},
            "least in **Blur**, by 10 %, and most in **Max",
        ),
        ({"max": 0.1, "average": 0.2}, "least in **Max**, by 10 %, and most in **Average**"),
        ({"max": 0.3, "average": 0.3}, "same 30 % in every pooling"),
        ({"max": 0.0, "average": 0.0}, "exactly with the picture"),
        ({"max": 1e-7, "average": 0.0}, "exactly with the picture"),
        ({"max": 4e-4, "average": 0.0}, "differ by less than 0.05 % in every pooling"),
        ({"max": 0.3, "average": 0.2, "hybrid": 0.301}, "most in **Max and Hybrid**, by 30 %"),
    ],
)
def test_distances_are_ranked_by_their_numbers(distances, words) -> None:
    assert words in shift_findings.nearest_and_farthest(distances, NAMES)


@pytest.mark.parametrize(
    ("hybrid", "words"),
    [(0.25, "between"), (0.1, "less than both"), (0.4, "more than both"), (0.2, "one of its two")],
)
def test_the_place_of_hybrid_follows_the_numbers(hybrid, words) -> None:
    found = shift_findings.hybrid_between({"max": 0.3, "average": 0.2, "hybrid": hybrid})
    assert words in found
    alike = shift_findings.hybrid_between({"max": 0.2, "average": 0.2, "hybrid": 0.2})
    assert "as much as both of its parts, by 20 %" in alike
    assert shift_findings.hybrid_between({"max": 0.0, "average": 0.0, "hybrid": 1e-8}) == ""


def test_the_curve_is_summed_up_without_the_shift_by_nothing() -> None:
    curves = {"max": [0.4, 0, 0.2], "average": [0.1, 0, 0.3]}
    said = shift_findings.over_all([-1, 0, 1], curves, NAMES)
    assert "all 2 shifts **Average** differs least, by 20 % on average, and **Max** most" in said
    assert "At 1 of the 2 shifts no pooling differs less than **Average**." in said
    still = shift_findings.over_all([-1, 0, 1], {"max": [0, 0, 0]}, NAMES)
    assert still == "No shift changes any pooling."
    same = shift_findings.over_all([-1, 0, 1], {"max": [0.2, 0, 0.2], "blur": [0.2, 0, 0.2]}, NAMES)
    assert "same 20 %" in same


def test_ties_over_all_shifts_and_at_whole_steps_are_ties() -> None:
    curves = {"max": [0.2, 0, 0.2], "average": [0.2, 0, 0.2], "blur": [0.4, 0, 0.4]}
    said = shift_findings.over_all([-1, 0, 1], curves, NAMES)
    assert "**Max and Average** differ least, by 20 %" in said
    whole = shift_findings.whole_steps([-1, 0, 1], curves, NAMES, 1)
    assert "**Blur** by up to 40 %" in whole
    del curves["blur"]
    assert "**Max and Average** by up to" in shift_findings.whole_steps(
        [-1, 0, 1], curves, NAMES, 1
    )
    tiny = {"max": [1e-4, 0, 1e-4], "average": [2e-4, 0, 0]}
    assert "less than 0.05 %" in shift_findings.over_all([-1, 0, 1], tiny, NAMES)


def test_whole_steps_are_told_apart() -> None:
    shifts = [-2, -1, 0, 1, 2]
    still, moving = [0.0, 0.3, 0, 0.3, 0.0], [0.1, 0.3, 0, 0.3, 0.2]
    assert shift_findings.whole_steps(shifts, {"max": still}, NAMES, 3) == ""
    both = shift_findings.whole_steps(shifts, {"max": still, "blur": moving}, NAMES, 2)
    assert "Max differs by less than 0.05 %, **Blur** by up to 20 %" in both
    assert "all poolings move" in shift_findings.whole_steps(shifts, {"max": still}, NAMES, 2)
    assert "Even at" in shift_findings.whole_steps(shifts, {"max": moving}, NAMES, 2)


def test_high_frequencies_are_ranked_and_held_against_the_ideal() -> None:
    shares = {"max": (0.5, 0.2, 0.3), "average": (0.7, 0.2, 0.1), "ideal": (0.6, 0.2, 0.2)}
    said = frequency_findings.high_share(shares, NAMES)
    assert "in **Max**, 30 %, and the smallest in **Average**, 10 %" in said
    assert "without aliasing has 20 %; only these have more: Max." in said
    shares["ideal"] = (0.5, 0.1, 0.4)
    assert "no pooled map has more" in frequency_findings.high_share(shares, NAMES)
    shares = {"max": (0, 0, 0.251), "hybrid": (0, 0, 0.249), "average": (0, 0, 0.3)}
    said = frequency_findings.high_share(shares | {"ideal": (0, 0, 0.3)}, NAMES)
    assert "smallest in **Max and Hybrid**, 25 %" in said
    assert "no pooled map has more" in said
    shares["ideal"] = (0, 0, 0.2)
    shares["max"] = (float("nan"),) * 3
    assert "no frequencies" in frequency_findings.high_share(shares, NAMES)


def test_whether_hybrid_keeps_both_ends_is_read_off_the_shares() -> None:
    shares = {"max": (0.4, 0.3, 0.3), "average": (0.6, 0.3, 0.1), "hybrid": (0.5, 0.4, 0.05)}
    said = frequency_findings.both_ends(shares, 0.5)
    assert "blend weight 0.50" in said
    assert "is between max and average; its share of high ones is below both" in said
    shares["hybrid"] = (0.7, 0.0, 0.3)
    said = frequency_findings.both_ends(shares, None)
    assert "above both max and average; its share of high ones is level with one" in said
    assert "blend weight" not in said


def test_aliasing_is_ranked() -> None:
    said = frequency_findings.aliasing({"max": 0.2, "average": 0.05}, NAMES, 2)
    assert "strongest in **Max**: 20 %" in said
    assert "weakest in **Average**, with 5.0 %" in said
    assert "nothing can alias" in frequency_findings.aliasing({"max": 0.0}, NAMES, 1)
    assert "every pooling 20 %" in frequency_findings.aliasing({"max": 0.2}, NAMES, 2)
    assert frequency_findings.aliasing({"max": float("nan")}, NAMES, 2) == ""
    tie = {"max": 0.2, "hybrid": 0.2004, "average": 0.1}
    assert "strongest in **Max and Hybrid**" in frequency_findings.aliasing(tie, NAMES, 2)
    assert "1.41 times as fine" in frequency_findings.spectra_end(2)
    assert frequency_findings.spectra_end(1) == ""


def test_routes_are_counted() -> None:
    said = frequency_findings.spread({"max": (1, 1), "average": (4, 2)}, 100, NAMES)
    assert "**Max** reaches 1 of 100 cells." in said
    assert "**Average** reaches 4 of 100 cells; half of its gradient falls on 2." in said
    said = frequency_findings.spread({"max": (9, 3)}, 100, NAMES, pixels=True)
    assert said == "**Max** reaches 9 of 100 pixels; half of its gradient falls on 3."
    assert "silent" in frequency_findings.spread({"max": (0, 0)}, 100, NAMES)
    assert "**Max** reaches nothing." in frequency_findings.spread(
        {"max": (0, 0), "average": (4, 2)}, 100, NAMES
    )


@pytest.mark.parametrize(("present", "anchor"), [(-8, "left"), (0, "center"), (8, "right")])
def test_the_word_above_the_present_shift_stays_inside(present: int, anchor: str) -> None:
    words = dict.fromkeys(["max", "shift", "distance", "present", "shown"], "")
    figure = shift_chart([-8, 0, 8], {"max": [0, 0, 0]}, present, {"max": 0}, words)
    assert figure.layout.annotations[0].xanchor == anchor


def test_signed_gradients_have_colours_that_diverge_and_zeros_are_left_blank() -> None:
    words = dict.fromkeys(["row", "column", "gradient"], "")
    values = np.array([[0.0, 1.0]])
    plain = gradient_chart(values, (0, 0), 1, words).data[0]
    signed = gradient_chart(values, (0, 0), 1, words, signed=True).data[0]
    assert (plain.zmin, signed.zmin, signed.zmax) == (0, -1, 1)
    assert plain.colorscale != signed.colorscale
    assert list(plain.text[0]) == ["", "1"]


# ---- the page ----------------------------------------------------------------------------------


def opened(**link: str) -> AppTest:
    return apps.opened("pages/3_Shift_and_frequency.py", SMALL | link)


def run(app_or_control: Any) -> AppTest:
    return good(app_or_control.run())


def said(app: AppTest) -> str:
    return "\n".join(element.value for element in app.markdown)


def test_every_control_changes_what_is_said_and_the_link() -> None:
    app = opened()
    assert "1 px to the right: 0.25 cells" in said(app)
    run(app.slider(key="study_rows").set_value(-3))
    assert "3 px up and 1 px to the right" in said(app)
    assert link_of(app)["down"] == "-3"
    run(app.slider(key="study_columns").set_value(0))
    assert "0.75 cells" in said(app)
    for field, name, value in (
        ("mode", "edge", "circular"),
        ("axis", "along", "rows"),
        ("band", "band", "middle"),
        ("gradient_of", "gradient", "all"),
        ("shown_on", "on", "picture"),
    ):
        before = said(app)
        run(app.segmented_control(key=f"study_{field}").set_value(value))
        assert link_of(app)[name] == value
        if field != "axis":
            assert said(app) != before
    assert not [each for each in app.number_input if each.key == "gradient_row"]
    assert not [each for each in app.number_input if each.key == "study_draw"]
    run(app.multiselect(key="study_more").set_value(["stochastic", "blur"]))
    assert link_of(app)["more"] == "blur-stochastic"
    assert "| Stochastic |" in said(app)
    before = said(app)
    run(app.number_input(key="study_draw").set_value(5))
    assert said(app) != before
    run(app.multiselect(key="study_more").set_value([]))
    assert "more" not in link_of(app)


@pytest.mark.parametrize("kernel", ["1", "2"])
def test_a_whole_cell_changes_nothing_and_no_shift_is_not_ranked(kernel: str) -> None:
    step = 2 if kernel == "1" else 4
    app = opened(kernel=kernel, stride=str(step // 2), right=str(step))
    assert f"{step} px to the right: 1 cell of the pooled map." in said(app)
    assert "Even at shifts by whole cells" not in said(app)
    assert f"every {step} px, all poolings move with the picture" in said(app)
    run(app.slider(key="study_columns").set_value(0))
    text = said(app)
    assert "before and after are the same." in text
    assert "by 0.0 %" not in text


def test_a_chosen_cell_is_kept_in_the_link_and_inside_the_map() -> None:
    app = opened(**{"from": "99-2"})
    row, column = (app.number_input(key=f"gradient_{name}") for name in ("row", "column"))
    assert row.value == row.max
    assert column.value == 2
    run(column.set_value(3))
    assert link_of(app)["from"] == f"{row.value}-3"


def test_a_link_restores_the_page() -> None:
    link = shift_state.STATE.query(
        Study(2, -6, "circular", "rows", ("lp",), 0, "low", "cell", 2, 3, "picture")
    )
    app = opened(**link)
    assert "2 px down and 6 px to the left: 0.5 and 1.5 cells" in said(app)
    assert app.segmented_control(key="study_band").value == "low"
    assert link.items() <= link_of(app).items()


def test_a_window_that_leaves_no_room_to_shift_says_so_and_the_rest_stays() -> None:
    app = opened(kernel="8", stride="8", size="64", edge="crop", right="8")
    if app.error:
        assert "too small for shifts of up to 8 pixels" in app.error[0].value
    assert "reaches 1 of" in said(app)


def test_the_page_speaks_chinese_without_a_break() -> None:
    app = opened(lang="zh", more="blur-lp-stochastic-soft")
    assert not app.exception
