"""The controls of the page "The answer": what is done to the picture, and of which kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from hybridpool.trace import MAX_SEED
from hybridpool.ui.answer.state import STATE, Chosen
from hybridpool.ui.answer.words import action_names
from hybridpool.ui.words import _


@dataclass(frozen=True)
class Kinds:
    """What the kinds of changes are called, as on the page "Noise and occlusion".

    Attributes:
        noises: One name for each key of `NOISES`.
        levels: What the level of each is called.
        shapes: One name for each of `SHAPES`.
        fills: One name for each of `FILLS`.
    """

    noises: Mapping[str, str]
    levels: Mapping[str, str]
    shapes: Mapping[str, str]
    fills: Mapping[str, str]


def show_controls(kinds: Kinds) -> Chosen:
    """Noise, occlusion or shift, and the kind of the one that is chosen."""
    action, kind, seed = st.columns([4, 3, 4], gap="medium", vertical_alignment="bottom")
    with action:
        STATE.pick("action", _("What is done to the picture"), action_names())
    change = STATE.chosen().change
    if change.action == "noise":
        with kind:
            STATE.control(
                st.selectbox,
                "noise",
                _("Noise"),
                options=kinds.noises,
                help=_("One kind of noise at a time, so that its effect can be told apart."),
            )
        with seed:
            _seed(_("Seed of the noise"))
    elif change.action == "occlusion":
        with kind:
            STATE.pick("shape", _("Shape"), kinds.shapes)
        with seed:
            STATE.control(st.selectbox, "fill", _("Filled with"), options=kinds.fills)
    else:
        with kind:
            st.caption(_("What leaves at one edge comes back at the other."))
    return STATE.chosen()


def _seed(label: str) -> None:
    number, button = st.columns([1, 1], vertical_alignment="bottom")
    with number:
        STATE.whole("draw", label, 0, MAX_SEED)
    with button:
        st.button(_("Draw again"), key="answer_again", on_click=_again, width="stretch")


def _again() -> None:
    STATE.choose(draw=(STATE.chosen().change.done.draw + 1) % (MAX_SEED + 1))
