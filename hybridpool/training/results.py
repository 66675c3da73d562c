"""One run as one JSON file: written, read with every field checked, or refused in a sentence."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from hybridpool.errors import SentenceError
from hybridpool.training.checkpoints import RunFailed
from hybridpool.training.files import printable, reason, write_whole
from hybridpool.training.reading import check, record, upgraded
from hybridpool.training.records import Run, RunSettings

FORMAT = 2
#: The errors that a file of another program may lead to.
_UNREADABLE = (
    *(ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RecursionError),
)


class ResultsError(SentenceError, ValueError):
    """A file of results that cannot be used.

    Example:
        >>> str(ResultsError("{file} holds no results.", file="x.json"))
        'x.json holds no results.'
    """


def write_run(run: Run, folder: Path) -> Path:
    """Write one run as JSON, whole or not at all; the file is named after its settings.

    Returns:
        The file.

    Raises:
        CannotWrite: If it cannot be written.
        RunFailed: If what was found could not be read again.

    Example:
        >>> import tempfile
        >>> from hybridpool.training.records import _example
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_run(_example("hybrid", 3, 0.7), Path(folder)).name
        'small16-hybrid-50000-seed3-....json'
    """
    path = folder / f"{run.settings.name}.json"
    content = {"format": FORMAT, **asdict(run)}
    text = json.dumps(content, indent=None, separators=(",", ":"))
    try:
        _parsed(text)
    except _UNREADABLE as error:
        raise RunFailed(f"{run.settings.name} has no result that can be kept: {error}.") from error
    write_whole(path, f"{text}\n".encode())
    return path


def pack(right: Tensor) -> str:
    """Pack which pictures were right into text, eight pictures to a byte.

    Example:
        >>> pack(Tensor([1, 0, 1]).bool())
        'oA=='
    """
    return base64.b64encode(np.packbits(right.cpu().numpy()).tobytes()).decode()


def right_of(run: Run, trial: str) -> np.ndarray | None:
    """Which test pictures a network was right about, in one trial.

    Args:
        run: A run.
        trial: ``"clean"`` for all test pictures as they are, or, over those that robustness is
            measured on, a corruption and its severity (``"shot_noise 3"``), an occluder and its
            side (``"block grey 8"``), a band of frequencies (``"low 4"``), or ``"shift"``: which
            pictures keep their class.

    Returns:
        (pictures,) bool, or None if the run does not know.

    Example:
        >>> from hybridpool.training.records import _example
        >>> right_of(_example("max", 0, 0.7), "clean") is None
        True
    """
    packed = run.measures.right.get(trial)
    if packed is None:
        return None
    count = int(run.data["test"]) if trial == "clean" else run.measures.pictures
    bits = np.unpackbits(np.frombuffer(base64.b64decode(packed), np.uint8), count=count)
    return bits.astype(bool)


def read_run(data: bytes | str, file: str) -> Run:
    """Read one run from the text of its file.

    Args:
        data: The text.
        file: The name of the file, for the error.

    Raises:
        ResultsError: If it is no result of this program, in one sentence that says what is wrong.

    Example:
        >>> read_run("{}", "mine.json")
        Traceback (most recent call last):
        hybridpool.training.results.ResultsError: mine.json holds no results of ...
    """
    try:
        return _parsed(data)
    except _UNREADABLE as error:
        raise _no_results(file, error) from error


def _no_results(file: str, problem: object) -> ResultsError:
    return ResultsError(
        "{file} holds no results of a training run of this program ({problem}): choose the "
        "JSON files that python -m hybridpool.training train writes.",
        file=file,
        problem=problem,
    )


def _parsed(data: bytes | str) -> Run:
    content = json.loads(data, parse_constant=_refuse_constant)
    if not isinstance(content, dict) or str(content.get("format")) not in ("1", str(FORMAT)):
        raise ValueError("it does not say which format it has")
    run = record(Run, upgraded(content) if content["format"] == 1 else content)
    check(run)
    return run


def read_file(path: Path) -> Run:
    """Read one run from its file.

    Raises:
        ResultsError: If it is no result of this program.
        OSError: If it cannot be read at all.

    Example:
        >>> read_file(Path(__file__))
        Traceback (most recent call last):
        hybridpool.training.results.ResultsError: results.py holds no results of ...
    """
    if path.exists() and not path.is_file():
        raise OSError("it is no file")  # reading a pipe would wait for ever
    return read_run(path.read_bytes(), printable(path.name))


def read_folder(folder: Path) -> tuple[list[Run], list[ResultsError]]:
    """Every run in a folder and in the folders below it, by name, and what could not be read.

    The same run in several files counts once.

    Example:
        >>> read_folder(Path("no such folder"))
        ([], [])
    """
    found, problems = [], []
    for path in sorted(folder.rglob("*.json")):
        try:
            run = read_file(path)
            found.append((path.stem != run.settings.name, path, run))
        except ResultsError as problem:
            problems.append(problem)
        except OSError as error:
            problems.append(_no_results(printable(path.name), reason(error)))
    runs: dict[RunSettings, list[Run]] = {}
    # A file with the name of its run comes before a copy of it, which does not count again.
    for _, _, run in sorted(found, key=itemgetter(0, 1)):
        same = runs.setdefault(run.settings, [])
        if not any(_same_data(run.data, other.data) for other in same):
            same.append(run)
    different = [run for same in runs.values() for run in same]
    return sorted(different, key=lambda run: run.settings.name), problems


def _same_data(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two runs had the same pictures, as far as both say."""
    return {**one, **other} == {**other, **one}


def check_same_data(runs: Iterable[Run], folder: Path, name: str, digest: str) -> None:
    """Check that results are not of other pictures than those of the same name that are used now.

    Args:
        runs: The results in a folder; one from before there were digests counts as it did then.
        folder: The folder.
        name: The name of the pictures.
        digest: Their `hybridpool.training.data.Dataset.digest`.

    Raises:
        ValueError: If one is; otherwise it would stand in a comparison with new ones.

    Example:
        >>> from hybridpool.training.records import _example
        >>> check_same_data([_example("max", 0, 0.7)], Path("results"), "nothing", "0f")
    """
    for run in runs:
        if run.data["name"] == name and run.data.get("digest", digest) != digest:
            raise ValueError(
                f"{folder} holds results of other pictures that are called {name} too: choose "
                "another --output, or give these pictures another name."
            )


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number")
