"""Many runs, one after the other, by one process or by several that share a folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from hybridpool.training.checkpoints import RunFailed
from hybridpool.training.data import Dataset
from hybridpool.training.evaluate import Trials, make_trials
from hybridpool.training.files import check_folder
from hybridpool.training.records import RunSettings
from hybridpool.training.results import (
    ResultsError,
    check_same_data,
    read_folder,
    read_run,
    write_run,
)
from hybridpool.training.runs import run
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
        dataset: Returns the pictures, on the device on which networks learn.
        checkpoints: The folder of checkpoints and of the locks of running jobs.
        command: Returns the command that repeats a run.
        alone: Whether this process trains alone rather than sharing each run with others.
        first: Whether this is the first of the processes, which measures and writes.
        say: Tells a person that a run is done.
    """

    dataset: Callable[[], Dataset]
    checkpoints: Path
    command: Callable[[RunSettings], str]
    alone: bool = True
    first: bool = True
    say: Callable[[str], None] = print


class Undone(NamedTuple):
    """The jobs that were not done.

    Attributes:
        waiting: The jobs that need the result of another.
        failed: The names of the runs that failed.
    """

    waiting: tuple[Job, ...]
    failed: tuple[str, ...]


def carry_out(jobs: Sequence[Job], shop: Workshop) -> Undone:
    """Do every job that is not done and that no other process is doing.

    Args:
        jobs: The jobs, in the order in which to do them.
        shop: What the jobs share.

    Returns:
        The jobs that were not done: those that wait for another (``"frozen"`` waits for the hybrid
        network of its seed), and those that failed, with the sentence that says why.

    Raises:
        CannotWrite: If a folder or file cannot be written; the results so far are kept.
        ValueError: If a folder holds results of other pictures with the same name.

    Example:
        >>> carry_out([], Workshop(Dataset, Path("nowhere"), str))
        Undone(waiting=(), failed=())
    """

    @cache
    def trials(pictures: int, held_out: int, count: int) -> Trials:
        dataset = shop.dataset()
        seen = (dataset.split(held_out) if held_out else dataset).first(pictures)
        return make_trials(seen, count)

    def do(settings: RunSettings, output: Path) -> None:
        key = settings.train_pictures, settings.held_out, settings.measured_pictures
        result, _ = run(
            settings,
            shop.dataset(),
            trials(*key) if settings.measured_pictures and shop.first else None,
            command=shop.command(settings),
            checkpoint=shop.checkpoints / f"{settings.name}.pt",
        )
        if shop.first:
            write_run(result, output)
            shop.say(f"{settings.name}: {result.measures.clean:.2%} of the test pictures")

    outputs = {job.output for job in jobs}
    for folder in {shop.checkpoints, *outputs}:
        check_folder(folder)
    for folder in outputs:
        check_same_data(read_folder(folder)[0], folder, shop.dataset().name, shop.dataset().digest)
    waiting, failed = list(jobs), []
    while True:
        left = []
        for job in waiting:
            try:
                done = _done(job, shop, do)
            except RunFailed as problem:
                # The others go on, because they do not depend on this one.
                shop.say(str(problem))
                failed.append(job.settings.name)
                done = True
            if not done:
                left.append(job)
        if len(left) in (0, len(waiting)):
            return Undone(tuple(left), tuple(failed))
        waiting = left


def _done(job: Job, shop: Workshop, do: Callable[[RunSettings, Path], None]) -> bool:
    """Do a job; return False if it is done, has to wait, or another process is doing it."""
    known = read_folder(job.output)[0] if job.settings.arm == "frozen" else []
    settings = with_frozen(job.settings, known)
    if settings is None:
        return False
    result = job.output / f"{settings.name}.json"
    if _is_result(result, shop):
        return True
    if not shop.alone:
        do(settings, job.output)
        return True
    shop.checkpoints.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(shop.checkpoints / f"{settings.name}.lock", timeout=0):
            if not _is_result(result, shop):
                do(settings, job.output)
    except Timeout:
        pass
    return True


def _is_result(path: Path, shop: Workshop) -> bool:
    """Whether a file holds a run; say so if it is cut short or holds something else."""
    if not path.exists():
        return False
    try:
        read_run(path.read_bytes(), path.name)
    except ResultsError as problem:
        shop.say(f"{problem} It is made anew.")
        return False
    return True
