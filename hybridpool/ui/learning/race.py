"""The race on the page: its buttons, the steps it takes while it is watched, and what is sent.

While the race runs, the browser asks for this part of the page several times a second, and each
time the race goes on for as long as there is time. Nobody asks any more once the tab is closed or
shows another page. See ``assets/learning``.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray

from hybridpool.race.race import ARMS, CHANNELS, FIXED, STARTS, Race
from hybridpool.race.tasks import TASKS
from hybridpool.ui import compute
from hybridpool.ui.browser.component import BASE, component
from hybridpool.ui.browser.packing import pack_message
from hybridpool.ui.learning import sentences as learning_findings
from hybridpool.ui.learning import state as learning_state
from hybridpool.ui.learning import words as learning_words
from hybridpool.ui.learning.state import SPEEDS, STATE
from hybridpool.ui.page_state import mirror_in_link
from hybridpool.ui.words import _
from hybridpool.viz.learning_charts import (
    ARM_COLOURS,
    ARM_DASHES,
    CHANNEL_COLOURS,
    share_colours,
)

#: Seconds between two requests of the browser, and how long one of them may train.
INTERVAL = 0.12
_BUDGET = 0.055
#: What of the time between two requests it may train, and the longest that one may take.
_SHARE, _LONGEST = 0.4, 0.5
#: The rate of steps is that of so many seconds; below this share of what was asked it is said.
_WINDOW, _NEARLY = 3.0, 0.8
# So many of the last messages are sent again: a busy browser may skip some.
_OVERLAP = 4
_SCRIPTS = (
    *BASE,
    "common/reach.js",
    *(f"learning/{name}.js" for name in ("plot", "history", "learning")),
)


def show_race() -> None:
    """Buttons, curves and, at the end, what they say."""
    compute.prepare()
    learning_state.race()
    runs = st.session_state["race_runs"]
    st.fragment(_race, run_every=INTERVAL if runs else None)()


def _race() -> None:
    race = learning_state.race()
    _buttons(race)
    runs = st.session_state["race_runs"]
    if runs:
        _advance(race)
    _draw(race, runs)
    if race.step and not runs:
        st.markdown(learning_findings.race(race, st.session_state["race_seconds"]))
    mirror_in_link(STATE.query())
    if runs and race.done:
        st.session_state["race_runs"] = False
        # The whole page runs once more, so that nobody asks for further steps.
        st.rerun()


def _buttons(race: Race) -> None:
    runs = st.session_state["race_runs"]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        # Both are always there. One that took the other's place would stand beside it until the run
        # ends, and the rest would move under the hand; and one for both would be pressed twice, as
        # the browser sends a press once more where it asks for further steps at that moment.
        go = st.button(
            _("Continue") if race.step else _("Start"),
            icon=":material/play_arrow:",
            type="primary",
            key="race_go",
            disabled=runs or race.done,
        )
        pause = st.button(_("Pause"), icon=":material/pause:", key="race_pause", disabled=not runs)
        once = st.button(
            _("One step"),
            icon=":material/skip_next:",
            key="race_once",
            disabled=runs or race.done,
        )
        back = st.button(
            _("Back to the start"),
            icon=":material/replay:",
            key="race_back",
            disabled=not race.step,
        )
        _speed()
    if go or pause:
        st.session_state["race_runs"] = go
        st.session_state["race_asked"] = time.monotonic()
        _pace().clear()
    elif once:
        _train(race, 1, time.monotonic())
    elif back:
        learning_state.restart()
    if go or pause or once or back:
        st.rerun()


def _speed() -> None:
    names = learning_words.speed_names()
    STATE.pick("speed", _("Speed"), names)


def _advance(race: Race) -> None:
    """As many steps as the speed asks for since the last time, while there is time."""
    now = time.monotonic()
    asked, st.session_state["race_asked"] = st.session_state["race_asked"], now
    speed = SPEEDS[STATE.chosen().speed]
    due = race.settings.steps if speed is None else round(speed * min(now - asked, 1.0))
    # Who is asked seldom trains longer each time, or a busy machine would all but stand still.
    _train(race, max(due, 1), now + min(max(_BUDGET, _SHARE * (now - asked)), _LONGEST))
    pace = _pace()
    pace.append((now, race.step))
    while len(pace) > 2 and now - pace[0][0] > _WINDOW:
        del pace[0]


def _pace() -> list[tuple[float, int]]:
    """The last times at which this session trained, and the number of steps by then."""
    pace: list[tuple[float, int]] = st.session_state.setdefault("race_pace", [])
    return pace


def steps_a_second(pace: Sequence[tuple[float, int]]) -> float | None:
    """The real rate of steps between the first and the last of these moments.

    Args:
        pace: When, and how many steps were taken by then.

    Example:
        >>> steps_a_second([(10.0, 0), (12.0, 30)])
        15.0
        >>> steps_a_second([(10.0, 0)]) is None
        True
    """
    if len(pace) < 2 or pace[-1][0] <= pace[0][0]:
        return None
    (began, before), (now, after) = pace[0], pace[-1]
    return (after - before) / (now - began)


def _train(race: Race, steps: int, until: float) -> None:
    began = time.monotonic()
    for _moment in race.advance(steps):
        if time.monotonic() >= until:
            break
    st.session_state["race_seconds"] += time.monotonic() - began


# ---- what is sent ------------------------------------------------------------------------------


def _draw(race: Race, runs: bool) -> None:
    sent: list[int] = st.session_state.setdefault("race_sent", [])
    key = (st.session_state["race_number"], runs)
    if st.session_state.get("race_sent_for") != key:
        st.session_state["race_sent_for"] = key
        sent.clear()
    first = sent[-_OVERLAP] if runs and len(sent) >= _OVERLAP else 0
    sent.append(len(race.moments))
    del sent[:-_OVERLAP]
    component("learning", *_SCRIPTS)(
        key="learning",
        data=pack(race, first, runs),
        on_missing_change=sent.clear,
        height="content",
    )


def pack(race: Race, first: int = 0, runs: bool = False) -> bytes:
    """The moments of a race from the one numbered `first` on, as one message."""
    moments = race.moments[first:]
    measured = [moment for moment in moments if moment.test_accuracy is not None]
    arms = race.settings.arms
    arrays: dict[str, NDArray[Any]] = {
        "weight": _stack([moment.blend_weight.mean(1) for moment in moments]),
        "gradient": _stack([moment.gradient[:, 0].abs() for moment in moments]),
        "loss": _stack([moment.loss for moment in moments]),
        "channel": _stack([moment.blend_weight[arms.index("channels")] for moment in moments]),
        "measured": np.array([moment.step for moment in measured], np.float32),
        "train": _stack([_known(moment.train_accuracy) for moment in measured]),
        "test": _stack([_known(moment.test_accuracy) for moment in measured]),
        "attention": _stack([_known(moment.attention) for moment in measured]),
    }
    return pack_message({"from": first, "count": len(moments), **_header(race, runs)}, arrays)


def _header(race: Race, runs: bool) -> dict[str, Any]:
    names = learning_words.arm_names(learning_findings.starts(race))
    classes = TASKS[race.settings.task].classes
    return {
        "run": st.session_state["race_number"],
        "steps": race.settings.steps,
        "arms": [
            {
                "key": arm,
                "name": names[arm],
                "dash": ARM_DASHES[arm],
                "logit": arm in STARTS,
                "learns": arm not in FIXED,
            }
            for arm in ARMS
        ],
        "classes": [learning_words.class_names()[name] for name in classes],
        "channels": CHANNELS,
        "attention_channels": CHANNELS,
        "colours": {"arms": [ARM_COLOURS[arm] for arm in ARMS], "channels": CHANNEL_COLOURS},
        "lowest_accuracy": 0.4 if len(classes) == 2 else 0.2,
        "palette": share_colours(),
        "charts": learning_words.charts(),
        "columns": learning_words.columns(race.settings.pictures),
        "words": learning_words.component_words(_state(race, runs)),
    }


def _state(race: Race, runs: bool) -> str:
    if runs and not race.done:
        return training(steps_a_second(_pace()), SPEEDS[STATE.chosen().speed])
    if race.done:
        return _("finished")
    return _("paused") if race.step else _("not started")


def training(rate: float | None, asked: float | None) -> str:
    """The line while a race runs: its real speed, and the wanted one if they differ."""
    if rate is None:
        return _("training")
    shown = f"{rate:.0f}" if rate >= 10 else f"{rate:.1f}"
    if asked is not None and rate < _NEARLY * asked:
        return _("training, {rate} steps a second instead of {asked}").format(
            rate=shown, asked=f"{asked:g}"
        )
    return _("training, {rate} steps a second").format(rate=shown)


def _known(values: torch.Tensor | None) -> torch.Tensor:
    assert values is not None
    return values


def _stack(values: Sequence[torch.Tensor]) -> NDArray[np.float32]:
    if not values:
        return np.zeros(0, np.float32)
    return torch.stack(list(values)).to(torch.float32).numpy()
