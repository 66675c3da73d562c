"""Which runs belong together: the arms of a group, other networks, fewer pictures, other starts."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from hybridpool.training.comparisons import MIN_SEEDS
from hybridpool.training.records import Run, RunSettings
from hybridpool.training.summary import comparable, data_of

ARMS = (
    *("max", "average", "fixed", "hybrid", "frozen", "channel", "attention", "gated"),
    *("blur", "hybrid_blur", "strided"),
)
"""The order in which arms are shown."""

COMPLEX = ("channel", "attention")
"""The arms with more than one blend weight a layer, held against hybrid, which has one."""

SINGLE = ("max", "average")
"""The single poolings: a claim has to hold against both."""

SMALL_DATA = 5000
"""So many training pictures or fewer are few."""

PLANNED = "2026-11-29T01:00:33+00:00"
"""When the plan of the analysis was written."""

Network = tuple[str, int]
"""A network and its width."""

_Key = TypeVar("_Key", bound=Hashable)


def by_arm(runs: Iterable[Run]) -> dict[str, list[Run]]:
    """The runs of each arm, by seed; arms in the order of `ARMS`, then the others.

    Example:
        >>> from hybridpool.training.records import _example
        >>> list(by_arm([_example("hybrid", 0, 0.7), _example("max", 1, 0.7)]))
        ['max', 'hybrid']
    """
    runs = sorted(runs, key=lambda run: run.settings.seed)
    names = dict.fromkeys(run.settings.arm for run in runs)
    order = sorted(names, key=lambda arm: ARMS.index(arm) if arm in ARMS else len(ARMS))
    return {arm: [run for run in runs if run.settings.arm == arm] for arm in order}


def network_of(run: Run) -> Network:
    """The network of a run and its width.

    Example:
        >>> from hybridpool.training.records import _example
        >>> network_of(_example("max", 0, 0.7))[0]
        'small'
    """
    return run.settings.network, run.settings.width


def judgeable(runs: Iterable[Run]) -> bool:
    """Whether there are enough seeds of hybrid and of both single poolings.

    Example:
        >>> judgeable([])
        False
    """
    arms = by_arm(runs)
    return all(len(arms.get(arm, ())) >= MIN_SEEDS for arm in (*SINGLE, "hybrid"))


def older_than_the_plan(runs: Iterable[Run]) -> bool:
    """Whether one of these runs had ended when the plan of the analysis was written.

    Example:
        >>> older_than_the_plan([])
        False
    """
    return any(str(run.environment.get("finished", PLANNED)) < PLANNED for run in runs)


def by_network(runs: Sequence[Run], everything: Sequence[Run]) -> dict[Network, list[Run]]:
    """Runs on the same data and as many pictures, by network, the one with fewest parameters first.

    Runs from before the plan and those after it are not put together: the plan leaves them out.

    Example:
        >>> by_network([], [])
        {}
    """
    if not runs:
        return {}
    old = older_than_the_plan(runs)
    alike = [
        run for run in _like_first(runs, everything, _pictures) if older_than_the_plan([run]) == old
    ]
    best = _best([runs, *comparable(alike).values()], runs, network_of)
    return dict(sorted(best.items(), key=lambda item: item[1][0].costs.parameters))


def by_size(runs: Sequence[Run], everything: Sequence[Run]) -> dict[int, list[Run]]:
    """Runs of the same network on the same data, by the number of training pictures, rising.

    If one number was run with several settings, those of `runs` count, else what can be judged,
    else the largest group.

    Example:
        >>> by_size([], [])
        {}
    """
    if not runs:
        return {}
    alike = _like_first(runs, everything, network_of)
    return dict(sorted(_best([runs, *comparable(alike).values()], runs, _pictures).items()))


def few_pictures(runs: Sequence[Run], everything: Sequence[Run]) -> dict[int, list[Run]]:
    """Runs on few pictures that compare complex with simple blending, by their number, rising.

    They are those of the same network if there are any, else of the network with most runs. If one
    number was run with several settings, they are chosen as in `by_size`.

    Example:
        >>> few_pictures([], [])
        {}
    """
    if not runs:
        return {}
    fit = [
        group
        for group in comparable(
            run for run in everything if data_of(run) == data_of(runs[0])
        ).values()
        if group[0].settings.train_pictures <= SMALL_DATA
        and "hybrid" in (arms := by_arm(group))
        and any(blend in arms for blend in COMPLEX)
    ]
    same = [group for group in fit if network_of(group[0]) == network_of(runs[0])]
    if not same and fit:
        most = max(fit, key=len)
        same = [group for group in fit if network_of(group[0]) == network_of(most[0])]
    return dict(sorted(_best(same, runs, _pictures).items()))


def by_start(runs: Sequence[Run], everything: Sequence[Run]) -> dict[float | None, list[Run]]:
    """Runs of hybrid pooling that differ only in start and seed, by start; most starts win.

    Example:
        >>> by_start([], [])
        {}
    """
    if not runs:
        return {}
    groups: dict[RunSettings, dict[float | None, list[Run]]] = {}
    for run in everything:
        if run.settings.arm == "hybrid" and data_of(run) == data_of(runs[0]):
            key = replace(run.settings, seed=0, blend_start=None)
            groups.setdefault(key, {}).setdefault(run.settings.blend_start, []).append(run)
    most = max(
        groups.values(),
        key=lambda starts: (len(starts), sum(map(len, starts.values()))),
        default={},
    )
    return most if len(most) > 1 else {}


def _like_first(
    runs: Sequence[Run], everything: Iterable[Run], key: Callable[[Run], Hashable]
) -> list[Run]:
    """All runs with the data of the first of `runs` and with the same `key`."""
    first = data_of(runs[0]), key(runs[0])
    return [run for run in everything if (data_of(run), key(run)) == first]


def _pictures(run: Run) -> int:
    return run.settings.train_pictures


def _best(
    groups: Iterable[Sequence[Run]], first: Sequence[Run], key: Callable[[Run], _Key]
) -> dict[_Key, list[Run]]:
    """For each key one group: that of `first`, else one that can be judged, else the largest."""
    best: dict[_Key, list[Run]] = {}
    for group in groups:
        name = key(group[0])
        if name not in best or _rank(group, first) > _rank(best[name], first):
            best[name] = list(group)
    return best


def _rank(group: Sequence[Run], first: Sequence[Run]) -> tuple[bool, bool, int]:
    same = group[0].settings.group == first[0].settings.group
    return same and data_of(group[0]) == data_of(first[0]), judgeable(group), len(group)
