"""The convolutional stem: one convolution stage, and the sets of weights that it can carry."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hybridpool.filters import THRESHOLD, ChannelName, channel_name, filter_bank
from hybridpool.stem_files import (
    StemUnavailable,
    read_head,
    read_tensors,
    resnet18_file,
    resnet18_state,
)

__all__ = [
    "STEMS",
    "STEM_FOLDER",
    "ChannelName",
    "ConvStem",
    "StemInfo",
    "StemUnavailable",
    "channel_name",
    "default_stem",
    "load_stem",
    "stem_on_disk",
    "trained_stems",
]

logger = logging.getLogger(__name__)

STEM_FOLDER = Path(__file__).resolve().parents[1] / "assets" / "stems"
_DEFAULT = "cifar10-channel"
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class StemInfo:
    """What a set of weights is, for the person who looks at its feature maps.

    Args:
        key: The name in links and settings.
        title: A short title, in English, to be translated unless `trained` from a file.
        words: One or two plain sentences on what these weights are, to be translated.
        trained: Whether something learned these weights.
        data: What they were trained on, or "".
        licence: What is known about the licence of the weights, or "".
        seed: The seed they were drawn or trained with; None where a seed plays no role.
        metadata: Everything that the file of a trained stem says about itself.
        learned: The poolings that were learned with the filters, keys of `POOLINGS`.

    Example:
        >>> STEMS["filters"].trained
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


STEMS: dict[str, StemInfo] = {
    info.key: info
    for info in (
        StemInfo(
            "filters",
            "Readable filters",
            "Sixteen filters made by hand: edges, corners, spots, stripes, colours and brightness. "
            "Nothing here is learned; each channel looks for what its name says.",
        ),
        StemInfo(
            "random",
            "Random filters",
            "Filters drawn at random from a normal distribution (Kaiming), as in a network "
            "before its training. Another seed gives other filters.",
            seed=0,
        ),
        StemInfo(
            "resnet18",
            "ResNet-18, trained on ImageNet",
            "The first convolution, batch normalisation and ReLU of torchvision's ResNet-18, "
            "learned from 1.28 million labelled photographs.",
            trained=True,
            data="ImageNet-1k",
            licence="BSD-3-Clause (torchvision); the terms of ImageNet may apply",
        ),
    )
}


class ConvStem(nn.Module):
    r"""One convolution stage as at the start of a ResNet.

    .. math:: \operatorname{ReLU}(\operatorname{norm}(W * (x - \mu) / \sigma + b))

    Args:
        weight: The filters.
        info: What the weights are.
        channel_names: One name for each filter.
        bias: What is added to each channel after the convolution.
        norm: The state of a batch normalisation after the convolution.
        stride: Step of the convolution.
        padding: Cells added on each side.
        padding_mode: "replicate" repeats the border, so that a filter sees no edge there;
            "zeros" is what networks are trained with.
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


def load_stem(
    key: str, *, seed: int = 0, channels: int = 16, folder: Path = STEM_FOLDER
) -> ConvStem:
    """A stem with the weights called `key`, in evaluation mode and without gradients.

    Args:
        key: A key of `STEMS`, or the name of a trained stem in `folder`.
        seed: The seed of the random filters; the other sets have none to choose.
        channels: How many random filters to draw; the other sets have a number of their own.
        folder: Where trained stems lie.

    Raises:
        StemUnavailable: If these weights cannot be had, in one sentence.

    Example:
        >>> load_stem("random", seed=3).info.seed
        3
        >>> print(load_stem("filters").channel_names[0])
        Edge, dark left to bright right
    """
    if key == "filters":
        stem = _filters()
    elif key == "random":
        stem = _random(seed, channels)
    elif key == "resnet18":
        stem = _resnet18()
    else:
        stem = _trained(key, folder)
    return stem.eval().requires_grad_(False)


def stem_on_disk(key: str, *, folder: Path = STEM_FOLDER) -> bool:
    """Whether `load_stem` can have the weights called `key` without a download.

    Example:
        >>> stem_on_disk("random")
        True
    """
    if key == "resnet18":
        return resnet18_file().is_file()
    return key in STEMS or key in _files(folder)


def default_stem(folder: Path = STEM_FOLDER) -> str:
    """The stem that a page shows first: one with learned poolings where there is one.

    Where there is none, a warning in the log says so.

    Example:
        >>> default_stem(Path("no such folder"))
        'filters'
    """
    if _DEFAULT in trained_stems(folder):
        return _DEFAULT
    logger.warning("%s is not in %s: the readable filters take its place.", _DEFAULT, folder)
    return "filters"


def trained_stems(folder: Path = STEM_FOLDER) -> dict[str, StemInfo]:
    """The trained stems in `folder`, by file name; only the head of each file is read.

    Such a file has the stem's `state_dict` with "stem." before each name, the `stem.mean` and
    `stem.std` of its input, and, where a pooling was learned with it, the `state_dict` of that
    layer with "hybrid." or "attention." before each name. Its metadata are strings: title, data,
    seed, epochs, accuracy (a share of 1), licence, stride, padding and padding_mode.

    A file that cannot be used is left out, with a warning in the log; `load_stem` says why. So is
    a `folder` that is not there: the project's own lies in its checkout, not in the wheel.

    Example:
        >>> trained_stems(Path("no such folder"))
        {}
    """
    if not folder.is_dir():
        logger.warning("There are no trained stems, because there is no folder %s.", folder)
    stems = {}
    for key, path in _files(folder).items():
        try:
            stems[key] = _read_info(path)
        except StemUnavailable as error:
            logger.warning("Left out of the stems: %s", error)
    return stems


def _numbered(template: str, channels: int) -> tuple[ChannelName, ...]:
    """Names that count from 1, as people do."""
    return tuple(ChannelName(template, {"number": number + 1}) for number in range(channels))


def _filters() -> ConvStem:
    bank = filter_bank()
    weight = torch.stack(list(bank.values()))
    zero_mean = weight.sum(dim=(1, 2, 3)).abs() < 0.5
    return ConvStem(
        weight,
        STEMS["filters"],
        tuple(ChannelName(name) for name in bank),
        bias=-THRESHOLD * zero_mean.float(),
    )


def _random(seed: int, channels: int) -> ConvStem:
    if channels < 1:
        raise ValueError(f"A random stem needs at least 1 channel, but got {channels}.")
    weight = torch.empty(channels, 3, 7, 7)
    generator = torch.Generator().manual_seed(seed)
    nn.init.kaiming_normal_(weight, nonlinearity="relu", generator=generator)
    return ConvStem(
        weight,
        replace(STEMS["random"], seed=seed),
        _numbered(channel_name("Random filter {number}"), channels),
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
    )


def _resnet18() -> ConvStem:
    state = resnet18_state()
    return ConvStem(
        state["conv1.weight"],
        STEMS["resnet18"],
        _numbered(channel_name("ResNet-18 filter {number}"), 64),
        norm={name[4:]: tensor for name, tensor in state.items() if name.startswith("bn1.")},
        padding_mode="zeros",
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
    )


def _files(folder: Path) -> dict[str, Path]:
    paths = sorted(folder.glob("*.safetensors"))
    return {path.stem: path for path in paths if path.stem not in STEMS}


def _read_info(path: Path) -> StemInfo:
    metadata, learned = read_head(path)
    title = metadata["title"]
    return StemInfo(
        path.stem,
        title,
        "The first convolution stage of a network that was trained with this project's own code.",
        trained=True,
        data=metadata["data"],
        licence=metadata["licence"],
        seed=int(metadata["seed"]),
        metadata=metadata,
        learned=learned,
    )


def _trained(key: str, folder: Path) -> ConvStem:
    path = _files(folder).get(key)
    if path is None and not folder.is_dir():
        raise StemUnavailable(
            "The stem {key} cannot be loaded, because there is no folder {folder}: name the folder "
            "assets/stems of a checkout of this project.",
            key=key,
            folder=folder,
        )
    if path is None:
        raise StemUnavailable("There is no stem called {key}: choose another one.", key=key)
    info = _read_info(path)
    parts: dict[str, dict[str, Tensor]] = {}
    for name, tensor in read_tensors(path).items():
        part, _, rest = name.partition(".")
        parts.setdefault(part, {})[rest] = tensor
    stem = parts.pop("stem")
    channels = len(stem["conv.weight"])
    return ConvStem(
        stem["conv.weight"],
        info,
        _numbered(channel_name("Learned filter {number}"), channels),
        bias=stem.get("conv.bias"),
        norm={name[3:]: tensor for name, tensor in stem.items() if name.startswith("bn.")},
        stride=int(info.metadata["stride"]),
        padding=int(info.metadata["padding"]),
        padding_mode=info.metadata["padding_mode"],
        mean=tuple(stem["mean"].tolist()),
        std=tuple(stem["std"].tolist()),
        pooling_state=parts,
    )
