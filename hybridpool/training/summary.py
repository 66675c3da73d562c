"""What several runs say together: which may be compared, and a mean over seeds."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import NamedTuple

from hybridpool.training.records import Run, RunSettings, is_cifar10


@dataclass(frozen=True)
class Summary:
    """A mean over seeds.

    Attributes:
        mean: The mean.
        deviation: The sample standard deviation; 0 for one value.
        low: Lower end of the confidence interval of the mean; the mean itself for one value.
        high: Upper end.
        count: How many values.
    """

    mean: float
    deviation: float
    low: float
    high: float
    count: int


def summarise_seeds(values: Sequence[float], confidence: float = 0.95) -> Summary:
    """The mean of a few values, and Student's confidence interval for it.

    Args:
        values: At least one.
        confidence: The confidence level; intervals that are to hold all at once need a higher one.

    Example:
        >>> found = summarise_seeds([1.0, 2.0, 3.0])
        >>> found.mean, found.deviation
        (2.0, 1.0)
        >>> round(found.high - found.mean, 3)  # 4.303 deviations / sqrt(3)
        2.484
    """
    count = len(values)
    if not count:
        raise ValueError("A summary needs at least one value, but got none.")
    mean = math.fsum(values) / count
    if count == 1:
        return Summary(mean, 0.0, mean, mean, 1)
    # A machine that only trains may lack scipy.
    from scipy.special import stdtrit

    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (count - 1))
    half = float(stdtrit(count - 1, (1 + confidence) / 2)) * deviation / math.sqrt(count)
    return Summary(mean, deviation, mean - half, mean + half, count)


class Data(NamedTuple):
    """What tells the pictures of a run from others of the same name."""

    name: str
    test: int
    digest: str


def data_of(run: Run) -> Data:
    """The data of a run. CIFAR-10 is known by its name; older runs have no digest of it.

    Example:
        >>> from hybridpool.training.records import _example
        >>> data_of(_example("max", 0, 0.7))
        Data(name='nothing', test=0, digest='')
    """
    name = str(run.data["name"])
    digest = "" if is_cifar10(name) else str(run.data.get("digest", ""))
    return Data(name, int(run.data.get("test", 0)), digest)


def comparable(runs: Iterable[Run]) -> dict[tuple[Data, RunSettings], list[Run]]:
    """Group the runs that may be compared: by data and by the settings that they share.

    They differ in their arm, its own settings, and their seed (`RunSettings.group`). Where an arm
    was run with several settings of its own, each has a group with all other arms.

    Example:
        >>> from hybridpool.training.records import _example
        >>> runs = [_example("max", 0, 0.70), _example("hybrid", 1, 0.72)]
        >>> [len(group) for group in comparable(runs).values()]
        [2]
    """
    groups: dict[tuple[Data, RunSettings], list[Run]] = {}
    for run in runs:
        groups.setdefault((data_of(run), run.settings.group), []).append(run)
    return {
        (data, name): part
        for (data, settings), group in groups.items()
        for name, part in _with_each_seed_once(settings, group)
    }


def _with_each_seed_once(
    settings: RunSettings, runs: list[Run]
) -> list[tuple[RunSettings, list[Run]]]:
    """Groups that have each arm and seed once, with the settings that tell them apart."""
    count = Counter((run.settings.arm, run.settings.seed) for run in runs)
    repeated = {arm for (arm, _), times in count.items() if times > 1}
    if not repeated:
        return [(settings, runs)]
    groups = []
    for optimizer, rate in sorted({_own(run) for run in runs if run.settings.arm in repeated}):
        part = [
            run
            for run in runs
            if run.settings.arm not in repeated or _own(run) == (optimizer, rate)
        ]
        # A frozen run belongs to the run of hybrid whose weights it holds.
        ends = {run.settings.seed: run.ends for run in part if run.settings.arm == "hybrid"}
        part = [
            run
            for run in part
            if run.settings.arm != "frozen"
            or ends.get(run.settings.seed, run.settings.frozen_at) == run.settings.frozen_at
        ]
        groups.append((replace(settings, blend_optimizer=optimizer, blend_rate=rate), part))
    return groups


def _own(run: Run) -> tuple[str, float]:
    return run.settings.blend_optimizer, run.settings.blend_rate


def told_apart(several: Sequence[RunSettings]) -> list[str]:
    """For each group's settings, what tells it from others that would have the same name.

    A name has the data, the network, its width, and the numbers of pictures and epochs. Where
    several share it, the settings in which these differ follow, as options of the command line.

    Example:
        >>> usual, other = RunSettings(), RunSettings(blend_start=0.02)
        >>> told_apart([usual, other, RunSettings(epochs=4)])
        ['--blend-start 0.5', '--blend-start 0.02', '']
    """
    named: dict[tuple[object, ...], list[RunSettings]] = {}
    for one in several:
        name = (one.data, one.network, one.width, one.train_pictures, one.epochs)
        named.setdefault(name, []).append(one)
    told = {}
    for alike in named.values():
        differing = [
            field.name
            for field in fields(RunSettings)
            if len({getattr(one, field.name) for one in alike}) > 1
        ]
        for one in alike:
            told[one] = " ".join(word for name in differing for word in one.option(name))
    return [told[one] for one in several]
