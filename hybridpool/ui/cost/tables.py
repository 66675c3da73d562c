"""The tables of the page "Cost", on the page and as files."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from functools import partial

import streamlit as st

from hybridpool.cost import Counts, NetworkCost, NetworkCosts, PoolingCost, PoolingCosts, Turns
from hybridpool.ui.charts import show_table
from hybridpool.ui.cost import words as cost_words
from hybridpool.ui.cost.words import data_size, millis, whole
from hybridpool.ui.phrases import percent, significant
from hybridpool.ui.share import download
from hybridpool.ui.words import _


def show_counts(counts: Mapping[str, Counts]) -> None:
    """Parameters, operations and traffic of each pooling."""
    names = cost_words.names()
    show_table(
        [
            _("Pooling"),
            _("Parameters"),
            _("Operations for each output"),
            _("Operations"),
            _("Moved in one pass"),
            _("Moved step by step"),
        ],
        [
            [
                names[name],
                str(count.parameters),
                f"{count.operations_per_output:.1f}",
                whole(count.operations),
                data_size(count.bytes_fused),
                data_size(count.bytes_stepwise),
            ]
            for name, count in counts.items()
        ],
    )


def show_times(costs: PoolingCosts) -> None:
    """Milliseconds, multiples and memory of each pooling, and the same as a file."""
    training = costs.settings.training
    head = [_("Pooling"), _("Forward, ms"), *([_("Both passes, ms")] if training else [])]
    head += [_("Quartiles, ms"), _("× max"), _("× copy")]
    if training:
        head += [_("Memory kept"), _("Input kept")]
    peaks = any(cost.peak is not None for cost in costs.costs)
    head += [_("Peak memory")] if peaks else []
    show_table(head, [_times_row(cost, costs, peaks=peaks) for cost in costs.costs])
    download(
        _("Table as CSV"),
        partial(times_csv, costs),
        "pooling-cost.csv",
        key="cost_times_csv",
    )


def _times_row(cost: PoolingCost, costs: PoolingCosts, *, peaks: bool) -> list[str]:
    times = cost.whole
    row = [cost_words.full_name(cost.name, cost.compiled), millis(cost.forward.median)]
    if cost.step.values:
        row.append(millis(cost.step.median))
    row.append(_span(times))
    row += [significant(times.over(costs.cost(name).whole).median) for name in ("max", "copy")]
    if cost.kept is not None:
        row += [data_size(cost.kept.bytes), _("yes") if cost.kept.keeps_input else _("no")]
    if peaks:
        row.append("–" if cost.peak is None else data_size(cost.peak))
    return row


def show_networks(costs: Sequence[NetworkCost]) -> None:
    """What each pooling adds to each network, and its times if they were measured."""
    measured = all(cost.step.values and cost.alone.values for cost in costs)
    head = [_("Pooling"), _("Parameters"), _("of these in the pooling"), _("Share of operations")]
    if measured:
        head += [_("Step, ms"), _("Poolings alone, ms"), _("Share of the step"), _("Quartiles")]
    for network, title in cost_words.network_names().items():
        st.markdown(f"**{title}**")
        of_network = [cost for cost in costs if cost.network == network]
        show_table(head, [_network_row(cost, measured=measured) for cost in of_network])


def _network_row(cost: NetworkCost, *, measured: bool) -> list[str]:
    row = [
        cost_words.names()[cost.pooling],
        whole(cost.parameters),
        whole(cost.pooling_parameters),
        percent(cost.operations_share, most=4),
    ]
    if measured:
        step, alone, share = cost.typical
        row += [millis(step), millis(alone), percent(share, most=4)]
        row.append("–".join(percent(quartile, most=4) for quartile in cost.shares.quartiles))
    return row


def times_csv(costs: PoolingCosts) -> str:
    """Every turn of every pooling in seconds, with what it was measured on.

    The names in it are those of the library, so that a program can read them in any language.
    """
    settings = costs.settings
    common = {
        "shape": "x".join(map(str, settings.shape)),
        "kernel_size": settings.kernel_size,
        "stride": settings.stride,
        "padding": settings.padding,
        "memory_format": settings.memory_format,
        "dtype": settings.dtype,
        "device": settings.device,
        **_machine(costs),
    }
    rows = [
        {
            "pooling": cost.name,
            "compiled": int(cost.compiled),
            "pass": kind,
            "turn": turn,
            "seconds": seconds,
            "bytes_kept": "" if cost.kept is None else cost.kept.bytes,
            **common,
        }
        for cost in costs.costs
        for kind, times in (("forward", cost.forward), ("forward_and_backward", cost.step))
        for turn, seconds in enumerate(times.values, 1)
    ]
    return _csv(rows)


def networks_csv(costs: NetworkCosts) -> str:
    """Every turn of every network in seconds, as :func:`times_csv`."""
    settings = costs.settings
    common = {
        "pictures": f"{settings.batch}x3x{settings.side}x{settings.side}",
        "pass": "forward_and_backward" if settings.training else "forward",
        "memory_format": settings.memory_format,
        "dtype": settings.dtype,
        "device": settings.device,
        **_machine(costs),
    }
    rows = [
        {
            "network": cost.network,
            "pooling": cost.pooling,
            "part": part,
            "turn": turn,
            "seconds": seconds,
            "parameters": cost.parameters,
            "pooling_parameters": cost.pooling_parameters,
            "operations": cost.operations,
            "pooling_operations": cost.pooling_operations,
            **common,
        }
        for cost in costs.costs
        for part, times in (("whole", cost.step), ("poolings_alone", cost.alone))
        for turn, seconds in enumerate(times.values, 1)
    ]
    return _csv(rows)


def _machine(costs: PoolingCosts | NetworkCosts) -> dict[str, object]:
    machine = costs.machine
    return {"processor": machine.processor, "threads": machine.threads, "torch": machine.torch}


def _csv(rows: Sequence[Mapping[str, object]]) -> str:
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def _span(times: Turns) -> str:
    return "–".join(millis(quartile) for quartile in times.quartiles)
