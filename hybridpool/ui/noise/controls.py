"""The controls of the page "Noise and occlusion": what is done to the picture, and how strongly."""

from __future__ import annotations

import streamlit as st

from hybridpool.pictures.perturb import CHANGES
from hybridpool.sensitivity import Perturbation
from hybridpool.trace import MAX_SEED
from hybridpool.ui.names import fill_names, noise_names, shape_names
from hybridpool.ui.noise import words as noise_words
from hybridpool.ui.noise.state import STATE
from hybridpool.ui.phrases import paragraph
from hybridpool.ui.words import _

#: Pixels that a list of names takes, and a number.
_WIDE, _NARROW = 220, 130


def show_controls() -> Perturbation:
    """What is done to the picture, in one line: noise or occlusion, and what belongs to it."""
    done = STATE.chosen()
    # A row that wraps: columns would stand below each other on a phone.
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        STATE.pick("kind", _("What is done to the picture"), noise_words.kind_names())
        if done.kind == "noise":
            _change_control(done)
            drawn = CHANGES[done.noise].random
        else:
            _fill_control()
            _shape_control()
            drawn = done.fill == "noise"
        if drawn:
            _seed()
    return STATE.chosen()


def _change_control(done: Perturbation) -> None:
    names = noise_names()
    said = [noise_words.noise_notes()[done.noise]]
    if CHANGES[done.noise].random:
        said.append(_("It is drawn once from the seed, so every pooling gets the same noise."))
    said.append(_("One change at a time, so that its effect can be told apart."))
    STATE.control(
        st.selectbox,
        "noise",
        _("Change"),
        options={name: names[name] for name in CHANGES},
        help=paragraph(said),
        width=_WIDE,
    )


def _shape_control() -> None:
    STATE.pick("shape", _("Shape"), shape_names())


def _fill_control() -> None:
    fills = fill_names()
    STATE.control(st.selectbox, "fill", _("Filled with"), options=fills, width=_WIDE)


def _seed() -> None:
    STATE.whole("draw", _("Seed"), 0, MAX_SEED, width=_NARROW)
    st.button(
        "",
        key="draw_again",
        icon=":material/casino:",
        help=_("Draw again"),
        on_click=_draw_again,
    )


def _draw_again() -> None:
    STATE.choose(draw=(STATE.chosen().draw + 1) % (MAX_SEED + 1))
