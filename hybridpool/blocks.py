"""Networks with hybrid pooling: the article's block, a ResNet-18, and surgery on other models."""

import copy
from collections import OrderedDict
from collections.abc import Collection, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hybridpool.base import Pooling2d
from hybridpool.layers import POOLINGS, PoolingFactory

Pooling = str | PoolingFactory

_REPLACEABLE: dict[str, type[nn.Module]] = {"max": nn.MaxPool2d, "average": nn.AvgPool2d}


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
            that pools halves the map, so of many stacked blocks only some should.

    Shape:
        - input: :math:`(N, C_{in}, H, W)`
        - output: :math:`(N, C_{out}, H', W')`, half as large with ``stride=1`` and a pooling

    Raises:
        ValueError: If ``pooling`` is not a known name.

    Example:
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
    """Build a ResNet-18 whose stages are separated by a pooling instead of strided convolutions.

    torchvision's network with its own blocks and, but for the poolings, its own ``state_dict`` keys
    and shapes. In front of each of the stages 2 to 4 stands a 2 × 2 pooling, and the first block
    of the stage keeps the size of the map; the amount of computation stays the same.

    Args:
        num_classes: The number of classes.
        pooling: A name in `hybridpool.POOLINGS`, or a factory called like them.
        small_input: Whether the pictures are as small as those of CIFAR-10: the first convolution
            is then 3 × 3 with step 1, and no pooling follows it. Otherwise it is torchvision's
            7 × 7 with step 2, and its 3 × 3 max pooling with step 2 becomes ``pooling``.

    Shape:
        - input: :math:`(N, 3, H, W)`, with ``small_input`` 8 × 8 or larger
        - output: :math:`(N, \\text{num\\_classes})`

    Raises:
        ValueError: If ``pooling`` is not a known name.

    The network is that of He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition",
    CVPR 2016 (arXiv:1512.03385).

    Example:
        >>> model = hybrid_resnet18(10, small_input=True)
        >>> sum(isinstance(module, Pooling2d) for module in model.modules())
        3
    """
    # torchvision takes longer to import than everything else here together.
    from torchvision.models import resnet18

    factory = _factory(pooling)
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


def replace_pooling(
    model: nn.Module,
    pooling: Pooling = "hybrid",
    *,
    which: Collection[str] = ("max", "average"),
    blend_weight: float | None = 0.5,
    example_input: Tensor | None = None,
    strict: bool = True,
    inplace: bool = True,
) -> nn.Module:
    """Swap the local max and average poolings of any model for another pooling.

    Every ``nn.MaxPool2d`` and ``nn.AvgPool2d``, however deep, makes room for a pooling with the
    same kernel, stride, padding, ceil mode and, for an average, the same ``count_include_pad``,
    in the same training mode, on the device and in the type of the parameters around it. A module
    that is used in several places is replaced by one module. Adaptive (global) poolings,
    subclasses with a forward of their own, and calls of ``F.max_pool2d`` are not touched.

    Build the optimizer afterwards, with `parameter_groups`, or give it the new parameters: one that
    exists already does not know them.

    Args:
        model: The model, or a single pooling.
        pooling: A name in `hybridpool.POOLINGS`, or a factory called like them.
        which: Which poolings to replace: ``"max"``, ``"average"`` or both.
        blend_weight: Where ``"hybrid"`` starts; other poolings do not look at it. With 1 for max or
            0 for average poolings the output of the model stays the same bit for bit, but a blend
            weight does not learn there. ``None`` takes, for each, the end that it replaces.
        example_input: A batch for the model, by which the poolings learn how many channels they
            pool; ``"attention"`` and factories that use ``channels`` need it. The model runs on it
            once, in evaluation mode.
        strict: Whether to refuse a model with poolings that cannot be replaced (dilation,
            ``return_indices``, ``divisor_override``) rather than to leave those as they are.
        inplace: Whether to change ``model`` itself rather than a copy.

    Returns:
        The model with its poolings replaced.

    Raises:
        ValueError: If a name is not known, if nothing is found that can be replaced, if
            ``example_input`` is missing or does not reach a pooling, or as ``strict`` says. The
            model is then as it was.

    Example:
        >>> model = replace_pooling(nn.Sequential(nn.Conv2d(3, 8, 3), nn.MaxPool2d(2)))
        >>> model[1]
        HybridPooling(kernel_size=2, stride=2, padding=0)
    """
    factory = _factory(pooling)
    for name in which:
        if name not in _REPLACEABLE:
            raise ValueError(f"which must be drawn from 'max' and 'average', but got {name!r}.")
    model = model if inplace else copy.deepcopy(model)
    targets = list(_targets(model, tuple(_REPLACEABLE[name] for name in which), strict))
    if not targets:
        raise ValueError(
            f"The model has no {' or '.join(_REPLACEABLE[name].__name__ for name in which)} that "
            "can be replaced; adaptive poolings and calls of functions are not looked at."
        )
    channels = {} if example_input is None else _count_channels(model, targets, example_input)
    if pooling == "attention" and example_input is None:
        raise ValueError(
            "Attention needs to know how many channels it pools: pass a batch as example_input."
        )
    swaps = {}
    for target, neighbour in targets:
        options = {}
        if pooling == "hybrid":
            end = 1.0 if type(target) is nn.MaxPool2d else 0.0
            options["blend_weight"] = end if blend_weight is None else blend_weight
        swap = factory(
            channels=channels.get(target),
            kernel_size=target.kernel_size,
            stride=target.stride,
            padding=target.padding,
            ceil_mode=target.ceil_mode,
            count_include_pad=getattr(target, "count_include_pad", False),
            **options,
        )
        if neighbour is not None:
            swap.to(neighbour.device, neighbour.dtype)
        swaps[target] = swap.train(target.training)
    for parent in list(model.modules()):
        for name, child in parent.named_children():
            if child in swaps:
                setattr(parent, name, swaps[child])
    return swaps.get(model, model)


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Split the parameters for an optimizer so that no blend decays.

    Weight decay pulls a logit to 0 and so the blend weight to one half, whatever the data say. The
    same holds for the layers behind an attention value and for a gating mask. What makes a blend
    is what each of our pooling layers names in `Pooling2d.blend_parameters`, so pruned and
    parametrised layers are found too. All other parameters decay as they do without groups, biases
    and normalisation included.

    Args:
        model: The model.
        weight_decay: The weight decay of everything that makes no blend.

    Returns:
        Two groups, each parameter in exactly one of them: those that decay, then the blends'.

    Example:
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


def _factory(pooling: Pooling) -> PoolingFactory:
    if not isinstance(pooling, str):
        return pooling
    if pooling not in POOLINGS:
        raise ValueError(f"pooling must be one of {', '.join(POOLINGS)}, but got {pooling!r}.")
    return POOLINGS[pooling]


def _targets(
    model: nn.Module, kinds: tuple[type[nn.Module], ...], strict: bool
) -> Iterator[tuple[Any, Tensor | None]]:
    """Each pooling to replace, once, with the parameter that comes before it."""
    neighbour = next((p for p in model.parameters() if p.is_floating_point()), None)
    for name, module in model.named_modules():
        own = [p for p in module.parameters(recurse=False) if p.is_floating_point()]
        neighbour = own[-1] if own else neighbour
        if type(module) not in kinds:
            continue
        obstacle = _obstacle(module)
        if obstacle is None:
            yield module, neighbour
        elif strict:
            raise ValueError(
                f"{type(module).__name__} {name!r} has {obstacle}, which no other pooling can do: "
                "pass strict=False to leave it as it is."
            )


def _obstacle(pool: Any) -> str | None:
    dilation = getattr(pool, "dilation", 1)
    if dilation not in (1, (1, 1), [1, 1]):
        return f"dilation={dilation}"
    if getattr(pool, "return_indices", False):
        return "return_indices=True"
    divisor = getattr(pool, "divisor_override", None)
    return None if divisor is None else f"divisor_override={divisor}"


def _count_channels(
    model: nn.Module, targets: list[tuple[Any, Tensor | None]], example_input: Tensor
) -> dict[nn.Module, int]:
    """Run the model once and leave no trace in it."""
    channels: dict[nn.Module, int] = {}

    def note(module: nn.Module, args: tuple[Tensor, ...]) -> None:
        count = args[0].shape[-3]
        if channels.setdefault(module, count) != count:
            raise ValueError(
                f"{module} pools maps with {channels[module]} and with {count} channels, "
                "so one pooling cannot take its place."
            )

    modes = [(module, module.training) for module in model.modules()]
    hooks = [target.register_forward_pre_hook(note) for target, _ in targets]
    try:
        model.eval()
        with torch.no_grad():
            model(example_input)
    finally:
        for hook in hooks:
            hook.remove()
        for module, training in modes:
            module.training = training
    for target, _ in targets:
        if target not in channels:
            raise ValueError(f"example_input does not reach {target}, so its channels are unknown.")
    return channels
