"""Networks that nothing has trained: their answers differ, and mean nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn
from torch.optim.swa_utils import update_bn
from torchvision.models import resnet18

from hybridpool.answer import ARMS_SHOWN
from hybridpool.answer.networks import Network
from hybridpool.training.data import CIFAR10_CLASSES, MEAN, STD
from hybridpool.training.network_files import KIND, NetworkInfo
from hybridpool.training.networks import build_network
from tests.draws import photo


def unlike_the_start(model: nn.Module, seed: int) -> nn.Module:
    """A network in which no layer does nothing, and whose answer depends on the picture."""
    draw = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.weight.data.copy_(torch.rand(module.weight.shape, generator=draw) + 0.5)
            module.bias.data.copy_(torch.randn(module.bias.shape, generator=draw) * 0.3)
        elif hasattr(module, "blend_parameters"):
            for parameter in module.blend_parameters():
                parameter.data.copy_(torch.randn(parameter.shape, generator=draw))
    pictures = torch.stack([photo(seed=each) for each in range(16)])
    pictures = torch.cat([pictures, torch.rand(pictures.shape, generator=draw)]) * 4 - 2
    update_bn([pictures], model)
    head = model.get_submodule("fc")
    assert isinstance(head, nn.Linear)
    with torch.no_grad():
        head.weight.mul_(10)
        head.bias.sub_(model.eval()(pictures).mean(0))
    return model.half().float().eval()


def a_network(
    arm: str, seed: int = 1, kind: str = "air", classes: tuple[str, ...] = CIFAR10_CLASSES
) -> Network:
    """A network of width 8."""
    held = (0.9, 0.4, 0.6) if arm == "frozen" else ()
    model = build_network(kind, arm, seed, len(classes), frozen_at=held, width=8)
    info = NetworkInfo(kind, 8, arm, seed, "nothing", 1, classes, 1, 0.1, MEAN, STD)
    return Network(f"{kind}8-{arm}-seed{seed}-made", unlike_the_start(model, seed), info)


def a_file(folder: Path, network: Network, **changes: Any) -> Path:
    """A network as `export_network` writes it; `changes` are what the file says otherwise."""
    info = network.info
    told = {
        "kind": KIND,
        **{name: getattr(info, name) for name in NetworkInfo.__dataclass_fields__},
        **changes,
    }
    tensors = {
        name: (values.half() if values.is_floating_point() else values).contiguous()
        for name, values in network.model.state_dict().items()
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{info.network}{info.width}-{info.arm}-seed{info.seed}.safetensors"
    save_file(tensors, path, {name: json.dumps(value) for name, value in told.items()})
    return path


def a_folder(folder: Path, arms: Iterable[str] = ARMS_SHOWN, seeds: int = 2) -> Path:
    """A folder with so many networks of each pooling."""
    for arm in arms:
        for seed in range(seeds):
            a_file(folder, a_network(arm, seed))
    return folder


def a_resnet18_file(folder: Path) -> tuple[Path, nn.Module]:
    """A ResNet-18 with random weights in a file that carries its digest, as torchvision's does."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = unlike_the_start(resnet18(), 0)
    folder.mkdir(parents=True, exist_ok=True)
    unnamed = folder / "unnamed.pth"
    torch.save(network.state_dict(), unnamed)
    digest = hashlib.sha256(unnamed.read_bytes()).hexdigest()[:8]
    return unnamed.rename(folder / f"resnet18-{digest}.pth"), network
