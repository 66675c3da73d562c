"""What is chosen on the page "Learning", frozen, the link that restores it, and the session's race.

The race itself lives in the session too: a tab that is closed or shows another page asks for no
further step, and two people never share one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import streamlit as st

from hybridpool.race.race import Race, RaceSettings
from hybridpool.ui.page_state import PageState, Parameter

#: Steps a second; None is as many as there is time for.
SPEEDS: dict[str, float | None] = {"slow": 10, "normal": 50, "fast": None}


@dataclass(frozen=True)
class Lesson:
    """The race, and how fast it is shown.

    Args:
        race: Everything that decides the numbers.
        speed: Key of `SPEEDS`.
    """

    race: RaceSettings = field(default_factory=RaceSettings)
    speed: str = "normal"

    def clamped(self) -> Lesson:
        """The nearest one that can be run; a link may ask for anything.

        Example:
            >>> Lesson(RaceSettings(dropout=7.0), "warp").clamped().speed
            'normal'
        """
        speed = self.speed if self.speed in SPEEDS else "normal"
        return Lesson(self.race.clamped(), speed)


STATE = PageState(
    "learning",
    Lesson(),
    (
        Parameter("task", "task"),
        Parameter("race-seed", "seed", old="draw"),
        Parameter("training-pictures", "pictures", old="pictures"),
        Parameter("steps", "steps"),
        Parameter("rate", "learning_rate"),
        Parameter("optimizer", "optimizer"),
        Parameter("decay", "weight_decay"),
        Parameter("decay-blend", "decay_logits"),
        Parameter("dropout", "dropout"),
        Parameter("speed", "speed"),
    ),
)


def race() -> Race:
    """The race of this session; one of other settings is forgotten, and the next one waits."""
    settings = STATE.chosen().race
    running: Race | None = st.session_state.get("race")
    if running is None or running.settings != settings:
        running = restart()
    return running


def restart() -> Race:
    """Start the race over."""
    running = st.session_state["race"] = Race(STATE.chosen().race)
    # A number of its own, by which the browser knows that everything begins anew.
    st.session_state["race_number"] = st.session_state.get("race_number", 0) + 1
    st.session_state["race_runs"] = False
    st.session_state["race_seconds"] = 0.0
    return running
