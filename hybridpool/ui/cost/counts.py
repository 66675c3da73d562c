"""The part of the page "Cost" that needs no clock."""

from __future__ import annotations

import streamlit as st

from hybridpool.cost import (
    CONTESTANTS,
    CostSettings,
    count_cost,
)
from hybridpool.ui.cost import tables as cost_tables
from hybridpool.ui.words import _


def show_counts(settings: CostSettings) -> None:
    """The table of counts, and a sentence about it."""
    st.header(_("By count"))
    counts = {name: count_cost(name, settings) for name in CONTESTANTS}
    hybrid, maximum = counts["hybrid"], counts["max"]
    st.markdown(
        _(
            "For each output value **hybrid** takes {hybrid:.1f} operations, max {max:.1f}; step "
            "by step it moves {traffic:.1f} × the bytes of max. It learns {count} number."
        ).format(
            hybrid=hybrid.operations_per_output,
            max=maximum.operations_per_output,
            traffic=hybrid.bytes_stepwise / maximum.bytes_stepwise,
            count=hybrid.parameters,
        )
    )
    cost_tables.show_counts(counts)
    st.caption(
        _(
            "For the forward pass of one batch. A comparison, addition, product, quotient or "
            "sigmoid is one operation. One pass: every cell is read and every output written once, "
            "which is the least possible; attention needs another pass for its means first. Step "
            "by step: each step of the formula reads and writes its maps, as PyTorch does unless "
            "it compiles."
        )
    )
