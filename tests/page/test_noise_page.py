"""The page "Noise and occlusion": every control, the link, and the sentences from the numbers."""

from __future__ import annotations

import base64
import json
import math
import re
import struct
from collections.abc import Callable, Iterator
from itertools import count, pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pytest
import streamlit as st
import torch
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.runtime.scriptrunner import RerunData, get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_run_context import ThreadState
from streamlit.testing.v1 import AppTest

from hybridpool.pictures.perturb import CHANGES, FILLS, NOISES, QUALITIES, SHAPES
from hybridpool.sensitivity import Perturbation, occlusion_map
from hybridpool.sensitivity.perturbation import (
    PATCHES,
    curve_levels,
    in_thousandths,
    level_options,
)
from hybridpool.stem import load_stem
from hybridpool.trace import Settings
from hybridpool.ui import compute, phrases
from hybridpool.ui.names import fill_names, level_names, noise_names, shape_names
from hybridpool.ui.noise import curves as noise_curves
from hybridpool.ui.noise import occlusion as occlusion_panels
from hybridpool.ui.noise import sentences as noise_findings
from hybridpool.ui.noise import state as noise_state
from hybridpool.ui.noise import words as noise_words
from hybridpool.ui.noise.sentences import Reached
from hybridpool.ui.settings import DEFAULT
from hybridpool.viz.sensitivity_charts import blend_chart, error_chart

ROOT = Path(__file__).resolve().parents[2]
PAGE = "pages/2_Noise_and_occlusion.py"
NAMES = {"max": "Max", "average": "Average", "hybrid": "Hybrid", "attention": "Attention"}
FOREVER = 300
_TOLD = count(1)
SMALL = {"size": "64", "stem": "filters", "picture": "coins", "lang": "en"}


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (noise_findings, phrases):
        monkeypatch.setattr(module, "_", lambda message: message)
    monkeypatch.setattr(noise_findings, "ngettext", lambda one, many, n: one if n == 1 else many)


# ---- what is done, and the link ----------------------------------------------------------------


def test_every_noise_fill_and_shape_has_words() -> None:
    assert set(CHANGES) == set(noise_names()) == set(noise_words.noise_notes())
    assert set(CHANGES) == set(level_names()) == set(noise_words.control_names())
    assert set(noise_words.release_notes()) < set(CHANGES)
    assert set(FILLS) == set(fill_names())
    assert set(SHAPES) == set(shape_names())


@pytest.mark.parametrize("name", CHANGES)
def test_the_levels_of_a_curve_can_be_chosen_and_span_the_control(name: str) -> None:
    noise = CHANGES[name]
    options, levels = level_options(noise), curve_levels(noise)
    assert options == sorted(set(options))
    assert (options[0], options[-1]) == (noise.low, noise.high)
    assert noise.default in options
    assert len(levels) == len(set(levels)) == 8
    assert set(levels) <= set(options)
    assert (levels[0], levels[-1]) == (noise.low, noise.high)


@pytest.mark.parametrize(
    "done",
    [
        Perturbation(),
        Perturbation(noise="poisson", level=30, draw=7),
        Perturbation(kind="occlusion", shape="disc", fill="noise", top=0, left=1, width=999),
        Perturbation(noise="jpeg", level=40.0, against="max"),
    ],
)
def test_a_link_restores_what_it_was_made_from(done: Perturbation) -> None:
    assert noise_state.STATE.read(noise_state.STATE.query(done)) == done


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ({}, Perturbation()),
        ({"show": "fog", "noise": "fog", "level": "nan", "draw": "inf"}, Perturbation()),
        ({"level": "-3"}, Perturbation(level=0.0)),
        ({"level": "1e99", "noise": "speckle"}, Perturbation(noise="speckle", level=1.0)),
        ({"noise": "poisson", "level": "0"}, Perturbation(noise="poisson", level=2.0)),
        ({"noise": "salt"}, Perturbation(noise="salt", level=0.05)),
        ({"draw": "-1", "patch": "9999"}, Perturbation(patch=PATCHES[-1])),
        ({"occluder": "1-2-3"}, Perturbation()),
        ({"occluder": "5000-0-0-1e400"}, Perturbation()),
        ({"occluder": "5000-0-0-10"}, Perturbation(top=999, left=0, height=1, width=10)),
        ({"shape": "star", "fill": "gold"}, Perturbation()),
        ({"against": "everybody"}, Perturbation()),
        ({"noise": "defocus_blur"}, Perturbation(noise="defocus_blur", level=2.0)),
    ],
)
def test_a_link_is_clamped(link: dict[str, str], expected: Perturbation) -> None:
    assert noise_state.STATE.read(link) == expected


@pytest.mark.parametrize("size", [(64, 43), (106, 160), (224, 224), (1, 7)])
def test_the_occluder_stays_on_the_picture_and_comes_back_to_the_pixel(
    size: tuple[int, int],
) -> None:
    for top, left, height, width in [(0, 0, 1, 1), (size[0] - 1, size[1] - 1, 1, 1), (0, 0, *size)]:
        box = {"top": top, "left": left, "height": height, "width": width}
        kept = Perturbation(**in_thousandths(box, size)).clamped()
        assert kept.box(size) == (top, left, height, width)


@pytest.mark.parametrize("size", [(80, 120), (120, 80), (96, 96), (64, 128)])
def test_the_occluder_stays_on_the_same_part_of_the_middle_square(size: tuple[int, int]) -> None:
    side, (down, right) = min(size), ((each - min(size)) // 2 for each in size)
    inside = {"top": down + 8, "left": right + 4, "height": 16, "width": 24}
    done = Perturbation("occlusion", **in_thousandths(inside, size))
    square = done.in_middle_square(size)
    assert square.box((side, side)) == (8, 4, 16, 24)
    assert square.from_middle_square(size).box(size) == (down + 8, right + 4, 16, 24)


def test_an_occluder_beyond_the_middle_square_is_cut_or_comes_to_its_edge() -> None:
    size = (50, 100)
    across = {"top": 10, "left": 15, "height": 10, "width": 20}
    cut = Perturbation("occlusion", **in_thousandths(across, size)).in_middle_square(size)
    assert cut.box((50, 50)) == (10, 0, 10, 10)
    outside = across | {"left": 80}
    moved = Perturbation("occlusion", **in_thousandths(outside, size)).in_middle_square(size)
    assert moved.box((50, 50)) == (10, 30, 10, 20)


@pytest.mark.parametrize("name", NOISES)
def test_one_seed_is_one_noise(name: str) -> None:
    image = torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(1))
    done = Perturbation(noise=name, level=NOISES[name].default, draw=3)
    assert torch.equal(done.apply(image), done.apply(image))
    other = Perturbation(noise=name, level=NOISES[name].default, draw=4)
    assert not torch.equal(done.apply(image), other.apply(image))


def test_only_what_matters_tells_two_perturbations_apart() -> None:
    assert Perturbation(top=1).canonical() == Perturbation(fill="blur", patch=60).canonical()
    assert Perturbation(draw=1).canonical() != Perturbation().canonical()
    grey = Perturbation(kind="occlusion")
    assert Perturbation(kind="occlusion", draw=5, level=0.5).canonical() == grey.canonical()
    noisy = Perturbation(kind="occlusion", fill="noise", draw=5)
    assert noisy.canonical() != Perturbation(kind="occlusion", fill="noise").canonical()


# ---- sentences ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0.0 %"), (0.0949, "9.5 %"), (0.0996, "10 %"), (1.234, "123 %"), (math.nan, "–")],
)
def test_percent(share: float, text: str) -> None:
    assert phrases.percent(share) == text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"max": 0.31, "average": 0.17, "hybrid": 0.2},
            "**Average** changed least, by 17 %; **Max** changed most, by 31 %.",
        ),
        (
            {"max": 0.031, "average": 0.2, "hybrid": 0.1},
            "**Max** changed least, by 3.1 %; **Average** changed most, by 20 %.",
        ),
        (
            {"max": 0.1712, "average": 0.1698, "hybrid": 0.2},
            "**Max and Average** changed least, by 17 %; **Hybrid** changed most, by 20 %.",
        ),
        (
            {"max": 0.1712, "average": 0.1698, "hybrid": 0.1701, "attention": 0.2},
            "**Max, Average and Hybrid** changed least, by 17 %; "
            "**Attention** changed most, by 20 %.",
        ),
        ({"max": 0.1712, "average": 0.1698}, "All poolings changed by the same 17 %."),
        ({"max": 0.0, "average": 0.0}, "Nothing changed in any pooling."),
        (
            {"max": math.inf, "average": 0.5},
            "**Average** changed least, by 50 %; **Max** changed most, by ∞.",
        ),
        ({"max": 1e-7, "average": 0.0}, "Nothing changed in any pooling."),
        ({"max": 4e-4, "average": 1e-4}, "All poolings changed by less than 0.05 %."),
        (
            # Two sides of a limit of rounding print differently and tie all the same.
            {"max": 0.1250000001, "average": 0.1249999999},
            "All poolings changed by the same 12 %.",
        ),
        (
            dict.fromkeys(NAMES, math.inf),
            "Before the change every map is zero everywhere, so there is nothing to measure a "
            "change by.",
        ),
    ],
)
def test_the_ranking_follows_from_the_numbers(changes: dict[str, float], said: str) -> None:
    assert noise_findings.ranking(changes, NAMES) == said


@pytest.mark.parametrize(
    ("hybrid", "said"),
    [
        (0.25, "lies between max and average"),
        (0.15, "changed less than both max and average"),
        (0.35, "changed more than both max and average"),
        (0.2001, "changed as one of its two parts did"),
    ],
)
@pytest.mark.parametrize("ends", [(0.2, 0.3), (0.3, 0.2)])
def test_hybrid_is_placed_where_it_lies(
    hybrid: float, said: str, ends: tuple[float, float]
) -> None:
    changes = {"max": ends[0], "average": ends[1], "hybrid": hybrid}
    whole = noise_findings.place_of_hybrid(changes, 0.4)
    assert whole == f"**Hybrid**, at blend weight 0.40, {said}."
    assert "with a blend weight for each channel" in noise_findings.place_of_hybrid(changes, None)
    alike = dict.fromkeys(changes, 0.2)
    assert "changed as both of its parts did" in noise_findings.place_of_hybrid(alike, 0.4)


def test_nothing_is_said_of_hybrid_where_there_is_nothing_to_measure_by() -> None:
    assert noise_findings.place_of_hybrid(dict.fromkeys(NAMES, math.inf), 0.4) == ""


def test_an_end_that_prints_alike_is_as_good_as_the_best_blend_weight() -> None:
    said = noise_findings.best_blend(0.01, 0.3096, (0.3097, 0.5), [0.0, 0.02])
    assert said.startswith("No blend weight is better than average pooling, but for rounding.")
    assert "Average pooling has 31 %, max pooling 50 %." in said
    said = noise_findings.best_blend(0.99, 0.3096, (0.5, 0.3097), [])
    assert said.startswith("No blend weight is better than max pooling")
    for weight in (0.0, 0.42):
        both = noise_findings.best_blend(weight, 0.1701, (0.1701, 0.1704), [])
        assert both.startswith("No blend weight is better than average or max, but for rounding.")


def test_biases_say_direction_and_size() -> None:
    found = {"max": 1.0294, "average": -0.004, "hybrid": -0.51}
    assert noise_findings.biases(found, NAMES) == (
        "In this draw the changed maps lie on average: **Max** 1.03 σ higher, **Average** less "
        "than 0.01 σ off and **Hybrid** 0.51 σ lower."
    )


@pytest.mark.parametrize(
    ("changed", "windows", "kernel", "part"),
    [
        (0, 0, 2, "has a tie"),
        (0, 5, 2, "still has it"),
        (2, 5, 2, "40 % of the windows"),
        (5, 5, 2, "100 % of the windows"),
        (1, 12544, 2, "1 of 12544 windows with a clear winner has"),
        (12500, 12544, 2, "12500 of 12544 windows with a clear winner have"),
        (0, 5, 1, "a single cell, so that max, average and hybrid are the same"),
    ],
)
def test_winners(changed: int, windows: int, kernel: int, part: str) -> None:
    assert part in noise_findings.winners(changed, windows, kernel)


def test_the_note_on_bias_says_what_holds_where_for_the_kernel_that_is_set() -> None:
    assert "2 × 2 values by 1.03 σ" in noise_findings.bias_note(2)
    assert "3 × 3 values by 1.49 σ" in noise_findings.bias_note(3)
    assert "neighbours share their noise, and a ReLU" in noise_findings.bias_note(2)
    assert "pooling adds no bias of its own" in noise_findings.bias_note(1)


def test_reach_counts_the_cells_and_names_what_changed_beyond() -> None:
    found = Reached(
        total=100,
        reached=12,
        changed={"max": 9, "average": 12, "hybrid": 12},
        beyond={"max": 0, "average": 0, "attention": 88},
    )
    said = noise_findings.reach(found, NAMES)
    assert said.startswith("The occluder can reach 12 of 100 cells of this channel. ")
    assert "**Max** changed in 9 of them. **Average and Hybrid** changed in 12 of them." in said
    assert "**Attention** also changed, if only by a trace, in 88 cells out of reach" in said
    assert said.count("out of reach") == 1
    one = Reached(total=100, reached=12, changed={"max": 1}, beyond={"attention": 1})
    assert "in 1 cell out of reach" in noise_findings.reach(one, NAMES)


def test_the_curve_names_who_changes_least_where() -> None:
    levels = [0.0, 0.1, 0.5]
    always = {"max": [0.0, 0.2, 0.4], "average": [0.0, 0.1, 0.3]}
    said = noise_findings.curve(levels, always, NAMES)
    assert "**Average** changes least at every level that changes the maps." in said
    crossing = {"max": [0.0, 0.2, 0.2], "average": [0.0, 0.1, 0.3]}
    said = noise_findings.curve(levels, crossing, NAMES)
    assert said.endswith("depends on the level: **Average** at 0.1 and **Max** at 0.5.")
    still = {"max": [0.0] * 3, "average": [0.0] * 3}
    assert noise_findings.curve(levels, still, NAMES) == "Nothing changed at any level."


def test_a_tie_along_the_curve_is_a_tie() -> None:
    levels = [0.0, 0.1, 0.5]
    equal = {"max": [0.0, 0.2, 0.4], "average": [0.0, 0.2000001, 0.4]}
    assert noise_findings.curve(levels, equal, NAMES) == (
        "On average over the draws all poolings change alike at every level."
    )
    two = equal | {"hybrid": [0.0, 0.3, 0.5]}
    said = noise_findings.curve(levels, two, NAMES)
    assert (
        "**Max and Average** change least at every level that changes the maps, and alike." in said
    )
    once = {"max": [0.0, 0.2, 0.4], "average": [0.0, 0.2, 0.3]}
    said = noise_findings.curve(levels, once, NAMES)
    assert said.endswith("depends on the level: all alike at 0.1 and **Average** at 0.5.")


def test_certainty_counts_the_draws() -> None:
    values = {"max": [0.2, 0.2, 0.2], "average": [0.1, 0.3, 0.1], "hybrid": [0.9, 0.9, 0.9]}
    assert noise_findings.certainty(0.1, values, NAMES) == (
        "At level 0.1, **Average** changes less than **Max** in 2 of 3 draws."
    )
    assert noise_findings.certainty(0.1, {"max": [0.0], "average": [0.0]}, NAMES) == ""
    tie = {"max": [0.1, 0.1], "average": [0.1, 0.1000001], "hybrid": [0.2, 0.05]}
    assert noise_findings.certainty(0.1, tie, NAMES) == (
        "At level 0.1, **Max and Average** change less than **Hybrid** in 1 of 2 draws."
    )


@pytest.mark.parametrize(
    ("weight", "by_draw", "parts"),
    [
        (0.0, [0.0, 0.0], ["blend weight 0, which is average pooling: 12 %", "says the same"]),
        (1.0, [0.9, 1.0], ["blend weight 1, which is max pooling: 12 %", "0.90 and 1.00"]),
        (0.42, [0.4, 0.5], ["0.42: 12 %", "Average pooling has 20 % there, max pooling 30 %"]),
        (math.nan, [math.nan], ["the same at every blend weight, 12 %, so none is better"]),
    ],
)
def test_the_best_blend_weight_in_words(
    weight: float, by_draw: list[float], parts: list[str]
) -> None:
    said = noise_findings.best_blend(weight, 0.12, (0.2, 0.3), by_draw)
    assert all(part in said for part in parts), said
    nothing = noise_findings.best_blend(math.nan, 0.0, (0.0, 0.0), [math.nan])
    assert nothing == "Nothing changed, so no blend weight is better than another."


def test_where_a_patch_matters_most() -> None:
    same = {"max": [(3, 4)], "average": [(3, 4)]}
    assert "all poolings most with its corner at row 3, column 4" in noise_findings.strongest(
        same, NAMES
    )
    other = {"max": [(3, 4)], "average": [(1, 2)], "hybrid": [(3, 4)]}
    assert noise_findings.strongest(other, NAMES) == (
        "Where a patch changes them most: **Max and Hybrid** at row 3, column 4 and "
        "**Average** at row 1, column 2."
    )
    ties = {name: [(1, 1), (1, 9), (9, 1)] for name in NAMES}
    assert noise_findings.strongest(ties, NAMES) == (
        "At 3 places a patch changes all poolings most, and alike."
    )
    mixed = {"max": [(1, 1), (1, 9)], "average": [(1, 2)]}
    assert "**Max** at 2 places alike" in noise_findings.strongest(mixed, NAMES)


def test_places_that_differ_by_rounding_tie() -> None:
    one_colour = torch.full((3, 64, 64), 0.5)
    stem, settings = load_stem("filters"), Settings(device="cpu")
    *_, found = occlusion_map(one_colour, stem, settings, size=16, stride=8, fill="black")
    places = occlusion_panels.strongest_places(found, occlusion_panels.map_values(found, 0.5))
    assert all(len(corners) > 1 for corners in places.values())


# ---- charts ------------------------------------------------------------------------------------

WORDS = {
    name: name for name in (*NAMES, "axis", "level", "change", "present", "draw", "blend_weight")
}
WORDS |= {"best": "best", "dial": "dial"}


@pytest.mark.parametrize("logarithmic", [False, True])
def test_the_error_chart_shows_means_bands_and_the_present_level(logarithmic: bool) -> None:
    values = {"max": np.array([[0.1, 0.3], [0.2, 0.6]]), "average": np.array([[0.1, 0.1]] * 2)}
    here = {"max": 0.5, "average": 0.1}
    figure = error_chart(
        [2.0, 200.0],
        values,
        20.0,
        here,
        WORDS,
        logarithmic=logarithmic,
        more_is_noisier=not logarithmic,
    )
    band, _, line, _, now = figure.data
    assert list(line.y) == pytest.approx([20, 40])
    assert list(band.y) == pytest.approx([30, 60, 20, 10])
    assert list(now.x) == [20.0, 20.0]
    assert list(now.y) == [50, 10]
    low, high = figure.layout.xaxis.range
    assert (low > high) == logarithmic
    assert figure.layout.shapes[0].x0 == pytest.approx(20.0)
    assert figure.layout.annotations[0].x == pytest.approx(math.log10(20) if logarithmic else 20)


@pytest.mark.parametrize(("present", "anchor"), [(0.0, "left"), (0.2, "center"), (0.5, "right")])
@pytest.mark.parametrize("more_is_noisier", [True, False])
def test_the_word_above_the_present_level_stays_inside(
    present: float, anchor: str, more_is_noisier: bool
) -> None:
    figure = error_chart(
        [0.0, 0.5],
        {"max": np.array([[0.0], [0.1]])},
        present,
        {"max": 0.1},
        WORDS,
        more_is_noisier=more_is_noisier,
    )
    if not more_is_noisier:
        anchor = {"left": "right", "right": "left"}.get(anchor, anchor)
    assert figure.layout.annotations[0].xanchor == anchor


@pytest.mark.parametrize("more_is_noisier", [True, False])
def test_lines_that_end_together_have_their_names_apart(more_is_noisier: bool) -> None:
    values = {name: np.array([[0.0], [0.5]]) for name in ("max", "average", "hybrid")}
    figure = error_chart(
        [0.0, 0.5], values, 0.5, {"max": 0.1}, WORDS, more_is_noisier=more_is_noisier
    )
    named = [each for each in figure.layout.annotations if each.text in values]
    assert {each.text for each in named} == set(values)
    heights = sorted(each.y for each in named)
    assert all(high - low >= 0.05 * 50 for low, high in pairwise(heights))
    assert {each.x for each in named} == {0.5 if more_is_noisier else 0.0}


def test_against_max_a_chart_counts_in_points_below_zero_too() -> None:
    values = {"max": np.array([[0.0], [0.0]]), "average": np.array([[0.0], [-0.1]])}
    plain, against = (
        error_chart([0.0, 0.5], values, 0.5, {"max": 0.0}, WORDS, against=points)
        for points in (False, True)
    )
    assert (plain.layout.yaxis.ticksuffix, against.layout.yaxis.ticksuffix) == (" %", "")
    assert against.layout.yaxis.rangemode == "normal"


def test_a_point_says_its_level_and_not_the_axis() -> None:
    changes = {"max": np.array([[0.0], [0.1]])}
    _band, line, _now = error_chart([0.0, 0.5], changes, 0.5, {"max": 0.1}, WORDS).data
    assert "level %{x:~g}<br>" in line.hovertemplate
    assert "axis" not in line.hovertemplate


def test_the_blend_chart_marks_the_best_weight_and_the_range_of_the_draws() -> None:
    changes = np.array([[0.3, 0.5], [0.1, 0.3], [0.4, 0.6]])
    figure = blend_chart([0.0, 0.5, 1.0], changes, 0.5, [0.4, math.nan, 0.6], 0.25, WORDS)
    best = next(trace for trace in figure.data if trace.name == "best")
    assert (list(best.x), list(best.y)) == ([0.5], [pytest.approx(20)])
    shaded, dial = figure.layout.shapes
    assert (shaded.x0, shaded.x1, dial.x0) == (0.4, 0.6, 0.25)
    nothing = blend_chart([0.0, 1.0], changes[:2] * 0, math.nan, [math.nan], None, WORDS)
    assert not nothing.layout.shapes
    assert "best" not in [trace.name for trace in nothing.data]


# ---- the page ----------------------------------------------------------------------------------


def opened(**link: str) -> AppTest:
    test = AppTest.from_file(str(ROOT / "app.py"), default_timeout=FOREVER).switch_page(PAGE)
    for name, text in (SMALL | link).items():
        test.query_params[name] = text
    return good(test.run())


def good(test: AppTest) -> AppTest:
    assert not test.exception, [problem.value for problem in test.exception]
    return test


def sent(test: AppTest, component: str) -> dict[str, Any]:
    """The header that a component got."""
    for found in test.get("bidi_component"):
        if found.proto.component_name.endswith(component):
            raw = found.proto.bytes
            (length,) = struct.unpack_from("<I", raw)
            return dict(json.loads(raw[4 : 4 + length]))
    raise AssertionError(f"{component} is not on the page")


def texts(test: AppTest) -> str:
    return "\n".join(element.value for element in test.markdown)


def link(test: AppTest) -> dict[str, str]:
    return {
        name: value[0] if isinstance(value, list) else value
        for name, value in test.query_params.items()
    }


def tell(test: AppTest, **told: dict[str, object]) -> AppTest:
    """What the rows send when the hand lets go; the page has heard it."""
    (rows,) = (
        each.proto
        for each in test.get("bidi_component")
        if each.proto.component_name.endswith("compare")
    )
    values = {name: {**value, "told": next(_TOLD)} for name, value in told.items()}
    states = test._tree.get_widget_states()
    states.widgets.append(WidgetState(id=rows.id, json_value=json.dumps(values)))
    test._run(states)
    return good(test)


def test_the_page_opens_with_rows_words_and_both_curves() -> None:
    test = opened()
    header = sent(test, "compare")
    assert list(header["colours"]) == list(NAMES)
    assert max(header["reach"]) > 0
    said = texts(test)
    assert "changed least" in said
    assert "σ" in said
    assert "8 draws (seeds 0 to 7)" in said
    assert "The change is smallest at blend weight" in said
    assert len(test.get("plotly_chart")) == 2


@pytest.mark.parametrize("name", CHANGES)
def test_every_noise_can_be_chosen_and_begins_at_its_own_level(name: str) -> None:
    other = "salt" if name != "salt" else "gaussian"
    test = opened(noise=other)
    good(test.selectbox(key="perturb_noise").set_value(name).run())
    assert link(test)["noise"] == name
    assert float(link(test)["level"]) == CHANGES[name].default
    assert max(sent(test, "compare")["reach"]) > 0


def test_level_seed_and_draw_again_change_the_rows() -> None:
    test = opened()
    seen = [sent(test, "compare")["moved"]]
    for act in (
        lambda: tell(test, level={"level": 0.3}),
        lambda: test.number_input(key="perturb_draw").set_value(5),
        lambda: test.button(key="draw_again").click(),
    ):
        act().run()
        good(test)
        seen.append(sent(test, "compare")["moved"])
    assert link(test)["noise-seed"] == "6"
    assert link(test)["level"] == "0.3"
    assert all(a != b for a, b in pairwise(seen))


def test_the_finding_stands_in_one_line_above_the_maps() -> None:
    test = opened()
    (finding,) = (each for each in test.markdown if "changed least" in each.value)
    assert "Hybrid" in finding.value
    assert "\n" not in finding.value
    assert "no answer of a network" in sent(test, "compare")["words"]["meaning"]


def test_the_answer_of_networks_is_one_link_away_at_the_same_settings() -> None:
    for wanted in (
        {"noise": "salt", "level": "0.2", "noise-seed": "3"},
        {"show": "occlusion", "fill": "black", "occluder": "100-300-200-200"},
    ):
        (address,) = re.findall(r"\]\(The_answer\?([^)]*)\)", texts(opened(**wanted)))
        asked = dict(parse_qsl(address))
        place = asked.pop("occluder")
        assert {key: wanted[key] for key in wanted if key != "occluder"}.items() <= asked.items()
        assert asked["picture"] == "coins"
        height, width = (64 * side // 384 for side in (303, 384))
        part = noise_state.STATE.read(wanted).box((height, width))
        seen = noise_state.STATE.read({"occluder": place}).box((height, height))
        assert seen == (part[0], part[1] - (width - height) // 2, *part[2:]), "the same part"
    assert "The_answer" not in texts(opened(noise="jpeg"))


def test_only_a_level_that_the_control_offers_is_taken() -> None:
    test = opened()
    for told in ("0.3", None, float("nan"), [0.3], True):
        tell(test, level={"level": told})
        assert link(test)["level"] == "0.1"
    tell(test, level={"level": 0.1234})
    assert link(test)["level"] == "0.12"
    tell(test, level={"level": 99})
    assert link(test)["level"] == "0.5"


def test_what_stays_is_sent_once_and_again_when_the_browser_lacks_it() -> None:
    test = opened()
    whole = sent(test, "compare")
    assert {"clean_max", "picture", "draw", "filter"} <= set(whole["arrays"])
    tell(test, level={"level": 0.2})
    part = sent(test, "compare")
    assert part["base"] == whole["base"]
    assert {"clean_max", "picture", "draw", "filter"} & set(part["arrays"]) == set()
    assert part["level"] == 0.2
    tell(test, lack={})
    again = sent(test, "compare")
    assert set(again["arrays"]) == set(whole["arrays"])
    assert again["level"] == 0.2
    good(test.button(key="draw_again").click().run())
    other = sent(test, "compare")
    assert other["base"] != whole["base"]
    assert "draw" in other["arrays"]


def test_against_max_holds_for_rows_curves_and_maps() -> None:
    test = opened()
    tell(test, against={"against": "max"})
    assert link(test)["against"] == "max"
    chart = json.loads(test.get("plotly_chart")[0].proto.spec)
    named = {trace.get("name"): trace for trace in chart["data"]}
    assert max(map(abs, decoded(named["Max"]["y"]))) == 0
    assert max(map(abs, decoded(named["Average"]["y"]))) > 1
    assert "minus that of max" in chart["layout"]["yaxis"]["title"]["text"]
    names = [note["text"] for note in chart["layout"]["annotations"]]
    assert set(NAMES.values()) <= set(names)
    tell(test, against={"against": "nobody"})
    assert link(test)["against"] == "max"
    covered = opened(show="occlusion", against="max")
    assert sent(covered, "compare")["view"]["against"] == "max"
    header = sent(covered, "occlusion_map")
    assert header["against"] is True
    tell(covered, against={"against": "clean"})
    assert "against" not in link(covered)
    assert sent(covered, "occlusion_map")["against"] is False


def decoded(values: Any) -> list[float]:
    """The numbers of a trace, which may travel as bytes."""
    if isinstance(values, list):
        return values
    raw = np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"])
    return [float(each) for each in raw]


@pytest.mark.parametrize("name", QUALITIES)
def test_a_change_without_chance_has_no_seed_and_no_draws(name: str) -> None:
    test = opened(noise=name)
    assert "perturb_draw" not in [each.key for each in test.number_input]
    said = texts(test)
    assert "seed" not in said
    assert "draw" not in said
    assert "one computation is all there is" in said
    assert len(test.get("plotly_chart")) == 2


@pytest.mark.parametrize("fill", FILLS)
def test_every_fill_covers_the_picture(fill: str) -> None:
    test = opened(show="occlusion")
    good(test.selectbox(key="perturb_fill").set_value(fill).run())
    header = sent(test, "compare")
    assert header["view"]["fill"] == fill
    assert max(header["reach"]) > 0
    assert "The occluder can reach" in texts(test)
    assert " places, for each only the cells it reaches" in texts(test)


def test_the_occluders_shape_kind_and_patch_are_controls() -> None:
    test = opened()
    good(test.segmented_control(key="perturb_kind").set_value("occlusion").run())
    good(test.segmented_control(key="perturb_shape").set_value("disc").run())
    assert sent(test, "compare")["view"]["shape"] == "disc"
    sizes = []
    for patch in (PATCHES[0], PATCHES[-1]):
        good(test.select_slider(key="perturb_patch").set_value(patch).run())
        sizes.append(sent(test, "occlusion_map")["patch"])
    assert sizes[0] < sizes[1]
    assert link(test)["show"] == "occlusion"
    good(test.segmented_control(key="perturb_kind").set_value("noise").run())
    assert "perturb_shape" not in [control.key for control in test.segmented_control]


def test_an_occluder_let_go_of_lands_in_the_rows_and_in_the_link() -> None:
    test = opened(show="occlusion", occluder="100-100-200-200")
    rows, columns = sent(test, "compare")["image_shape"]
    test.session_state["perturb_chosen"] = Perturbation(
        kind="occlusion",
        **in_thousandths({"top": 3, "left": 5, "height": 7, "width": 9}, (rows, columns)),
    )
    good(test.run())
    assert sent(test, "compare")["box"] == {"top": 3, "left": 5, "height": 7, "width": 9}


def test_a_link_restores_the_rows() -> None:
    first = opened(noise="speckle", level="0.6", draw="11", weight="0.2", channel="3")
    again = opened(**link(first))
    one, two = (sent(test, "compare") for test in (first, again))
    assert one == two
    assert one["view"]["weight"] == 0.2
    assert one["view"]["channel"] == 2


def test_no_noise_is_said_so() -> None:
    said = texts(opened(level="0"))
    assert "Nothing changed in any pooling." in said
    assert "no blend weight is better" in said


@pytest.fixture
def painted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[float], None]]:
    """Makes every picture one grey."""

    def paint(grey: float) -> None:
        st.cache_resource.clear()
        monkeypatch.setattr(compute, "picture", lambda *_, **__: torch.full((3, 70, 90), grey))

    yield paint
    st.cache_resource.clear()


@pytest.mark.parametrize("name", NOISES)
def test_a_black_picture_has_both_curves_however_often_they_are_redrawn(
    name: str, monkeypatch: pytest.MonkeyPatch, painted: Callable[[float], None]
) -> None:
    """Parts of a curve that look alike are not taken for one another."""
    painted(0.0)
    monkeypatch.setattr(noise_curves, "PATIENCE", 0.0)
    test = opened(noise=name)
    assert len(test.get("plotly_chart")) == 2
    said = texts(test)
    assert "8 draws (seeds 0 to 7)" in said
    if name in ("pepper", "speckle", "poisson"):
        assert "Nothing changed in any pooling." in said
        assert "Nothing changed at any level." in said
    else:
        assert "zero everywhere, so there is nothing to measure a change by" in said


@pytest.mark.parametrize("fill", ["black", "grey"])
def test_a_patch_on_a_black_picture_is_drawn_or_said_to_have_no_measure(
    fill: str, painted: Callable[[float], None]
) -> None:
    painted(0.0)
    test = opened(show="occlusion", fill=fill)
    shown = [each.proto.component_name for each in test.get("bidi_component")]
    if fill == "black":
        assert any(name.endswith("occlusion_map") for name in shown)
        assert "Over all places: Nothing changed in any pooling." in texts(test)
    else:
        # No colour and no JSON stands for infinitely much.
        assert not any(name.endswith("occlusion_map") for name in shown)
        assert texts(test).count("nothing to measure a change by") == 2
    for each in test.get("bidi_component"):
        assert b"Infinity" not in each.proto.bytes
        assert b"NaN" not in each.proto.bytes


def test_a_picture_of_one_colour_has_no_winners_to_lose(painted: Callable[[float], None]) -> None:
    painted(0.3)
    said = texts(opened(kernel="2"))
    assert "Every window of this channel has a tie" in said
    assert sum(sent(opened(), "compare")["winners"]["windows"]) == 0


@pytest.mark.parametrize("show", ["noise", "occlusion"])
def test_a_window_of_one_cell_has_no_best_pooling(show: str) -> None:
    """Max, average and hybrid are one map then; attention is the same blend of equal maps."""
    said = texts(opened(kernel="1", stride="2", show=show))
    assert "All poolings changed by the same" in said
    assert "changed as both of its parts did" in said
    assert "a single cell, so that max, average and hybrid are the same" in said
    assert "least at every level" not in said
    if show == "noise":
        assert "all poolings change alike at every level" in said
        assert "The change is the same at every blend weight" in said
        assert "smallest at blend weight" not in said


def test_nothing_is_ranked_when_the_whole_picture_is_covered() -> None:
    said = texts(opened(show="occlusion", occluder="0-0-1000-1000"))
    assert "nothing of it is left that could be ranked" in said
    assert said.index("nothing of it is left") < said.index("Over all places:")
    assert "changed least" not in said[: said.index("Over all places:")]


def test_the_sentences_speak_of_the_level_and_the_draw_that_are_shown() -> None:
    said = texts(opened(level="0.25", draw="3"))
    assert "Gaussian at level 0.25 (seed 3), over all channels:" in said
    assert "At level 0.25, " in said
    assert "level 0.25 shown above, over 8 draws (seeds 0 to 7)" in said


def test_a_picture_that_a_link_cannot_carry_leaves_the_page_usable() -> None:
    test = opened(picture="upload")
    assert sent(test, "compare")["pooled_shape"]


def test_curves_are_kept_whole_and_never_half(monkeypatch: pytest.MonkeyPatch) -> None:
    st.cache_resource.clear()
    trace = compute.trace(DEFAULT, None)
    levels = (0.1,)
    growing = compute.noise_sweeps(trace, "chelsea", "salt", levels, 3)
    assert next(growing).seeds == (0,)
    growing.close()
    counts = [len(s.seeds) for s in compute.noise_sweeps(trace, "chelsea", "salt", levels, 3)]
    assert counts[-1] == 3
    monkeypatch.setattr(compute, "noise_sweep", None)
    kept = list(compute.noise_sweeps(trace, "chelsea", "salt", levels, 3))
    assert [len(sweep.seeds) for sweep in kept] == [3]


class Interrupting:
    """A sweep in whose midst a person moves a control, as the server learns of it."""

    def __init__(self, sweep: Callable[..., Iterator[Any]], at: int) -> None:
        self.sweep, self.at = sweep, at
        self.records: list[int] = []

    def __call__(self, *args: Any, **options: Any) -> Iterator[Any]:
        number = len(self.records)
        self.records.append(0)
        for record in self.sweep(*args, **options):
            self.records[number] += 1
            if number == 0 and self.records[0] == self.at:
                self.move_a_control()
            yield record

    def move_a_control(self) -> None:
        run = get_script_run_ctx()
        assert run is not None
        assert run.script_requests is not None
        run.script_requests.request_rerun(
            RerunData(
                query_string=run.query_string,
                page_script_hash=run.page_script_hash,
                # Within a fragment, its controls ask for nothing but the fragment.
                fragment_id=ThreadState.get().fragment_id,
            )
        )


@pytest.mark.parametrize(
    ("show", "sweep"), [("noise", "noise_sweep"), ("occlusion", "occlusion_map")]
)
def test_a_control_that_moves_stops_what_is_being_computed(
    monkeypatch: pytest.MonkeyPatch, show: str, sweep: str
) -> None:
    st.cache_resource.clear()
    watched = Interrupting(getattr(compute, sweep), at=1)
    monkeypatch.setattr(compute, sweep, watched)
    test = opened(show=show, size="112")
    stopped, whole = watched.records
    assert stopped == 1
    assert whole > 1
    assert "Computed in" in texts(test)


def test_maps_that_were_zero_have_no_change_to_rank_along_a_curve() -> None:
    means = {name: [0.0, math.inf, math.inf] for name in ("max", "average")}
    said = noise_findings.curve([0.0, 0.1, 0.2], means, {"max": "Max", "average": "Average"})
    assert said == noise_findings.nothing_to_measure_by()
