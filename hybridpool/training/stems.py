"""From a trained small network to a stem for the page: its first convolution and its pooling."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from hybridpool.training.data import MEAN, STD

LICENCE = "the weights are this project's own; CIFAR-10 is published for research without a licence"
_STAGE = "stages.0."


def stem_title(title: str) -> str:
    """Marks the title of a stem for the extraction of translations and returns it unchanged.

    Example:
        >>> stem_title("Trained on CIFAR-10")
        'Trained on CIFAR-10'
    """
    return title


_TITLES = {
    "hybrid": stem_title("Trained on CIFAR-10, one blend weight"),
    "channel": stem_title("Trained on CIFAR-10, a blend weight for each channel"),
    "attention": stem_title("Trained on CIFAR-10, attention"),
    "max": stem_title("Trained on CIFAR-10, max pooling"),
}


def export_stem(checkpoint: Path, output: Path) -> None:
    """Write the first stage of a small network from the checkpoint of its finished training.

    Args:
        checkpoint: What `hybridpool.training.loop.Training` kept.
        output: A file ``*.safetensors`` as `hybridpool.stem.trained_stems` describes it.

    Raises:
        ValueError: If it is no checkpoint of a finished small network.

    Example:
        >>> export_stem(Path("no such.pt"), Path("stem.safetensors"))
        Traceback (most recent call last):
        ValueError: no such.pt is no checkpoint: train the small network first.
    """
    if not checkpoint.is_file():
        raise ValueError(f"{checkpoint} is no checkpoint: train the small network first.")
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    settings, history = state["settings"], state["history"]
    if settings["network"] != "small" or len(history) != settings["epochs"]:
        raise ValueError(f"{checkpoint} is not that of a small network that is fully trained.")
    stage = {
        name.removeprefix(_STAGE): tensor.contiguous()
        for name, tensor in state["model"].items()
        if name.startswith(_STAGE)
    }
    tensors = _tensors(stage, settings["arm"])
    metadata = {
        "title": _TITLES.get(settings["arm"], f"Trained on CIFAR-10, {settings['arm']}"),
        "data": f"{state['data']}, {settings['train_pictures']:,} pictures",
        "seed": str(settings["seed"]),
        "epochs": str(settings["epochs"]),
        "accuracy": f"{history[-1]['test_accuracy']:.4f}",
        "licence": LICENCE,
        "stride": "1",
        "padding": str(stage["conv.weight"].shape[-1] // 2),
        "padding_mode": "zeros",
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, output, metadata)


def _tensors(stage: dict[str, Tensor], arm: str) -> dict[str, Tensor]:
    """The tensors by the names that a stem has for them."""
    part = {"hybrid": "hybrid", "channel": "hybrid", "attention": "attention"}.get(arm)
    tensors = {"stem.mean": torch.tensor(MEAN), "stem.std": torch.tensor(STD)}
    for name, tensor in stage.items():
        owner, _, rest = name.partition(".")
        if owner != "pool":
            tensors[f"stem.{name}"] = tensor
        elif part is not None:
            tensors[f"{part}.{rest}"] = tensor
    return tensors
