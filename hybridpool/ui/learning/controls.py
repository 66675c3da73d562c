"""The controls of the page "Learning", and sample pictures of the task."""

from __future__ import annotations

import streamlit as st

from hybridpool.race.race import (
    DROPOUTS,
    LEARNING_RATES,
    MOMENTUM,
    MOST_SEED,
    PICTURES,
    STEPS,
    WEIGHT_DECAYS,
)
from hybridpool.ui import compute
from hybridpool.ui.learning import words as learning_words
from hybridpool.ui.learning.state import STATE, Lesson
from hybridpool.ui.words import _

_SAMPLES = 6


def show_tasks() -> None:
    """The choice of a task."""
    STATE.pick("task", _("Task"), learning_words.task_names())


def show_controls() -> Lesson:
    """The task in words and sample pictures, then the training settings."""
    chosen = STATE.chosen()
    st.markdown(learning_words.task_notes()[chosen.race.task])
    _show_samples(chosen)
    pictures, steps, seed = st.columns([4, 4, 2], gap="large")
    with pictures:
        _slider("pictures", _("Training pictures"), PICTURES)
    with steps:
        _slider("steps", _("Steps"), STEPS)
    with seed:
        STATE.whole(
            "seed",
            _("Seed"),
            0,
            MOST_SEED,
            help=_("Pictures, filters, batches and dropout are drawn from it."),
        )
    with st.expander(_("Network, optimizer, weight decay, dropout")):
        st.markdown(
            _(
                "**The network:** eight filters of 3 × 3, pooling over the whole map, a linear "
                "layer. There is no activation before the pooling, so the output of the pooling is "
                "all that the network knows. All networks begin with the same filters and see the "
                "same pictures in the same order; they share no parameter, so each learns what it "
                "would learn alone."
            )
        )
        _training_controls()
    return STATE.chosen()


def _training_controls() -> None:
    optimizers, decays = learning_words.optimizer_names(), learning_words.decay_names()
    left, right = st.columns(2, gap="large")
    with left:
        STATE.pick(
            "optimizer",
            _("Optimizer"),
            optimizers,
            help=_(
                "SGD with momentum {momentum}. Adam divides each gradient by its own size, so that "
                "a small slope slows a logit down less."
            ).format(momentum=MOMENTUM),
        )
        _slider(
            "learning_rate",
            _("Learning rate"),
            LEARNING_RATES,
            _("The same for the filters and for the logits of the blend weights."),
        )
        _slider(
            "dropout",
            _("Dropout"),
            DROPOUTS,
            _("Probability that a pooled channel is left out during training."),
        )
    with right:
        _slider("weight_decay", _("Weight decay"), WEIGHT_DECAYS)
        STATE.control(
            st.radio,
            "decay_logits",
            _("Weight decay and the blend weights"),
            options=decays,
            disabled=not STATE.chosen().race.weight_decay,
            help=_(
                "Weight decay pulls every parameter to 0. For the logit of a blend weight that is "
                "one half: what was learned is erased. hybridpool.parameter_groups leaves the "
                "logits out."
            ),
        )


def _show_samples(chosen: Lesson) -> None:
    names = learning_words.class_names()
    strips = compute.task_samples(chosen.race.task, chosen.race.seed, _SAMPLES)
    shown = list(strips.items())
    for first in range(0, len(shown), 2):
        for column, (name, strip) in zip(st.columns(2), shown[first : first + 2], strict=True):
            column.image(strip, caption=names[name], width="stretch", alt=names[name])
    st.caption(
        _("Generated from the seed, not real data: 24 × 24 grey values, shown with more contrast.")
    )


def _slider(name: str, label: str, options: tuple[float, ...], words: str | None = None) -> None:
    STATE.control(
        st.select_slider,
        name,
        label,
        options=options,
        format_func=lambda value: f"{value:g}",
        help=words,
    )
