"""Networks with hybrid pooling: the article's block, a ResNet-18, and help for other models."""

import copy
from collections import OrderedDict
from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from hybridpool.layers import POOLINGS, HybridPooling

Pooling = str | Callable[..., nn.Module]


def _factory(pooling: Pooling) -> Callable[..., nn.Module]:
    if not isinstance(pooling, str):
        return pooling
    if pooling not in POOLINGS:
        raise ValueError(f"pooling must be one of {', '.join(POOLINGS)}, but got {pooling!r}.")
    return POOLINGS[pooling]


class HybridResNetBlock(nn.Module):
    """The article's residual block: two 3 × 3 convolutions, a shortcut, then a pooling."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        stride: int = 1,
        pooling: Pooling | None = "attention",
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.downsample: nn.Module | None = None
        if stride != 1 or in_channels != out_channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride, bias=False),
                nn.BatchNorm2d(out_channels),
            )
        self.hybrid_pool: nn.Module | None = None
        if pooling is not None:
            self.hybrid_pool = _factory(pooling)(channels=out_channels, kernel_size=2, stride=2)

    def forward(self, input: Tensor) -> Tensor:
        """Run the block on ``input`` of shape (N, C, H, W)."""
        shortcut = input if self.downsample is None else self.downsample(input)
        output = F.relu(self.bn1(self.conv1(input)))
        output = F.relu(self.bn2(self.conv2(output)) + shortcut)
        return output if self.hybrid_pool is None else self.hybrid_pool(output)


def hybrid_resnet18(
    num_classes: int = 1000, pooling: Pooling = "hybrid", *, small_input: bool = False
) -> nn.Module:
    """A ResNet-18 that makes its maps smaller with a local pooling instead of strides."""
    from torchvision.models import resnet18

    factory = _factory(pooling)
    model: nn.Module = resnet18(num_classes=num_classes)
    if small_input:
        model.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
        model.maxpool = nn.Identity()
    else:
        model.maxpool = factory(channels=64, kernel_size=3, stride=2, padding=1)
    for name, channels in (("layer2", 64), ("layer3", 128), ("layer4", 256)):
        stage = getattr(model, name)
        stage[0].conv1.stride = stage[0].downsample[0].stride = (1, 1)
        pool = factory(channels=channels, kernel_size=2, stride=2)
        setattr(model, name, nn.Sequential(OrderedDict(pool=pool, **dict(stage.named_children()))))
    return model


def replace_pooling(
    model: nn.Module,
    pooling: Pooling = "hybrid",
    *,
    inplace: bool = True,
) -> nn.Module:
    """Swap the local max and average poolings of a model for another pooling."""
    model = model if inplace else copy.deepcopy(model)
    factory = _factory(pooling)
    for parent in model.modules():
        for name, child in parent.named_children():
            if type(child) not in (nn.MaxPool2d, nn.AvgPool2d):
                continue
            pool = factory(
                channels=None,
                kernel_size=child.kernel_size,
                stride=child.stride,
                padding=child.padding,
                ceil_mode=child.ceil_mode,
                count_include_pad=getattr(child, "count_include_pad", False),
            )
            setattr(parent, name, pool)
    return model


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Split the parameters for an optimizer so that no blend weight decays."""
    logits = {id(m.weight) for m in model.modules() if isinstance(m, HybridPooling)}
    parameters = list(model.parameters())
    return [
        {
            "params": [p for p in parameters if id(p) not in logits],
            "weight_decay": weight_decay,
        },
        {"params": [p for p in parameters if id(p) in logits], "weight_decay": 0.0},
    ]
