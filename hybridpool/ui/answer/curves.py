"""The curves of the page "The answer": how sure the networks stay, and which keep their answer."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from hybridpool.answer import AnswerCurve, Change
from hybridpool.answer.curves import DRAWS
from hybridpool.pictures.perturb import NOISES
from hybridpool.sensitivity.perturbation import WHOLE
from hybridpool.ui import compute
from hybridpool.ui.answer import sentences
from hybridpool.ui.answer.picture import Seen
from hybridpool.ui.answer.rows import Row, names_of
from hybridpool.ui.answer.state import SIDE, STATE
from hybridpool.ui.browser import sent
from hybridpool.ui.charts import show_chart
from hybridpool.ui.phrases import paragraph
from hybridpool.ui.results import watch
from hybridpool.ui.words import _
from hybridpool.viz.answer_charts import sameness_chart, sureness_chart

#: How long a part of the curves stays before it is redrawn, in seconds.
PATIENCE = 0.5


def show_curves(
    rows: Sequence[Row], seen: Seen, change: Change, weight: float | None, level: str
) -> None:
    """Both curves, drawn as they are computed; a new setting stops the computation.

    Args:
        rows: Whose answers.
        seen: The picture.
        change: What is done to it.
        weight: Where the dial stands.
        level: What the level of the noise is called.
    """
    st.header(_("The more it changes"))
    progress = st.empty()
    left, right = (part.empty() for part in st.columns(2, gap="large"))
    networks = {row.key: row.networks for row in rows}
    words = _words(rows, change, level)
    drawn, clicks = time.monotonic(), _clicks()

    def draw(part: AnswerCurve) -> None:
        nonlocal drawn
        if not part.done and time.monotonic() - drawn > PATIENCE:
            _draw(left, right, part, change, words, f"part_{clicks}_{len(part.levels)}")
            drawn = time.monotonic()

    curves = compute.answer_curves(networks, seen.image, seen.named, change, weight)
    curve = watch(curves, progress, _share, draw)
    _draw(left, right, curve, change, words, str(clicks), clicked=True)
    names = names_of(rows)
    flips = {row.key: curve.flips(row.key) for row in rows}
    draws = 1 if change.action == "shift" else DRAWS
    said = [sentences.flips(flips, names, curve.harmless)] if curve.done else []
    said.append(
        _(
            "Lines are the mean over the networks of a pooling and {draws} draws at each level, "
            "bands one standard deviation to either side. A ring marks where fewer than half keep "
            "their answer. Click a point to go there."
        ).format(draws=draws)
        if draws > 1
        else _(
            "Lines are the mean over the networks of a pooling, bands one standard deviation to "
            "either side. A ring marks where fewer than half keep their answer. Click a point to "
            "go there."
        )
    )
    st.markdown(paragraph(said))


def _share(curve: AnswerCurve) -> tuple[float, str]:
    done, total = len(curve.levels), curve.total
    return done / total, _("{count} of {total} levels").format(count=done, total=total)


def _draw(
    left: Any,
    right: Any,
    curve: AnswerCurve,
    change: Change,
    words: Mapping[str, str],
    key: str,
    *,
    clicked: bool = False,
) -> None:
    noise = NOISES[change.done.noise]
    axis = {
        "logarithmic": change.action == "noise" and noise.logarithmic,
        "reverse": change.action == "noise" and not noise.more_is_noisier,
    }
    present = present_level(change)
    flips = {name: curve.flips(name) for name in curve.same}
    charts = (
        (left, "sure", sureness_chart(curve.levels, curve.sure, present, words, **axis)),
        (right, "same", sameness_chart(curve.levels, curve.same, flips, present, words, **axis)),
    )
    for place, name, figure in charts:
        options: dict[str, Any] = {"place": place, "alt": words[name]}
        if clicked:
            options |= {"on_select": _go_there(f"answer_{name}_{key}"), "selection_mode": "points"}
        show_chart(figure, key=f"answer_{name}_{key}", **options)


def present_level(change: Change) -> float:
    """Where a change lies on its curve: the level, the mean side of the occluder, or the shift."""
    if change.action == "noise":
        return change.done.level
    if change.action == "shift":
        down = abs(change.rows) > abs(change.columns)
        return float(change.rows if down else change.columns)
    _top, _left, height, width = change.done.box((SIDE, SIDE))
    return float((height * width) ** 0.5)


def go_to(change: Change, level: float) -> dict[str, Any]:
    """What is chosen when a point of the curve is clicked."""
    if change.action == "noise":
        return {"level": level}
    if change.action == "shift":
        down = abs(change.rows) > abs(change.columns)
        return (
            {"rows": round(level), "columns": 0} if down else {"columns": round(level), "rows": 0}
        )
    done = change.done
    side = max(1, round(level * WHOLE / SIDE))
    top, left = done.top + (done.height - side) // 2, done.left + (done.width - side) // 2
    return {"top": max(top, 0), "left": max(left, 0), "height": side, "width": side}


def _go_there(key: str) -> Any:
    def act() -> None:
        points = st.session_state[key].selection.points
        if points and (point := sent.checked(points[0], {"x": sent.finite})):
            STATE.choose(**go_to(STATE.chosen().change, point["x"]))
            # So that the same point can be clicked again.
            st.session_state["answer_clicks"] = _clicks() + 1

    return act


def _clicks() -> int:
    clicks: int = st.session_state.get("answer_clicks", 0)
    return clicks


def _words(rows: Sequence[Row], change: Change, level: str) -> dict[str, str]:
    axis = {
        "noise": level,
        "occlusion": _("Side of the occluder in pixels"),
        "shift": _("Shift in pixels"),
    }[change.action]
    return {
        **{row.key: row.name for row in rows},
        "level": axis,
        "sure": _("Probability of the clean answer"),
        "same": _("Still the same answer"),
        "flip": _("flips at"),
        "present": _("shown above"),
    }
