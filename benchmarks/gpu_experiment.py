"""The experiment on a GPU, in as many minutes as there are: results, CUDA tests, speed of pooling.

On a machine with PyTorch and torchvision alone, nothing else needs to be installed:

    python -m benchmarks.gpu_experiment --data copy.npz --output build/gpu --minutes 10

First ``air`` of width 64 (table ``gpu-air``), nine poolings and ten seeds; then ResNet-18 of width
64 (``gpu-resnet``), four poolings and five seeds, for as many epochs as fit into the time that is
left; then the CUDA tests, where pytest is there, and the benchmark of pooling. Runs go in the order
of the seeds, so that what stands when the time is over is balanced. Each writes its result when it
ends; the one that the end of the time meets is kept and goes on the next time, and what is done is
left out.

Where there is no network, write the pictures to one file beforehand, on a machine with pyarrow:

    python -m benchmarks.gpu_experiment --data FOLDER --prepare copy.npz
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from hybridpool.training.checkpoints import RunFailed, within_memory
from hybridpool.training.cifar10_copy import pack
from hybridpool.training.data import Dataset, load
from hybridpool.training.evaluate import Trials, make_trials, measure
from hybridpool.training.files import check_folder
from hybridpool.training.options import (
    MOST,
    Parser,
    choose_device,
    number,
    one_sentence,
    train_command,
    whole_number,
)
from hybridpool.training.quiet import QuietTraining
from hybridpool.training.records import Run, RunSettings
from hybridpool.training.results import check_same_data, read_folder, write_run
from hybridpool.training.runs import until_interrupted
from hybridpool.training.tables import TABLES, runs_of, with_frozen

FIRST, LAST = "gpu-air", "gpu-resnet"
#: The most epochs that ResNet-18 gets, and the fewest that are worth a run.
MOST_EPOCHS, FEWEST_EPOCHS = 30, 3
#: Steps that are taken to learn how long one takes.
_TRIED = 30
#: What of the time for ResNet-18 is planned: launches, files and Python take the rest.
_PLANNED = 0.9


@dataclass
class Clock:
    """A time that ends."""

    seconds: float
    began: float = field(default_factory=time.monotonic)

    @property
    def left(self) -> float:
        """Seconds until the end."""
        return self.seconds - (time.monotonic() - self.began)


@dataclass(frozen=True)
class Bench:
    """Where the work is done.

    Attributes:
        dataset: The pictures, on the device.
        trials: The changed ones on which robustness is measured; None where it is not.
        output: The folder for the folders of the tables.
        source: Where the pictures came from.
    """

    dataset: Dataset
    trials: Trials | None
    output: Path
    source: str | None

    def settings(
        self, runs: Iterable[RunSettings], changed: Mapping[str, Any]
    ) -> list[RunSettings]:
        """The runs of a table with what the command changes of them."""
        return [replace(settings, data=self.dataset.name, **changed) for settings in runs]

    def carry_out(self, table: str, jobs: Sequence[RunSettings], clock: Clock) -> None:
        """Do the runs of a table that are not done, as long as there is time."""
        folder = self.output / table
        known, problems = read_folder(folder)
        for problem in problems:
            print(problem)
        check_same_data(known, folder, self.dataset.name, self.dataset.digest)
        longest = 0.0
        for number_done, job in enumerate(jobs):
            settings = with_frozen(job, known)
            if settings is None or any(run.settings == settings for run in known):
                continue
            if clock.left < longest:
                print(f"{table}: no time for another run; {number_done} of {len(jobs)} looked at")
                return
            began = time.monotonic()
            try:
                with within_memory(settings.name):
                    run = self._run(settings, folder, clock)
            except RunFailed as problem:
                print(problem, flush=True)
                continue
            if run is None:
                print(f"{settings.name}: the time is over; its state is kept")
                return
            longest = max(longest, time.monotonic() - began)
            known.append(run)
            print(
                f"{settings.name}: {run.measures.clean:.2%} in {time.monotonic() - began:.1f} s, "
                f"{clock.left:.0f} s left",
                flush=True,
            )

    def _run(self, settings: RunSettings, folder: Path, clock: Clock) -> Run | None:
        checkpoint = self.output / "checkpoints" / f"{settings.name}.pt"
        training = QuietTraining(settings, self.dataset, checkpoint)
        for _ in until_interrupted(training, checkpoint_every=training.total + 1):
            if clock.left < 0 and not training.done:
                training.save()
                return None
        found = training.result(self.trials, train_command(settings, data=self.source))
        write_run(found, folder)
        checkpoint.unlink(missing_ok=True)
        return found

    def epochs_that_fit(self, jobs: Sequence[RunSettings], clock: Clock) -> int:
        """How many epochs all these runs can have: what earlier ones had, or by the clock."""
        for run in read_folder(self.output / LAST)[0]:
            return run.settings.epochs
        tried = replace(jobs[0], epochs=max(1, -(-_TRIED // self._steps(jobs[0]))))
        training = QuietTraining(tried, self.dataset)
        step = seconds_per_step(training, steps=training.total - 10)
        began = time.monotonic()
        measure(training.model, training.dataset, self.trials)
        wait_for(training.device)
        apart = time.monotonic() - began
        fit = (_PLANNED * clock.left / len(jobs) - apart) / (step * self._steps(jobs[0]))
        print(f"{LAST}: {1e3 * step:.2f} ms a step, {apart:.1f} s to measure: {fit:.1f} epochs fit")
        return min(MOST_EPOCHS, int(fit))

    @staticmethod
    def _steps(settings: RunSettings) -> int:
        return settings.train_pictures // min(settings.batch_size, settings.train_pictures)


def seconds_per_step(training: QuietTraining, steps: int) -> float:
    """How long a step takes once ten of them have warmed everything up."""
    going = training.steps(checkpoint_every=training.total + 1)
    for _ in range(10):
        next(going)
    wait_for(training.device)
    began = time.perf_counter()
    for _ in range(steps):
        next(going)
    wait_for(training.device)
    return (time.perf_counter() - began) / steps


def wait_for(device: torch.device) -> None:
    """Wait until a device has done all that it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def experiment(bench: Bench, options: argparse.Namespace, clock: Clock) -> None:
    """Both tables, one after the other."""
    runs = runs_of(options.tables, options.seeds)
    for table in options.tables:
        jobs = bench.settings((run for name, run in runs if name == table), changes(options))
        if table == LAST and not options.epochs:
            epochs = bench.epochs_that_fit(jobs, clock)
            if epochs < FEWEST_EPOCHS:
                print(f"{LAST}: no time for {FEWEST_EPOCHS} epochs of every run")
                continue
            jobs = [replace(job, epochs=epochs) for job in jobs]
        bench.carry_out(table, jobs, clock)


def changes(options: argparse.Namespace) -> dict[str, Any]:
    """What the command changes of every run; results then stand beside those of the tables."""
    names = ("epochs", "train_pictures", "batch_size", "width", "measured_pictures")
    return {name: value for name in names if (value := getattr(options, name)) is not None}


def checks(device: str, output: Path, clock: Clock) -> Iterator[str]:
    """The CUDA tests and the benchmark of pooling, each into a file; what is to be said of them."""
    tests = ["pytest", "tests", "-m", "cuda", "-q", "-p", "no:cacheprovider"]
    for name, words in (
        ("cuda-tests", tests),
        ("pooling", ["benchmarks.pooling", "--device", device, "--quick"]),
    ):
        if find_spec(words[0].partition(".")[0]) is None:
            yield f"{name}: not run, there is no {words[0]} here"
            continue
        path = output / f"{name}.txt"
        with path.open("w") as file:
            try:
                done = subprocess.run(
                    [sys.executable, "-m", *words],
                    stdout=file,
                    stderr=subprocess.STDOUT,
                    timeout=max(1.0, clock.left),
                    check=False,
                )
            except subprocess.TimeoutExpired:
                yield f"{name}: stopped when the time was over, see {path}"
                continue
        yield f"{name}: {'done' if done.returncode == 0 else 'FAILED'}, see {path}"


def parser() -> Parser:
    """The options."""
    found = Parser(
        prog="python -m benchmarks.gpu_experiment",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    found.add_argument("--data", help="as python -m hybridpool.training train takes it")
    found.add_argument("--prepare", type=Path, help="write the pictures to this file and end")
    found.add_argument("--output", type=Path, default=Path("build/gpu"))
    found.add_argument("--minutes", type=number(0, low_itself=False), default=10.0)
    found.add_argument(
        "--reserve", type=number(0), default=90.0, help="seconds of these for tests and benchmark"
    )
    found.add_argument("--device", default="cuda")
    found.add_argument("--tables", nargs="*", choices=TABLES, default=[FIRST, LAST])
    found.add_argument(
        "--seeds", nargs="+", type=whole_number(0, MOST), help="default: the table's"
    )
    for name in ("epochs", "train-pictures", "batch-size", "width"):
        found.add_argument(f"--{name}", type=whole_number(1, MOST), help="default: the table's")
    found.add_argument(
        "--measured-pictures", type=whole_number(0, MOST), help="default: the table's"
    )
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Everything, as long as there is time."""
    options = parser().parse_args(arguments)
    clock = Clock(60 * options.minutes)
    with one_sentence():
        _do(options, clock)


def _do(options: argparse.Namespace, clock: Clock) -> None:
    if options.prepare:
        pack(Path(options.data or "."), options.prepare)
        print(f"{options.prepare}: {options.prepare.stat().st_size / 1e6:.1f} MB")
        return
    runs_of(options.tables, options.seeds)  # refuses seeds before anything that takes time
    check_folder(options.output)
    options.output.mkdir(parents=True, exist_ok=True)
    device = choose_device(options.device)
    dataset = load(options.data).to(device)
    print(f"{dataset.name} after {options.minutes * 60 - clock.left:.0f} s", flush=True)
    bench = Bench(dataset, _trials(dataset, options), options.output, options.data)
    print(f"changed pictures after {options.minutes * 60 - clock.left:.0f} s", flush=True)
    experiment(bench, options, Clock(clock.left - options.reserve))
    if options.reserve:
        for said in checks(options.device, options.output, clock):
            print(said, flush=True)


def _trials(dataset: Dataset, options: argparse.Namespace) -> Trials | None:
    shared = replace(TABLES[FIRST].settings, **changes(options))
    count = shared.measured_pictures
    return make_trials(dataset.first(shared.train_pictures), count) if count else None


if __name__ == "__main__":
    main()
