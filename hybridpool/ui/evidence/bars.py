"""Differences with their intervals as small bars of HTML, for a row of the table."""

from __future__ import annotations

import html
from collections.abc import Sequence

from hybridpool.training.comparisons import Comparison
from hybridpool.ui.evidence import numbers, outcomes
from hybridpool.ui.evidence import words as names
from hybridpool.ui.words import _
from hybridpool.viz.palette import ARM_COLOURS

_INK = "#808080"


def bars(comparisons: Sequence[Comparison]) -> str:
    """One bar a comparison, all on the scale of the widest, 0 in the middle."""
    if not comparisons:
        return ""
    widest = max(
        abs(end)
        for one in comparisons
        for end in (one.difference.low, one.difference.high, 1.5 * one.margin)
    )
    lines = "".join(_bar(one, 1.08 * widest) for one in comparisons)
    return f'<div class="bars">{lines}</div>'


def _bar(one: Comparison, reach: float) -> str:
    delta = one.difference
    name = html.escape(outcomes.label(one))
    number = html.escape(numbers.interval(delta))
    outcome = html.escape(names.outcome_names(one.measure)[one.outcome])
    clear = "clear" if one.outcome in ("ahead", "behind") else ""
    coloured = one.baseline if one.measure == "accuracy" and one.arm in ARM_COLOURS else ""
    colour = ARM_COLOURS.get(one.arm if one.condition.endswith(one.arm) else coloured, _INK)
    seen = ""
    if one.outcome == "undecided":
        tip = _("{points} points would have been seen with 80 % power").format(
            points=numbers.points(one.visible)
        )
        seen = f' title="{html.escape(tip)}"'
    return (
        f'<span class="name">{name}</span>'
        f'<span class="axis {clear}" style="--colour:{colour}" aria-hidden="true">'
        f'<i class="margin" style="left:{_place(-one.margin, reach)};'
        f'right:{_place(-one.margin, reach)}"></i><i class="zero"></i>'
        f'<i class="reach" style="left:{_place(delta.low, reach)};'
        f'right:{_place(-delta.high, reach)}"></i>'
        f'<i class="mean" style="left:{_place(delta.mean, reach)}"></i></span>'
        f'<span class="number">{number}</span>'
        f'<span class="outcome {one.outcome}"{seen}>{outcome}</span>'
    )


def _place(value: float, reach: float) -> str:
    """Where a value lies along the axis, from the left."""
    return f"{50 + 50 * value / reach:.2f}%"
