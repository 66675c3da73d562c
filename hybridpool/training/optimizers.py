"""The optimizers of a network: one for its blends, one for everything else."""

from __future__ import annotations

import torch
from torch import nn

from hybridpool.blocks import parameter_groups
from hybridpool.training.records import RunSettings


def optimizers(model: nn.Module, settings: RunSettings) -> list[torch.optim.Optimizer]:
    """The optimizer of a network, and that of its blends if some can learn.

    The parameters of every blend, logits, attention and gating masks alike, are in a group of
    their own without weight decay, which would pull each blend weight towards one half.

    Example:
        >>> from hybridpool.training.networks import build_network
        >>> model = build_network("small", "attention", seed=0)
        >>> rest, blend = optimizers(model, RunSettings())
        >>> blend.param_groups[0]["weight_decay"], rest.param_groups[0]["weight_decay"]
        (0.0, 0.0005)
    """
    rest, chosen = (
        [parameter for parameter in group["params"] if parameter.requires_grad]
        for group in parameter_groups(model, settings.weight_decay)
    )

    def sgd(weights: list[nn.Parameter], rate: float, decay: float) -> torch.optim.Optimizer:
        momentum = settings.momentum
        return torch.optim.SGD(weights, rate, momentum, weight_decay=decay, nesterov=momentum > 0)

    made = [sgd(rest, settings.learning_rate, settings.weight_decay)]
    if chosen and settings.blend_optimizer == "adam":
        made.append(torch.optim.Adam(chosen, settings.blend_rate, weight_decay=0.0))
    elif chosen:
        made.append(sgd(chosen, settings.blend_rate, 0.0))
    return made
