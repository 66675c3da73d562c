"""Which trained networks there are: the ones that come with the page, and a person's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from hybridpool.pictures.image import image_digest
from hybridpool.training.network_files import NetworkFileError, NetworkInfo, read_network

ARMS_SHOWN = ("max", "average", "fixed", "hybrid", "channel", "attention", "blur")
"""The poolings that are compared, in the fixed order of the rows."""

FITTING = ("small", "air")
"""Networks that go straight from the picture to the answer, stage by stage."""

SIDE = 32
"""Height and width of the pictures that they see."""


class UnfitNetworkError(NetworkFileError):
    """A network of this program that cannot stand beside the others, in one sentence.

    Example:
        >>> str(UnfitNetworkError("{file} sees other pictures.", file="x"))
        'x sees other pictures.'
    """


@dataclass(frozen=True)
class Network:
    """A trained network, in float32 and in evaluation mode.

    Attributes:
        key: Names it beyond doubt.
        model: The network; shared, so it must not be changed.
        info: What it says of itself.
    """

    key: str
    model: nn.Module
    info: NetworkInfo


def network_files(folder: Path) -> Iterator[Path]:
    """The files of networks in a folder, by pooling in the order of the rows, then by seed.

    Files are named ``<network><width>-<arm>-seed<seed>.safetensors``; others are passed over.

    Example:
        >>> list(network_files(Path("no such folder")))
        []
    """
    found = []
    for path in folder.glob("*.safetensors"):
        parts = path.stem.split("-seed")
        arm = parts[0].partition("-")[2]
        if len(parts) == 2 and parts[1].isdigit() and arm in ARMS_SHOWN:
            found.append((ARMS_SHOWN.index(arm), int(parts[1]), path.name, path))
    return (path for *_, path in sorted(found))


def read_fit_network(path: Path, name: str | None = None) -> Network:
    """A trained network that can stand in a row.

    Args:
        path: A file that ``python -m hybridpool.training networks`` wrote.
        name: What the file is called in an error, if not by its own name.

    Raises:
        NetworkFileError: If it is no such file, or a network that cannot be shown, in one sentence.

    Example:
        >>> read_fit_network(Path("no such.safetensors"))
        Traceback (most recent call last):
        hybridpool.training.network_files.NetworkFileError: no such.safetensors holds no ...
    """
    model, info = read_network(path, name)
    if info.network not in FITTING or info.side != SIDE:
        raise UnfitNetworkError(
            "{file} holds the network {network} for pictures of {side} × {side}: choose one of "
            "{fitting} for pictures of {wanted} × {wanted}.",
            file=name or path.name,
            network=info.network,
            side=info.side,
            fitting=", ".join(FITTING),
            wanted=SIDE,
        )
    return Network(f"{path.stem}-{image_digest(path.read_bytes())}", model, info)
