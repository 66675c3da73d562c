"""The JPEG copy of CIFAR-10: two Parquet files, or packed in one that numpy reads."""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from hybridpool.training.data_files import DataUnavailable, LabelledFiles, read_arrays, scale
from hybridpool.training.files import write_whole

_PARTS = ("train", "test")
_PACKED = tuple(f"{part}_{what}" for part in _PARTS for what in ("files", "ends", "labels"))


def read_parquet(folder: Path, side: int, classes: tuple[str, ...]) -> LabelledFiles:
    """Read ``train.parquet`` and ``test.parquet`` with the columns ``jpeg`` and ``label``.

    Args:
        folder: Where the two files lie.
        side: Height and width of the pictures wanted.
        classes: The names of the labels 0, 1, and so on.

    Raises:
        DataUnavailable: If a file is not there or cannot be read.

    Example:
        >>> read_parquet(Path("no such folder"), 32, ("cat", "dog"))
        Traceback (most recent call last):
        hybridpool.training.data_files.DataUnavailable: There is no train.parquet in no such ...
    """
    train, train_labels = _read_parquet_file(folder / "train.parquet", side, len(classes))
    test, test_labels = _read_parquet_file(folder / "test.parquet", side, len(classes))
    return LabelledFiles(train, train_labels, test, test_labels, classes)


def first_of_each_class(
    path: Path, side: int, classes: tuple[str, ...], count: int
) -> tuple[Tensor, Tensor, list[int]]:
    """The first pictures of each class of one Parquet file; only these are decoded.

    Args:
        path: ``train.parquet`` or ``test.parquet``.
        side: Height and width of the pictures wanted.
        classes: The names of the labels 0, 1, and so on.
        count: How many of each class, where there are so many.

    Returns:
        Pictures (N, 3, H, W) uint8 by class, the label of each, and its place in the file.

    Raises:
        DataUnavailable: If the file is not there or cannot be read.

    Example:
        >>> first_of_each_class(Path("nowhere/test.parquet"), 32, ("cat", "dog"), 1)
        Traceback (most recent call last):
        hybridpool.training.data_files.DataUnavailable: There is no test.parquet in nowhere: ...
    """
    files, labels = _read_columns(path)
    places = [
        int(place)
        for label in range(len(classes))
        for place in (labels == label).nonzero()[0][:count]
    ]
    if not places:
        raise DataUnavailable(f"{path} has no picture of any class: get the file again.")
    chosen = [files[place] for place in places]
    return *_decode(chosen, labels[places], path, side, len(classes)), places


def pack(folder: Path, output: Path) -> None:
    """Write the two Parquet files as one file that numpy reads, without loss.

    Args:
        folder: Where ``train.parquet`` and ``test.parquet`` lie.
        output: A file ``*.npz``: for each part the bytes of all JPEG files, where each ends, and
            the labels.

    Raises:
        DataUnavailable: If a file is not there or cannot be read.
        CannotWrite: If the output cannot be written.

    Example:
        >>> pack(Path("no such folder"), Path("copy.npz"))
        Traceback (most recent call last):
        hybridpool.training.data_files.DataUnavailable: There is no train.parquet in no such ...
    """
    arrays: dict[str, Any] = {}
    for part in _PARTS:
        files, labels = _read_columns(folder / f"{part}.parquet")
        arrays[f"{part}_files"] = np.frombuffer(b"".join(files), np.uint8)
        arrays[f"{part}_ends"] = np.cumsum([len(file) for file in files])
        arrays[f"{part}_labels"] = labels
    packed = io.BytesIO()
    np.savez_compressed(packed, **arrays)  # files of one kind share their tables
    write_whole(output, packed.getvalue())


def is_packed(path: Path) -> bool:
    """Whether a file is one that `pack` wrote.

    Example:
        >>> is_packed(Path("no such.npz"))
        False
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return "train_files" in file
    except Exception:  # whatever else it is, its own reader says what is wrong with it
        return False


def read_packed(path: Path, side: int, classes: tuple[str, ...]) -> LabelledFiles:
    """Read what `pack` wrote.

    Args:
        path: The file.
        side: Height and width of the pictures wanted.
        classes: The names of the labels 0, 1, and so on.

    Raises:
        DataUnavailable: If it cannot be read.

    Example:
        >>> read_packed(Path("no such.npz"), 32, ("cat", "dog"))
        Traceback (most recent call last):
        hybridpool.training.data_files.DataUnavailable: no such.npz cannot be read ...
    """
    arrays = read_arrays(path, _PACKED)
    parts = []
    for part in _PARTS:
        whole = arrays[f"{part}_files"].tobytes()
        ends = [0, *arrays[f"{part}_ends"].tolist()]
        files = [whole[start:end] for start, end in pairwise(ends)]
        parts.append(_decode(files, arrays[f"{part}_labels"], path, side, len(classes)))
    return LabelledFiles(*parts[0], *parts[1], classes)


def _read_parquet_file(path: Path, side: int, classes: int) -> tuple[Tensor, Tensor]:
    return _decode(*_read_columns(path), path, side, classes)


def _read_columns(path: Path) -> tuple[list[bytes], np.ndarray]:
    from pyarrow import ArrowException, parquet

    if not path.is_file():
        raise DataUnavailable(
            f"There is no {path.name} in {path.parent}: name the folder of the JPEG copy of "
            "CIFAR-10, or leave --data out to download the original."
        )
    try:
        table = parquet.read_table(path, columns=["jpeg", "label"])
        if any(column.null_count for column in table.columns):
            raise ValueError("some are missing")
        return table["jpeg"].to_pylist(), table["label"].to_numpy()
    except (ArrowException, OSError, ValueError) as error:
        raise DataUnavailable(f"{path} cannot be read as pictures and labels: {error}") from error


def _decode(
    files: Sequence[bytes], numbers: np.ndarray, path: Path, side: int, classes: int
) -> tuple[Tensor, Tensor]:
    try:
        pictures = np.stack(
            [np.asarray(Image.open(io.BytesIO(file)).convert("RGB")) for file in files]
        )
        if numbers.dtype.kind not in "iu":
            raise ValueError(f"the labels are {numbers.dtype}, no whole numbers")
        labels = torch.from_numpy(numbers.astype(np.int64))
    except (OSError, ValueError, TypeError, Image.DecompressionBombError) as error:
        raise DataUnavailable(f"{path} cannot be read as pictures and labels: {error}") from error
    if len(labels) != len(files) or labels.min() < 0 or labels.max() >= classes:
        raise DataUnavailable(
            f"The labels in {path} are not the numbers 0 to {classes - 1} of the {classes} "
            "classes: get the file again."
        )
    return scale(torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous(), side), labels
