"""Files of labelled pictures as tensors: one folder a class, or a MedMNIST ``.npz``."""

from __future__ import annotations

import hashlib
import os
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from hybridpool.pictures import ImageError, fit_image, read_image
from hybridpool.training.files import printable, reason

ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif")
_PARTS = ("train", "test", "val")
#: Folders that another program would take for these parts.
_LIKE_PARTS = ("training", "testing", "valid", "validation", "dev", "eval", "trn", "tst")
#: One picture in so many is for testing if a folder has no test pictures of its own.
_ONE_IN = 5
_BATCH = 1024
_ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")
_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, struct.error)


class DataUnavailable(RuntimeError):  # noqa: N818 - it says what is the case, as a sentence
    """Pictures that cannot be read, in one plain sentence.

    Example:
        >>> str(DataUnavailable("There is no folder data."))
        'There is no folder data.'
    """


class LabelledFiles(NamedTuple):
    """Pictures from files: uint8 (N, 3, side, side), labels as int64 (N,), and class names."""

    train: Tensor
    train_labels: Tensor
    test: Tensor
    test_labels: Tensor
    classes: tuple[str, ...]


def scale(pictures: Tensor, side: int) -> Tensor:
    """Scale the middle square of each picture to `side` pixels, with anti-aliasing.

    Shape:
        (N, 3, H, W) to (N, 3, side, side), both uint8.

    Example:
        >>> scale(torch.full((2, 3, 28, 30), 7, dtype=torch.uint8), 32).unique()
        tensor([7], dtype=torch.uint8)
    """
    height, width = pictures.shape[2:]
    if height == width == side:
        return pictures
    square = min(height, width)
    top, left = (height - square) // 2, (width - square) // 2
    middle = pictures[..., top : top + square, left : left + square]
    if square == side:
        return middle.contiguous()
    size = (side, side)
    scaled = [
        F.interpolate(part.float(), size=size, mode="bicubic", align_corners=False, antialias=True)
        .round()
        .clamp(0, 255)
        .to(torch.uint8)
        for part in torch.split(middle, _BATCH)
    ]
    return torch.cat(scaled)


def read_class_folders(folder: Path, side: int) -> LabelledFiles:
    """Read torchvision's ``ImageFolder`` layout: one folder a class, named as the class.

    The class folders lie in ``train`` and in ``test`` (or ``val``, where there is no ``test``), in
    small letters or capitals. What is hidden (its name begins with a dot) is left out.
    If they lie in `folder` itself, a fifth of each class, at least one picture, is for testing:
    those whose path ``class/file`` has the smallest SHA-256. So the choice is the same everywhere,
    and a new picture hardly changes it.

    Args:
        folder: Where the folders lie.
        side: Height and width wanted; of each picture the middle square is scaled to it.

    Raises:
        DataUnavailable: If a file cannot be read, a class is empty, or the classes differ.

    Example:
        >>> read_class_folders(Path("no such folder"), 32)
        Traceback (most recent call last):
        hybridpool.training.data_files.DataUnavailable: There is no folder for each class in ...
    """
    parts = _parts_in(folder)
    if "train" in parts and len(parts) > 1:
        train, test = parts["train"], parts.get("test", parts.get("val", folder))
        files, test_files = _files_of_classes(train), _files_of_classes(test)
        _check_same_classes(files, train, test_files, test)
    elif parts:
        raise DataUnavailable(
            f"{folder} has the folder {'/ and '.join(parts)}/ alone: put pictures for learning "
            "into train/ and others into test/, or one folder for each class and no other."
        )
    else:
        files, test_files = _split_by_name(_files_of_classes(folder), folder)
    return LabelledFiles(
        *_read_all(files.values(), side),
        *_read_all(test_files.values(), side),
        tuple(map(printable, files)),
    )


def _parts_in(folder: Path) -> dict[str, Path]:
    """The folders ``train``, ``test`` and ``val``, in capitals too."""
    parts: dict[str, Path] = {}
    for place in _folders_in(folder):
        name = place.name.lower()
        if name in parts:
            raise DataUnavailable(
                f"{parts[name]} and {place} are both there: put their pictures into one of them."
            )
        if name in _PARTS:
            parts[name] = place
        elif name in _LIKE_PARTS and all(each.is_dir() for each in _seen_in(place)):
            raise DataUnavailable(
                f"{place} holds folders alone and has the name of no class: call the folders of "
                "learning and of the test train/ and test/."
            )
    return parts


def _folders_in(folder: Path) -> list[Path]:
    return [place for place in _seen_in(folder) if place.is_dir()] if folder.is_dir() else []


def _seen_in(folder: Path) -> list[Path]:
    """What is in a folder and not hidden, by name."""
    return [place for place in sorted(folder.iterdir()) if place.name[0] != "."]


def _pictures_in(folder: Path) -> list[Path]:
    """The pictures in a folder and in those below it, by path; hidden ones and folders are not."""

    def refuse(error: OSError) -> NoReturn:
        raise DataUnavailable(f"{error.filename} cannot be read: {reason(error)}.") from error

    found = []
    for place, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if name[0] != "."]
        found += [Path(place, name) for name in files if name[0] != "."]
    return sorted(path for path in found if path.suffix.lower() in ENDINGS and path.is_file())


def _files_of_classes(folder: Path) -> dict[str, list[Path]]:
    """The picture files of each class, both in the order of their names."""
    folders = _folders_in(folder)
    if len(folders) < 2:
        raise DataUnavailable(
            f"There is no folder for each class in {folder}: at least two classes are needed, "
            "each a folder of pictures."
        )
    files = {place.name: _pictures_in(place) for place in folders}
    for place in folders:
        if not files[place.name]:
            raise DataUnavailable(
                f"The class {place} holds no picture ({', '.join(ENDINGS)}): put pictures into "
                "this folder or remove it."
            )
    return files


def _check_same_classes(
    train: Mapping[str, object], train_place: object, test: Mapping[str, object], test_place: object
) -> None:
    for here, there, place in ((train, test, test_place), (test, train, train_place)):
        if lacking := sorted(set(here) - set(there)):
            raise DataUnavailable(
                f"{place} has no pictures of {', '.join(lacking)}: the same classes are needed "
                "for learning and for the test."
            )


def _split_by_name(
    files: dict[str, list[Path]], folder: Path
) -> tuple[dict[str, list[Path]], dict[str, list[Path]]]:
    train, test = {}, {}
    for name, paths in files.items():
        if len(paths) < 2:
            raise DataUnavailable(
                f"The class {folder / name} holds one picture: it needs one for learning and "
                "another for the test."
            )
        shuffled = sorted(
            paths,
            key=lambda path: hashlib.sha256(
                path.relative_to(folder).as_posix().encode(errors="surrogateescape")
            ).digest(),
        )
        count = max(1, len(paths) // _ONE_IN)
        test[name], train[name] = sorted(shuffled[:count]), sorted(shuffled[count:])
    return train, test


def _read_all(classes: Iterable[list[Path]], side: int) -> tuple[Tensor, Tensor]:
    pictures, labels = [], []
    for label, paths in enumerate(classes):
        pictures += [_read_picture(path, side) for path in paths]
        labels += [label] * len(paths)
    return torch.stack(pictures), torch.tensor(labels)


def _read_picture(path: Path, side: int) -> Tensor:
    try:
        image = read_image(path.read_bytes())
    except ImageError as error:
        raise DataUnavailable(f"{path} cannot be read. {error}") from error
    except OSError as error:
        raise DataUnavailable(f"{path} cannot be read: {reason(error)}.") from error
    height, width = image.shape[1:]
    square = min(height, width)
    top, left = (height - square) // 2, (width - square) // 2
    fitted = fit_image(image[:, top : top + square, left : left + square], side)
    return (fitted * 255).round().to(torch.uint8)


def read_npz(path: Path, side: int) -> LabelledFiles:
    """Read a MedMNIST file: pictures as uint8 N x H x W or N x H x W x 3, one label for each.

    The arrays are ``train_images``, ``train_labels``, ``test_images`` and ``test_labels``; those
    for validation are left alone, as in MedMNIST's own tables. Grey pictures get three channels.

    Args:
        path: The file.
        side: Height and width of the pictures wanted.

    Raises:
        DataUnavailable: If arrays are missing or of another kind.

    Example:
        >>> read_npz(Path("no such.npz"), 32)
        Traceback (most recent call last):
        hybridpool.training.data_files.DataUnavailable: no such.npz cannot be read ...
    """
    arrays = read_arrays(path, _ARRAYS)
    parts = []
    for part in ("train", "test"):
        pictures = _pictures_of(arrays[f"{part}_images"], f"{part}_images in {path}")
        labels = _labels_of(arrays[f"{part}_labels"], f"{part}_labels in {path}", len(pictures))
        parts.append((scale(pictures, side), labels))
    (train, train_labels), (test, test_labels) = parts
    present, tested = (_names(labels) for labels in (train_labels, test_labels))
    _check_same_classes(present, f"train_labels in {path}", tested, f"test_labels in {path}")
    count = int(train_labels.max()) + 1
    if len(present) < max(2, count):
        raise DataUnavailable(
            f"train_labels in {path} are not the numbers 0, 1 and so on of two classes or more: "
            f"they are {', '.join(present)}."
        )
    return LabelledFiles(train, train_labels, test, test_labels, tuple(map(str, range(count))))


def read_arrays(path: Path, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Read arrays from an ``.npz`` file.

    Args:
        path: The file.
        names: The arrays wanted; others are left alone.

    Raises:
        DataUnavailable: If it is no such file, or one of the arrays is missing.

    Example:
        >>> read_arrays(Path("no such.npz"), ["train_images"])
        Traceback (most recent call last):
        hybridpool.training.data_files.DataUnavailable: no such.npz cannot be read ...
    """
    try:
        file = np.load(path, allow_pickle=False)
        if not isinstance(file, np.lib.npyio.NpzFile):
            raise ValueError("it holds one array alone")
        with file:
            arrays = {name: file[name] for name in names if name in file}
    except (OSError, ValueError, EOFError, RuntimeError, MemoryError, *_ZIP_ERRORS) as error:
        raise DataUnavailable(f"{path} cannot be read as arrays of NumPy: {error}.") from error
    if lacking := [name for name in names if name not in arrays]:
        raise DataUnavailable(
            f"{path} has no {' and no '.join(lacking)}: needed are {', '.join(names)}."
        )
    return arrays


def _names(labels: Tensor) -> dict[str, None]:
    return dict.fromkeys(str(label) for label in sorted(set(labels.tolist())))


def _pictures_of(array: np.ndarray, what: str) -> Tensor:
    grey = array.ndim == 3 or (array.ndim == 4 and array.shape[3] == 1)
    if array.dtype != np.uint8 or not (grey or (array.ndim == 4 and array.shape[3] == 3)):
        shape = " x ".join(map(str, array.shape))
        raise DataUnavailable(
            f"{what} is {shape} of {array.dtype}: it should be N x H x W or N x H x W x 3 of uint8."
        )
    if 0 in array.shape:
        raise DataUnavailable(f"{what} holds no picture.")
    pictures = torch.from_numpy(array)
    if grey:
        return pictures.reshape(-1, 1, *array.shape[1:3]).expand(-1, 3, -1, -1).contiguous()
    return pictures.permute(0, 3, 1, 2).contiguous()


def _labels_of(array: np.ndarray, what: str, count: int) -> Tensor:
    if array.shape not in ((count, 1), (count,)) or array.dtype.kind not in "iu":
        shape = " x ".join(map(str, array.shape))
        raise DataUnavailable(
            f"{what} is {shape} of {array.dtype}: it should be one whole number "
            f"for each of the {count} pictures."
        )
    labels = torch.from_numpy(array.reshape(-1).astype(np.int64))
    if labels.min() < 0:
        raise DataUnavailable(f"{what} has the label {int(labels.min())}: labels begin at 0.")
    return labels
