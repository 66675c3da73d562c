"""Explore: maps as NPZ, a script that gives the same numbers, and a page without a server."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from hybridpool.trace import Trace, maps_at
from hybridpool.ui.explore.script import reproduction_script
from hybridpool.ui.explore.web_page import web_page
from hybridpool.ui.settings import ResolvedView, upload
from hybridpool.ui.share import download
from hybridpool.ui.words import _


def show_downloads(trace: Trace, seen: ResolvedView) -> None:
    """Maps, script and web page of what is shown; the PNG is saved in the inspector."""
    own = upload() if trace.settings.picture == "upload" else None
    with st.container(horizontal=True):
        download(
            _("Maps as NPZ"),
            _npz(trace, seen),
            "hybrid-pooling.npz",
            _("Picture, feature map and all pooled maps as float32 arrays."),
        )
        download(
            _("PyTorch script"),
            partial(reproduction_script, trace, seen, own.name if own else None),
            "hybrid_pooling.py",
            _("A short script that gives the same numbers with the library."),
        )
        download(
            _("Save as web page"),
            web_page(trace, seen),
            "hybrid-pooling.html",
            _(
                "One file that opens by double click and needs no server: dial, window, channels "
                "and formulas work in it."
            ),
        )


def _npz(trace: Trace, seen: ResolvedView) -> Callable[[], bytes]:
    def make() -> bytes:
        arrays: dict[str, Any] = {
            name: values.numpy() for name, values in maps_at(trace, seen.dial).items()
        }
        file = io.BytesIO()
        np.savez_compressed(
            file,
            image=trace.features.image.numpy(),
            feature_map=trace.feature_map.contiguous().numpy(),
            attention_values=trace.attention.numpy(),
            blend_weight=np.float32(seen.weight),
            **arrays,
        )
        return file.getvalue()

    return make
