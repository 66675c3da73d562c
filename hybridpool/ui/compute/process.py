"""What all caches share: settings of the process, and records that grow until whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import streamlit as st
import torch

_T = TypeVar("_T")


@st.cache_resource
def prepare() -> None:
    """Settings of the process, made once."""
    # One thread a session keeps many learners at once responsive; see CONTRIBUTING.md.
    torch.set_num_threads(1)


def growing(records: Iterator[_T], kept: list[_T]) -> Iterator[_T]:
    """Pass records on, and keep the last one once it is whole."""
    for record in records:
        yield record
    kept.append(record)
