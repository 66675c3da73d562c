"""What a changed picture did to each pooling, said in words that are composed from the numbers.

Nothing here is decided beforehand: which pooling is named, in which order and with which sign
follows from the numbers alone. Two numbers that print alike are called equal.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hybridpool.ui.words import _


@dataclass(frozen=True)
class Reached:
    """How many cells of a map an occluder can reach, and how many changed.

    Attributes:
        total: Cells of the map.
        reached: Those whose receptive field meets the occluder.
        changed: For each pooling, how many of those changed.
        beyond: For each pooling, how many of the others changed.
    """

    total: int
    reached: int
    changed: Mapping[str, int]
    beyond: Mapping[str, int]


def percent(share: float) -> str:
    """A share as it is printed in every sentence: two digits that count.

    Example:
        >>> percent(0.1234), percent(0.0567), percent(math.inf)
        ('12 %', '5.7 %', '∞')
    """
    if not math.isfinite(share):
        return "∞" if share > 0 else "–"
    return f"{100 * share:.0f} %" if share >= 0.0995 else f"{100 * share:.1f} %"


def joined(names: Sequence[str]) -> str:
    """Names as a list in words: "A", "A and B", "A, B and C"."""
    if len(names) == 1:
        return names[0]
    first = _("{list}, {name}")
    together = names[0]
    for name in names[1:-1]:
        together = first.format(list=together, name=name)
    return _("{list} and {name}").format(list=together, name=names[-1])


def ranking(changes: Mapping[str, float], names: Mapping[str, str]) -> str:
    """Which pooling changed least and which most, by how much; ties are called so.

    Args:
        changes: Relative change of each pooling.
        names: What each pooling is called.
    """
    shown = {name: percent(change) for name, change in changes.items()}
    if all(change == 0 for change in changes.values()):
        return _("Nothing changed in any pooling.")
    if len(set(shown.values())) == 1:
        return _("All poolings changed by the same {share}.").format(
            share=next(iter(shown.values()))
        )
    low, high = (shown[end(changes, key=lambda name: changes[name])] for end in (min, max))
    least, most = (
        joined([names[name] for name, share in shown.items() if share == end])
        for end in (low, high)
    )
    return _("**{least}** changed least, by {low}; **{most}** changed most, by {high}.").format(
        least=least, low=low, most=most, high=high
    )


def place_of_hybrid(changes: Mapping[str, float], weight: float | None) -> str:
    """Where hybrid pooling lies: between its two parts, below both, above both, or on one.

    Args:
        changes: Relative change of each pooling.
        weight: The blend weight; None if each channel has its own.
    """
    low, high = sorted((changes["max"], changes["average"]))
    hybrid = changes["hybrid"]
    if percent(hybrid) in (percent(low), percent(high)):
        words = _("**Hybrid**, {weight}, changed as one of its two parts did.")
    elif hybrid < low:
        words = _("**Hybrid**, {weight}, changed less than both max and average.")
    elif hybrid > high:
        words = _("**Hybrid**, {weight}, changed more than both max and average.")
    else:
        words = _("**Hybrid**, {weight}, lies between max and average.")
    if weight is None:
        return words.format(weight=_("with a blend weight for each channel"))
    return words.format(weight=_("at blend weight {weight:.2f}").format(weight=weight))


def biases(found: Mapping[str, float], names: Mapping[str, str]) -> str:
    """In which direction each pooling was pushed, in units of the noise that reaches it."""
    up = _("**{name}** is biased upwards by {bias:.2f} σ.")
    down = _("**{name}** is biased downwards by {bias:.2f} σ.")
    straight = _("**{name}** is not biased.")
    said = []
    for name, bias in found.items():
        words = straight if abs(bias) < 0.005 else up if bias > 0 else down
        said.append(words.format(name=names[name], bias=abs(bias)))
    return " ".join(said)


def bias_note() -> str:
    """What σ is in :func:`biases`, and what is known about it."""
    return _(
        "σ is the standard deviation of the noise as it reaches the pooling in this channel; on a "
        "flat picture with normal noise a 2 × 2 maximum is biased by 1.03 σ, an average not at all."
    )


def winners(changed: int, windows: int) -> str:
    """How many of the clear winners another cell has replaced."""
    if windows == 0:
        return _("Every window of this channel has a tie, so none has a winner to lose.")
    if changed == 0:
        return _("Every window of this channel that had a clear winner still has it.")
    return _(
        "In this channel {share} of the windows with a clear winner have another one now, or a tie."
    ).format(share=percent(changed / windows))


def reach(found: Reached, names: Mapping[str, str]) -> str:
    """How many of the cells in reach of the occluder changed in each pooling, and beyond it."""
    said = [
        _("The occluder can reach {reached} of {total} cells of this channel.").format(
            reached=found.reached, total=found.total
        )
    ]
    counts: dict[int, list[str]] = {}
    for name, count in found.changed.items():
        counts.setdefault(count, []).append(names[name])
    said += [
        _("**{names}** changed in {count} of them.").format(names=joined(alike), count=count)
        for count, alike in sorted(counts.items())
    ]
    for name, count in found.beyond.items():
        if count:
            said.append(
                _(
                    "**{name}** also changed, if only by a trace, in {count} cells out of reach: "
                    "its value follows the mean of the whole map."
                ).format(name=names[name], count=count)
            )
    return " ".join(said)


def curve(
    levels: Sequence[float], means: Mapping[str, Sequence[float]], names: Mapping[str, str]
) -> str:
    """Which pooling changes least along the curve, or how that depends on the level."""
    least: dict[str, list[str]] = {}
    for place, level in enumerate(levels):
        here = {name: values[place] for name, values in means.items()}
        if any(change > 0 for change in here.values()):
            best = min(here, key=lambda name: here[name])
            least.setdefault(best, []).append(f"{level:g}")
    if not least:
        return _("Nothing changed at any level.")
    if len(least) == 1:
        (best,) = least
        return _("On average over the draws **{name}** changes least at every level.").format(
            name=names[best]
        )
    parts = [
        _("**{name}** at {levels}").format(name=names[name], levels=joined(at))
        for name, at in least.items()
    ]
    return _("Which pooling changes least depends on the level: {list}.").format(list=joined(parts))


def certainty(level: float, values: Mapping[str, Sequence[float]], names: Mapping[str, str]) -> str:
    """Whether the draws tell the two poolings that change least apart at a level.

    Args:
        level: The level.
        values: For each pooling the relative change of each draw, the draws in the same order.
        names: What each pooling is called.
    """
    means = {name: sum(found) / len(found) for name, found in values.items()}
    first, second = sorted(means, key=lambda name: means[name])[:2]
    if means[first] == means[second]:
        return ""
    wins = sum(a < b for a, b in zip(values[first], values[second], strict=True))
    return _(
        "At level {level}, **{first}** changes less than **{second}** in {wins} of {draws} draws."
    ).format(
        level=f"{level:g}",
        first=names[first],
        second=names[second],
        wins=wins,
        draws=len(values[first]),
    )


def best_blend(
    weight: float, change: float, ends: tuple[float, float], by_draw: Sequence[float]
) -> str:
    """At which blend weight the picture changes least, and what that gains.

    Args:
        weight: The best blend weight, NaN if nothing changed.
        change: The relative change there.
        ends: The relative change at blend weight 0, average, and at 1, max.
        by_draw: The best blend weight of each draw alone.
    """
    if math.isnan(weight):
        return _("Nothing changed, so no blend weight is better than another.")
    if weight < 0.005:
        best = _("The change is smallest at blend weight 0, which is average pooling: {share}.")
    elif weight > 0.995:
        best = _("The change is smallest at blend weight 1, which is max pooling: {share}.")
    else:
        best = _("The change is smallest at blend weight {weight:.2f}: {share}.")
    said = [best.format(weight=weight, share=percent(change))]
    if 0.005 <= weight <= 0.995:
        said.append(
            _("Average pooling has {average} there, max pooling {max}.").format(
                average=percent(ends[0]), max=percent(ends[1])
            )
        )
    finite = [value for value in by_draw if not math.isnan(value)]
    low, high = f"{min(finite):.2f}", f"{max(finite):.2f}"
    if low == high:
        said.append(_("Each draw for itself says the same."))
    else:
        said.append(
            _("Each draw for itself is best between {low} and {high}, the shaded range.").format(
                low=low, high=high
            )
        )
    return " ".join(said)


def strongest(places: Mapping[str, tuple[int, int]], names: Mapping[str, str]) -> str:
    """Where a patch changes each pooling most: (row, column) of its corner, counted from 1."""
    alike: dict[tuple[int, int], list[str]] = {}
    for name, place in places.items():
        alike.setdefault(place, []).append(names[name])
    if len(alike) == 1:
        ((row, column),) = alike
        return _(
            "A patch changes all poolings most with its corner at row {row}, column {column}."
        ).format(row=row, column=column)
    parts = [
        _("**{names}** at row {row}, column {column}").format(
            names=joined(group), row=row, column=column
        )
        for (row, column), group in alike.items()
    ]
    return _("Where a patch changes them most: {list}.").format(list=joined(parts))
