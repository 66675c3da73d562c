"""One comparison in words: its outcome, what it is about, and what could have been seen."""

from __future__ import annotations

from collections.abc import Sequence

from hybridpool.training.comparisons import Comparison
from hybridpool.training.curves import weight_paths
from hybridpool.training.records import Run
from hybridpool.training.selection import COMPLEX
from hybridpool.ui.evidence import words as names
from hybridpool.ui.evidence.numbers import inside, interval, points
from hybridpool.ui.evidence.words import arm_names, condition_names, named
from hybridpool.ui.phrases import joined
from hybridpool.ui.words import _


def clause(one: Comparison) -> str:
    """One outcome, to follow the name of the arm and "is"."""
    margin = f"{100 * one.margin:g}"
    words = {
        "ahead": _("ahead of {name} by {interval}"),
        "behind": _("behind {name} by {interval}"),
        "equivalent": _("equivalent to {name} within ±{margin}: {interval}"),
        "undecided": _(
            "undecided against {name}: {interval}; a difference of {visible} would have been seen "
            "with 80 % power"
        ),
        "few": _("not judged against {name}, with too few runs: {interval}"),
    }
    if one.within and one.outcome in ("ahead", "behind"):
        words = {
            "ahead": _("ahead of {name}, but by less than {margin}: {interval}"),
            "behind": _("behind {name}, but by less than {margin}: {interval}"),
        }
    return words[one.outcome].format(
        name=inside(one.baseline),
        interval=interval(one.difference),
        margin=margin,
        visible=points(one.visible),
    )


def resolution(comparisons: Sequence[Comparison]) -> str:
    """How large a difference would have been seen: no interval is wiser than its runs."""
    known = [one for one in comparisons if one.outcome != "few"]
    if not known:
        return ""
    sizes = [one.visible for one in known]
    least, most = points(min(sizes)), points(max(sizes))
    if least == most:
        words = _(
            "With {seeds} seeds, a difference of {most} points would have been seen with 80 % "
            "power, at the strictest step of Holm's correction; smaller ones may hide."
        )
    else:
        words = _(
            "With {seeds} seeds, differences of {least} to {most} points, depending on the "
            "comparison, would have been seen with 80 % power, at the strictest step of Holm's "
            "correction; smaller ones may hide."
        )
    seeds = min(min(one.difference.counts) for one in known)
    return words.format(seeds=seeds, least=least, most=most)


def sampled(comparisons: Sequence[Comparison]) -> str:
    """Whether the intervals know that the pictures are a sample."""
    counts = {one.difference.pictures for one in comparisons if one.outcome != "few"}
    if not counts:
        return ""
    if 0 in counts:
        return _(
            "These runs did not keep which pictures were right, so the intervals are over seeds "
            "alone and hold for these test pictures only."
        )
    return _(
        "The intervals are over seeds and {pictures} pictures at once, and rather too wide than "
        "too narrow."
    ).format(pictures=f"{min(counts):,}")


def row(one: Comparison) -> str:
    """What a comparison is about, without its baseline."""
    if one.condition.endswith(COMPLEX):
        pictures, _space, arm = one.condition.partition(" ")
        words = (
            _("{arm}, {pictures} pictures: gap")
            if one.measure == "gap"
            else _("{arm}, {pictures} pictures: accuracy")
        )
        return words.format(arm=named(arm_names(), arm), pictures=f"{int(pictures):,}")
    if one.condition in condition_names():
        return condition_names()[one.condition]
    network, _space, width = one.condition.rpartition(" ")
    if width.isdigit():
        return names.network_name(network, int(width))
    if one.arm not in arm_names():
        return _("Start at {start}").format(start=one.arm)
    return arm_names()[one.arm]


def label(one: Comparison) -> str:
    """What stands beside the bar of a comparison."""
    if one.condition.endswith(COMPLEX):
        return row(one)
    name = inside(one.baseline) if one.arm in arm_names() else names.start_name(one.baseline)
    against = _("minus {name}").format(name=name)
    return f"{row(one)}, {against}" if one.condition else against


def ends(runs: Sequence[Run]) -> str:
    """Where the blend weights of each layer end, in the mean."""
    paths = weight_paths(runs, runs[0].settings.arm)
    return joined([f"{path.mean[-1]:.2f}" for path in paths.values()]) if paths else "–"
