"""Many runs, one after the other, by one process or by several that share a folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from filelock import FileLock, Timeout

from hybridpool.training.data import Dataset
from hybridpool.training.evaluate import Trials, make_trials
from hybridpool.training.loop import run
from hybridpool.training.results import RunSettings, read_folder, write_run
from hybridpool.training.tables import with_frozen


@dataclass(frozen=True)
class Job:
    """A run, and the folder for its result."""

    settings: RunSettings
    output: Path


@dataclass(frozen=True)
class Workshop:
    """What all runs of a command share.

    Attributes:
        dataset: Gives the pictures, on the device on which networks learn.
        checkpoints: Where states are kept, and where a run that is at work says so.
        command: What repeats a run, for its result.
        alone: Whether this is one process rather than a part of one that is shared.
        first: Whether it is the first part, which measures and writes.
        say: What tells a person that a run is done.
    """

    dataset: Callable[[], Dataset]
    checkpoints: Path
    command: Callable[[RunSettings], str]
    alone: bool = True
    first: bool = True
    say: Callable[[str], None] = print


def carry_out(jobs: Sequence[Job], shop: Workshop) -> list[Job]:
    """Do every job that is not done and that no other process is at.

    Args:
        jobs: In the order in which they shall be done.
        shop: What they share.

    Returns:
        The jobs that wait for another: ``"frozen"`` for the hybrid network of its seed.

    Example:
        >>> carry_out([], Workshop(Dataset, Path("nowhere"), str))
        []
    """

    @cache
    def trials(pictures: int, held_out: int, count: int) -> Trials:
        dataset = shop.dataset()
        seen = (dataset.split(held_out) if held_out else dataset).first(pictures)
        return make_trials(seen, count)

    def do(settings: RunSettings, output: Path) -> None:
        key = settings.train_pictures, settings.held_out, settings.measured_pictures
        found, _ = run(
            settings,
            shop.dataset(),
            trials(*key) if settings.measured_pictures and shop.first else None,
            command=shop.command(settings),
            checkpoint=shop.checkpoints / f"{settings.name}.pt",
        )
        if shop.first:
            write_run(found, output)
            shop.say(f"{settings.name}: {found.measures.clean:.2%} of the test pictures")

    waiting = list(jobs)
    while True:
        left = [job for job in waiting if not _done(job, shop, do)]
        if len(left) in (0, len(waiting)):
            return left
        waiting = left


def _done(job: Job, shop: Workshop, do: Callable[[RunSettings, Path], None]) -> bool:
    """Do a job unless it is done, another process is at it, or it has to wait: then False."""
    settings = with_frozen(job.settings, read_folder(job.output)[0])
    if settings is None:
        return False
    result = job.output / f"{settings.name}.json"
    if result.exists():
        return True
    if not shop.alone:
        do(settings, job.output)
        return True
    shop.checkpoints.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(shop.checkpoints / f"{settings.name}.lock", timeout=0):
            if not result.exists():
                do(settings, job.output)
    except Timeout:
        pass
    return True
