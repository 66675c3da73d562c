"""The controls of the page "Shift and frequency", and the part on shifts."""

from __future__ import annotations

import streamlit as st

from hybridpool.sensitivity import ShiftCurve, Study
from hybridpool.sensitivity.shifts import REACH
from hybridpool.trace import MAX_SEED, Trace
from hybridpool.ui import compute
from hybridpool.ui.settings import Shown
from hybridpool.ui.shift import sentences as shift_findings
from hybridpool.ui.shift import words as shift_words
from hybridpool.ui.shift.rows import show_more_rows, show_rows
from hybridpool.ui.shift.state import STATE
from hybridpool.ui.words import _
from hybridpool.viz.frequency_charts import shift_chart

BAR = {"displaylogo": False, "displayModeBar": False}


def show_controls() -> Study:
    """What the picture goes through, and which poolings are shown."""
    names, bands = shift_words.more_names(), shift_words.band_names()
    more, seed, band = st.columns([4, 2, 3], gap="medium", vertical_alignment="top")
    with more:
        STATE.control(
            st.multiselect,
            "more",
            _("Further poolings"),
            options=list(names),
            format_func=names.__getitem__,
            placeholder=_("None"),
            help=_(
                "They join the rows, lines and bars below. Max, then blur: maximum at each cell, "
                "then a binomial filter at the stride. Lp: root of the mean square. Stochastic: "
                "one cell of each window, drawn in proportion to its value. Soft: a mean in which "
                "larger values weigh exponentially more."
            ),
        )
    with seed:
        if "stochastic" in STATE.chosen().more:
            STATE.control(
                st.number_input,
                "draw",
                _("Seed of the draws"),
                min_value=0,
                max_value=MAX_SEED,
                step=1,
            )
    with band:
        STATE.control(
            st.segmented_control,
            "band",
            _("Frequencies of the picture"),
            options=list(bands),
            format_func=bands.__getitem__,
            required=True,
            help=_(
                "Low is below one third, high above two thirds of the Nyquist frequency, half a "
                "wave in a pixel. The chosen band alone goes into the filters, with the mean of "
                "the picture."
            ),
        )
    return STATE.chosen()


def show_shift(trace: Trace, picture: str, chosen: Study, seen: Shown) -> None:
    """Sliders, rows, curve, and what they say."""
    st.subheader(_("Shift"))
    chosen = _shift_controls()
    weight = _own(seen)
    try:
        found = compute.shifted(trace, picture, chosen)
        curve = compute.shift_distances(trace, picture, chosen)
    except ValueError:
        st.error(
            _(
                "The picture is too small for shifts of up to {reach} pixels with this window. "
                "Choose a larger size before the stem, a smaller window, or a smaller stride."
            ).format(reach=REACH),
            icon=":material/error:",
        )
        return
    show_rows(found, seen, picture, chosen)
    show_more_rows(found, seen)
    here, names = found.relative_change(weight), shift_words.all_names()
    step = trace.features.receptive_field[1] * trace.settings.stride
    cells = (chosen.rows / step, chosen.columns / step)
    said = [shift_findings.moved(chosen.rows, chosen.columns, cells)]
    if chosen.rows or chosen.columns:
        said += [
            shift_findings.nearest_and_farthest(here, names),
            shift_findings.hybrid_between(here),
        ]
    st.markdown(" ".join(sentence for sentence in said if sentence))
    _show_curve(chosen, curve, here, weight, step)


def _shift_controls() -> Study:
    modes = shift_words.mode_names()
    right, down, edge = st.columns([3, 3, 2], gap="medium", vertical_alignment="top")
    with right:
        _pixels("columns", _("To the right, in pixels"))
    with down:
        _pixels("rows", _("Down, in pixels"))
    with edge:
        STATE.control(
            st.segmented_control,
            "mode",
            _("At the edge"),
            options=list(modes),
            format_func=modes.__getitem__,
            required=True,
        )
    chosen = STATE.chosen()
    st.caption(shift_words.mode_notes()[chosen.mode].format(reach=REACH))
    return chosen


def _show_curve(
    chosen: Study, curve: ShiftCurve, here: dict[str, float], weight: float | None, step: int
) -> None:
    axes, names = shift_words.axis_names(), shift_words.all_names()
    st.subheader(_("Distance against shift"))
    STATE.control(
        st.segmented_control,
        "axis",
        _("Along"),
        options=list(axes),
        format_func=axes.__getitem__,
        required=True,
    )
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
    st.plotly_chart(
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
        config=BAR,
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
    st.markdown(" ".join(sentence for sentence in said if sentence))
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


def _own(seen: Shown) -> float | None:
    """The blend weight of the dial; None where it was not turned and the layer's own holds."""
    return seen.weight if seen.turned else None
