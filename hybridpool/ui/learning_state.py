"""What is chosen on the page "Learning", frozen, the link that restores it, and the session's race.

The race itself lives in the session too: a tab that is closed or shows another page asks for no
further step, and two people never share one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import streamlit as st

from hybridpool.race.race import Race, RaceSettings
from hybridpool.ui import words

#: Steps a second; None is as many as there is time for.
SPEEDS: dict[str, float | None] = {"slow": 10, "normal": 50, "fast": None}

# Name in the link -> field of the settings of the race.
_FIELDS = {
    "task": "task",
    "draw": "seed",
    "pictures": "pictures",
    "steps": "steps",
    "rate": "learning_rate",
    "optimizer": "optimizer",
    "decay": "weight_decay",
    "decay-blend": "decay_logits",
    "dropout": "dropout",
}


@dataclass(frozen=True)
class Lesson:
    """What is run, and how fast it is shown.

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


def lesson() -> Lesson:
    """What is chosen in this session, at first what the link says."""
    if "lesson" not in st.session_state:
        st.session_state["lesson"] = lesson_from(st.query_params.to_dict())
    found: Lesson = st.session_state["lesson"]
    return found


def choose(**values: object) -> None:
    """Choose something else; names of the settings of the race change those."""
    now = lesson()
    speed = values.pop("speed", now.speed)
    race = replace(now.race, **values)  # type: ignore[arg-type]
    st.session_state["lesson"] = Lesson(race, str(speed)).clamped()


def race() -> Race:
    """The race of this session; one of other settings is forgotten, and the next one waits."""
    settings = lesson().race
    found: Race | None = st.session_state.get("race")
    if found is None or found.settings != settings:
        found = restart()
    return found


def restart() -> Race:
    """Back to the start."""
    found = st.session_state["race"] = Race(lesson().race)
    # A number of its own, by which the browser knows that everything begins anew.
    st.session_state["race_number"] = st.session_state.get("race_number", 0) + 1
    st.session_state["race_runs"] = False
    st.session_state["race_seconds"] = 0.0
    return found


def mirror_in_link() -> None:
    """Write the whole state into the address bar, so that the link restores it."""
    wanted = query(lesson()) | {"lang": words.language()}
    if st.session_state.get("large"):
        wanted["large"] = "1"
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)


def query(chosen: Lesson) -> dict[str, str]:
    """It as the parameters of a link.

    Example:
        >>> query(Lesson())["pictures"]
        '1000'
    """
    values = {name: getattr(chosen.race, field) for name, field in _FIELDS.items()}
    return {name: _text(value) for name, value in values.items()} | {"speed": chosen.speed}


def lesson_from(parameters: Mapping[str, str]) -> Lesson:
    """What a link asks for; what cannot be read is left as it is by default.

    Example:
        >>> lesson_from({"task": "tone", "draw": "-3", "pictures": "many"}).race.pictures
        1000
    """
    plain = RaceSettings()
    found = {
        name: _value(parameters[key], getattr(plain, name))
        for key, name in _FIELDS.items()
        if key in parameters
    }
    speed = parameters.get("speed", Lesson.speed)
    return Lesson(replace(plain, **found), speed).clamped()  # type: ignore[arg-type]


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _value(text: str, otherwise: object) -> object:
    """The text as a value of the same type."""
    if isinstance(otherwise, str):
        return text
    try:
        number = float(text)
    except ValueError:
        return otherwise
    if not math.isfinite(number):
        return otherwise
    return type(otherwise)(number)  # type: ignore[call-arg]
