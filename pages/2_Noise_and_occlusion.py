"""Noise and occlusion: what each pooling makes of a picture that has been changed."""

import streamlit as st

from hybridpool.ui import compute
from hybridpool.ui.browser.inspector import resolved_view
from hybridpool.ui.browser.resting import follow, part, say_due
from hybridpool.ui.frame import open_page
from hybridpool.ui.noise.cards import cards
from hybridpool.ui.noise.controls import show_controls
from hybridpool.ui.noise.curves import show_curves
from hybridpool.ui.noise.effects import answer_link, dial_weight, due, finding, sentences
from hybridpool.ui.noise.occlusion import show_occlusion_map
from hybridpool.ui.noise.rows import show_rows
from hybridpool.ui.noise.state import STATE
from hybridpool.ui.page_state import mirror_in_link
from hybridpool.ui.phrases import paragraph
from hybridpool.ui.results import current_trace
from hybridpool.ui.settings import SHARED
from hybridpool.ui.words import _


@part
def changed(trace, picture):
    done, seen = STATE.chosen(), resolved_view(trace)
    compared = compute.compared(trace, picture, done)
    link = answer_link(done, trace.features.image.shape[-2:])
    st.markdown(paragraph([finding(compared, seen, done), link]))
    show_rows(compared, seen, picture, done)
    st.markdown(sentences(compared, seen, done))
    say_due(due(done, seen))
    mirror_in_link(SHARED.query(), STATE.query())


@part
def swept(trace, picture):
    done, seen = STATE.chosen(), resolved_view(trace)
    follow(due(done, seen))
    mirror_in_link(SHARED.query(), STATE.query())
    compared = compute.compared(trace, picture, done)
    weight = dial_weight(compared, seen)
    if done.kind == "noise":
        show_curves(compared, picture, done, weight)
    else:
        show_occlusion_map(trace, picture, done, weight)


def study(trace, picture):
    show_controls()
    changed(trace, picture)
    swept(trace, picture)


open_page(
    _("Noise and occlusion"),
    _(
        "Is hybrid pooling steadier under noise and partial occlusion, as it is said to be? The "
        "same picture, filters and change in every row."
    ),
    state=STATE,
    cards=cards(),
)
study(*current_trace())
