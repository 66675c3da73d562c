"""The part of the page "Cost" that shows measured times."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import Any

import streamlit as st

from hybridpool.cost import (
    CONTESTANTS,
    CannotCompileError,
    CostSettings,
    PoolingCost,
    PoolingCosts,
)
from hybridpool.ui import compute
from hybridpool.ui.charts import show_chart
from hybridpool.ui.compute import Waiting
from hybridpool.ui.cost import sentences as cost_findings
from hybridpool.ui.cost import tables as cost_tables
from hybridpool.ui.cost import words as cost_words
from hybridpool.ui.cost.run import Run
from hybridpool.ui.words import _
from hybridpool.viz.cost_charts import TimeBar, time_chart

#: A map with at most so many values is measured without being asked: about two seconds.
_QUICK = 2**20


def show_times(settings: CostSettings) -> None:
    """The chart, its sentences and the table; measured on request, a small map at once."""
    st.header(_("By the clock"))
    st.caption(cost_words.map_words(settings))
    first = not st.session_state.get("cost_begun") and _is_quick(settings)
    st.session_state["cost_begun"] = True
    run = Run("times", settings, compute.kept_pooling_costs(settings), begin=first)
    if settings.compiled and (problem := st.session_state.get("cost_no_compiler")):
        sentence = _("Not compiled here: {problem}").format(problem=problem)
        st.warning(sentence, icon=":material/warning:")
    chart, words = st.empty(), st.empty()
    record = _measured(run, settings, chart)
    if record is None:
        chart.info(_("Not measured yet with these settings: press Measure."))
        return
    _show_chart(chart, record)
    with words.container():
        st.markdown(cost_findings.times(record))
        st.caption(
            cost_words.machine_words(record.machine, record.turns)
            + " "
            + _(
                "The poolings take turns, and each round is compared with the same round of max, "
                "so that a busy moment affects both; whiskers span the middle half of these "
                "ratios. Other work on this machine can still disturb the times; measurements on "
                "this page wait for each other."
            )
        )
        cost_tables.show_times(record)


def _measured(run: Run, settings: CostSettings, chart: Any) -> PoolingCosts | None:
    if not run.wanted:
        return _last(run)
    if "cost_no_compiler" in st.session_state:
        settings = replace(settings, compiled=False)
    try:
        with closing(compute.pooling_costs(settings)) as records:
            for record in records:
                _show_progress(run, record)
                if not isinstance(record, Waiting) and record.turns:
                    run.remember(record)
                    if record.turns % 5 == 0:
                        _show_chart(chart, record, whole=False)
    except CannotCompileError as problem:
        st.session_state["cost_no_compiler"] = str(problem)
        return _measured(run, settings, chart)
    run.finish()
    return _last(run)


def _last(run: Run) -> PoolingCosts | None:
    record: PoolingCosts | None = run.last
    return record


def _show_progress(run: Run, record: PoolingCosts | Waiting) -> None:
    if isinstance(record, Waiting):
        run.wait(record.ahead)
    elif record.compiling:
        run.progress(
            0.0,
            _("Compiling {name}, which takes some seconds, the first time up to a minute …").format(
                name=cost_words.names()[record.compiling]
            ),
        )
    else:
        total = record.settings.turns
        run.progress(
            record.turns / total,
            _("{count} of {total} rounds").format(count=record.turns, total=total),
        )


def _show_chart(place: Any, record: PoolingCosts, *, whole: bool = True) -> None:
    ordered = sorted(record.costs, key=lambda cost: list(CONTESTANTS).index(cost.name))
    bars = [_bar(cost, record) for cost in ordered]
    show_chart(
        time_chart(bars, cost_words.chart_words()),
        # Without a key of its own a part that looks like the one before would be refused.
        key="cost_times" if whole else f"cost_times_part_{record.turns}",
        place=place,
        alt=_("Bar chart of the time of each pooling as a multiple of max alone"),
    )


def _bar(cost: PoolingCost, record: PoolingCosts) -> TimeBar:
    maximum, copy = record.cost("max").whole, record.cost("copy").whole
    ratio = cost.whole.over(maximum)
    label = cost_words.full_name(cost.name, cost.compiled)
    return TimeBar(
        cost.name,
        label,
        cost.forward.over(maximum).median,
        ratio.median,
        ratio.quartiles,
        cost_words.hover(label, cost.whole.median, ratio, cost.whole.over(copy)),
        cost.compiled,
    )


def _is_quick(settings: CostSettings) -> bool:
    batch, channels, height, width = settings.shape
    return batch * channels * height * width <= _QUICK and not settings.compiled
