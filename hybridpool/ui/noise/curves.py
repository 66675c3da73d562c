"""The curves of the page "Noise and occlusion": error against level, and against blend weight."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import streamlit as st
import torch

from hybridpool.layers import POOLINGS
from hybridpool.pictures.perturb import CHANGES
from hybridpool.sensitivity import Comparison, NoiseSweep, Perturbation, best_blend_weight
from hybridpool.sensitivity.perturbation import curve_levels
from hybridpool.ui import compute
from hybridpool.ui.browser import sent
from hybridpool.ui.charts import show_chart
from hybridpool.ui.names import level_names, pooling_names
from hybridpool.ui.noise import sentences as noise_findings
from hybridpool.ui.noise import words as noise_words
from hybridpool.ui.noise.state import STATE
from hybridpool.ui.phrases import paragraph
from hybridpool.ui.results import watch
from hybridpool.ui.words import _
from hybridpool.viz.sensitivity_charts import blend_chart, error_chart

#: How many noises are drawn for a curve, and how long a part of it stays before it is redrawn.
DRAWS = 8
PATIENCE = 0.4
_WEIGHTS = [i / 40 for i in range(41)]


def show_curves(
    compared: Comparison, picture: str, done: Perturbation, weight: float | None
) -> None:
    """Both curves, drawn as they are computed; a new setting stops the computation.

    Args:
        compared: The picture and the draw that is shown above.
        picture: Names the picture beyond doubt.
        done: The noise.
        weight: Where the dial stands; None if each channel has a blend weight of its own.
    """
    left, right = st.columns(2, gap="large")
    with left:
        curve, words = _show_error_curve(compared, picture, done, weight)
    here, level = curve, 0
    if done.level in curve.levels:
        level = curve.levels.index(done.level)
    else:
        draws, levels = _draws(done), (done.level,)
        here = watch(
            compute.noise_sweeps(compared.trace, picture, done.noise, levels, draws),
            words,
            lambda part: _share(len(part.seeds), draws),
        )
    words.markdown(_error_words(curve, here, level, weight))
    with right:
        _show_blend_curve(done, weight, here, level)


def _show_error_curve(
    compared: Comparison, picture: str, done: Perturbation, weight: float | None
) -> tuple[NoiseSweep, Any]:
    st.header(_("Change against level"))
    progress, chart, words = st.empty(), st.empty(), st.empty()
    levels, clicks = tuple(curve_levels(CHANGES[done.noise])), _clicks()
    present = compared.relative_change(weight)
    drawn = 0.0
    draws = _draws(done)

    def draw(part: NoiseSweep) -> None:
        nonlocal drawn
        count = len(part.seeds)
        if count < draws and time.monotonic() - drawn > PATIENCE:
            # Without a key of its own a part that looks like the one before would be refused.
            key = f"error_curve_{clicks}_part_{count}"
            show_chart(_error_figure(part, done, weight, present), key=key, place=chart)
            drawn = time.monotonic()

    sweeps = compute.noise_sweeps(compared.trace, picture, done.noise, levels, draws)
    sweep = watch(sweeps, progress, lambda part: _share(len(part.seeds), draws), draw)
    show_chart(
        _error_figure(sweep, done, weight, present),
        key=f"error_curve_{clicks}",
        place=chart,
        on_select=_level_clicked,
        selection_mode="points",
        alt=_("Relative change of each pooling against the level of the noise"),
    )
    return sweep, words


def _error_figure(
    sweep: NoiseSweep, done: Perturbation, weight: float | None, here: Mapping[str, float]
) -> Any:
    noise, against = CHANGES[done.noise], done.against == "max"
    changes = {name: values.numpy() for name, values in _changes(sweep, weight).items()}
    if against:
        # Draw by draw, so that a band says how sure the difference is.
        changes = {name: values - changes["max"] for name, values in changes.items()}
        here = {name: value - here["max"] for name, value in here.items()}
    return error_chart(
        sweep.levels,
        changes,
        done.level,
        here,
        {
            **pooling_names(),
            "axis": level_names()[done.noise],
            "level": _("Level"),
            "change": noise_words.change_name(against=against),
            "present": _("shown above"),
            "draw": _("The draw shown above") if noise.random else _("The level shown above"),
        },
        logarithmic=noise.logarithmic,
        more_is_noisier=noise.more_is_noisier,
        against=against,
    )


def _share(count: int, draws: int) -> tuple[float, str]:
    return count / draws, _("{count} of {total} draws").format(count=count, total=draws)


def _draws(done: Perturbation) -> int:
    """How many noises are drawn: what needs no chance is the same each time."""
    return DRAWS if CHANGES[done.noise].random else 1


def _error_words(curve: NoiseSweep, here: NoiseSweep, level: int, weight: float | None) -> str:
    names, changes = pooling_names(), _changes(curve, weight)
    if len(curve.seeds) == 1:
        return paragraph(
            [
                noise_findings.curve(
                    curve.levels,
                    {name: values.mean(1).tolist() for name, values in changes.items()},
                    names,
                    drawn=False,
                ),
                _(
                    "Lines are of all channels together. Nothing here is random, so that one "
                    "computation is all there is. Click a point to look at its level. Computed in "
                    "{seconds:.1f} s."
                ).format(seconds=curve.seconds),
            ]
        )
    said = [
        noise_findings.curve(
            curve.levels,
            {name: values.mean(1).tolist() for name, values in changes.items()},
            names,
        ),
        noise_findings.certainty(
            here.levels[level],
            {name: values[level].tolist() for name, values in _changes(here, weight).items()},
            names,
        ),
        _(
            "Lines are the mean over {draws} draws (seeds 0 to {last}) and all channels, bands one "
            "standard deviation to either side, triangles the draw shown above. Click a point to "
            "look at its level. Computed in {seconds:.1f} s."
        ).format(draws=len(curve.seeds), last=len(curve.seeds) - 1, seconds=curve.seconds),
    ]
    return paragraph(said)


def _show_blend_curve(
    done: Perturbation, weight: float | None, sweep: NoiseSweep, level: int
) -> None:
    st.header(_("Change against blend weight"))
    best = best_blend_weight(sweep, level)
    changes = torch.stack(
        [sweep.relative_change("hybrid", blend_weight=at)[:, level] for at in _WEIGHTS]
    )
    against = done.against == "max"
    show_chart(
        blend_chart(
            _WEIGHTS,
            (changes - changes[-1] if against else changes).numpy(),
            best.blend_weight,
            best.by_seed,
            weight,
            {
                **pooling_names(),
                "blend_weight": _("Blend weight"),
                "change": noise_words.change_name(against=against),
                "best": _("Smallest change"),
                "dial": _("dial"),
            },
            against=against,
        ),
        key="blend_curve",
        alt=_("Relative change of hybrid pooling against its blend weight"),
    )
    average, maximum = (changes[end].square().mean().sqrt().item() for end in (0, -1))
    drawn = len(sweep.seeds) > 1
    said = _("This is for the picture, filters and level {level} shown above.")
    if drawn:
        said = _(
            "This is for the picture, filters and level {level} shown above, over {draws} draws "
            "(seeds 0 to {last}); the rows above show one draw, and may say otherwise."
        )
    of_these = said.format(
        level=f"{done.level:g}", draws=len(sweep.seeds), last=len(sweep.seeds) - 1
    )
    found = noise_findings.best_blend(
        best.blend_weight,
        best.relative_change,
        (average, maximum),
        best.by_seed if drawn else (),
    )
    st.markdown(paragraph([found, of_these]))


def _changes(sweep: NoiseSweep, weight: float | None) -> dict[str, torch.Tensor]:
    """For each pooling the relative change (levels, draws)."""
    return {
        name: sweep.relative_change(name, blend_weight=weight if name == "hybrid" else None).T
        for name in POOLINGS
    }


def _clicks() -> int:
    """How often a point was clicked: a new key lets go of the selection."""
    clicks: int = st.session_state.get("curve_clicks", 0)
    return clicks


def _level_clicked() -> None:
    points = st.session_state[f"error_curve_{_clicks()}"].selection.points
    if points and (point := sent.checked(points[0], {"x": sent.finite})):
        STATE.choose(level=point["x"])
        # So that the same point can be clicked again.
        st.session_state["curve_clicks"] = _clicks() + 1
