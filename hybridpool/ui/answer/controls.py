"""The controls of the page "The answer": what is done to the picture, and of which kind."""

from __future__ import annotations

import streamlit as st

from hybridpool.pictures.perturb import NOISES
from hybridpool.trace import MAX_SEED
from hybridpool.ui.answer.state import STATE
from hybridpool.ui.answer.words import action_names
from hybridpool.ui.names import fill_names, noise_names, shape_names
from hybridpool.ui.words import _


def show_controls() -> None:
    """Noise, occlusion or shift, and the kind of the one that is chosen."""
    action, kind, seed = st.columns([4, 3, 4], gap="medium", vertical_alignment="bottom")
    with action:
        STATE.pick("action", _("What is done to the picture"), action_names())
    change = STATE.chosen().change
    if change.action == "noise":
        names = noise_names()
        with kind:
            STATE.control(
                st.selectbox,
                "noise",
                _("Noise"),
                options={name: names[name] for name in NOISES},
                help=_("One kind of noise at a time, so that its effect can be told apart."),
            )
        with seed:
            _seed(_("Seed of the noise"))
    elif change.action == "occlusion":
        with kind:
            STATE.pick("shape", _("Shape"), shape_names())
        with seed:
            STATE.control(st.selectbox, "fill", _("Filled with"), options=fill_names())
    else:
        with kind:
            st.caption(_("What leaves at one edge comes back at the other."))


def _seed(label: str) -> None:
    number, button = st.columns([1, 1], vertical_alignment="bottom")
    with number:
        STATE.whole("draw", label, 0, MAX_SEED)
    with button:
        st.button(_("Draw again"), key="answer_again", on_click=_again, width="stretch")


def _again() -> None:
    STATE.choose(draw=(STATE.chosen().change.done.draw + 1) % (MAX_SEED + 1))
