"""Train and compare poolings on CIFAR-10: ``python -m hybridpool.training train``."""

from __future__ import annotations

import argparse
import gc
import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import fields
from functools import cache
from pathlib import Path

import torch
import torch.distributed as dist

# Imported later, as DistributedDataParallel does, its functions would hold the group for good.
import torch.distributed.nn

from hybridpool.training.data import Dataset, DataUnavailable, load_cifar10
from hybridpool.training.evaluate import Trials, make_trials
from hybridpool.training.loop import run
from hybridpool.training.networks import ARMS, NETWORKS
from hybridpool.training.report import report
from hybridpool.training.results import ResultsError, RunSettings, read_folder, write_run
from hybridpool.training.stems import export_stem

_DEFAULT = RunSettings()


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line.

    Example:
        >>> main(["report", "no such folder"])
        Traceback (most recent call last):
        SystemExit: There are no results in no such folder.
    """
    options = _parser().parse_args(arguments)
    try:
        options.do(options)
    except (DataUnavailable, ResultsError, ValueError) as problem:
        raise SystemExit(str(problem)) from problem


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m hybridpool.training", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    train = commands.add_parser("train", help="train networks; what is done already is left out")
    train.set_defaults(do=_train)
    train.add_argument("--network", choices=NETWORKS, default=_DEFAULT.network)
    train.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS), metavar="ARM")
    train.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    train.add_argument("--epochs", type=int, default=_DEFAULT.epochs)
    train.add_argument("--train-pictures", type=int, default=_DEFAULT.train_pictures)
    train.add_argument("--batch-size", type=int, default=_DEFAULT.batch_size)
    train.add_argument("--parts", type=int, help="default: the number of processes")
    train.add_argument("--learning-rate", type=float, default=_DEFAULT.learning_rate)
    train.add_argument("--blend-rate", type=float, default=_DEFAULT.blend_rate)
    train.add_argument("--momentum", type=float, default=_DEFAULT.momentum)
    train.add_argument("--weight-decay", type=float, default=_DEFAULT.weight_decay)
    train.add_argument("--no-augment", dest="augment", action="store_false")
    train.add_argument(
        "--precision", choices=("float32", "bfloat16"), help="default: bfloat16 on CUDA"
    )
    train.add_argument(
        "--measured-pictures",
        type=int,
        default=_DEFAULT.measured_pictures,
        help="how many pictures robustness is measured on; 0: none (default: %(default)s)",
    )
    train.add_argument("--data", help="folder of a JPEG copy; default: download CIFAR-10")
    train.add_argument("--device", help="default: CUDA where there is one, else the CPU")
    train.add_argument("--threads", type=int, help="of torch on the CPU; default: its own choice")
    train.add_argument("--output", type=Path, default=Path("build/results"))
    train.add_argument("--checkpoints", type=Path, default=Path("build/checkpoints"))

    shown = commands.add_parser("report", help="print what the results in a folder say")
    shown.set_defaults(do=_report)
    shown.add_argument("folder", type=Path)

    stem = commands.add_parser("stem", help="make a stem for the page from a checkpoint")
    stem.set_defaults(do=_stem)
    stem.add_argument("checkpoint", type=Path)
    stem.add_argument("output", type=Path, help="a .safetensors file")
    stem.add_argument(
        "--data",
        help="folder of a JPEG copy; the other learned pooling then learns afterwards",
    )
    return parser


def _train(options: argparse.Namespace) -> None:
    if options.threads:
        torch.set_num_threads(options.threads)
    device = _device(options.device)
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world > 1:
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        _train_all(options, device, world)
    finally:
        if world > 1:
            # The threads of the group end with the last reference to it, which the wrapped networks
            # hold. One that still frees a tensor while Python ends aborts the process.
            gc.collect()
            dist.destroy_process_group()


def _train_all(options: argparse.Namespace, device: torch.device, world: int) -> None:
    first = int(os.environ.get("RANK", "0")) == 0

    @cache
    def dataset() -> Dataset:
        return load_cifar10(options.data).to(device)

    @cache
    def trials() -> Trials | None:
        count = options.measured_pictures
        return make_trials(dataset(), count) if count and first else None

    # Arms take turns: whenever this is stopped, each has about as many seeds as the others.
    for seed in options.seeds:
        for arm in options.arms:
            settings = _settings(options, arm, seed, device, world)
            if (options.output / f"{settings.name}.json").exists():
                continue
            found, _ = run(
                settings,
                dataset(),
                trials(),
                command=_command(settings, options, world),
                checkpoint=options.checkpoints / f"{settings.name}.pt",
            )
            if first:
                write_run(found, options.output)
                print(
                    f"{settings.name}: {found.measures.clean:.2%} of the test pictures", flush=True
                )


def _settings(
    options: argparse.Namespace, arm: str, seed: int, device: torch.device, world: int
) -> RunSettings:
    given = {
        field.name: getattr(options, field.name)
        for field in fields(RunSettings)
        if getattr(options, field.name, None) is not None
    }
    default = {
        "parts": world,
        "precision": "bfloat16" if device.type == "cuda" else "float32",
    }
    return RunSettings(**{**default, **given, "arm": arm, "seed": seed})


def _device(wanted: str | None) -> torch.device:
    device = torch.device(wanted or ("cuda" if torch.cuda.is_available() else "cpu"))
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", device.index or 0)))
        torch.cuda.set_device(device)
        torch.backends.cudnn.benchmark = True
    return device


def _command(settings: RunSettings, options: argparse.Namespace, world: int) -> str:
    """What repeats one run: every setting that is not the default."""
    words = ["python", "-m"] if world == 1 else ["torchrun", f"--nproc-per-node={world}", "-m"]
    words += ["hybridpool.training", "train"]
    for field in fields(RunSettings):
        value = getattr(settings, field.name)
        if field.name in ("arm", "seed"):
            words += [f"--{field.name}s", str(value)]
        elif field.name == "augment":
            words += [] if value else ["--no-augment"]
        elif field.name in ("parts", "precision") or value != getattr(_DEFAULT, field.name):
            words += [f"--{field.name.replace('_', '-')}", str(value)]
    if options.data:
        words += ["--data", "FOLDER"]
    return shlex.join(words)


def _report(options: argparse.Namespace) -> None:
    runs = read_folder(options.folder)
    if not runs:
        raise ValueError(f"There are no results in {options.folder}.")
    sys.stdout.write(report(runs))


def _stem(options: argparse.Namespace) -> None:
    dataset = load_cifar10(options.data) if options.data else None
    export_stem(options.checkpoint, options.output, dataset)


if __name__ == "__main__":
    main()
