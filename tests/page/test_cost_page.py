"""The page "Cost": every control, the link, stopping, waiting, and the sentences."""

from __future__ import annotations

import csv
import io
import queue
import threading
from dataclasses import replace
from functools import cache

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from hybridpool.cost import (
    CONTESTANTS,
    IN_NETWORKS,
    NETWORKS,
    CannotCompileError,
    CostSettings,
    Kept,
    Machine,
    NetworkCost,
    NetworkCosts,
    NetworkSettings,
    PoolingCost,
    PoolingCosts,
    Turns,
    count_networks,
)
from hybridpool.ui import compute, phrases
from hybridpool.ui.cost import sentences as cost_findings
from hybridpool.ui.cost import state as cost_state
from hybridpool.ui.cost import tables as cost_tables
from hybridpool.ui.cost import words as cost_words
from hybridpool.ui.cost.state import Chosen
from hybridpool.viz.cost_charts import COST_COLOURS, ShareBar, TimeBar, share_chart, time_chart
from tests import apps
from tests.apps import PATIENCE, good, link_of

SMALL = {"batch": "1", "map": "4x8x8", "turns": "3", "lang": "en", "networks": "1x32"}
HERE = Machine("a processor", 1, "2.0")
IN_ENGLISH = (cost_findings, cost_words, cost_tables, phrases)

pytestmark = pytest.mark.usefixtures("english")


def spread(name: str) -> tuple[float, float, float]:
    """Max is steady, the others spread by a tenth."""
    return (1.0, 1.0, 1.0) if name == "max" else (0.9, 1.0, 1.1)


def made(relative: dict[str, float], **settings: object) -> PoolingCosts:
    """A record in which each pooling takes so many milliseconds, give or take a tenth."""
    chosen = CostSettings(**({"turns": 3} | settings))  # type: ignore[arg-type]
    costs = []
    for name in CONTESTANTS:
        for compiled in (False, True) if chosen.compiled else (False,):
            milliseconds = relative.get(name, 1.0) * (0.5 if compiled else 1)
            times = Turns(tuple(milliseconds * share / 1000 for share in spread(name)))
            kept = Kept(2_000_000 if name == "hybrid" else 1_000_000, name != "hybrid")
            costs.append(PoolingCost(name, compiled, times, times, kept))
    return PoolingCosts(chosen, HERE, tuple(costs), 3)


@cache
def counted() -> tuple[NetworkCost, ...]:
    return count_networks(NetworkSettings())


def network(*hybrid: float, step: tuple[float, ...] = (1.0, 1.0, 1.0)) -> NetworkCosts:
    """A record in which max takes 0.01 s of each step of 1 s, and hybrid so many in its turns."""
    costs = tuple(
        replace(
            cost,
            step=Turns(step if cost.pooling == "hybrid" else (1.0,) * 3),
            alone=Turns(hybrid if cost.pooling == "hybrid" else (0.01,) * 3),
        )
        for cost in counted()
    )
    return NetworkCosts(NetworkSettings(turns=3), HERE, costs, 3, 1.0)


# ---- what is chosen, and the link --------------------------------------------------------------


@pytest.mark.parametrize(
    "chosen",
    [
        Chosen(),
        Chosen(CostSettings(2, 3, 4, 5, 3, 1, 1, "contiguous", "bfloat16"), 224, 8),
        Chosen(CostSettings(training=False, compiled=True, turns=31)),
    ],
)
def test_a_link_restores_what_it_was_made_from(chosen: Chosen) -> None:
    assert cost_state.STATE.read(cost_state.STATE.query(chosen)) == chosen


@pytest.mark.parametrize(
    "link",
    [
        {},
        {"batch": "x", "map": "1x2", "kernel": "", "pictures": "many", "turns": "nan"},
        {"map": "ax32x32", "layout": "NHWC", "type": "int8", "device": "abacus", "pass": "fast"},
        {"pictures": "2x31", "compiled": "yes"},
    ],
)
def test_what_a_link_cannot_mean_is_left_as_it_is(link: dict[str, str]) -> None:
    assert cost_state.STATE.read(link) == Chosen()


def test_a_link_that_asks_for_too_much_gets_less() -> None:
    found = cost_state.STATE.read({"batch": "9" * 400, "map": "99999x-4x256", "pictures": "-1x7"})
    assert found == found.clamped()
    assert found.map.height == 2
    assert (found.pictures, found.side) == (1, 32)


def test_networks_are_measured_in_the_way_of_the_map() -> None:
    found = Chosen(CostSettings(memory_format="contiguous", dtype="bfloat16", training=False), 224)
    assert found.network == NetworkSettings(224, 2, "contiguous", "bfloat16", "cpu", False)


# ---- words and tables --------------------------------------------------------------------------


def test_everything_that_is_measured_has_a_name_and_a_colour() -> None:
    assert list(cost_words.names()) == list(CONTESTANTS)
    assert set(COST_COLOURS) == set(CONTESTANTS)
    assert set(cost_words.network_names()) == set(NETWORKS)
    assert set(IN_NETWORKS) < set(CONTESTANTS)


def test_the_sentences_say_the_ratios_of_the_record() -> None:
    said = cost_findings.times(made({"hybrid": 3.0, "copy": 0.5, "attention": 12.0}))
    assert "**Hybrid** takes **3.00 ×** the time of max alone" in said
    assert "quartiles 2.85 to 3.15), and 6.00 × that of a plain copy" in said
    assert "Average 1.00, Article's formula 1.00" in said
    assert "Attention 12.0 and Max, then blur 1.00." in said
    assert "hybrid keeps 2.00 MB besides the input, and max alone keeps 1.00 MB" in said
    assert "Max needs the input itself too; hybrid does not." in said
    assert "told apart" not in said
    assert "NCHW" not in said
    assert "Compiled" not in said


def test_what_cannot_be_told_apart_is_said_so() -> None:
    assert "can hardly be told apart" in cost_findings.times(made({"hybrid": 1.02}))


def test_after_a_stop_neither_quartiles_nor_advice_are_given() -> None:
    record = made({"hybrid": 1.02, "copy": 0.5}, turns=5)
    said = cost_findings.times(record)
    assert "**Hybrid** takes **1.02 ×** the time of max alone here, and 2.04 × that" in said
    assert "Stopped after 3 of 5 rounds" in said
    assert "quartiles" not in said
    assert "told apart" not in said
    record = replace(network(0.11, 0.11, 0.11), settings=NetworkSettings(turns=5))
    said = cost_findings.networks(record)
    assert said.count("Stopped after 3 of 5 rounds") == 1
    assert "**11 %** with hybrid" in said
    assert "A step takes" not in said
    assert "the spread" not in said
    assert "Stopped" not in cost_findings.networks(network(0.11, 0.11, 0.11))
    one, three = (cost_words.machine_words(HERE, turns) for turns in (1, 3))
    assert one.endswith(", 1 round.")
    assert three.endswith(", median of 3 rounds.")
    assert "quartiles" not in cost_words.hover("Hybrid", 0.1, Turns((2.0,)), Turns((4.0,)))


def test_a_slow_layout_is_named_where_the_numbers_show_it() -> None:
    slow = cost_findings.times(made({"copy": 0.1}, memory_format="contiguous"))
    assert "Max alone takes 10.0 × a plain copy: in NCHW" in slow
    assert "NCHW" not in cost_findings.times(made({"copy": 0.5}, memory_format="contiguous"))


def test_compiled_is_compared_with_eager_and_with_max_compiled() -> None:
    said = cost_findings.times(made({"hybrid": 3.0}, compiled=True))
    assert "hybrid takes 0.500 × its eager time, and 3.00 × max alone compiled" in said


@pytest.mark.parametrize(
    ("hybrid", "part"),
    [
        ((0.005,) * 3, "Hybrid costs no more than max here."),
        ((0.02,) * 3, "A step takes 1.0 % longer with hybrid than with max: little."),
        ((0.04,) * 3, "A step takes 3.1 % longer with hybrid than with max: weigh it"),
        ((0.11,) * 3, "takes 11 % longer with hybrid than with max: **stay with plain pooling"),
        # The middle turn says stay, a quarter of the turns does not.
        ((0.0, 0.11, 0.2), "takes 11 % longer with hybrid than with max: weigh it"),
        ((0.01,) * 3, "cannot be told apart here, and the page gives no advice"),
        ((0.001, 0.2, 0.012), "cannot be told apart here, and the page gives no advice"),
    ],
)
def test_the_advice_follows_from_the_price_where_the_turns_say_so(
    hybrid: tuple[float, ...], part: str
) -> None:
    said = cost_findings.networks(network(*hybrid))
    assert said.count(part) == len(NETWORKS)
    assert ("**stay" in said) == ("**stay" in part)


def test_share_milliseconds_and_price_come_from_the_same_turn() -> None:
    record = network(0.1, 0.4, 0.2, step=(1.0, 5.0, 1.0))
    cost = record.cost("resnet18", "hybrid")
    assert cost.typical == (1.0, 0.1, 0.1)
    said = cost_findings.networks(network(0.2, 0.2, 0.2))
    assert "take 1.0 % of a step with max, **20 %** with hybrid" in said
    # All but the poolings takes the same: 0.99 of max's step and 0.80 of hybrid's.
    assert "A step takes 24 % longer" in said


def test_shares_are_said_and_whole_steps_that_overlap() -> None:
    said = cost_findings.networks(network(0.5, 0.5, 0.5, step=(2.0, 2.0, 2.0)))
    assert "In the **ResNet-18** the pooling layers take 1.0 % of a step with max, **25 %**" in said
    assert "the spread hides" not in said
    spread = cost_findings.networks(network(0.5, 0.5, 0.5, step=(0.9, 1.0, 1.3)))
    assert "the spread hides" in spread


def test_the_files_hold_every_turn() -> None:
    rows = list(csv.DictReader(io.StringIO(cost_tables.times_csv(made({"max": 2.0})))))
    assert len(rows) == 2 * 3 * len(CONTESTANTS)
    third = [row for row in rows if (row["pooling"], row["turn"]) == ("max", "2")]
    assert [float(row["seconds"]) for row in third] == [0.002, 0.002]
    assert third[0]["processor"] == "a processor"
    rows = list(csv.DictReader(io.StringIO(cost_tables.networks_csv(network(0.5, 0.5, 0.5)))))
    assert len(rows) == 2 * 3 * len(NETWORKS) * len(IN_NETWORKS)


WORDS = {
    name: name for name in ("forward", "backward", "compiled", "relative", "max", "copy", "share")
}


def test_the_chart_of_times_shows_both_passes_the_quartiles_and_both_references() -> None:
    bars = [
        TimeBar("copy", "Copy", 0.5, 0.5, (0.5, 0.5)),
        TimeBar("max", "Max", 0.75, 1.0, (1.0, 1.0)),
        TimeBar("hybrid", "Hybrid", 1.5, 4.0, (3.5, 5.0), "4 times"),
        TimeBar("hybrid", "Hybrid, compiled", 0.5, 0.5, (0.4, 0.6), hatched=True),
    ]
    figure = time_chart(bars, WORDS)
    forward, backward, numbers, *legend = figure.data
    assert list(forward.x) == [0.5, 0.75, 1.5, 0.5]
    assert list(backward.x) == [0.0, 0.25, 2.5, 0.0]
    assert list(backward.error_x.array) == pytest.approx([0, 0, 1.0, 0.1])
    assert list(backward.error_x.arrayminus) == pytest.approx([0, 0, 0.5, 0.1])
    assert numbers.text[2].strip() == "4.00 ×"
    assert [line.x0 for line in figure.layout.shapes] == [1.0, 0.5]
    assert forward.customdata[2] == "4 times"
    assert list(forward.marker.pattern.shape) == ["", "", "", "/"]
    assert [entry.name for entry in legend] == ["forward", "backward", "compiled"]
    inference = [TimeBar("copy", "Copy", 1, 1, (1, 1)), TimeBar("max", "Max", 1, 1, (1, 1))]
    assert len(time_chart(inference, WORDS).data) == 3


def test_the_chart_of_shares_has_one_group_for_each_network() -> None:
    def bar(share: float) -> ShareBar:
        return ShareBar(share, (share - 0.02, share + 0.01), "")

    figure = share_chart(
        {
            "a": {"max": bar(0.01), "hybrid": bar(0.02)},
            "b": {"max": bar(0.1), "hybrid": bar(0.3)},
        },
        {"max": "Max", "hybrid": "Hybrid"},
        {"a": "A", "b": "B"},
        WORDS,
    )
    first, text, second, _text, *legend = figure.data
    assert [list(bars.x) for bars in (first, second)] == [[1.0, 2.0], [10.0, 30.0]]
    assert list(second.error_x.array) == pytest.approx([1, 1])
    assert list(second.error_x.arrayminus) == pytest.approx([2, 2])
    assert list(text.x) == pytest.approx([2, 3])
    assert [entry.name for entry in legend] == ["A", "B"]


def test_a_tiny_multiple_and_a_tiny_share_keep_their_digits() -> None:
    bars = [
        TimeBar(name, name, 0, whole, (0, 1)) for name, whole in (("copy", 0.00229), ("max", 1))
    ]
    assert [text.strip() for text in time_chart(bars, WORDS).data[2].text] == ["0.0023 ×", "1.00 ×"]
    said = cost_findings.networks(network(0.000023, 0.000023, 0.000023))
    assert "**0.0023 %** with hybrid" in said


def test_sizes_come_with_their_unit() -> None:
    sizes = (0, 72, 999, 1536, 2_097_160, 3_000_000_000)
    assert [cost_words.data_size(size) for size in sizes] == [
        "0 B",
        "72 B",
        "999 B",
        "1.54 kB",
        "2.10 MB",
        "3.00 GB",
    ]


# ---- one at a time -----------------------------------------------------------------------------


def test_a_second_measurement_waits_for_the_first_and_what_is_whole_is_kept() -> None:
    st.cache_resource.clear()
    settings = cost_state.STATE.read(SMALL).map
    first = compute.pooling_costs(settings)
    assert next(first) is not None
    heard: queue.Queue[PoolingCosts | compute.Waiting] = queue.Queue()

    def somebody_else() -> None:
        for record in compute.pooling_costs(replace(settings, channels=5)):
            heard.put(record)

    other = threading.Thread(target=somebody_else)
    other.start()
    assert heard.get(timeout=PATIENCE) == compute.Waiting(1)
    first.close()
    other.join()
    last = list(heard.queue)[-1]
    assert not isinstance(last, compute.Waiting)
    assert last.turns == settings.turns
    assert compute.kept_pooling_costs(settings) == []
    whole = list(compute.pooling_costs(settings))[-1]
    assert list(compute.pooling_costs(settings)) == [whole]


# ---- the page ----------------------------------------------------------------------------------


def opened(**link: str) -> AppTest:
    return apps.opened("pages/6_Cost.py", SMALL | link)


def texts(test: AppTest) -> str:
    return "\n".join(element.value for element in test.markdown)


def notes(test: AppTest) -> str:
    return "\n".join(note.value for note in test.info)


def test_the_page_opens_counted_and_measured() -> None:
    test = opened()
    said = texts(test)
    assert "**Hybrid** takes" in said
    assert "× that of a plain copy" in said
    assert "| Hybrid per channel | 4 |" in said
    assert "| Max | 11\N{NARROW NO-BREAK SPACE}173\N{NARROW NO-BREAK SPACE}962 | 0 |" in said
    assert len(test.get("plotly_chart")) == 1
    captions = "\n".join(caption.value for caption in test.caption)
    assert "median of 3 rounds" in captions
    assert "threads: 1" in captions
    assert "Whole networks take longer" in notes(test)
    assert link_of(test) == cost_state.STATE.query(cost_state.STATE.read(SMALL)) | {"lang": "en"}


def test_a_large_map_is_counted_but_waits_to_be_asked() -> None:
    test = opened(batch="64", map="64x32x64")
    assert "press Measure" in notes(test)
    assert "For each output value" in texts(test)
    assert not test.get("plotly_chart")


def test_every_control_changes_what_is_measured_and_measures_nothing_by_itself() -> None:
    test = opened()
    for kind, field, value, name, text in (
        ("number_input", "batch", 3, "batch", "3"),
        ("number_input", "channels", 6, "map", "6x8x8"),
        ("number_input", "height", 10, "map", "6x10x8"),
        ("number_input", "width", 12, "map", "6x10x12"),
        ("slider", "kernel_size", 3, "map-kernel", "3"),
        ("slider", "stride", 1, "map-stride", "1"),
        ("segmented_control", "padding", 1, "map-padding", "1"),
        ("segmented_control", "training", False, "pass", "inference"),
        ("segmented_control", "memory_format", "contiguous", "layout", "nchw"),
        ("segmented_control", "dtype", "bfloat16", "type", "bfloat16"),
        ("select_slider", "turns", 5, "rounds", "5"),
        ("segmented_control", "side", 224, "networks", "1x224"),
        ("number_input", "pictures", 4, "networks", "4x224"),
    ):
        good(getattr(test, kind)(key=f"cost_{field}").set_value(value).run())
        assert link_of(test)[name] == text
    assert "Not measured yet" in notes(test)
    good(test.button(key="cost_button_times").click().run())
    assert "**Hybrid** takes" in texts(test)
    assert "Both passes" not in texts(test)
    captions = "\n".join(caption.value for caption in test.caption)
    assert "3 × 6 × 10 × 12, window 3 × 3, stride 1, padding 1, NCHW, bfloat16" in captions


def test_going_back_to_a_size_shows_what_was_measured_and_again_measures_anew() -> None:
    test = opened(map="4x8x12")
    settings = cost_state.STATE.read(SMALL | {"map": "4x8x12"}).map
    (before,) = compute.kept_pooling_costs(settings)
    good(test.number_input(key="cost_batch").set_value(2).run())
    good(test.number_input(key="cost_batch").set_value(1).run())
    assert compute.kept_pooling_costs(settings) == [before]
    assert "**Hybrid** takes" in texts(test)
    good(test.button(key="cost_button_times").click().run())
    (after,) = compute.kept_pooling_costs(settings)
    assert after.turns == before.turns
    assert after is not before


def test_what_was_found_before_a_stop_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    st.cache_resource.clear()
    test = opened(batch="64", map="64x32x64")
    stopped = made({"hybrid": 4.0}, batch=64, height=32, width=64, turns=3)
    test.session_state["cost_last_times"] = (stopped.settings, stopped)
    good(test.run())
    assert "**Hybrid** takes **4.00 ×**" in texts(test)
    assert test.button(key="cost_button_times").label == "Measure"
    assert not compute.kept_pooling_costs(stopped.settings)


def test_networks_are_measured_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = network(0.11, 0.11, 0.11)
    monkeypatch.setattr(compute.costs, "measure_networks", lambda settings: iter([wanted]))
    test = opened(networks="7x32")
    good(test.button(key="cost_button_networks").click().run())
    said = texts(test)
    assert "**stay with plain pooling here**" in said
    assert said.count("Share of the step") == len(NETWORKS)
    assert len(test.get("plotly_chart")) == 2
    good(test.run())
    assert "**stay with plain pooling here**" in texts(test)
    assert test.button(key="cost_button_networks").label == "Measure again"


def test_without_a_compiler_the_page_says_why_and_measures_eager(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = compute.costs.measure_poolings

    def refuse(settings: CostSettings):  # type: ignore[no-untyped-def]
        if settings.compiled:
            raise CannotCompileError("No working C++ compiler found")
        yield from real(settings)

    monkeypatch.setattr(compute.costs, "measure_poolings", refuse)
    test = opened(map="4x8x9")
    good(test.toggle(key="cost_compiled").set_value(True).run())
    assert link_of(test)["compiled"] == "1"
    good(test.button(key="cost_button_times").click().run())
    assert [problem.value for problem in test.warning] == [
        "Not compiled here: No working C++ compiler found"
    ]
    assert "**Hybrid** takes" in texts(test)
