"""What all caches share: settings of the process."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, ParamSpec, TypeVar

import streamlit as st
import torch

from hybridpool.answer.change import Change
from hybridpool.pictures.memory import keep_memory
from hybridpool.sensitivity import Perturbation, Study
from hybridpool.trace import Settings

P = ParamSpec("P")
T = TypeVar("T")


def keeping(
    most: int, kind: Callable[..., Any] = st.cache_resource, **options: Any
) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Keep what a function returned for the last settings that it got.

    For a key Streamlit walks through every field of a record; its text says the same.
    """
    texts = dict.fromkeys((Settings, Perturbation, Study, Change), repr)

    def keep(function: Callable[P, T]) -> Callable[P, T]:
        kept: Callable[P, T] = kind(
            max_entries=most, show_spinner=False, hash_funcs=texts, **options
        )(function)
        return kept

    return keep


def kept_message(name: str, pack: Callable[[], bytes]) -> bytes:
    """The message of this name for the browser, packed once for all sessions.

    `name` names beyond doubt all that is in it.
    """
    kept = _kept_message(name)
    if not kept:
        kept[:] = [pack()]
    return kept[0]


@keeping(8)
def _kept_message(name: str) -> list[bytes]:
    return []


def at_work(function: Callable[P, T], *known: P.args, **options: P.kwargs) -> T:
    """Call a function in one of a few lasting threads, and wait for what it returns.

    Streamlit runs a page in a new thread each time, and oneDNN prepares a convolution anew for
    each thread that it meets: 5 ms for one that takes 0.3 ms.

    Example:
        >>> at_work(max, 1, 2)
        2
    """
    return _workers().submit(function, *known, **options).result()


@cache
def _workers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="compute")


@st.cache_resource
def prepare() -> None:
    """Settings of the process, made once."""
    # One thread a session keeps many learners at once responsive; see CONTRIBUTING.md.
    torch.set_num_threads(1)
    keep_memory()
