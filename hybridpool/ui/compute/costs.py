"""The measured costs of poolings; one measurement runs at a time."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from typing import TypeVar

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
from hybridpool.ui.compute.process import growing, prepare

_T = TypeVar("_T")
#: How long to wait for somebody else's measurement before saying so again, in seconds.
_WAIT = 0.3


def pooling_costs(settings: CostSettings) -> Generator[PoolingCosts | None, None, None]:
    """What every pooling costs, turn by turn; None while another measurement runs.

    Only a whole record is kept. Close the iterator when you stop early, because others wait for it.

    Raises:
        CannotCompileError: If compiled poolings are asked for, and there is no compiler.
    """
    yield from _undisturbed(measure_poolings(settings), kept_pooling_costs(settings))


def network_costs(settings: NetworkSettings) -> Generator[NetworkCosts | None, None, None]:
    """What every network costs, as :func:`pooling_costs`."""
    yield from _undisturbed(measure_networks(settings), kept_network_costs(settings))


@st.cache_resource(max_entries=64, show_spinner=False)
def kept_pooling_costs(settings: CostSettings) -> list[PoolingCosts]:
    """What was measured in this process with these settings; clear it to measure again."""
    return []


@st.cache_resource(max_entries=64, show_spinner=False)
def kept_network_costs(settings: NetworkSettings) -> list[NetworkCosts]:
    """The same for the networks."""
    return []


def _undisturbed(records: Iterator[_T], kept: list[_T]) -> Iterator[_T | None]:
    """What is kept, or new records once no other measurement runs; None while waiting."""
    if known := kept[:1]:
        yield known[0]
        return
    prepare()
    lock = _measuring()
    while not lock.acquire(timeout=_WAIT):
        yield None
    try:
        # Somebody may have measured the same in the meantime.
        yield from kept[:1] or growing(records, kept)
    finally:
        lock.release()


@st.cache_resource(show_spinner=False)
def _measuring() -> threading.Lock:
    return threading.Lock()


@st.cache_resource(max_entries=32, show_spinner=False)
def network_counts(settings: NetworkSettings) -> tuple[NetworkCost, ...]:
    """What is known about every network without measuring time."""
    return count_networks(settings)
