"""The controls of the page "Noise and occlusion": what is done to the picture, and how strongly."""

from __future__ import annotations

import streamlit as st

from hybridpool.pictures.perturb import FILLS, NOISES, SHAPES
from hybridpool.sensitivity import Perturbation
from hybridpool.sensitivity.perturbation import level_options
from hybridpool.trace import MAX_SEED
from hybridpool.ui.noise import words as noise_words
from hybridpool.ui.noise.state import STATE
from hybridpool.ui.words import _


def show_controls() -> Perturbation:
    """Noise or occlusion, and the controls of the one that is chosen."""
    names = noise_words.kind_names()
    done = STATE.chosen()
    STATE.control(
        st.segmented_control,
        "kind",
        _("What is done to the picture"),
        options=list(names),
        format_func=names.__getitem__,
        required=True,
    )
    if done.kind == "noise":
        _noise_controls(done)
    else:
        _occluder_controls(done)
    return STATE.chosen()


def _noise_controls(done: Perturbation) -> None:
    names = noise_words.noise_names()
    noise = NOISES[done.noise]
    kind, level, seed = st.columns([2, 3, 3], gap="medium", vertical_alignment="top")
    with kind:
        STATE.control(
            st.selectbox,
            "noise",
            _("Noise"),
            options=list(NOISES),
            format_func=names.__getitem__,
            help=_("One kind of noise at a time, so that its effect can be told apart."),
        )
    with level:
        STATE.control(
            st.select_slider,
            "level",
            noise_words.level_names()[done.noise],
            options=level_options(noise),
            format_func=lambda value: f"{value:g}",
        )
    with seed:
        _seed(_("Seed of the noise"))
    st.caption(
        noise_words.noise_notes()[done.noise]
        + " "
        + _("It is drawn once from the seed, so every pooling gets the same noise.")
    )


def _occluder_controls(done: Perturbation) -> None:
    shapes, fills = noise_words.shape_names(), noise_words.fill_names()
    shape, fill, seed = st.columns([2, 3, 3], gap="medium", vertical_alignment="top")
    with shape:
        STATE.control(
            st.segmented_control,
            "shape",
            _("Shape"),
            options=list(SHAPES),
            format_func=shapes.__getitem__,
            required=True,
        )
    with fill:
        STATE.control(
            st.selectbox,
            "fill",
            _("Filled with"),
            options=list(FILLS),
            format_func=fills.__getitem__,
        )
    if done.fill == "noise":
        with seed:
            _seed(_("Seed of the colours"))


def _seed(label: str) -> None:
    number, button = st.columns([1, 1], vertical_alignment="bottom")
    with number:
        STATE.control(st.number_input, "draw", label, min_value=0, max_value=MAX_SEED, step=1)
    with button:
        st.button(_("Draw again"), key="draw_again", on_click=_draw_again, width="stretch")


def _draw_again() -> None:
    STATE.choose(draw=(STATE.chosen().draw + 1) % (MAX_SEED + 1))
