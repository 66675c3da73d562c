"""Labelled pictures as tensors: CIFAR-10, a JPEG copy of it, or a person's own."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from hybridpool.training.cifar10_copy import is_packed, read_packed, read_parquet
from hybridpool.training.data_files import (
    DataUnavailable,
    LabelledFiles,
    read_class_folders,
    read_npz,
    scale,
)
from hybridpool.training.files import printable
from hybridpool.training.reading import LONGEST_NAME
from hybridpool.training.records import is_cifar10

__all__ = ["CIFAR10_CLASSES", "MEAN", "SIDES", "STD", "DataUnavailable", "Dataset", "load"]

#: Mean and standard deviation of CIFAR-10's training pictures: red, green, blue.
MEAN = (0.4914, 0.4822, 0.4465)
STD = (0.2470, 0.2435, 0.2616)
CIFAR10_CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
_COPY = "CIFAR-10 (JPEG copy)"
#: Heights and widths that the networks take.
SIDES = (32, 64)
#: Seed of the draw of held-out pictures: the same for every run.
_HELD_OUT_SEED = 20_000_003


@dataclass(frozen=True)
class Dataset:
    """Pictures and their classes.

    Attributes:
        name: The name in every result.
        train: (N, 3, H, W) uint8.
        train_labels: (N,) int64.
        test: (M, 3, H, W) uint8.
        test_labels: (M,) int64.
        classes: The name of each label; by default those of CIFAR-10.
        mean: The mean of each channel of the training pictures, with white as 1; by default that of
            CIFAR-10.
        std: Their standard deviation.
    """

    name: str
    train: Tensor
    train_labels: Tensor
    test: Tensor
    test_labels: Tensor
    classes: tuple[str, ...] = CIFAR10_CLASSES
    mean: tuple[float, float, float] = MEAN
    std: tuple[float, float, float] = STD

    @cached_property
    def digest(self) -> str:
        """A digest of pixels, labels and classes: data of the same name may be other pictures.

        Of CIFAR-10 it leaves out the pixels, which differ a little with what decodes a JPEG copy.

        Example:
            >>> pictures, labels = torch.zeros(2, 3, 1, 1), torch.tensor([0, 1])
            >>> one = Dataset("", pictures, labels, pictures, labels)
            >>> one.digest == replace(one, test=pictures + 1).digest
            False
        """
        told = hashlib.sha256(json.dumps(self.classes).encode())
        labels = (self.train_labels, self.test_labels)
        pictures = () if is_cifar10(self.name) else (self.train, self.test)
        for tensor in (*labels, *pictures):
            told.update(f"{tuple(tensor.shape)}".encode())
            told.update(tensor.cpu().numpy().tobytes())
        return told.hexdigest()

    def first(self, count: int) -> Dataset:
        """The first `count` training pictures, as many of each class as that allows.

        The classes take turns, so that a smaller set is always part of a larger one.

        Example:
            >>> pictures, labels = torch.zeros(4, 3, 1, 1), torch.tensor([0, 0, 1, 1])
            >>> whole = Dataset("", pictures, labels, pictures, labels)
            >>> whole.first(2).train_labels
            tensor([0, 1])
        """
        if not 1 <= count <= len(self.train):
            raise ValueError(
                f"There are {len(self.train)} training pictures, but {count} were asked for: "
                f"choose 1 to {len(self.train)}."
            )
        classes = int(self.train_labels.max()) + 1
        turn = _turns(self.train_labels)
        chosen = torch.argsort(turn * classes + self.train_labels)[:count]
        return replace(self, train=self.train[chosen], train_labels=self.train_labels[chosen])

    def split(self, held_out: int) -> Dataset:
        """Split the training pictures, so that settings can be chosen without the test pictures.

        Args:
            held_out: How many training pictures become the test pictures, from each class in
                proportion to its size. One fixed seed draws them: they are the same in every run.

        Returns:
            The rest of the training pictures, in their order, and the held-out ones as test.

        Example:
            >>> pictures, labels = torch.zeros(6, 3, 1, 1), torch.tensor([0, 0, 0, 1, 1, 1])
            >>> whole = Dataset("", pictures, labels, pictures, labels)
            >>> whole.split(2).test_labels, whole.split(2).train_labels
            (tensor([0, 1]), tensor([0, 0, 1, 1]))
        """
        sizes = self.train_labels.bincount()
        count = len(self.train_labels)
        if not len(sizes) <= held_out <= count // 2:
            raise ValueError(
                f"{held_out} of the {count} training pictures cannot be held out: choose "
                f"{len(sizes)}, one for each class, to {count // 2}, the half."
            )
        generator = torch.Generator().manual_seed(_HELD_OUT_SEED)
        order = torch.randperm(count, generator=generator).to(self.train_labels.device)
        labels = self.train_labels[order]
        # The share of its class that is drawn up to this picture: shares of classes rise together.
        share = (_turns(labels) + 0.5) / sizes[labels]
        drawn = torch.argsort(share, stable=True)
        test, train = (order[part].sort().values for part in (drawn[:held_out], drawn[held_out:]))
        return replace(
            self,
            train=self.train[train],
            train_labels=self.train_labels[train],
            test=self.train[test],
            test_labels=self.train_labels[test],
        )

    def to(self, device: torch.device) -> Dataset:
        """The same pictures on a device, where they stay for the whole run.

        Example:
            >>> nothing = torch.zeros(0)
            >>> Dataset("", nothing, nothing, nothing, nothing).to(torch.device("cpu")).name
            ''
        """
        return replace(
            self,
            train=self.train.to(device),
            train_labels=self.train_labels.to(device),
            test=self.test.to(device),
            test_labels=self.test_labels.to(device),
        )


def _turns(labels: Tensor) -> Tensor:
    """For each picture, how many of its class come before it."""
    turn = torch.empty_like(labels)
    for label in range(int(labels.max()) + 1):
        these = labels == label
        turn[these] = torch.arange(int(these.sum()), device=labels.device)
    return turn


def load(
    source: str | None = None, side: int = 32, *, download_to: Path = Path("build/data")
) -> Dataset:
    """Load labelled pictures from a file, a folder or a download.

    Args:
        source: None is CIFAR-10 (Krizhevsky, 2009), which torchvision downloads once. A folder
            with ``train.parquet`` and ``test.parquet`` (columns ``jpeg`` and ``label``) is a copy
            of it, and so is an ``.npz`` file that `hybridpool.training.cifar10_copy.pack` made of
            them. Any other folder is read as torchvision's ``ImageFolder`` reads it, one folder a
            class (see `hybridpool.training.data_files.read_class_folders`), and any other
            ``.npz`` file as one of MedMNIST.
        side: Height and width of the pictures, 32 or 64; others are scaled.
        download_to: The folder of the download.

    Raises:
        DataUnavailable: If the pictures are not there or cannot be read, in one sentence.
        ValueError: If `side` is neither 32 nor 64.

    Example:
        >>> load("no such folder")
        Traceback (most recent call last):
        hybridpool.training.data_files.DataUnavailable: There is nothing at no such folder: ...
    """
    if side not in SIDES:
        raise ValueError(f"Pictures have {' or '.join(map(str, SIDES))} pixels a side, not {side}.")
    suffix = "" if side == SIDES[0] else f" at {side} pixels"
    if source is None:
        return Dataset(f"CIFAR-10{suffix}", *_download_cifar10(download_to, side))
    place = Path(source)
    if not place.exists():
        raise DataUnavailable(
            f"There is nothing at {source}: name a folder of pictures or an .npz file, or leave "
            "--data out to download CIFAR-10."
        )
    if place.is_dir() and any((place / f"{part}.parquet").exists() for part in ("train", "test")):
        return Dataset(_COPY + suffix, *read_parquet(place, side, CIFAR10_CLASSES))
    if place.suffix == ".npz" and is_packed(place):
        return Dataset(_COPY + suffix, *read_packed(place, side, CIFAR10_CLASSES))
    if place.is_dir():
        files = read_class_folders(place, side)
    elif place.suffix == ".npz":
        files = read_npz(place, side)
    else:
        raise DataUnavailable(
            f"{source} is neither a folder of pictures nor an .npz file: name one of these."
        )
    # A name that can be printed and read again, also where the file's is not UTF-8 or very long.
    name = printable(place.resolve().name.removesuffix(".npz"))[: LONGEST_NAME - len(suffix)]
    return Dataset(f"{name}{suffix}", *files, *_mean_and_std(files.train))


def _mean_and_std(
    pictures: Tensor,
) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Mean and deviation of each channel from its histogram, which is exact and small."""
    levels = torch.arange(256, dtype=torch.float64) / 255
    moments = []
    for channel in pictures.unbind(1):
        shares = channel.flatten().bincount(minlength=256).double() / channel.numel()
        mean = (shares * levels).sum()
        # Pictures of one colour have no deviation to divide by.
        std = (shares * (levels - mean) ** 2).sum().sqrt().clamp(min=1 / 255)
        moments.append((mean.item(), std.item()))
    (red, green, blue) = moments
    return (red[0], green[0], blue[0]), (red[1], green[1], blue[1])


def _download_cifar10(place: Path, side: int) -> LabelledFiles:
    # torchvision takes longer to import than everything else here together.
    from torchvision.datasets import CIFAR10

    try:
        parts = [CIFAR10(str(place), train=train, download=True) for train in (True, False)]
    except (OSError, RuntimeError) as error:
        raise DataUnavailable(
            f"CIFAR-10 could not be downloaded to {place} ({error}): try again with a network, "
            "or name a folder with a copy of it by --data."
        ) from error
    train, test = (
        scale(torch.from_numpy(part.data).permute(0, 3, 1, 2).contiguous(), side) for part in parts
    )
    labels, test_labels = (torch.tensor(part.targets) for part in parts)
    return LabelledFiles(train, labels, test, test_labels, CIFAR10_CLASSES)
