"""The parts of the page "Shift and frequency" on spectra and on gradients."""

from __future__ import annotations

import math
from functools import partial

import streamlit as st

from hybridpool.layers import POOLINGS
from hybridpool.sensitivity import Study
from hybridpool.sensitivity.frequency import GradientMaps, Spectrum, gradient_maps, spread_of
from hybridpool.trace import Trace
from hybridpool.ui import compute
from hybridpool.ui.browser.inspector import example_cells
from hybridpool.ui.charts import show_chart, show_table
from hybridpool.ui.names import pooling_names
from hybridpool.ui.page_state import draw_control
from hybridpool.ui.phrases import paragraph, percent
from hybridpool.ui.settings import ResolvedView
from hybridpool.ui.shift import frequency_sentences as frequency_findings
from hybridpool.ui.shift import words as shift_words
from hybridpool.ui.shift.state import STATE
from hybridpool.ui.words import _, fill
from hybridpool.viz.frequency_charts import gradient_chart, shares_chart, spectrum_chart


def show_frequency(trace: Trace, picture: str, chosen: Study, seen: ResolvedView) -> None:
    """Spectra, shares of bands, aliasing, and what they say."""
    weight = seen.dial
    spectra = compute.spectra(trace, picture, chosen, weight)
    names = shift_words.all_names()
    stride = trace.settings.stride
    st.header(_("Frequency"))
    show_chart(
        spectrum_chart(
            {
                name: (each.frequency, each.power)
                for name, each in spectra.items()
                if name != "ideal"
            },
            1 / (2 * stride),
            {
                **names,
                "frequency": _("Frequency in cycles per cell of the feature map"),
                "power": _("Power"),
                "limit": _("Nyquist frequency of the pooled map"),
            },
        ),
        key="spectrum",
        alt=_("Radially averaged power spectrum of the feature map and of each pooled map"),
    )
    shares = {name: each.shares for name, each in spectra.items()}
    if not any(math.isnan(value) for each in shares.values() for value in each):
        bands = shift_words.share_names()
        show_chart(
            shares_chart(shares, {**names, **bands, "share": _("Share of the energy")}),
            key="shares",
            alt=_("Share of the energy of each map in low, middle, high and finer frequencies"),
        )
    _show_table(spectra, names)
    pooled = {name: values for name, values in shares.items() if name != "feature_map"}
    folded = {
        name: each.aliased
        for name, each in spectra.items()
        if each.aliased is not None and name != "ideal"
    }
    said = [
        frequency_findings.high_share(pooled, names),
        frequency_findings.both_ends(shares, weight),
        frequency_findings.aliasing(folded, names, stride),
        frequency_findings.spectra_end(stride),
    ]
    st.markdown(paragraph(said))
    st.caption(
        _(
            "All channels together, means left out, maps taken as they are: a jump between "
            "opposite edges counts as an edge. Bands are the same waves of the picture for every "
            "map: thirds of what the pooled maps carry along rows and columns, and beyond. "
            "Without aliasing: the feature map with everything too fine cut off, then reduced by "
            "the stride."
        )
    )


def _show_table(spectra: dict[str, Spectrum], names: dict[str, str]) -> None:
    head = [_("Pooling"), *shift_words.share_names().values(), _("Aliasing")]
    rows = []
    for name, each in spectra.items():
        folded = "–" if each.aliased is None else percent(each.aliased)
        rows.append([names[name], *(percent(share) for share in each.shares), folded])
    show_table(head, rows)


def show_gradients(trace: Trace, chosen: Study, seen: ResolvedView) -> None:
    """Where the gradient goes for max, average and hybrid pooling, and what that says."""
    st.header(_("Gradients"))
    cell = _gradient_controls(trace, seen)
    chosen = STATE.chosen()
    on_picture = chosen.shown_on == "picture"
    stem, image = compute.stem_of(trace.settings), trace.features.image
    gradients = gradient_maps(trace, stem, image, seen.channel, seen.weight, cell, on_picture)
    _show_maps(gradients)
    names = pooling_names()
    reached = {name: spread_of(values) for name, values in gradients.maps.items()}
    st.markdown(
        frequency_findings.spread(
            reached,
            gradients.maps["max"].numel(),
            names,
            pixels=on_picture,
            cancels=gradients.cancels,
        )
    )
    note = (
        _(
            "Gradient with respect to the picture, summed over red, green and blue: how much the "
            "chosen cells grow if a pixel is made brighter. Below zero they shrink."
        )
        if on_picture
        else _(
            "Gradient with respect to the feature map. What one pooled cell sends adds up to 1; "
            "where windows overlap, shares add up."
        )
    )
    channel = fill(trace.features.channel_names[seen.channel])
    st.caption(
        note
        + " "
        + _("Channel {number}: {name}. Hybrid at blend weight {weight:.2f}.").format(
            number=seen.channel + 1, name=channel, weight=seen.weight
        )
    )


def _gradient_controls(trace: Trace, seen: ResolvedView) -> tuple[int, int] | None:
    names, shown_on = shift_words.gradient_of_names(), shift_words.shown_on_names()
    whose, row, column, on = st.columns([3, 1.4, 1.4, 3], vertical_alignment="top")
    with whose:
        STATE.pick("gradient_of", _("Gradient of"), names)
    with on:
        STATE.pick("shown_on", _("Shown on"), shown_on)
    if STATE.chosen().gradient_of == "all":
        return None
    cell = chosen_cell(trace, STATE.chosen(), seen.channel)
    ends = trace.pooled["max"].shape[1:]
    labels = (_("Row"), _("Column"))
    for place, (slot, name) in enumerate(((row, "row"), (column, "column"))):
        with slot:
            draw_control(
                st.number_input,
                labels[place],
                cell[place] + 1,
                partial(_choose_cell, cell, place),
                key=f"gradient_{name}",
                min_value=1,
                max_value=ends[place],
                step=1,
            )
    return cell


def chosen_cell(trace: Trace, chosen: Study, channel: int) -> tuple[int, int]:
    """The pooled cell whose gradient is shown: the chosen one, else the example cell."""
    if chosen.row is None or chosen.column is None:
        return example_cells(trace)[channel]
    rows, columns = trace.pooled["max"].shape[1:]
    return min(chosen.row, rows - 1), min(chosen.column, columns - 1)


def _choose_cell(cell: tuple[int, int], place: int, number: int) -> None:
    row, column = ((number - 1 if each == place else cell[each]) for each in (0, 1))
    STATE.choose(row=row, column=column)


def _show_maps(gradients: GradientMaps) -> None:
    names = pooling_names()
    parts = {
        name: gradients.part(name).double().numpy() for name in POOLINGS if name in gradients.maps
    }
    far = max(float(abs(values).max()) for values in parts.values())
    signed = any(bool((values < 0).any()) for values in parts.values())
    for slot, (name, values) in zip(st.columns(len(parts)), parts.items(), strict=True):
        with slot:
            st.markdown(f"**{names[name]}**")
            show_chart(
                gradient_chart(
                    values,
                    gradients.corner,
                    far,
                    {"row": _("Row"), "column": _("Column"), "gradient": _("Gradient")},
                    signed=signed,
                ),
                key=f"gradient_map_{name}",
                alt=_("{name}: where its gradient goes").format(name=names[name]),
            )
