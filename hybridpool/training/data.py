"""CIFAR-10 as tensors: torchvision's download, or a JPEG copy in two Parquet files."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

MEAN = (0.4914, 0.4822, 0.4465)
STD = (0.2470, 0.2435, 0.2616)


class DataUnavailable(RuntimeError):  # noqa: N818 - it says what is the case, as a sentence
    """Pictures that cannot be had, said in one plain sentence.

    Example:
        >>> str(DataUnavailable("There is no folder data."))
        'There is no folder data.'
    """


@dataclass(frozen=True)
class Dataset:
    """Pictures and their classes.

    Attributes:
        name: What stands in every result.
        train: (N, 3, H, W) uint8.
        train_labels: (N,) int64.
        test: (M, 3, H, W) uint8.
        test_labels: (M,) int64.
    """

    name: str
    train: Tensor
    train_labels: Tensor
    test: Tensor
    test_labels: Tensor

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
        turn = torch.empty_like(self.train_labels)
        for label in range(int(self.train_labels.max()) + 1):
            these = self.train_labels == label
            turn[these] = torch.arange(int(these.sum()))
        order = torch.argsort(turn * (int(self.train_labels.max()) + 1) + self.train_labels)
        chosen = order[:count]
        return Dataset(
            self.name, self.train[chosen], self.train_labels[chosen], self.test, self.test_labels
        )

    def to(self, device: torch.device) -> Dataset:
        """The same on a device, where it stays for the whole run.

        Example:
            >>> nothing = torch.zeros(0)
            >>> Dataset("", nothing, nothing, nothing, nothing).to(torch.device("cpu")).name
            ''
        """
        tensors = (self.train, self.train_labels, self.test, self.test_labels)
        return Dataset(self.name, *(tensor.to(device) for tensor in tensors))


def load_cifar10(source: str | None = None, *, download_to: Path = Path("build/data")) -> Dataset:
    """CIFAR-10 (Krizhevsky, 2009).

    Args:
        source: A folder with ``train.parquet`` and ``test.parquet`` (columns ``jpeg`` and
            ``label``); None is the original, which torchvision downloads once.
        download_to: Where the download lies.

    Raises:
        DataUnavailable: If the pictures are not there or cannot be read, in one sentence.

    Example:
        >>> load_cifar10("no such folder")
        Traceback (most recent call last):
        hybridpool.training.data.DataUnavailable: There is no train.parquet in no such folder: ...
    """
    if source is not None:
        parts = [_read_parquet(Path(source) / f"{part}.parquet") for part in ("train", "test")]
        return Dataset("CIFAR-10 (JPEG copy)", *parts[0], *parts[1])
    # torchvision takes longer to import than everything else here together.
    from torchvision.datasets import CIFAR10

    try:
        found = [CIFAR10(str(download_to), train=train, download=True) for train in (True, False)]
    except (OSError, RuntimeError) as error:
        raise DataUnavailable(
            f"CIFAR-10 could not be downloaded to {download_to} ({error}): try again with a "
            "network, or name a folder with a copy of it by --data."
        ) from error
    tensors = [
        tensor
        for part in found
        for tensor in (
            torch.from_numpy(part.data).permute(0, 3, 1, 2).contiguous(),
            torch.tensor(part.targets),
        )
    ]
    return Dataset("CIFAR-10", *tensors)


def _read_parquet(path: Path) -> tuple[Tensor, Tensor]:
    from pyarrow import ArrowException, parquet

    if not path.is_file():
        raise DataUnavailable(
            f"There is no {path.name} in {path.parent}: name the folder of the JPEG copy of "
            "CIFAR-10, or leave --data out to download the original."
        )
    try:
        table = parquet.read_table(path, columns=["jpeg", "label"])
        pictures = np.stack(
            [
                np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"))
                for jpeg in table["jpeg"].to_pylist()
            ]
        )
        labels = torch.from_numpy(table["label"].to_numpy().astype(np.int64))
    except (ArrowException, OSError, ValueError) as error:
        raise DataUnavailable(f"{path} cannot be read as pictures and labels: {error}") from error
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous(), labels
