"""The tables of the experiment: their runs, in which order, and with which rates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from hybridpool.training.arms import ARMS
from hybridpool.training.records import Run, RunSettings

#: The optimizer and the rate by which each arm's blend learns, chosen on held-out training
#: pictures (`TABLES["sweep"]`): the largest rate that is not behind the best by more than two
#: standard errors of a difference, since a blend weight that may go further in ten epochs can show
#: where it wants to be. `hybrid_blur` has one weight a layer, as `hybrid` has, and takes its rate.
BLEND_RATES: Mapping[str, tuple[str, float]] = {
    "hybrid": ("adam", 0.03),
    "channel": ("adam", 0.03),
    "attention": ("adam", 0.03),
    "gated": ("adam", 0.03),
    "hybrid_blur": ("adam", 0.03),
}

_COMPARED = ("max", "average", "fixed", "hybrid")
_WIDE = (*_COMPARED, "frozen", "channel", "attention", "blur", "hybrid_blur")
_BLENDED = ("max", "average", "hybrid", "channel", "attention")


@dataclass(frozen=True)
class Table:
    """Runs that belong together.

    Attributes:
        settings: The settings that they share.
        arms: The poolings.
        seeds: The seeds.
        starts: Where learned blend weights start.
        rates: The rates of the blends; empty for those in `BLEND_RATES`.

    Example:
        >>> table = Table(RunSettings(), ("max", "hybrid"), seeds=(0, 1))
        >>> [(run.seed, run.arm) for run in table.runs(seed=1)]
        [(1, 'max'), (1, 'hybrid')]
    """

    settings: RunSettings
    arms: tuple[str, ...]
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    starts: tuple[float | None, ...] = (0.5,)
    rates: tuple[float, ...] = ()

    def runs(self, seed: int) -> Iterator[RunSettings]:
        """The runs of one seed; those of ``"frozen"`` lack their blend weights (`with_frozen`)."""
        for arm in self.arms:
            optimizer, usual = blend_settings(arm)
            plain = replace(self.settings, arm=arm, seed=seed, blend_optimizer=optimizer)
            for start in self.starts:
                run = replace(plain, blend_start=start, blend_rate=usual)
                for rate in self.rates or (run.blend_rate,):
                    yield replace(run, blend_rate=rate)


def blend_settings(arm: str) -> tuple[str, float]:
    """The optimizer and the rate by which an arm's blend learns.

    Example:
        >>> blend_settings("max")  # has no blend
        ('adam', 0.01)
    """
    plain = RunSettings()
    return BLEND_RATES.get(arm, (plain.blend_optimizer, plain.blend_rate))


_AIR = RunSettings(network="air", precision="bfloat16")
# As in airbench94; larger shifts ask for more epochs.
_POWER = replace(_AIR, shift=2, edge="mirrored")

TABLES: Mapping[str, Table] = {
    "breadth": Table(_AIR, tuple(ARMS)),
    "power-air": Table(replace(_POWER, width=32), _COMPARED),
    "power-resnet": Table(
        replace(_POWER, network="resnet18", epochs=14, learning_rate=0.2), _COMPARED
    ),
    "small-500": Table(
        replace(_AIR, train_pictures=500, epochs=100, batch_size=50, learning_rate=0.1), _BLENDED
    ),
    "small-5000": Table(
        replace(_AIR, train_pictures=5000, epochs=40, batch_size=125, learning_rate=0.2), _BLENDED
    ),
    "starts": Table(replace(_AIR, network="small"), ("hybrid",), starts=(0.5, 0.02, 0.98, None)),
    "gpu-air": Table(replace(_POWER, width=64), _WIDE, seeds=tuple(range(10))),
    "gpu-resnet": Table(
        replace(_POWER, network="resnet18", width=64, learning_rate=0.2), _COMPARED
    ),
    "sweep": Table(
        replace(_AIR, epochs=3, train_pictures=45_000, held_out=5000, measured_pictures=0),
        ("hybrid", "channel", "attention", "gated"),
        seeds=(0,),
        rates=(0.003, 0.01, 0.03),
    ),
}
"""By name. ``breadth`` is every arm on one network, ``power-air`` and ``power-resnet`` fewer arms
on two larger ones, ``small-500`` and ``small-5000`` fewer pictures, ``starts`` where the blend
weight starts. ``gpu-air`` and ``gpu-resnet`` are for a GPU (``benchmarks/gpu_experiment.py``), the
second for as many epochs as fit. ``sweep`` chooses `BLEND_RATES` and is no evidence."""


def in_order(names: Iterable[str]) -> Iterator[tuple[str, RunSettings]]:
    """The runs of some tables with the names of these, seed by seed: first seed 0 of everything.

    So the finished runs are balanced whenever this is stopped.

    Example:
        >>> [(name, run.seed) for name, run in in_order(["sweep"])][0]
        ('sweep', 0)
    """
    tables = {name: TABLES[name] for name in names}
    seeds = sorted({seed for table in tables.values() for seed in table.seeds})
    for seed in seeds:
        for name, table in tables.items():
            if seed in table.seeds:
                yield from ((name, run) for run in table.runs(seed))


def runs_of(
    names: Sequence[str], seeds: Sequence[int] | None = None
) -> list[tuple[str, RunSettings]]:
    """The runs of some tables `in_order`, of these seeds alone if any are named.

    Raises:
        ValueError: If a table has none of the seeds, or none has one of them.

    Example:
        >>> [run.arm for _, run in runs_of(["gpu-resnet"], [0])]
        ['max', 'average', 'fixed', 'hybrid']
        >>> runs_of(["gpu-resnet"], [7])
        Traceback (most recent call last):
        ValueError: gpu-resnet has the seeds 0, 1, 2, 3, 4, not 7: ...
    """
    runs = list(in_order(names))
    if seeds is None:
        return runs
    for name in names:
        there = set(TABLES[name].seeds)
        known = {seed for each in names for seed in TABLES[each].seeds}
        if lacking := sorted(set(seeds) - (known if there & set(seeds) else there)):
            raise ValueError(
                f"{name} has the seeds {_listed(TABLES[name].seeds)}, not {_listed(lacking)}: "
                "choose among those, or other tables."
            )
    return [(name, run) for name, run in runs if run.seed in seeds]


def _listed(seeds: Iterable[int]) -> str:
    return ", ".join(map(str, seeds))


def hybrid_of(settings: RunSettings) -> RunSettings:
    """The run of ``"hybrid"`` whose blend weights a run of ``"frozen"`` holds.

    Example:
        >>> hybrid_of(RunSettings(arm="frozen", seed=3)).arm
        'hybrid'
    """
    optimizer, rate = blend_settings("hybrid")
    return replace(settings, arm="hybrid", blend_optimizer=optimizer, blend_rate=rate)


def with_frozen(settings: RunSettings, runs: Iterable[Run]) -> RunSettings | None:
    """A run of ``"frozen"`` with the blend weights that the hybrid network ended with.

    Args:
        settings: A run; only one of ``"frozen"`` is changed.
        runs: The results so far.

    Returns:
        The run, or None until the hybrid network of its seed is trained.

    Example:
        >>> with_frozen(RunSettings(arm="frozen"), []) is None
        True
    """
    if settings.arm != "frozen" or settings.frozen_at:
        return settings
    hybrid = hybrid_of(settings)
    for run in runs:
        if run.settings == hybrid:
            return replace(settings, frozen_at=run.ends)
    return None
