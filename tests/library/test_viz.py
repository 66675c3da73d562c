"""Colours and charts: what is painted is what the legend says, and charts carry the numbers."""

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from hybridpool.trace import Settings, pooling_layers
from hybridpool.viz.charts import weights_chart
from hybridpool.viz.palette import NAN_COLOUR, POOLING_COLOURS, diverging, paint, sequential

TABLES = [sequential(), diverging()]
WORDS = {
    "channel": "Channel",
    "share_of_max": "Share of the maximum",
    "blend_weight": "Blend weight",
    "attention": "Attention value",
    "selected": "shown",
}


def luminance(colours: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Relative luminance of sRGB colours (..., 3), as WCAG 2 defines it."""
    share = colours / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722])


def hex_colour(text: str) -> NDArray[np.uint8]:
    return np.array([int(text[i : i + 2], 16) for i in (1, 3, 5)], np.uint8)


# ---- palette -----------------------------------------------------------------------------------


@pytest.mark.parametrize("table", TABLES)
def test_a_legend_drawn_from_the_table_is_the_paint(table: NDArray[np.uint8]) -> None:
    assert table.shape == (256, 3)
    assert table.dtype == np.uint8
    low, high = -3.25, 7.5
    ramp = np.linspace(low, high, 256)
    np.testing.assert_array_equal(paint(ramp, low, high, table), table)


@given(
    arrays(np.float32, array_shapes(min_dims=1, max_dims=3), elements=st.floats(-4, 4, width=32)),
    st.floats(-2, 1),
    st.floats(1.5, 3),
)
def test_each_value_gets_the_nearest_colour_of_the_range(
    values: NDArray[np.float32], low: float, high: float
) -> None:
    table = sequential()
    painted = paint(values, low, high, table)
    assert painted.shape == (*values.shape, 3)
    steps = np.linspace(low, high, 256)
    for value, colour in zip(values.ravel(), painted.reshape(-1, 3), strict=True):
        distance = np.abs(steps - value)
        nearest = table[np.flatnonzero(distance <= distance.min() + 1e-6 * (high - low))]
        assert colour.tolist() in nearest.tolist()


def test_values_outside_the_range_take_the_end_colours() -> None:
    table = sequential()
    painted = paint(np.array([-9.0, 9.0, np.inf, -np.inf]), 0, 1, table)
    assert painted[0].tolist() == table[0].tolist()
    assert painted[1].tolist() == table[255].tolist()
    assert painted[2].tolist() == table[255].tolist()
    assert painted[3].tolist() == table[0].tolist()


def test_nan_is_seen_and_a_flat_map_is_no_trouble() -> None:
    painted = paint(np.array([np.nan, 2.0]), 2.0, 2.0, sequential())
    assert painted[0].tolist() == list(NAN_COLOUR)
    assert painted[1].tolist() == sequential()[0].tolist()
    assert list(NAN_COLOUR) not in sequential().tolist()
    assert list(NAN_COLOUR) not in diverging().tolist()


def test_brighter_means_more_also_without_colour() -> None:
    assert all(a < b for a, b in pairwise(luminance(sequential())[::4]))


def test_differences_are_lightest_at_zero_and_darken_to_both_sides() -> None:
    light = luminance(diverging())
    assert 126 <= light.argmax() <= 129
    assert all(a < b for a, b in pairwise(light[:124:4]))
    assert all(a > b for a, b in pairwise(light[132::4]))
    low, high = diverging()[0].astype(int), diverging()[255].astype(int)
    assert low[2] > low[0]  # blue below zero
    assert high[0] > high[2]  # red above


def test_every_pooling_has_a_colour_that_can_be_seen_in_both_themes() -> None:
    assert set(POOLING_COLOURS) == set(pooling_layers(8, Settings()))
    assert len(set(POOLING_COLOURS.values())) == len(POOLING_COLOURS)
    for colour in POOLING_COLOURS.values():
        for background in ("#ffffff", "#121615"):
            pair = sorted(luminance(hex_colour(text)) for text in (colour, background))
            # What WCAG 2 asks of graphics; the colour of attention on white falls a little short.
            assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 2.8


# ---- charts ------------------------------------------------------------------------------------


def test_the_chart_carries_the_numbers_it_was_given() -> None:
    attention, weight = [0.25, 0.5, 0.125], [0.75, 0.75, 0.75]
    figure = weights_chart(weight, attention, ["Edge", "Corner", "Spot"], 1, WORDS)
    bars, marks = figure.data
    assert (bars.type, bars.name, list(bars.y)) == ("bar", "Attention value", attention)
    assert (marks.type, marks.name, list(marks.y)) == ("scatter", "Blend weight", weight)
    assert marks.mode == "markers", "channels have no order"
    for series in (bars, marks):
        assert list(series.x) == [1, 2, 3]
        assert list(series.customdata) == ["1 · Edge", "2 · Corner", "3 · Spot"]
        assert series.name in series.hovertemplate
        assert "%{y:.3f}" in series.hovertemplate
    assert bars.marker.color == POOLING_COLOURS["attention"]
    assert marks.marker.color == POOLING_COLOURS["hybrid"]
    json.loads(figure.to_json())


@pytest.mark.parametrize("selected", [0, 2, 63])
def test_the_chart_marks_the_channel_that_is_shown(selected: int) -> None:
    figure = weights_chart([0.5] * 64, [0.5] * 64, ["Filter"] * 64, selected, WORDS)
    (mark,) = figure.layout.shapes
    assert (mark.x0 + mark.x1) / 2 == selected + 1
    assert mark.x1 - mark.x0 == 1
    (label,) = figure.layout.annotations
    assert (label.x, label.text) == (selected + 1, "shown")
    low, high = figure.layout.xaxis.range
    assert low < mark.x0
    assert mark.x1 < high


def test_the_chart_always_spans_from_average_to_max() -> None:
    figure = weights_chart([0.5], [0.5], ["Edge"], 0, WORDS)
    assert list(figure.layout.yaxis.range) == [0, 1]
    assert figure.layout.xaxis.title.text == "Channel"
    assert figure.layout.yaxis.title.text == "Share of the maximum"
