"""The measured costs of poolings; one measurement runs at a time."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial

import streamlit as st

from hybridpool.cost import (
    CostSettings,
    NetworkCost,
    NetworkCosts,
    NetworkSettings,
    PoolingCosts,
    count_networks,
    measure_networks,
    measure_poolings,
)
from hybridpool.ui.compute.process import keeping
from hybridpool.ui.compute.turns import Turns, Waiting, queued


def pooling_costs(settings: CostSettings) -> Generator[PoolingCosts | Waiting, None, None]:
    """What every pooling costs, turn by turn; one measurement runs at a time.

    Close it when you stop early, because others wait for it.

    Raises:
        CannotCompileError: If compiled poolings are asked for, and there is no compiler.
    """
    return queued(partial(measure_poolings, settings), kept_pooling_costs(settings), _measuring())


def network_costs(settings: NetworkSettings) -> Generator[NetworkCosts | Waiting, None, None]:
    """What every network costs, as :func:`pooling_costs`."""
    return queued(partial(measure_networks, settings), kept_network_costs(settings), _measuring())


@keeping(64)
def kept_pooling_costs(settings: CostSettings) -> list[PoolingCosts]:
    """What was measured in this process with these settings; clear it to measure again."""
    return []


@keeping(64)
def kept_network_costs(settings: NetworkSettings) -> list[NetworkCosts]:
    """The same for the networks."""
    return []


@st.cache_resource(show_spinner=False)
def _measuring() -> Turns:
    return Turns(1)


@keeping(32)
def network_counts(settings: NetworkSettings) -> tuple[NetworkCost, ...]:
    """What is known about every network without measuring time."""
    return count_networks(settings)
