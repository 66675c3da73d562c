"""The options of the command line: their types, and the command that repeats a run."""

from __future__ import annotations

import argparse
import io
import math
import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import NoReturn

import torch

from hybridpool.training.data import SIDES, DataUnavailable
from hybridpool.training.files import CannotWrite, reason
from hybridpool.training.records import RunSettings

#: Seeds are multiplied by about a million for the order of the pictures.
MOST_SEED = 2**31 - 1
#: The most of what is counted, a rate, and threads: more cannot be kept, computed or started.
MOST, MOST_RATE, MOST_THREADS = 2**31 - 1, 1e9, 1024
#: What a command always names: the run, and what has a default by arm, data or machine.
_NAMED = (
    *("arm", "seed"),
    *("blend_rate", "blend_optimizer", "train_pictures", "parts", "precision"),
)


class Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one sentence, without the list of all options.

    Example:
        >>> Parser(prog="train").parse_args(["--warp", "9"])
        Traceback (most recent call last):
        SystemExit: 2
    """

    def error(self, message: str) -> NoReturn:
        """End with the sentence and the code 2, as every parser of arguments does."""
        self.exit(2, f"{self.prog}: {message}; --help shows all options.\n")


@contextmanager
def one_sentence() -> Iterator[None]:
    """End the command in one sentence where it cannot go on, and at Ctrl-C.

    Example:
        >>> with one_sentence():
        ...     raise ValueError("There is no such table.")
        Traceback (most recent call last):
        SystemExit: There is no such table.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # names of files need not be text
            stream.reconfigure(errors="backslashreplace")
    try:
        yield
    except (DataUnavailable, CannotWrite, ValueError) as problem:
        raise SystemExit(str(problem)) from problem
    except OSError as problem:
        raise SystemExit(f"{problem.filename or 'A file'}: {reason(problem)}.") from problem
    except KeyboardInterrupt as stop:
        print("Stopped; what was learned is kept, and the same command goes on.", file=sys.stderr)
        raise SystemExit(128 + signal.SIGINT) from stop


def whole_number(low: int, high: int | None = None) -> Callable[[str], int]:
    """A type of option: whole numbers from `low` to `high`.

    Example:
        >>> whole_number(1)("8")
        8
        >>> whole_number(1)("0")
        Traceback (most recent call last):
        argparse.ArgumentTypeError: 0 is not a whole number of 1 or more
    """
    allowed = f"of {low} or more" if high is None else f"from {low} to {high}"

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if value < low or (high is not None and value > high):
            raise argparse.ArgumentTypeError(f"{text} is not a whole number {allowed}")
        return value

    return read


def number(
    low: float, high: float = math.inf, *, low_itself: bool = True, high_itself: bool = True
) -> Callable[[str], float]:
    """A type of option: finite numbers from `low` to `high`.

    Args:
        low: The least.
        high: The largest.
        low_itself: Whether `low` itself is allowed.
        high_itself: Whether `high` itself is allowed.

    Example:
        >>> number(0, 1, high_itself=False)("0.9")
        0.9
        >>> number(0, low_itself=False)("nan")
        Traceback (most recent call last):
        argparse.ArgumentTypeError: nan is not a number above 0
    """
    ends = [f"{'of' if low_itself else 'above'} {low:g}{' or more' if low_itself else ''}"]
    if high < math.inf:
        ends = [f"{'from' if low_itself else 'above'} {low:g}"]
        upto = "to" if low_itself else "and at most"
        ends.append(f"{upto if high_itself else 'and below'} {high:g}")
    allowed = " ".join(ends)

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        above = value >= low if low_itself else value > low
        below = value <= high if high_itself else value < high
        if not (math.isfinite(value) and above and below):
            raise argparse.ArgumentTypeError(f"{text} is not a number {allowed}")
        return value

    return read


def blend_start(text: str) -> float | None:
    """A type of option: where blend weights start, or ``article``, its drawn start.

    Example:
        >>> blend_start("0.02"), blend_start("article")
        (0.02, None)
    """
    if text == "article":
        return None
    return number(0, 1, low_itself=False, high_itself=False)(text)


def train_command(
    settings: RunSettings, *, data: str | None = None, side: int = SIDES[0], world: int = 1
) -> str:
    """The command that repeats one run: it names every setting that is not the default.

    Args:
        settings: The settings of the run.
        data: Where its pictures came from; None for the download. The path itself is left out.
        side: Height and width of the pictures.
        world: How many processes shared it.

    Example:
        >>> train_command(RunSettings(network="air", seed=3), data="mine")
        'python -m hybridpool.training train --network air --arms hybrid --seeds 3 ... FOLDER'
    """
    words = ["python", "-m"] if world == 1 else ["torchrun", f"--nproc-per-node={world}", "-m"]
    words += ["hybridpool.training", "train"]
    for field in fields(RunSettings):
        changed = getattr(settings, field.name) != field.default
        if field.name != "data" and (field.name in _NAMED or changed):
            words += settings.option(field.name)
    if data:
        words += ["--data", "FOLDER"]
    if side != SIDES[0]:
        words += ["--side", str(side)]
    return shlex.join(words)


def choose_device(wanted: str | None) -> torch.device:
    """The device for training: the wanted one, else CUDA if there is one, else the CPU.

    Args:
        wanted: A name for `torch.device`; among several processes, ``"cuda"`` is this one's GPU.

    Raises:
        ValueError: If there is no such device, or it cannot compute.

    Example:
        >>> choose_device("abacus")
        Traceback (most recent call last):
        ValueError: No device is called abacus: choose --device cpu, --device cuda, or leave it out.
    """
    kind = wanted or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(kind)
    except RuntimeError as error:
        raise ValueError(
            f"No device is called {kind}: choose --device cpu, --device cuda, or leave it out."
        ) from error
    try:
        if device.type == "cuda":
            device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", device.index or 0)))
            torch.cuda.set_device(device)
            torch.backends.cudnn.benchmark = True
        (torch.ones(2, device=device).sum() * 2).item()
    except Exception as error:  # each kind of device has an error of its own
        first = str(error).partition("\n")[0].partition(". ")[0].rstrip(".")
        raise ValueError(
            f"The device {kind} cannot be used here ({first}): choose --device cpu, or leave "
            "--device out for the best that there is."
        ) from error
    return device
