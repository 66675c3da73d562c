"""One claim at a time: what is behind its verdict."""

from __future__ import annotations

import streamlit as st

from hybridpool.training.claims import Evidence
from hybridpool.ui.evidence import sentences
from hybridpool.ui.evidence import words as names
from hybridpool.ui.evidence.accuracy import show_accuracy
from hybridpool.ui.evidence.frequency import show_frequency
from hybridpool.ui.evidence.others import show_cost, show_own_task, show_size, show_start
from hybridpool.ui.evidence.robustness import show_robustness
from hybridpool.ui.evidence.small_data import show_small_data
from hybridpool.ui.evidence.state import STATE
from hybridpool.ui.words import _


def show_claim(evidence: Evidence) -> None:
    """Choose a claim, and see its charts."""
    st.header(_("What is behind each verdict"))
    titles = names.claim_titles()
    STATE.control(
        st.pills, "claim", _("Claim"), options=titles, label_visibility="collapsed", required=True
    )
    claim = STATE.chosen().claim
    st.markdown(f"> {names.claim_quotes()[claim]}")
    st.markdown(sentences.with_verdict(evidence.finding(claim), evidence))
    sections = {
        "accuracy": show_accuracy,
        "frequency": show_frequency,
        "start": show_start,
        "cost": show_cost,
        "small_data": show_small_data,
        "size": show_size,
    }
    if claim in ("noise", "occlusion"):
        show_robustness(evidence, claim)
    elif claim in sections:
        sections[claim](evidence)
    else:
        show_own_task()
