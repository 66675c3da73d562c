"""Train and compare poolings: ``python -m hybridpool.training train``."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from dataclasses import fields, replace
from functools import cache, partial
from pathlib import Path

import torch
import torch.distributed as dist

# If DistributedDataParallel imported it later, its functions would hold the group for good.
import torch.distributed.nn

from hybridpool.training.arms import ARMS, STARTING
from hybridpool.training.data import SIDES, Dataset, load
from hybridpool.training.jobs import Job, Undone, Workshop, carry_out
from hybridpool.training.network_files import export_network
from hybridpool.training.networks import NETWORKS
from hybridpool.training.options import (
    MOST,
    MOST_RATE,
    MOST_SEED,
    MOST_THREADS,
    Parser,
    blend_start,
    choose_device,
    number,
    one_sentence,
    train_command,
    whole_number,
)
from hybridpool.training.records import EDGES, RunSettings
from hybridpool.training.report import report
from hybridpool.training.results import read_folder
from hybridpool.training.stems import export_stem
from hybridpool.training.tables import TABLES, blend_settings, runs_of

_DEFAULT = RunSettings()
_SEED = whole_number(0, MOST_SEED)
_COUNT, _MAYBE_NONE = whole_number(1, MOST), whole_number(0, MOST)
_RATE = number(0, MOST_RATE, low_itself=False)
_SHARE = number(0, 1, high_itself=False)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line.

    Example:
        >>> main(["report", "no such folder"])
        Traceback (most recent call last):
        SystemExit: There are no results in no such folder.
    """
    options = _parser().parse_args(arguments)
    with one_sentence():
        options.do(options)


def _parser() -> Parser:
    parser = Parser(prog="python -m hybridpool.training", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    train = commands.add_parser("train", help="train networks; what is done already is left out")
    train.set_defaults(do=_train)
    train.add_argument("--network", choices=NETWORKS, default=_DEFAULT.network)
    train.add_argument("--width", type=_COUNT, default=_DEFAULT.width, help="default: %(default)s")
    train.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS), metavar="ARM")
    train.add_argument("--seeds", nargs="+", type=_SEED, default=[0, 1, 2, 3, 4])
    train.add_argument("--epochs", type=_COUNT, default=_DEFAULT.epochs)
    train.add_argument("--train-pictures", type=_COUNT, help="default: all of them")
    train.add_argument(
        "--held-out",
        type=_MAYBE_NONE,
        default=0,
        help="training pictures that take the place of the test pictures, to choose a setting",
    )
    train.add_argument("--batch-size", type=_COUNT, default=_DEFAULT.batch_size)
    train.add_argument("--parts", type=_COUNT, help="default: the number of processes")
    train.add_argument("--learning-rate", type=_RATE, default=_DEFAULT.learning_rate)
    train.add_argument("--blend-rate", type=_RATE, help="default: what was chosen for the arm")
    train.add_argument("--blend-optimizer", choices=("adam", "sgd"))
    train.add_argument(
        "--blend-start",
        type=blend_start,
        default=_DEFAULT.blend_start,
        help="where learned blend weights start, or: article",
    )
    train.add_argument("--frozen-at", nargs="+", type=number(0, 1), help="of the arm frozen")
    train.add_argument("--momentum", type=_SHARE, default=_DEFAULT.momentum)
    train.add_argument("--weight-decay", type=number(0, MOST_RATE), default=_DEFAULT.weight_decay)
    train.add_argument("--smoothing", type=_SHARE, default=_DEFAULT.smoothing)
    train.add_argument("--no-augment", dest="augment", action="store_false")
    train.add_argument(
        "--shift",
        type=whole_number(0, SIDES[0] - 1),
        default=_DEFAULT.shift,
        help="by how many pixels at most training pictures are shifted (default: %(default)s)",
    )
    train.add_argument(
        "--edge",
        choices=EDGES,
        default=_DEFAULT.edge,
        help="what comes in at the edge (default: %(default)s)",
    )
    train.add_argument(
        "--precision", choices=("float32", "bfloat16"), help="default: bfloat16 on CUDA"
    )
    train.add_argument(
        "--measured-pictures",
        type=_MAYBE_NONE,
        default=_DEFAULT.measured_pictures,
        help="how many pictures robustness is measured on; 0: none (default: %(default)s)",
    )
    _add_place(train, Path("build/results"))

    again = commands.add_parser("reproduce", help="run or resume what a table needs; print it")
    again.set_defaults(do=_reproduce)
    again.add_argument("tables", nargs="+", choices=TABLES, metavar="TABLE")
    again.add_argument("--seeds", nargs="+", type=_SEED, help="default: those of the table")
    _add_place(again, Path("assets/results"))

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

    kept = commands.add_parser("networks", help="make files for the page from checkpoints")
    kept.set_defaults(do=_networks)
    kept.add_argument("checkpoints", nargs="+", type=Path)
    kept.add_argument("--output", type=Path, default=Path("assets/networks"))
    return parser


def _add_place(parser: argparse.ArgumentParser, output: Path) -> None:
    """Add the options for pictures, device and results."""
    parser.add_argument(
        "--data",
        help="a folder of pictures, one folder a class; a .npz of MedMNIST; or a JPEG copy of "
        "CIFAR-10 (default: download CIFAR-10)",
    )
    parser.add_argument("--side", type=int, choices=SIDES, default=SIDES[0], help="pixels")
    parser.add_argument("--device", help="default: CUDA where there is one, else the CPU")
    parser.add_argument(
        "--threads",
        type=whole_number(1, MOST_THREADS),
        help="of torch on the CPU; default: its own choice",
    )
    parser.add_argument("--output", type=Path, default=output)
    parser.add_argument("--checkpoints", type=Path, default=Path("build/checkpoints"))


def _train(options: argparse.Namespace) -> None:
    if options.threads:
        torch.set_num_threads(options.threads)
    device = choose_device(options.device)
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world > 1:
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        _train_all(options, device, world)
    finally:
        if world > 1:
            # The threads of the group end with the last reference to it, which the wrapped networks
            # hold. A thread that still frees a tensor while Python ends aborts it.
            gc.collect()
            dist.destroy_process_group()


def _train_all(options: argparse.Namespace, device: torch.device, world: int) -> None:
    shop = _workshop(options, device, world)
    # Arms take turns, so that each has about as many seeds as the others whenever this is stopped.
    undone = carry_out(
        [
            Job(_settings(options, arm, seed, device, world, shop.dataset()), options.output)
            for seed in options.seeds
            for arm in options.arms
        ],
        shop,
    )
    if any(undone):
        raise ValueError(_left(undone))


def _reproduce(options: argparse.Namespace) -> None:
    runs = runs_of(options.tables, options.seeds)
    if options.threads:
        torch.set_num_threads(options.threads)
    shop = _workshop(options, choose_device(options.device), world=1)
    name = shop.dataset().name
    undone = carry_out(
        [Job(replace(settings, data=name), options.output / table) for table, settings in runs],
        shop,
    )
    for table in options.tables:
        _print_report(options.output / table)
    if any(undone):
        raise ValueError(_left(undone))


def _left(undone: Undone) -> str:
    """The message about runs that were not done."""
    said = []
    if undone.failed:
        said.append(f"Without a result: {', '.join(undone.failed)}.")
    for jobs, advice in (
        (undone.waiting, "train the arm hybrid first"),
        (undone.elsewhere, "another process is at it, so call this again when it has ended"),
    ):
        if jobs:
            seeds = ", ".join(sorted({f"seed {job.settings.seed}" for job in jobs}))
            said.append(
                "frozen holds the blend weights that hybrid learned with the same settings, and "
                f"there is no such result yet for {seeds}: {advice}."
            )
    return " ".join(said)


def _workshop(options: argparse.Namespace, device: torch.device, world: int) -> Workshop:
    @cache
    def dataset() -> Dataset:
        return load(options.data, options.side).to(device)

    return Workshop(
        dataset,
        options.checkpoints,
        partial(train_command, data=options.data, side=options.side, world=world),
        alone=world == 1,
        first=int(os.environ.get("RANK", "0")) == 0,
        say=partial(print, flush=True),
    )


def _settings(
    options: argparse.Namespace,
    arm: str,
    seed: int,
    device: torch.device,
    world: int,
    dataset: Dataset,
) -> RunSettings:
    given = {
        field.name: getattr(options, field.name)
        for field in fields(RunSettings)
        if field.name != "data" and getattr(options, field.name, None) is not None
    }
    optimizer, rate = blend_settings(arm)
    default = {
        "parts": world,
        "precision": "bfloat16" if device.type == "cuda" else "float32",
        "train_pictures": len(dataset.train) - options.held_out,
        "blend_optimizer": optimizer,
        "blend_rate": rate,
    }
    apart = {
        "data": dataset.name,
        "arm": arm,
        "seed": seed,
        "blend_start": options.blend_start if arm in STARTING else _DEFAULT.blend_start,
        "frozen_at": tuple(options.frozen_at or ()) if arm == "frozen" else (),
    }
    return RunSettings(**{**default, **given, **apart})


def _report(options: argparse.Namespace) -> None:
    if not _print_report(options.folder):
        raise ValueError(f"There are no results in {options.folder}.")


def _print_report(folder: Path) -> bool:
    """Print what the results in a folder say, and which files are none; return whether any are."""
    runs, problems = read_folder(folder)
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.stdout.write(report(runs))
    return bool(runs)


def _networks(options: argparse.Namespace) -> None:
    for checkpoint in options.checkpoints:
        print(export_network(checkpoint, options.output))


def _stem(options: argparse.Namespace) -> None:
    dataset = load(options.data) if options.data else None
    export_stem(options.checkpoint, options.output, dataset)


if __name__ == "__main__":
    main()
