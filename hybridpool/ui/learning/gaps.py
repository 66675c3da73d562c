"""Overfitting on the page "Learning": one race after the other, each drawn when it ends."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from threading import Lock
from typing import Any

import streamlit as st

from hybridpool.race.gaps import ARMS, Gaps, overfitting
from hybridpool.ui import compute
from hybridpool.ui.charts import show_chart
from hybridpool.ui.learning import sentences as learning_findings
from hybridpool.ui.learning import words as learning_words
from hybridpool.ui.learning.state import Lesson
from hybridpool.ui.results import say_place
from hybridpool.ui.words import _
from hybridpool.viz.learning_charts import gap_chart

#: Seconds between two requests of the browser; each runs one race.
INTERVAL = 0.15


class Measurement:
    """Race after race; two runs of a page may ask for the next one at the same time.

    It keeps what was found itself: a run of a page may be broken off before it writes anything into
    the session, and a race that has been run does not come again.

    Attributes:
        found: What is known so far; None before the first race.
        ended: Whether there is no further race.
    """

    def __init__(self, races: Iterator[Gaps]) -> None:
        self.found: Gaps | None = None
        self.ended = False
        self._races, self._turn = races, Lock()

    def go_on(self) -> None:
        """Run the next race, if there is one."""
        with self._turn:
            found = next(self._races, None)
            self.found = found or self.found
            self.ended = found is None or found.runs == found.total


def show_overfitting(chosen: Lesson) -> None:
    """A button, and the gap between training and test accuracy by number of pictures."""
    st.header(_("Overfitting"))
    st.markdown(
        _(
            "More blend weights can fit more by chance. Here the race is run for each number of "
            "training pictures and five seeds, with the task, steps and training settings above: "
            "**training accuracy minus test accuracy**, for one blend weight, one for each "
            "channel, and attention."
        )
    )
    # What is the same for all races of a measurement.
    settings = _key(chosen)
    if st.session_state.get("gaps_for") != settings:
        _forget(settings)
    st.fragment(_gaps, run_every=INTERVAL if _runs() else None)(chosen)


def _gaps(chosen: Lesson) -> None:
    measurement: Measurement | None = st.session_state.get("gaps")
    runs = _runs() and measurement is not None
    gaps = measurement.found if measurement else None
    whole = measurement is not None and measurement.ended
    if runs:
        pressed = st.button(_("Stop"), icon=":material/stop:", key="gaps_stop")
    else:
        word = _("Continue") if gaps and not whole else _("Measure the gaps")
        pressed = st.button(word, icon=":material/query_stats:", key="gaps_go", disabled=whole)
    if pressed:
        if measurement is None:
            st.session_state["gaps"] = Measurement(overfitting(chosen.race))
        st.session_state["gaps_run"] = not runs
        st.rerun()
    if gaps is not None:
        _draw(gaps)
    if runs and measurement:
        # After all is drawn: what is not yet drawn again looks stale while the race is run.
        place = st.empty()
        with compute.heavy().turn(partial(say_place, place)):
            measurement.go_on()
        if measurement.ended:
            st.session_state["gaps_run"] = False
            st.rerun()


def _draw(gaps: Gaps) -> None:
    names = learning_words.arm_names({"start_half": 0.5})
    words: dict[str, Any] = {arm: names[arm] for arm in ARMS} | {
        "start_half": _("One blend weight"),
        "pictures": _("Training pictures"),
        "gap": _("Training minus test accuracy"),
        "seed": _("seed"),
    }
    if gaps.runs < gaps.total:
        st.progress(
            gaps.runs / gaps.total,
            _("{count} of {total} races").format(count=gaps.runs, total=gaps.total),
        )
    show_chart(
        gap_chart(
            gaps.pictures,
            {arm: gaps.gap[:, place].numpy() for place, arm in enumerate(ARMS)},
            words,
        ),
        key="gap_chart",
        alt=_("Training minus test accuracy against the number of training pictures"),
    )
    st.caption(
        _("Each small dot is one seed, a line joins the means. The test set has 400 pictures.")
    )
    if gaps.runs == gaps.total:
        st.markdown(learning_findings.gaps(gaps))


def _runs() -> bool:
    return bool(st.session_state.get("gaps_run"))


def _key(chosen: Lesson) -> tuple[object, ...]:
    race = chosen.race
    return (
        race.task,
        race.steps,
        race.learning_rate,
        race.optimizer,
        race.weight_decay,
        race.decay_logits,
        race.dropout,
    )


def _forget(settings: tuple[object, ...]) -> None:
    st.session_state["gaps_run"] = False
    st.session_state.pop("gaps", None)
    # Last: what is broken off before it is done again.
    st.session_state["gaps_for"] = settings
