"""One convolution stage, and what is known about the weights in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hybridpool.stem.filters import ChannelName


@dataclass(frozen=True)
class StemInfo:
    """A description of a set of weights, for the person who looks at its feature maps.

    Args:
        key: The name in links and settings.
        title: A short title, in English, to be translated unless `trained` from a file.
        words: One or two plain sentences about these weights, to be translated.
        trained: Whether something learned these weights.
        data: The pictures they were trained on, or "".
        licence: The licence of the weights as far as it is known, or "".
        seed: The seed they were drawn or trained with; None where a seed plays no role.
        metadata: Everything that the file of a trained stem says about itself.
        learned: The poolings that were learned with the filters, keys of `POOLINGS`.

    Example:
        >>> StemInfo("edges", "Edges", "Four filters made by hand.").trained
        False
    """

    key: str
    title: str
    words: str
    trained: bool = False
    data: str = ""
    licence: str = ""
    seed: int | None = None
    metadata: Mapping[str, str] = field(default_factory=dict, hash=False)
    learned: tuple[str, ...] = ()


class ConvStem(nn.Module):
    r"""One convolution stage as at the start of a ResNet.

    .. math:: \operatorname{ReLU}(\operatorname{norm}(W * (x - \mu) / \sigma + b))

    Args:
        weight: The filters.
        info: The description of the weights.
        channel_names: One name for each filter.
        bias: What is added to each channel after the convolution.
        norm: The state of a batch normalisation after the convolution.
        stride: Step of the convolution.
        padding: Cells added on each side.
        padding_mode: "replicate" repeats the border, so that a filter sees no edge there;
            "zeros" is common in trained networks.
        mean: Subtracted from the red, green and blue values before the convolution.
        std: The red, green and blue values are divided by it after that.
        pooling_state: Learned parameters for pooling layers, by key of the pooling.

    Shape:
        - weight: :math:`(C, 3, K, K)`
        - input: :math:`(N, 3, H, W)` or :math:`(3, H, W)`, values in [0, 1]
        - output: :math:`(N, C, \lceil H / 2 \rceil, \lceil W / 2 \rceil)` with the kernel size 7,
          stride 2 and padding 3 of the built-in sets; in `channels_last` memory format.

    Raises:
        ValueError: If the input has another shape, or no cell at all.
        TypeError: If the input is not a floating point tensor.

    Source: the first stage of He et al., "Deep Residual Learning for Image Recognition", 2015.

    Example:
        >>> from hybridpool.stem import load_stem
        >>> stem = load_stem("filters")
        >>> stem(torch.ones(3, 9, 8)).shape
        torch.Size([16, 5, 4])
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        weight: Tensor,
        info: StemInfo,
        channel_names: tuple[ChannelName, ...],
        *,
        bias: Tensor | None = None,
        norm: Mapping[str, Tensor] | None = None,
        stride: int = 2,
        padding: int = 3,
        padding_mode: str = "replicate",
        mean: tuple[float, ...] = (0.0, 0.0, 0.0),
        std: tuple[float, ...] = (1.0, 1.0, 1.0),
        pooling_state: Mapping[str, Mapping[str, Tensor]] | None = None,
    ) -> None:
        super().__init__()
        channels, _, kernel_size, _ = weight.shape
        self.conv: nn.Conv2d = nn.utils.skip_init(  # type: ignore[no-untyped-call]
            nn.Conv2d,
            3,
            channels,
            kernel_size,
            stride=stride,
            padding=padding,
            padding_mode=padding_mode,
            bias=bias is not None,
        )
        state = {"weight": weight} if bias is None else {"weight": weight, "bias": bias}
        self.conv.load_state_dict(state)
        self.bn = nn.BatchNorm2d(channels) if norm else nn.Identity()
        if norm:
            self.bn.load_state_dict(dict(norm))
        self.register_buffer("mean", torch.tensor(mean).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(3, 1, 1), persistent=False)
        self.info = info
        self.channel_names = channel_names
        self.pooling_state: dict[str, dict[str, Tensor]] = {
            key: dict(state) for key, state in (pooling_state or {}).items()
        }
        self.to(memory_format=torch.channels_last)

    @property
    def channels(self) -> int:
        """How many channels the feature map has."""
        return int(self.conv.out_channels)

    @property
    def receptive_field(self) -> tuple[int, int, int]:
        """Kernel size, stride and padding: which pixels one cell of the feature map sees."""
        return self.conv.kernel_size[0], self.conv.stride[0], int(self.conv.padding[0])

    def folded(self) -> tuple[Tensor, Tensor]:
        r"""One convolution for convolution and batch normalisation: filters and biases.

        Added up in double precision; the filters of :math:`(x - \mu) / \sigma`, before the ReLU.

        Example:
            >>> from hybridpool.stem import load_stem
            >>> weight, bias = load_stem("filters").folded()
            >>> weight.shape, bias.shape
            (torch.Size([16, 3, 7, 7]), torch.Size([16]))
        """
        weight = self.conv.weight.detach().double()
        bias = torch.zeros(len(weight)).double()
        if self.conv.bias is not None:
            bias = self.conv.bias.detach().double()
        if isinstance(self.bn, nn.BatchNorm2d):
            mean, variance = self.bn.running_mean, self.bn.running_var
            assert mean is not None
            assert variance is not None
            scale = self.bn.weight.detach().double() / (variance.double() + self.bn.eps).sqrt()
            weight = weight * scale.view(-1, 1, 1, 1)
            bias = (bias - mean) * scale + self.bn.bias.detach()
        return weight.float(), bias.float()

    def forward(self, image: Tensor) -> Tensor:
        """Turn a picture into its feature map; see the class for the shapes."""
        if image.ndim not in (3, 4) or image.shape[-3] != 3 or 0 in image.shape[-2:]:
            raise ValueError(
                "ConvStem takes a picture of shape (3, H, W) or (N, 3, H, W) with at least one "
                f"pixel, but got {tuple(image.shape)}: convert it to RGB with the channels first."
            )
        if not image.is_floating_point():
            raise TypeError(
                "ConvStem takes a floating point picture with values in [0, 1], but got "
                f"{image.dtype}: convert it with image.float() / 255."
            )
        batch = image if image.ndim == 4 else image.unsqueeze(0)
        feature_map = F.relu(self.bn(self.conv((batch - self.mean) / self.std)))
        return feature_map if image.ndim == 4 else feature_map.squeeze(0)
