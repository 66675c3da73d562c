"""The controls of the page "Shift and frequency"."""

from __future__ import annotations

import streamlit as st

from hybridpool.sensitivity import Study
from hybridpool.trace import MAX_SEED
from hybridpool.ui.names import more_names
from hybridpool.ui.shift import words as shift_words
from hybridpool.ui.shift.state import STATE
from hybridpool.ui.words import _


def show_controls() -> Study:
    """What the picture goes through, and which poolings are shown."""
    names, bands = more_names(), shift_words.band_names()
    more, seed, band = st.columns([4, 2, 3], gap="medium", vertical_alignment="top")
    with more:
        STATE.control(
            st.multiselect,
            "more",
            _("Further poolings"),
            options=names,
            placeholder=_("None"),
            help=_(
                "They join the rows, lines and bars below. Max, then blur: maximum at each cell, "
                "then a binomial filter at the stride. Lp: root of the mean square. Stochastic: "
                "one cell of each window, drawn in proportion to its value. Soft: a mean in which "
                "larger values weigh exponentially more."
            ),
        )
    with seed:
        if "stochastic" in STATE.chosen().more:
            STATE.whole("draw", _("Seed of the draws"), 0, MAX_SEED)
    with band:
        STATE.pick(
            "band",
            _("Frequencies of the picture"),
            bands,
            help=_(
                "Low is below one third, high above two thirds of the Nyquist frequency, half a "
                "wave in a pixel. The chosen band alone goes into the filters, with the mean of "
                "the picture."
            ),
        )
    return STATE.chosen()
