"""The part of the page "Shift and frequency" on shifts."""

from __future__ import annotations

import streamlit as st

from hybridpool.sensitivity import ShiftCurve, Study
from hybridpool.sensitivity.shifts import REACH
from hybridpool.trace import Trace
from hybridpool.ui import compute
from hybridpool.ui.charts import show_chart
from hybridpool.ui.phrases import paragraph
from hybridpool.ui.results import watch
from hybridpool.ui.settings import ResolvedView
from hybridpool.ui.shift import sentences as shift_findings
from hybridpool.ui.shift import words as shift_words
from hybridpool.ui.shift.rows import show_more_rows, show_rows
from hybridpool.ui.shift.state import STATE
from hybridpool.ui.words import _
from hybridpool.viz.frequency_charts import shift_chart


def show_shift(trace: Trace, picture: str, chosen: Study, seen: ResolvedView) -> None:
    """Sliders, what they did in words and in rows, and the curve."""
    st.header(_("Shift"))
    chosen = _shift_controls()
    weight = seen.dial
    try:
        shifted = compute.shifted(trace, picture, chosen)
    except ValueError:
        _refuse()
        return
    here, names = shifted.relative_change(weight), shift_words.all_names()
    step = trace.features.receptive_field[1] * trace.settings.stride
    cells = (chosen.rows / step, chosen.columns / step)
    said = [shift_findings.moved(chosen.rows, chosen.columns, cells)]
    if chosen.rows or chosen.columns:
        said += [
            shift_findings.nearest_and_farthest(here, names),
            shift_findings.hybrid_between(here),
        ]
    st.markdown(paragraph(said))
    show_rows(shifted, seen, picture, chosen)
    show_more_rows(shifted, seen)
    st.caption(shift_words.mode_notes()[chosen.mode].format(reach=REACH))
    try:
        curve = watch(compute.shift_distances(trace, picture, chosen), st.empty())
    except ValueError:
        _refuse()
        return
    _show_curve(chosen, curve, here, weight, step)


def _refuse() -> None:
    st.error(
        _(
            "The picture is too small for shifts of up to {reach} pixels with this window. "
            "Choose a larger size before the stem, a smaller window, or a smaller stride."
        ).format(reach=REACH),
        icon=":material/error:",
    )


def _shift_controls() -> Study:
    modes = shift_words.mode_names()
    right, down, edge = st.columns([3, 3, 2], gap="medium", vertical_alignment="top")
    with right:
        _pixels("columns", _("To the right, in pixels"))
    with down:
        _pixels("rows", _("Down, in pixels"))
    with edge:
        STATE.pick("mode", _("At the edge"), modes)
    return STATE.chosen()


def _show_curve(
    chosen: Study, curve: ShiftCurve, here: dict[str, float], weight: float | None, step: int
) -> None:
    axes, names = shift_words.axis_names(), shift_words.all_names()
    st.header(_("Distance against shift"))
    STATE.pick("axis", _("Along"), axes)
    shifts = curve.shifts
    curves = {
        name: curve.relative_change(
            name, blend_weight=weight if name == "hybrid" else None
        ).tolist()
        for name in here
    }
    present, other = chosen.columns, chosen.rows
    label = _("Shift to the right in pixels")
    if chosen.axis == "rows":
        present, other = chosen.rows, chosen.columns
        label = _("Shift down in pixels")
    show_chart(
        shift_chart(
            shifts,
            curves,
            present,
            here,
            {
                **names,
                "shift": label,
                "distance": _("Distance"),
                "present": _("shown above"),
                "shown": _("The shift shown above"),
            },
        ),
        key="shift_curve",
        alt=_("Distance of the aligned maps of each pooling against the shift of the picture"),
    )
    said = [
        shift_findings.over_all(shifts, curves, names),
        shift_findings.whole_steps(shifts, curves, names, step),
    ]
    if other:
        said.append(
            _(
                "The lines move along one axis alone; the diamonds are the shift shown above, "
                "which also moves {pixels} px along the other."
            ).format(pixels=abs(other))
        )
    st.markdown(paragraph(said))
    st.caption(
        _(
            "Distance: norm of the difference of the aligned maps over the norm of the map before, "
            "all channels together. It is that of features, not of a network's answers."
        )
    )


def _pixels(field: str, label: str) -> None:
    STATE.control(
        st.slider, field, label, min_value=-REACH, max_value=REACH, step=1, format="%d px"
    )
