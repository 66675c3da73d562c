"""What several runs say, as plain text for the terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hybridpool.training import values
from hybridpool.training.claims import Finding, against_baselines, judge, measure_of, precedence
from hybridpool.training.comparisons import Comparison, Difference, difference
from hybridpool.training.records import Run
from hybridpool.training.selection import by_arm
from hybridpool.training.summary import Summary, comparable, summarise_seeds, told_apart
from hybridpool.training.values import Measure

_BASELINE = "max"
_FAMILIES = ("accuracy", "noise", "occlusion", "shift")
_FURTHER = ("frequency", "small_data", "start", "size")


def report(runs: Sequence[Run]) -> str:
    """For each group of comparable runs, its means and the outcomes of the primary comparisons.

    Example:
        >>> report([])
        ''
    """
    groups = comparable(runs)
    parts = []
    apart = told_apart([settings for _, settings in groups])
    for ((data, settings), group), further in zip(groups.items(), apart, strict=True):
        parts.append(
            f"{settings.network} {settings.width}, {settings.train_pictures} pictures of "
            f"{data.name}, {settings.epochs} epochs" + (f", {further}" if further else "")
        )
        if settings.held_out:
            parts += [*_choices(group), "\n"]
        else:
            parts.append("; mean ± standard deviation over seeds in %\n")
            parts += [*_means(group), *_differences(group), *_outcomes(group), "\n"]
    judged = [group for group in groups.values() if not group[0].settings.held_out]
    if judged:
        first = max(judged, key=precedence)
        everything = [run for group in judged for run in group]
        for claim in _FURTHER:
            parts += _verdict(judge(claim, first, everything, "hybrid"))
    return "".join(parts)


def _choices(group: Sequence[Run]) -> list[str]:
    """The accuracy of each way to learn the blends, on the pictures held out for this choice."""
    groups: dict[tuple[str, str, float], list[Run]] = {}
    for arm, runs in by_arm(group).items():
        for run in runs:
            way = (arm, run.settings.blend_optimizer, run.settings.blend_rate)
            groups.setdefault(way, []).append(run)
    lines = [f"; accuracy on {group[0].settings.held_out} held-out training pictures in %\n"]
    for (arm, optimizer, rate), runs in sorted(groups.items()):
        mean = _mean(_summary(runs, values.clean))
        lines.append(_line(arm, [f"{optimizer} {rate:g}", mean, str(len(runs))]))
    return lines


def _columns(group: Sequence[Run]) -> dict[str, Measure]:
    """The columns for each arm: only what was measured in every run."""
    columns = {
        "clean": measure_of("accuracy", group),
        "train": Measure(lambda run: run.measures.train),
        "noise": measure_of("noise", group),
        "corrupted": values.under(values.corruptions(group)),
        "occluded": measure_of("occlusion", group),
        "shifted": values.SHIFTED,
    }
    return {
        name: by for name, by in columns.items() if all(by.value(run) is not None for run in group)
    }


def _means(group: Sequence[Run]) -> list[str]:
    columns = _columns(group)
    lines = [_line("arm", [*columns, "seeds"])]
    for arm, ones in by_arm(group).items():
        cells = [_mean(_summary(ones, by.value)) for by in columns.values()]
        lines.append(_line(arm, [*cells, str(len(ones))]))
    return lines


def _differences(group: Sequence[Run]) -> list[str]:
    """Every arm minus max pooling, each with a 95 % interval, without correction."""
    arms, columns = by_arm(group), _columns(group)
    lines = [f"\ndifference to {_BASELINE} in points, 95 % intervals, not corrected\n"]
    for arm, ones in arms.items():
        differences = [difference(ones, arms.get(_BASELINE, ()), by) for by in columns.values()]
        if arm != _BASELINE and all(differences):
            lines.append(_line(arm, [_interval(delta) for delta in differences if delta]))
    return lines if len(lines) > 1 else []


def _outcomes(group: Sequence[Run]) -> list[str]:
    """The primary comparisons, family by family, after Holm's correction."""
    lines = [
        _compared(claim, one)
        for claim in _FAMILIES
        for one in against_baselines(group, "hybrid", measure_of(claim, group))
    ]
    return ["\nprimary comparisons (Holm within a family)\n", *lines] if lines else []


def _verdict(finding: Finding) -> list[str]:
    if not finding.comparisons:
        return []
    compared = [_compared(one.condition, one) for one in finding.comparisons]
    return [f"{finding.claim}: {finding.verdict}\n", *compared, "\n"]


def _compared(label: str, one: Comparison) -> str:
    said = "too few runs" if one.outcome == "few" else one.outcome
    if one.outcome == "undecided":
        said += f": {100 * one.visible:.2f} points would have been seen with 80 % power"
    elif one.within and one.outcome != "equivalent":
        said += f", by less than {100 * one.margin:g} points"
    measure = "" if one.measure == "accuracy" else f" ({one.measure})"
    baseline = "article" if one.baseline == "None" else one.baseline
    name = f"{label} {one.arm} - {baseline}{measure}".strip()
    return f"{name:40}{_interval(one.difference):>26}   {said}\n"


def _summary(runs: Sequence[Run], value: Callable[[Run], float | None]) -> Summary:
    return summarise_seeds([number for run in runs if (number := value(run)) is not None])


def _line(name: str, cells: Sequence[str]) -> str:
    return f"{name:12}" + "".join(f"  {cell:>24}" for cell in cells) + "\n"


def _mean(summary: Summary) -> str:
    mean = f"{summary.mean * 100:.2f}"  # one run has no spread
    return mean if summary.count == 1 else f"{mean} ± {summary.deviation * 100:.2f}"


def _interval(delta: Difference) -> str:
    low, high = delta.low * 100, delta.high * 100
    if low == high:  # nor an interval
        return f"{delta.mean * 100:+.2f}"
    return f"{delta.mean * 100:+.2f} ({low:+.2f} to {high:+.2f})"
