"""From a trained small network to a stem for the page: its first convolution and its pooling."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import save
from torch import Tensor, nn

from hybridpool.layers import HybridPooling, HybridPoolingWithAttention
from hybridpool.training.arms import ARMS
from hybridpool.training.checkpoints import read_checkpoint
from hybridpool.training.data import MEAN, STD, Dataset
from hybridpool.training.evaluate import prepare
from hybridpool.training.files import write_whole
from hybridpool.training.networks import build_network

_STAGE = "stages.0."
#: The part of a stem that comes from an arm, and the arm that the other part comes from.
_PARTS = {"hybrid": "hybrid", "channel": "hybrid", "attention": "attention"}
_OTHER = {"hybrid": "attention", "channel": "attention", "attention": "hybrid"}


def stem_title(title: str) -> str:
    """Mark the title of a stem for the extraction of translations and return it unchanged.

    Example:
        >>> stem_title("Trained on CIFAR-10")
        'Trained on CIFAR-10'
    """
    return title


LICENCE = stem_title("this project's own weights; CIFAR-10 itself comes without a stated licence")
_TITLES = {
    "hybrid": stem_title("Trained on CIFAR-10, one blend weight"),
    "channel": stem_title("Trained on CIFAR-10, a blend weight for each channel"),
    "attention": stem_title("Trained on CIFAR-10, attention"),
    "max": stem_title("Trained on CIFAR-10, max pooling"),
}


def export_stem(checkpoint: Path, output: Path, dataset: Dataset | None = None) -> None:
    """Write the first stage of a small network from the checkpoint of its finished training.

    A network has one pooling, but a page shows several. With a `dataset` the stem gets the other
    learned pooling too: this replaces the first pooling and learns for one epoch, while everything
    else stays as it is.

    Args:
        checkpoint: A checkpoint of `hybridpool.training.loop.Training`.
        output: A file ``*.safetensors`` as `hybridpool.stem.trained_stems` describes it.
        dataset: Pictures from which the other pooling learns.

    Raises:
        ValueError: If it is no checkpoint of a finished small network, or of one of other classes.
        CannotWrite: If the file cannot be written.

    Example:
        >>> export_stem(Path("no such.pt"), Path("stem.safetensors"))
        Traceback (most recent call last):
        ValueError: no such.pt is no checkpoint: train the small network first.
    """
    if not checkpoint.is_file():
        raise ValueError(f"{checkpoint} is no checkpoint: train the small network first.")
    state = read_checkpoint(checkpoint, torch.device("cpu"))
    settings = state["settings"]
    if settings["network"] != "small" or state.get("accuracy") is None:
        raise ValueError(
            f"{checkpoint} is not that of a small network that is fully trained and measured."
        )
    if dataset and state.get("classes", list(dataset.classes)) != list(dataset.classes):
        raise ValueError(
            f"{checkpoint} is that of a network of other classes: name its pictures by --data."
        )
    stage = {
        name.removeprefix(_STAGE): tensor.contiguous()
        for name, tensor in state["model"].items()
        if name.startswith(_STAGE)
    }
    tensors = _tensors(stage, settings["arm"])
    afterwards = _OTHER.get(settings["arm"], "") if dataset is not None else ""
    if dataset is not None and afterwards:
        taught = learn_afterwards(state, dataset, afterwards)
        tensors |= {f"{_PARTS[afterwards]}.{name}": tensor for name, tensor in taught.items()}
    metadata = {
        "title": _TITLES.get(settings["arm"], f"Trained on CIFAR-10, {settings['arm']}"),
        "data": state["data"],
        "pictures": str(settings["train_pictures"]),
        "seed": str(settings["seed"]),
        "epochs": str(settings["epochs"]),
        "accuracy": f"{state['accuracy']:.4f}",
        "licence": LICENCE,
        "stride": "1",
        "padding": str(stage["conv.weight"].shape[-1] // 2),
        "padding_mode": "zeros",
        "afterwards": afterwards,
    }
    write_whole(output, save(tensors, metadata))


def _tensors(stage: dict[str, Tensor], arm: str) -> dict[str, Tensor]:
    """The tensors, by their names in a stem."""
    part = _PARTS.get(arm)
    tensors = {"stem.mean": torch.tensor(MEAN), "stem.std": torch.tensor(STD)}
    for name, tensor in stage.items():
        owner, _, rest = name.partition(".")
        if owner != "pool":
            tensors[f"stem.{name}"] = tensor
        elif part is not None:
            tensors[f"{part}.{rest}"] = tensor
    return tensors


def learn_afterwards(state: dict[str, Any], dataset: Dataset, arm: str) -> dict[str, Tensor]:
    """Replace the first pooling by another and let only this one learn, for one epoch.

    Args:
        state: A checkpoint of a small network.
        dataset: Pictures to learn from.
        arm: The pooling that learns, a key of `hybridpool.training.arms.ARMS`.

    Returns:
        The `state_dict` of the pooling.

    Example:
        >>> pictures = torch.zeros(8, 3, 32, 32, dtype=torch.uint8)
        >>> few = Dataset("nothing", pictures, torch.arange(8), pictures, torch.arange(8))
        >>> settings = {"width": 16, "arm": "hybrid", "seed": 0, "batch_size": 4}
        >>> model = build_network("small", "hybrid", seed=0)
        >>> state = {"settings": settings, "model": model.state_dict()}
        >>> sorted(learn_afterwards(state, few, "attention"))
        ['fc.0.bias', 'fc.0.weight', 'fc.2.bias', 'fc.2.weight']
    """
    settings = state["settings"]
    model: Any = build_network(
        "small",
        settings["arm"],
        settings["seed"],
        len(dataset.classes),
        width=settings["width"],
    )
    model.load_state_dict(state["model"])
    # Batch normalisation keeps its statistics, as it does when the stem is used.
    model.eval().requires_grad_(False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings["seed"])
        channels = model.stages[0].conv.out_channels
        layer: nn.Module = ARMS[arm](channels=channels, kernel_size=2, stride=2)
    assert isinstance(layer, HybridPooling | HybridPoolingWithAttention)
    model.stages[0].pool = layer
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.01)
    order = torch.randperm(
        len(dataset.train), generator=torch.Generator().manual_seed(settings["seed"])
    )
    for chosen in torch.split(order, settings["batch_size"]):
        scores = model(prepare(dataset.train[chosen]))
        torch.autograd.backward(F.cross_entropy(scores, dataset.train_labels[chosen]))
        optimizer.step()
        optimizer.zero_grad()
    return {name: tensor.detach() for name, tensor in layer.state_dict().items()}
