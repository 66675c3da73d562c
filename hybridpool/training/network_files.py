"""Trained networks as files that a page can send and anybody can read without running code."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from hybridpool.errors import SentenceError
from hybridpool.training.arms import ARMS
from hybridpool.training.checkpoints import read_checkpoint
from hybridpool.training.data import MEAN, STD
from hybridpool.training.files import write_whole
from hybridpool.training.networks import NETWORKS, build_network
from hybridpool.training.reading import record

KIND = "hybridpool network 1"
_LARGEST = 200_000_000


class NetworkFileError(SentenceError, ValueError):
    """A file that holds no network of this program.

    Example:
        >>> str(NetworkFileError("{file} holds no network.", file="x"))
        'x holds no network.'
    """


@dataclass(frozen=True)
class NetworkInfo:
    """The description of a trained network.

    Attributes:
        network: Key of `hybridpool.training.networks.NETWORKS`.
        width: How many channels its first stage has.
        arm: Key of `hybridpool.training.arms.ARMS`.
        seed: The seed of its start and its training.
        data: Name of the pictures that it learned from.
        pictures: How many there were.
        classes: Names of the classes, in the order of its scores.
        epochs: How often it saw every picture.
        accuracy: Share of the test pictures that it gets right.
        mean: The mean of each channel of the training pictures, with white as 1.
        std: Their standard deviation.
        side: Height and width of the pictures.
        name: The name of its run and of its result.
    """

    network: str
    width: int
    arm: str
    seed: int
    data: str
    pictures: int
    classes: tuple[str, ...]
    epochs: int
    accuracy: float
    mean: tuple[float, ...] = MEAN
    std: tuple[float, ...] = STD
    side: int = 32
    name: str = ""


def export_network(checkpoint: Path, output: Path) -> Path:
    """Write the network of a finished run in half precision.

    Args:
        checkpoint: A checkpoint of `hybridpool.training.loop.Training`.
        output: A folder; the file is named after network, arm and seed.

    Returns:
        The file.

    Raises:
        ValueError: If the checkpoint is not that of a finished run, or the file is there already
            and of another run.
        CannotWrite: If the file cannot be written.

    Example:
        >>> export_network(Path("no such.pt"), Path("nowhere"))
        Traceback (most recent call last):
        ValueError: no such.pt is no checkpoint: train a network first.
    """
    if not checkpoint.is_file():
        raise ValueError(f"{checkpoint} is no checkpoint: train a network first.")
    state = read_checkpoint(checkpoint, torch.device("cpu"))
    settings = state["settings"]
    if state.get("accuracy") is None:
        raise ValueError(f"{checkpoint} is not that of a network that is trained and measured.")
    metadata = {
        "kind": KIND,
        "pictures": settings["train_pictures"],
        "accuracy": round(state["accuracy"], 6),
        **{name: state[name] for name in ("data", "classes", "mean", "std", "side", "name")},
        **{name: settings[name] for name in ("network", "width", "arm", "seed", "epochs")},
    }
    tensors = {
        name: tensor.half().contiguous() if tensor.is_floating_point() else tensor.contiguous()
        for name, tensor in state["model"].items()
    }
    stem = f"{settings['network']}{settings['width']}-{settings['arm']}-seed{settings['seed']}"
    path = output / f"{stem}.safetensors"
    told = {name: json.dumps(value) for name, value in metadata.items()}
    if path.exists() and not _says(path, told):
        raise ValueError(
            f"{path} is there already, and not of the run {state['name']}: choose another --output."
        )
    write_whole(path, save(tensors, told))
    return path


def _says(path: Path, told: dict[str, str]) -> bool:
    """Whether a file is a network with this description; older ones tell less."""
    try:
        with safe_open(path, framework="pt") as file:
            known = file.metadata() or {}
    except (SafetensorError, OSError):
        return False
    return known.get("kind") == told["kind"] and known.items() <= told.items()


def read_network(path: Path, name: str | None = None) -> tuple[nn.Module, NetworkInfo]:
    """Read a trained network from its file, in float32 and in evaluation mode.

    Args:
        path: A file of `export_network`.
        name: The name of the file in an error; None is its own.

    Returns:
        The network, which takes normalised pictures (N, 3, H, W), and its description.

    Raises:
        NetworkFileError: If it is no such file, in one sentence. Nothing in it is ever run.

    Example:
        >>> read_network(Path("no such.safetensors"))
        Traceback (most recent call last):
        hybridpool.training.network_files.NetworkFileError: no such.safetensors holds no ...
    """
    name = name or path.name
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError("it is larger than any of them")
        with safe_open(path, framework="pt") as file:
            info = _info(file.metadata() or {})
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        model = _empty(info)
        wanted = model.state_dict()
        if tensors.keys() != wanted.keys():
            raise ValueError("its tensors are not those of its network")
        for key, tensor in tensors.items():
            if tensor.shape != wanted[key].shape or not bool(tensor.float().isfinite().all()):
                raise ValueError(f"{key} has another shape, or values that are no numbers")
        model.load_state_dict(
            {key: tensor.to(wanted[key].dtype) for key, tensor in tensors.items()}
        )
    except (SafetensorError, OSError, ValueError, TypeError, KeyError) as error:
        raise NetworkFileError(
            "{file} holds no network of this program ({problem}): choose a .safetensors file that "
            "python -m hybridpool.training networks writes.",
            file=name,
            problem=error,
        ) from error
    return model.eval(), info


def _info(metadata: dict[str, str]) -> NetworkInfo:
    if json.loads(metadata.get("kind", "null")) != KIND:
        raise ValueError("it does not say that it is one")
    told = {key: json.loads(value) for key, value in metadata.items() if key != "kind"}
    info = record(NetworkInfo, told)
    if info.network not in NETWORKS or info.arm not in ARMS:
        raise ValueError("its network or its arm is not known")
    if not (1 <= info.width <= 256 and 8 <= info.side <= 256 and 1 <= len(info.classes) <= 1000):
        raise ValueError("its width, its side or the number of its classes is out of range")
    if not all(0 <= share <= 1 for share in (info.accuracy, *info.mean, *info.std)):
        raise ValueError("its accuracy, mean or deviation is not between 0 and 1")
    if not len(info.mean) == len(info.std) == 3 or 0 in info.std:
        raise ValueError("its mean or deviation is not that of three channels")
    return info


def _empty(info: NetworkInfo) -> nn.Module:
    """A network of the same shape; frozen values are among its tensors too."""
    arm = "fixed" if info.arm == "frozen" else info.arm
    return build_network(info.network, arm, 0, len(info.classes), width=info.width)
