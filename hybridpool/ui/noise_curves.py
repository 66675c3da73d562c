"""The curves of the page "Noise and occlusion": error against level, and against blend weight."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import streamlit as st
import torch

from hybridpool.layers import POOLINGS
from hybridpool.pictures.perturb import NOISES
from hybridpool.sensitivity import NoiseSweep, best_blend_weight
from hybridpool.trace import Trace
from hybridpool.ui import compute, noise_findings, noise_state, noise_words
from hybridpool.ui.noise_effects import Effect
from hybridpool.ui.noise_state import Perturbation, curve_levels
from hybridpool.ui.panels import pooling_names
from hybridpool.ui.words import _
from hybridpool.viz.sensitivity_charts import blend_chart, error_chart

#: How many noises are drawn for a curve, and how long a part of it stays before it is redrawn.
DRAWS = 8
_PATIENCE = 0.4
_WEIGHTS = [i / 40 for i in range(41)]
_BAR = {"displaylogo": False, "displayModeBar": False}


def show_curves(clean: Trace, picture: str, done: Perturbation, effect: Effect) -> None:
    """Both curves, drawn as they are computed; a new setting stops the computation."""
    left, right = st.columns(2, gap="large")
    with left:
        sweep = _show_error_curve(clean, picture, done, effect)
    with right:
        _show_blend_curve(clean, picture, done, effect.blend_weight, sweep)


def _show_error_curve(clean: Trace, picture: str, done: Perturbation, effect: Effect) -> NoiseSweep:
    weight, here = effect.blend_weight, effect.relative
    st.subheader(_("Change against level"))
    progress, chart, words = st.empty(), st.empty(), st.empty()
    levels = tuple(curve_levels(NOISES[done.noise]))
    drawn = 0.0
    for sweep in compute.noise_sweeps(clean, picture, done.noise, levels, DRAWS):
        # Each of these calls is a place where Streamlit can stop this run for a newer one.
        count = len(sweep.seeds)
        progress.progress(
            count / DRAWS, _("{count} of {total} draws").format(count=count, total=DRAWS)
        )
        if count < DRAWS and time.monotonic() - drawn > _PATIENCE:
            chart.plotly_chart(_error_figure(sweep, done, weight, here), config=_BAR)
            drawn = time.monotonic()
    progress.empty()
    chart.plotly_chart(
        _error_figure(sweep, done, weight, here),
        key=f"error_curve_{st.session_state.get('curve_clicks', 0)}",
        on_select=_level_clicked,
        selection_mode="points",
        config=_BAR,
        alt=_("Relative change of each pooling against the level of the noise"),
    )
    words.markdown(_error_words(sweep, done, weight))
    return sweep


def _error_figure(
    sweep: NoiseSweep, done: Perturbation, weight: float | None, here: Mapping[str, float]
) -> Any:
    noise = NOISES[done.noise]
    return error_chart(
        sweep.levels,
        {name: values.numpy() for name, values in _changes(sweep, weight).items()},
        done.level,
        here,
        {
            **pooling_names(),
            "level": noise_words.level_names()[done.noise],
            "change": _("Relative change"),
            "present": _("shown above"),
            "draw": _("The draw shown above"),
        },
        logarithmic=noise.logarithmic,
        more_is_noisier=noise.more_is_noisier,
    )


def _error_words(sweep: NoiseSweep, done: Perturbation, weight: float | None) -> str:
    changes = _changes(sweep, weight)
    names = pooling_names()
    nearest = min(range(len(sweep.levels)), key=lambda i: abs(sweep.levels[i] - done.level))
    said = [
        noise_findings.curve(
            sweep.levels,
            {name: values.mean(1).tolist() for name, values in changes.items()},
            names,
        ),
        noise_findings.certainty(
            sweep.levels[nearest],
            {name: values[nearest].tolist() for name, values in changes.items()},
            names,
        ),
        _(
            "Lines are the mean over {draws} draws (seeds 0 to {last}) and all channels, bands one "
            "standard deviation to either side, triangles the draw shown above. Click a point to "
            "look at its level. Computed in {seconds:.1f} s."
        ).format(draws=len(sweep.seeds), last=len(sweep.seeds) - 1, seconds=sweep.seconds),
    ]
    return " ".join(sentence for sentence in said if sentence)


def _show_blend_curve(
    clean: Trace, picture: str, done: Perturbation, weight: float | None, curve: NoiseSweep
) -> None:
    st.subheader(_("Change against blend weight"))
    sweep, level = curve, 0
    if done.level in curve.levels:
        level = curve.levels.index(done.level)
    else:
        *_parts, sweep = compute.noise_sweeps(clean, picture, done.noise, (done.level,), DRAWS)
    best = best_blend_weight(sweep, level)
    changes = torch.stack(
        [sweep.relative_change("hybrid", blend_weight=at)[:, level] for at in _WEIGHTS]
    )
    names = pooling_names()
    st.plotly_chart(
        blend_chart(
            _WEIGHTS,
            changes.numpy(),
            best.blend_weight,
            best.by_seed,
            weight,
            {
                **names,
                "blend_weight": _("Blend weight"),
                "change": _("Relative change"),
                "best": _("Smallest change"),
                "dial": _("dial"),
            },
        ),
        key="blend_curve",
        config=_BAR,
        alt=_("Relative change of hybrid pooling against its blend weight"),
    )
    average, maximum = (changes[end].square().mean().sqrt().item() for end in (0, -1))
    st.markdown(
        noise_findings.best_blend(
            best.blend_weight, best.relative_change, (average, maximum), best.by_seed
        )
        + " "
        + _("This is for the picture, filters and level {level} shown above.").format(
            level=f"{done.level:g}"
        )
    )


def _changes(sweep: NoiseSweep, weight: float | None) -> dict[str, torch.Tensor]:
    """For each pooling the relative change (levels, draws)."""
    return {
        name: sweep.relative_change(name, blend_weight=weight if name == "hybrid" else None).T
        for name in POOLINGS
    }


def _level_clicked() -> None:
    clicks = st.session_state.get("curve_clicks", 0)
    points = st.session_state[f"error_curve_{clicks}"].selection.points
    if points:
        noise_state.perturb(level=float(points[0]["x"]))
        # A new key lets go of the selection, so that the same point can be clicked again.
        st.session_state["curve_clicks"] = clicks + 1
