"""Explore: maps as NPZ, a script that gives the same numbers, and a page without a server."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from hybridpool.trace import Trace, maps_at
from hybridpool.ui.explore.script import reproduction_script
from hybridpool.ui.explore.web_page import web_page
from hybridpool.ui.settings import Shown, upload
from hybridpool.ui.words import _


def show_downloads(trace: Trace, seen: Shown) -> None:
    """Maps, script and web page of what is shown; the PNG is saved in the inspector."""
    own = upload() if trace.settings.picture == "upload" else None
    with st.container(horizontal=True):
        st.download_button(
            _("Maps as NPZ"),
            data=_npz(trace, seen),
            file_name="hybrid-pooling.npz",
            mime="application/octet-stream",
            on_click="ignore",
            icon=":material/grid_on:",
            help=_("Picture, feature map and all pooled maps as float32 arrays."),
        )
        st.download_button(
            _("PyTorch script"),
            data=reproduction_script(trace, seen, own.name if own else None),
            file_name="hybrid_pooling.py",
            mime="text/x-python",
            on_click="ignore",
            icon=":material/code:",
            help=_("A short script that gives the same numbers with the library."),
        )
        st.download_button(
            _("Save as web page"),
            data=web_page(trace, seen),
            file_name="hybrid-pooling.html",
            mime="text/html",
            on_click="ignore",
            icon=":material/web:",
            help=_(
                "One file that opens by double click and needs no server: dial, window, channels "
                "and formulas work in it."
            ),
        )


def _npz(trace: Trace, seen: Shown) -> Callable[[], bytes]:
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
