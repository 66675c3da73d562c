"""The part of the page "Cost" that looks inside whole networks."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from hybridpool.cost import IN_NETWORKS, NETWORKS, SIDES, NetworkCosts, NetworkSettings
from hybridpool.ui import compute
from hybridpool.ui.charts import show_chart
from hybridpool.ui.compute import Waiting
from hybridpool.ui.cost import sentences as cost_findings
from hybridpool.ui.cost import tables as cost_tables
from hybridpool.ui.cost import words as cost_words
from hybridpool.ui.cost.run import Run
from hybridpool.ui.cost.state import STATE
from hybridpool.ui.phrases import percent
from hybridpool.ui.share import download
from hybridpool.ui.words import _
from hybridpool.viz.cost_charts import ShareBar, share_chart


@dataclass(frozen=True)
class Part:
    """The places of this part on the page, which are filled when the clock is free."""

    run: Run
    settings: NetworkSettings
    chart: Any
    words: Any
    table: Any


def prepare(settings: NetworkSettings) -> Part:
    """Headline, controls, buttons and the counts."""
    st.header(_("Inside a network"))
    st.markdown(
        _(
            "A ResNet-18 with a pooling before each of its stages 2 to 4, and a small network of "
            "depthwise separable convolutions as phones run it: how much of a step do the pooling "
            "layers take?"
        )
    )
    left, right = st.columns(2, gap="large")
    with left:
        STATE.pick("side", _("Pictures"), list(SIDES), format_func=lambda side: f"{side} × {side}")
    with right:
        STATE.whole("pictures", _("Pictures in a batch"), 1, SIDES[settings.side])
    run = Run("networks", settings, compute.kept_network_costs(settings))
    part = Part(run, settings, st.empty(), st.empty(), st.empty())
    with part.table.container():
        cost_tables.show_networks(compute.network_counts(settings))
    return part


def show(part: Part) -> None:
    """The chart, its sentences and the numbers; measured on request."""
    record = _measured(part) if part.run.wanted else part.run.last
    if record is None:
        part.chart.info(
            _(
                "Counted, not measured yet: press Measure. Whole networks take longer than a "
                "pooling alone, on a CPU some ten seconds or more."
            )
        )
        return
    _show_chart(part.chart, record, whole=True)
    with part.words.container():
        st.markdown(cost_findings.networks(record))
        st.caption(_how(record))
    with part.table.container():
        cost_tables.show_networks(record.costs)
        download(
            _("Table as CSV"),
            partial(cost_tables.networks_csv, record),
            "network-cost.csv",
            key="cost_networks_csv",
        )


def _measured(part: Part) -> NetworkCosts | None:
    run, drawn = part.run, 0
    with closing(compute.network_costs(part.settings)) as records:
        for record in records:
            if isinstance(record, Waiting):
                run.wait(record.ahead)
                continue
            run.progress(
                record.done,
                _("{count} of {total} rounds").format(
                    count=record.turns, total=record.settings.turns
                ),
            )
            if record.turns > drawn:
                drawn = record.turns
                run.remember(record)
                _show_chart(part.chart, record, whole=False)
    run.finish()
    found: NetworkCosts | None = run.last
    return found


def _show_chart(place: Any, record: NetworkCosts, *, whole: bool) -> None:
    costs = {
        network: {name: record.cost(network, name) for name in IN_NETWORKS} for network in NETWORKS
    }
    shares = {
        network: {
            name: ShareBar(cost.typical[2], cost.shares.quartiles, percent(cost.typical[2], most=4))
            for name, cost in by_pooling.items()
        }
        for network, by_pooling in costs.items()
    }
    show_chart(
        share_chart(
            shares,
            cost_words.names(),
            cost_words.network_names(),
            cost_words.chart_words(),
        ),
        # Without a key of its own a part that looks like the one before would be refused.
        key="cost_networks" if whole else f"cost_networks_part_{record.turns}",
        place=place,
        alt=_("Bar chart of the share of a step that the pooling layers of two networks take"),
    )


def _how(record: NetworkCosts) -> str:
    step = (
        _("A step is a forward and a backward pass without the optimiser")
        if record.settings.training
        else _("A step is a forward pass")
    )
    return (
        cost_words.machine_words(record.machine, record.turns)
        + " "
        + _(
            "{step}, for {batch} pictures of {side} × {side}; their content does not matter. The "
            "share is the time of the network's own pooling layers, run alone on maps of the size "
            "that they get inside it, divided by the time of its whole step in the same round. The "
            "milliseconds and the share in a row come from one round, the one with the median "
            "share; whiskers span the middle half of the rounds. Operations are those of "
            "convolutions, linear layers and poolings. The page calls it little if a step takes "
            "less than {small} longer; at {large} or more it advises plain pooling, if the rounds "
            "are clear about it."
        ).format(
            step=step,
            batch=record.settings.batch,
            side=record.settings.side,
            small=percent(cost_findings.SMALL, most=4),
            large=percent(cost_findings.LARGE, most=4),
        )
    )
