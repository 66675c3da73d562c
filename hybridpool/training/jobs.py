"""Many runs, one after the other, by one process or by several that share a folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from hybridpool.training.checkpoints import RunFailed, within_memory
from hybridpool.training.data import Dataset
from hybridpool.training.evaluate import Trials, make_trials
from hybridpool.training.files import check_folder, reason
from hybridpool.training.records import RunSettings
from hybridpool.training.results import (
    ResultsError,
    check_same_data,
    read_file,
    read_folder,
    write_run,
)
from hybridpool.training.runs import run
from hybridpool.training.tables import hybrid_of, with_frozen


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
        elsewhere: The jobs that need a result at which another process is.
    """

    waiting: tuple[Job, ...]
    failed: tuple[str, ...]
    elsewhere: tuple[Job, ...] = ()


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
        Undone(waiting=(), failed=(), elsewhere=())
    """

    @cache
    def trials(pictures: int, held_out: int, count: int) -> Trials:
        dataset = shop.dataset()
        seen = (dataset.split(held_out) if held_out else dataset).first(pictures)
        return make_trials(seen, count)

    def do(settings: RunSettings, output: Path) -> None:
        key = settings.train_pictures, settings.held_out, settings.measured_pictures
        with within_memory(settings.name):
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
    waiting, failed, ended = list(jobs), [], Counter[_End]()
    while True:
        left = []
        for job in waiting:
            try:
                end = _done(job, shop, do)
            except RunFailed as problem:
                # The others go on, because they do not depend on this one.
                shop.say(str(problem))
                failed.append(job.settings.name)
                continue
            if end is _End.WAITS:
                left.append(job)
            ended[end] += 1
        if len(left) in (0, len(waiting)):
            break
        waiting = left
    if shop.first and jobs and ended[_End.THERE] == len(jobs):
        shop.say("Nothing to do: every result is there already.")
    elsewhere = tuple(job for job in left if _is_locked(hybrid_of(job.settings), shop))
    return Undone(tuple(job for job in left if job not in elsewhere), tuple(failed), elsewhere)


class _End(Enum):
    """What came of a job."""

    MADE = auto()
    THERE = auto()
    ELSEWHERE = auto()
    WAITS = auto()


def _done(job: Job, shop: Workshop, do: Callable[[RunSettings, Path], None]) -> _End:
    """Do a job, unless it is done, has to wait, or another process is doing it."""
    known = read_folder(job.output)[0] if job.settings.arm == "frozen" else []
    settings = with_frozen(job.settings, known)
    if settings is None:
        return _End.WAITS
    result = job.output / f"{settings.name}.json"
    if _is_result(result):
        return _End.THERE
    try:
        with _lock(settings, shop) if shop.alone else nullcontext():
            if _is_result(result, shop.say if shop.first else None):
                return _End.THERE
            do(settings, job.output)
    except Timeout:
        shop.say(f"{settings.name}: another process is at it.")
        return _End.ELSEWHERE
    return _End.MADE


def _lock(settings: RunSettings, shop: Workshop) -> FileLock:
    """What the process that trains a run holds; `Timeout` where another has it."""
    shop.checkpoints.mkdir(parents=True, exist_ok=True)
    return FileLock(shop.checkpoints / f"{settings.name}.lock", timeout=0)


def _is_locked(settings: RunSettings, shop: Workshop) -> bool:
    try:
        with _lock(settings, shop):
            return False
    except Timeout:
        return True


def _is_result(path: Path, say: Callable[[str], None] | None = None) -> bool:
    """Whether a file holds a run; `say` is told if it is cut short or holds something else."""
    if not path.exists():
        return False
    try:
        read_file(path)
    except OSError as error:
        # It may be whole, so it stays.
        raise RunFailed(f"{path} cannot be read: {reason(error)}.") from error
    except ResultsError as problem:
        if say:
            say(f"{problem} It is made anew.")
        return False
    return True
