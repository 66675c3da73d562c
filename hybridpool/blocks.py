"""Networks with hybrid pooling: the article's block, a ResNet-18, and their parameter groups."""

from collections import OrderedDict
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from hybridpool.base import Pooling2d
from hybridpool.layers import Pooling, pooling_factory


class HybridResNetBlock(nn.Module):
    r"""The article's residual block, which ends in a pooling.

    .. math::
        \text{pool}(\operatorname{ReLU}(
        \operatorname{BN}_2(\operatorname{conv}_2(\operatorname{ReLU}(
        \operatorname{BN}_1(\operatorname{conv}_1(x))))) + \text{shortcut}(x)))

    The shortcut is the input itself where the shapes agree, as in the article, whose checkpoints
    load; elsewhere it is a 1 × 1 convolution with batch normalisation.

    Args:
        in_channels: The number of channels that come in.
        out_channels: The number of channels that go out.
        stride: Step of the first convolution, and of the shortcut.
        pooling: A name in `hybridpool.POOLINGS`, a factory called like them, or ``None``: a block
            that pools halves the map, so only some of many stacked blocks should pool.

    Shape:
        - input: :math:`(N, C_{in}, H, W)`
        - output: :math:`(N, C_{out}, H', W')`, half as large with ``stride=1`` and a pooling

    Raises:
        ValueError: If ``pooling`` is not a known name.

    Example:
        >>> import torch
        >>> block = HybridResNetBlock(16, 32)
        >>> block(torch.zeros(2, 16, 8, 8)).shape
        torch.Size([2, 32, 4, 4])
    """

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
            self.hybrid_pool = pooling_factory(pooling)(
                channels=out_channels, kernel_size=2, stride=2
            )

    def forward(self, input: Tensor) -> Tensor:
        """Run the block on ``input`` of shape (N, C, H, W)."""
        shortcut = input if self.downsample is None else self.downsample(input)
        output = F.relu(self.bn1(self.conv1(input)))
        output = F.relu(self.bn2(self.conv2(output)) + shortcut)
        return output if self.hybrid_pool is None else self.hybrid_pool(output)


def hybrid_resnet18(
    num_classes: int = 1000, pooling: Pooling = "hybrid", *, small_input: bool = False
) -> nn.Module:
    """Build a ResNet-18 whose stages are separated by a pooling instead of strided convolutions.

    torchvision's network with its own blocks and, but for the poolings, its own ``state_dict`` keys
    and shapes. A 2 × 2 pooling comes before each of the stages 2 to 4, and the first block of the
    stage keeps the size of the map. The amount of computation stays the same where height and width
    are multiples of 32, or of 8 with ``small_input``; elsewhere a pooling may round a size down
    that a strided convolution rounds up.

    Args:
        num_classes: The number of classes.
        pooling: A name in `hybridpool.POOLINGS`, or a factory called like them.
        small_input: Whether the pictures are as small as those of CIFAR-10: the first convolution
            is then 3 × 3 with step 1, and no pooling follows it. Otherwise it is torchvision's
            7 × 7 with step 2, and its 3 × 3 max pooling with step 2 becomes ``pooling``.

    Shape:
        - input: :math:`(N, 3, H, W)`, 29 × 29 or larger, with ``small_input`` 8 × 8 or larger
        - output: :math:`(N, \\text{num\\_classes})`

    Raises:
        ValueError: If ``pooling`` is not a known name, or an input is smaller than that.

    The network is that of He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition",
    CVPR 2016 (arXiv:1512.03385).

    Example:
        >>> model = hybrid_resnet18(10, small_input=True)
        >>> sum(isinstance(module, Pooling2d) for module in model.modules())
        3
    """
    # Importing torchvision takes longer than importing everything else here.
    from torchvision.models import resnet18

    factory = pooling_factory(pooling)
    model: nn.Module = resnet18(num_classes=num_classes)
    if small_input:
        model.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
        nn.init.kaiming_normal_(model.conv1.weight, mode="fan_out", nonlinearity="relu")
        model.maxpool = nn.Identity()
    else:
        model.maxpool = factory(channels=64, kernel_size=3, stride=2, padding=1)
    for name, channels in (("layer2", 64), ("layer3", 128), ("layer4", 256)):
        stage: Any = getattr(model, name)
        stage[0].conv1.stride = stage[0].downsample[0].stride = (1, 1)
        pool = factory(channels=channels, kernel_size=2, stride=2)
        # Children keep the names "0" and "1", so that torchvision's weights load.
        setattr(model, name, nn.Sequential(OrderedDict(pool=pool, **dict(stage.named_children()))))
    return model


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Split the parameters for an optimizer so that weight decay spares every blend.

    Weight decay pulls a logit to 0 and so the blend weight to one half, whatever the data say. The
    same holds for the layers behind an attention value and for a gating mask. Each of our
    pooling layers names these parameters in `Pooling2d.blend_parameters`, so pruned and
    parametrised layers are found too. All other parameters decay as they do without groups, biases
    and normalisation included.

    Args:
        model: The model.
        weight_decay: The weight decay of all other parameters.

    Returns:
        Two groups, each parameter in exactly one of them: those that decay, then the blends'.

    Example:
        >>> import torch
        >>> from hybridpool import HybridPooling
        >>> model = nn.Sequential(nn.Conv2d(3, 8, 3), HybridPooling(), HybridPooling(channels=8))
        >>> decayed, blends = parameter_groups(model, weight_decay=5e-4)
        >>> len(decayed["params"]), len(blends["params"])
        (2, 2)
        >>> optimizer = torch.optim.SGD([decayed, blends], lr=0.1)
    """
    blends = {
        id(parameter)
        for module in model.modules()
        if isinstance(module, Pooling2d)
        for parameter in module.blend_parameters()
    }
    groups: tuple[list[nn.Parameter], list[nn.Parameter]] = ([], [])
    for parameter in model.parameters():
        groups[id(parameter) in blends].append(parameter)
    return [
        {"params": groups[0], "weight_decay": weight_decay},
        {"params": groups[1], "weight_decay": 0.0},
    ]
