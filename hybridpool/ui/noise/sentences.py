"""What a changed picture did to each pooling, said in words that are composed from the numbers.

Nothing here is decided beforehand: which pooling is named, in which order and with which sign
follows from the numbers alone, and what ties is called so (see `phrases`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hybridpool.measure import alike
from hybridpool.pictures.perturb import CHANGES
from hybridpool.sensitivity import Perturbation, expected_maximum
from hybridpool.ui.phrases import (
    below_print,
    bold,
    ends_of,
    joined,
    nothing,
    paragraph,
    percent,
    place_of,
    tied,
)
from hybridpool.ui.words import _, ngettext


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


def ranking(changes: Mapping[str, float], names: Mapping[str, str]) -> str:
    """Which pooling changed least and which most, by how much; ties are called so.

    Args:
        changes: Relative change of each pooling.
        names: What each pooling is called.
    """
    shares = changes.values()
    if nothing(shares):
        return _("Nothing changed in any pooling.")
    if below_print(shares):
        return _("All poolings changed by less than 0.05 %.")
    if all(share == math.inf for share in shares):
        return nothing_to_measure_by()
    ends = ends_of(changes)
    if ends is None:
        return _("All poolings changed by the same {share}.").format(share=percent(min(shares)))
    return _("**{least}** changed least, by {low}; **{most}** changed most, by {high}.").format(
        least=bold(ends.least, names), low=ends.low, most=bold(ends.most, names), high=ends.high
    )


def what_was_done(done: Perturbation, names: Mapping[str, str]) -> str:
    """What the picture went through, and that a finding speaks of all channels.

    Args:
        done: Noise, another quality, or an occluder.
        names: What each change is called.
    """
    if done.kind == "occlusion":
        return _("Over all channels:")
    words = _("{change} at level {level}, over all channels:")
    if CHANGES[done.noise].random:
        words = _("{change} at level {level} (seed {seed}), over all channels:")
    return words.format(change=names[done.noise], level=f"{done.level:g}", seed=done.draw)


def nothing_to_measure_by() -> str:
    """What is said of changes of maps that were zero."""
    return _(
        "Before the change every map is zero everywhere, so there is nothing to measure a change "
        "by."
    )


def nothing_left() -> str:
    """What is said of an occluder as large as the picture."""
    return _("The occluder covers the whole picture: nothing of it is left that could be ranked.")


def place_of_hybrid(changes: Mapping[str, float], weight: float | None) -> str:
    """Where hybrid pooling lies: between its two parts, below both, above both, or on one.

    Args:
        changes: Relative change of each pooling.
        weight: The blend weight; None if each channel has its own.
    """
    if all(change == math.inf for change in changes.values()):
        return ""
    words = {
        "both": _("**Hybrid**, {weight}, changed as both of its parts did."),
        "one": _("**Hybrid**, {weight}, changed as one of its two parts did."),
        "below": _("**Hybrid**, {weight}, changed less than both max and average."),
        "above": _("**Hybrid**, {weight}, changed more than both max and average."),
        "between": _("**Hybrid**, {weight}, lies between max and average."),
    }[place_of(changes["hybrid"], changes["max"], changes["average"])]
    if weight is None:
        return words.format(weight=_("with a blend weight for each channel"))
    return words.format(weight=_("at blend weight {weight:.2f}").format(weight=weight))


def biases(found: Mapping[str, float], names: Mapping[str, str]) -> str:
    """Where one draw pushed each pooling, in units of the noise that reaches it."""
    up, down = _("**{name}** {bias:.2f} σ higher"), _("**{name}** {bias:.2f} σ lower")
    straight = _("**{name}** less than 0.01 σ off")
    said = []
    for name, bias in found.items():
        words = straight if abs(bias) < 0.005 else up if bias > 0 else down
        said.append(words.format(name=names[name], bias=abs(bias)))
    return _("In this draw the changed maps lie on average: {list}.").format(list=joined(said))


def bias_note(kernel: int) -> str:
    """What σ is in :func:`biases`, and what is known about it.

    Args:
        kernel: Side of the pooling window.
    """
    if kernel == 1:
        known = _("A window of one cell hands its value on, so pooling adds no bias of its own.")
    else:
        known = _(
            "Independent normal noise of mean zero on a flat map biases the maximum of "
            "{kernel} × {kernel} values by {bias:.2f} σ, and their average not at all. Here a "
            "convolution stands before, so that neighbours share their noise, and a ReLU, which "
            "cuts off what is negative: that can bias the average too, and what you see may "
            "differ from both."
        ).format(kernel=kernel, bias=expected_maximum(kernel**2))
    sigma = _("σ is the standard deviation of the noise as it reaches the pooling in this channel.")
    return paragraph([sigma, known])


def winners(changed: int, windows: int, kernel: int) -> str:
    """How many of the clear winners another cell has replaced.

    Args:
        changed: How many windows have another winner, or a tie.
        windows: How many had a clear winner before.
        kernel: Side of the pooling window.
    """
    if kernel == 1:
        return _("Each window is a single cell, so that max, average and hybrid are the same.")
    if windows == 0:
        return _("Every window of this channel has a tie, so none has a winner to lose.")
    if changed == 0:
        return _("Every window of this channel that had a clear winner still has it.")
    share = changed / windows
    if changed < windows and (below_print([share]) or percent(share) == percent(1)):
        return ngettext(
            "In this channel {count} of {windows} windows with a clear winner has another one now, "
            "or a tie.",
            "In this channel {count} of {windows} windows with a clear winner have another one "
            "now, or a tie.",
            changed,
        ).format(count=changed, windows=windows)
    return _(
        "In this channel {share} of the windows with a clear winner have another one now, or a tie."
    ).format(share=percent(share))


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
        _("**{names}** changed in {count} of them.").format(names=joined(group), count=count)
        for count, group in sorted(counts.items())
    ]
    for name, count in found.beyond.items():
        if count:
            said.append(
                ngettext(
                    "**{name}** also changed, if only by a trace, in {count} cell out of reach: "
                    "its value follows the mean of the whole map.",
                    "**{name}** also changed, if only by a trace, in {count} cells out of reach: "
                    "its value follows the mean of the whole map.",
                    count,
                ).format(name=names[name], count=count)
            )
    return paragraph(said)


def curve(
    levels: Sequence[float],
    means: Mapping[str, Sequence[float]],
    names: Mapping[str, str],
    *,
    drawn: bool = True,
) -> str:
    """Which pooling changes least along the curve, or how that depends on the level.

    Args:
        levels: The levels.
        means: For each pooling the change at each level.
        names: What each pooling is called.
        drawn: Whether these are means over draws.
    """
    least: dict[tuple[str, ...], list[str]] = {}
    shares = [value for values in means.values() for value in values if not nothing([value])]
    if shares and all(share == math.inf for share in shares):
        return nothing_to_measure_by()
    for place, level in enumerate(levels):
        here = {name: values[place] for name, values in means.items()}
        if not nothing(here.values()):
            least.setdefault(_least(here), []).append(f"{level:g}")
    if not least:
        return _("Nothing changed at any level.")
    everybody = tuple(means)
    if list(least) == [everybody]:
        if not drawn:
            return _("All poolings change alike at every level.")
        return _("On average over the draws all poolings change alike at every level.")
    if len(least) == 1:
        (best,) = least
        if not drawn:
            return ngettext(
                "**{names}** changes least at every level that changes the maps.",
                "**{names}** change least at every level that changes the maps, and alike.",
                len(best),
            ).format(names=bold(best, names))
        return ngettext(
            "On average over the draws **{names}** changes least at every level that changes the "
            "maps.",
            "On average over the draws **{names}** change least at every level that changes the "
            "maps, and alike.",
            len(best),
        ).format(names=bold(best, names))
    parts = [
        _("all alike at {levels}").format(levels=joined(at))
        if best == everybody
        else _("**{names}** at {levels}").format(names=bold(best, names), levels=joined(at))
        for best, at in least.items()
    ]
    return _("Which pooling changes least depends on the level: {list}.").format(list=joined(parts))


def certainty(level: float, values: Mapping[str, Sequence[float]], names: Mapping[str, str]) -> str:
    """Whether the draws tell the two poolings that change least apart at a level.

    Args:
        level: The level.
        values: For each pooling the relative change of each draw, the draws in the same order.
        names: What each pooling is called.
    """
    means = {name: sum(changes) / len(changes) for name, changes in values.items()}
    best = _least(means)
    others = {name: mean for name, mean in means.items() if name not in best}
    if not others:
        return ""
    second = min(others, key=lambda name: others[name])
    pairs = list(zip(values[best[0]], values[second], strict=True))
    wins = sum(a < b and not alike(a, b) for a, b in pairs)
    return ngettext(
        "At level {level}, **{first}** changes less than **{second}** in {wins} of {draws} draws.",
        "At level {level}, **{first}** change less than **{second}** in {wins} of {draws} draws.",
        len(best),
    ).format(
        level=f"{level:g}",
        first=bold(best, names),
        second=names[second],
        wins=wins,
        draws=len(pairs),
    )


def _least(changes: Mapping[str, float]) -> tuple[str, ...]:
    """The keys of the smallest change: no number is printed here, so only rounding makes a tie."""
    low = min(changes.values())
    return tuple(name for name, change in changes.items() if alike(change, low))


def best_blend(
    weight: float, change: float, ends: tuple[float, float], by_draw: Sequence[float]
) -> str:
    """At which blend weight the picture changes least, and what that gains.

    Args:
        weight: The best blend weight, NaN if no one is better than another.
        change: The relative change there.
        ends: The relative change at blend weight 0, average, and at 1, max.
        by_draw: The best blend weight of each draw alone; none where nothing is drawn.
    """
    if nothing([change]):
        return _("Nothing changed, so no blend weight is better than another.")
    if math.isnan(weight):
        return _(
            "The change is the same at every blend weight, {share}, so none is better than another."
        ).format(share=percent(change))
    if weight < 0.005:
        best = _("The change is smallest at blend weight 0, which is average pooling: {share}.")
    elif weight > 0.995:
        best = _("The change is smallest at blend weight 1, which is max pooling: {share}.")
    else:
        best = _("The change is smallest at blend weight {weight:.2f}: {share}.")
    inside = 0.005 <= weight <= 0.995
    level = [tied(change, end) for end in ends]
    if no_better := sum(level) > (0 if inside else 1):
        best = {
            (True, False): _("No blend weight is better than average pooling, but for rounding."),
            (False, True): _("No blend weight is better than max pooling, but for rounding."),
            (True, True): _("No blend weight is better than average or max, but for rounding."),
        }[level[0], level[1]]
    said = [best.format(weight=weight, share=percent(change))]
    if inside or no_better:
        both = _("Average pooling has {average} there, max pooling {max}.")
        if no_better:
            both = _("Average pooling has {average}, max pooling {max}.")
        said.append(both.format(average=percent(ends[0]), max=percent(ends[1])))
    finite = [value for value in by_draw if not math.isnan(value)]
    if not finite:
        return paragraph(said)
    low, high = f"{min(finite):.2f}", f"{max(finite):.2f}"
    if low == high and not no_better:
        said.append(_("Each single draw says the same."))
    elif low != high:
        said.append(
            _("Taken singly, each draw is best between {low} and {high}, the shaded range.").format(
                low=low, high=high
            )
        )
    return paragraph(said)


def strongest(places: Mapping[str, Sequence[tuple[int, int]]], names: Mapping[str, str]) -> str:
    """Where a patch changes each pooling most.

    Args:
        places: For each pooling row and column of the patch's corner, counted from 1, at every
            place that ties for the largest change.
        names: What each pooling is called.
    """
    together: dict[tuple[tuple[int, int], ...], list[str]] = {}
    for name, corners in places.items():
        together.setdefault(tuple(corners), []).append(name)
    if len(together) == 1:
        (corners,) = together
        if len(corners) > 1:
            return _("At {count} places a patch changes all poolings most, and alike.").format(
                count=len(corners)
            )
        ((row, column),) = corners
        return _(
            "A patch changes all poolings most with its corner at row {row}, column {column}."
        ).format(row=row, column=column)
    one = _("**{names}** at row {row}, column {column}")
    several = _("**{names}** at {count} places alike")
    parts = [
        (one if len(corners) == 1 else several).format(
            names=bold(group, names), row=corners[0][0], column=corners[0][1], count=len(corners)
        )
        for corners, group in together.items()
    ]
    return _("Where a patch changes them most: {list}.").format(list=joined(parts))
