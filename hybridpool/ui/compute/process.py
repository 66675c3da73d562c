"""What all caches share: settings of the process."""

from __future__ import annotations

import streamlit as st
import torch


@st.cache_resource
def prepare() -> None:
    """Settings of the process, made once."""
    # One thread a session keeps many learners at once responsive; see CONTRIBUTING.md.
    torch.set_num_threads(1)
