"""The convolutional stem: one convolution stage, and the sets of weights that it can carry."""

import hashlib
import logging
import re
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torchvision.models import ResNet18_Weights

from hybridpool.filters import THRESHOLD, ChannelName, channel_name, filter_bank

__all__ = [
    "STEMS",
    "STEM_FOLDER",
    "ChannelName",
    "ConvStem",
    "StemInfo",
    "StemUnavailable",
    "channel_name",
    "load_stem",
    "stem_on_disk",
    "trained_stems",
]

logger = logging.getLogger(__name__)

STEM_FOLDER = Path(__file__).resolve().parents[1] / "assets" / "stems"
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

_RESNET18_URL: str = ResNet18_Weights.IMAGENET1K_V1.url
_ANSWER_SECONDS = 6.0
_STALL_SECONDS = 10.0
_download_lock = threading.Lock()

_METADATA = (
    "title",
    "data",
    "seed",
    "epochs",
    "accuracy",
    "licence",
    "stride",
    "padding",
    "padding_mode",
)
_NORM = ("weight", "bias", "running_mean", "running_var")


class StemUnavailable(RuntimeError):  # noqa: N818 - it says what is the case, as a sentence
    """A set of weights that cannot be had, said in one plain sentence.

    Args:
        template: The sentence in English, to be translated, with `str.format` fields.
        **values: The values of those fields.

    Example:
        >>> str(StemUnavailable("There is no stem called {key}.", key="vgg"))
        'There is no stem called vgg.'
    """

    def __init__(self, template: str, **values: object) -> None:
        super().__init__(template.format(**values))
        self.template = template
        self.values = values


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
        self.bn = nn.Identity() if norm is None else nn.BatchNorm2d(channels)
        if norm is not None:
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
        return _resnet18_file().is_file()
    return key in STEMS or key in _files(folder)


def trained_stems(folder: Path = STEM_FOLDER) -> dict[str, StemInfo]:
    """The trained stems in `folder`, by file name; only the head of each file is read.

    A file that cannot be used is left out, with a warning in the log. Its name still gets the
    sentence that says why from `load_stem`.

    Example:
        >>> trained_stems(Path("no such folder"))
        {}
    """
    stems = {}
    for key, path in _files(folder).items():
        try:
            with _open(path) as file:
                stems[key] = _trained_info(path, file.metadata() or {})
        except StemUnavailable as error:
            logger.warning("Left out of the stems: %s", error)
    return stems


def _numbered(template: str, channels: int) -> tuple[ChannelName, ...]:
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
    state = _resnet18_state()
    return ConvStem(
        state["conv1.weight"],
        STEMS["resnet18"],
        _numbered(channel_name("ResNet-18 filter {number}"), 64),
        norm={name: state[f"bn1.{name}"] for name in _NORM},
        padding_mode="zeros",
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
    )


def _resnet18_file() -> Path:
    return Path(torch.hub.get_dir()) / "checkpoints" / _RESNET18_URL.rpartition("/")[2]


def _resnet18_state() -> dict[str, Tensor]:
    path = _resnet18_file()
    with _download_lock:
        if not path.exists():
            _download(path)
    expected = re.search(r"-([0-9a-f]{8,})\.", path.name)
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise StemUnavailable(
            "The file {file} with the weights of ResNet-18 cannot be read: check its permissions.",
            file=path.name,
        ) from error
    if expected is None or not digest.startswith(expected[1]):
        raise StemUnavailable(
            "The file {file} with the weights of ResNet-18 is damaged: delete it from the "
            "checkpoints folder of torch.hub, and it is downloaded again.",
            file=path.name,
        )
    state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def _download(path: Path) -> None:
    """Fetch ResNet-18's weights as torchvision does, but never wait long for an answer."""
    if not _answers(_RESNET18_URL):
        raise StemUnavailable(
            "The ImageNet weights of ResNet-18 are not on this machine and cannot be downloaded "
            "now: connect it to the internet, or choose another stem."
        )
    timeout = socket.getdefaulttimeout()
    # torch.hub takes no time-out of its own: without this a stalled download never ends.
    socket.setdefaulttimeout(_STALL_SECONDS)
    try:
        torch.hub.load_state_dict_from_url(
            _RESNET18_URL, str(path.parent), progress=False, check_hash=True, weights_only=True
        )
    except (OSError, HTTPException, RuntimeError) as error:
        raise StemUnavailable(
            "The download of the ImageNet weights of ResNet-18 broke off or could not be saved: "
            "try again, or choose another stem."
        ) from error
    finally:
        socket.setdefaulttimeout(timeout)


def _answers(url: str) -> bool:
    """Whether a server answers for `url` soon; a slow look-up of its name counts as no."""
    answered = threading.Event()

    def ask() -> None:
        with (
            suppress(OSError, HTTPException),
            urlopen(Request(url, method="HEAD"), timeout=_ANSWER_SECONDS),
        ):
            answered.set()

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(_ANSWER_SECONDS)
    return answered.is_set()


def _files(folder: Path) -> dict[str, Path]:
    return {
        path.stem: path for path in sorted(folder.glob("*.safetensors")) if path.stem not in STEMS
    }


def _open(path: Path) -> Any:
    try:
        return safe_open(path, framework="pt")
    except (SafetensorError, OSError) as error:
        raise StemUnavailable(
            "The trained stem {file} cannot be read: the file is damaged or is not safetensors.",
            file=path.name,
        ) from error


def _trained_info(path: Path, metadata: Mapping[str, str]) -> StemInfo:
    missing = [name for name in _METADATA if name not in metadata]
    if missing:
        raise StemUnavailable(
            "The trained stem {file} does not say its {names}: save it again with these in its "
            "metadata.",
            file=path.name,
            names=", ".join(missing),
        )
    for name in ("seed", "stride", "padding"):
        if not re.fullmatch(r"\d{1,18}", metadata[name]):
            raise StemUnavailable(
                "The trained stem {file} says {value} for its {name}: save it again with a whole "
                "number there.",
                file=path.name,
                name=name,
                value=repr(metadata[name]),
            )
    return StemInfo(
        path.stem,
        metadata["title"],
        "The first convolution stage of a network that was trained with this project's own code.",
        trained=True,
        data=metadata["data"],
        licence=metadata["licence"],
        seed=int(metadata["seed"]),
        metadata=metadata,
    )


def _trained(key: str, folder: Path) -> ConvStem:
    path = _files(folder).get(key)
    if path is None:
        raise StemUnavailable("There is no stem called {key}: choose another one.", key=key)
    with _open(path) as file:
        info = _trained_info(path, file.metadata() or {})
        tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    _check_trained(path, tensors)
    groups: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        group, _, rest = name.partition(".")
        groups.setdefault(group, {})[rest] = tensor
    stem = groups.pop("stem")
    norm = {name: stem[f"bn.{name}"] for name in _NORM} if "bn.weight" in stem else None
    return ConvStem(
        stem["conv.weight"],
        info,
        _numbered(channel_name("Learned filter {number}"), len(stem["conv.weight"])),
        bias=stem.get("conv.bias"),
        norm=norm,
        stride=int(info.metadata["stride"]),
        padding=int(info.metadata["padding"]),
        padding_mode=info.metadata["padding_mode"],
        mean=tuple(stem["mean"].tolist()),
        std=tuple(stem["std"].tolist()),
        pooling_state=groups,
    )


def _check_trained(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Refuse a file whose tensors do not fit together, before anything is built from them."""
    weight = tensors.get("stem.conv.weight", torch.empty(0))
    shape = tuple(weight.shape)
    channels = shape[0] if len(shape) == 4 else 1
    hidden = len(tensors.get("attention.fc.0.bias", ()))
    expected: dict[str, tuple[tuple[int, ...], ...]] = {
        "stem.conv.weight": ((channels, 3, *shape[-1:], *shape[-1:]),),
        "stem.conv.bias": ((channels,),),
        "stem.mean": ((3,),),
        "stem.std": ((3,),),
        **{f"stem.bn.{name}": ((channels,),) for name in _NORM},
        "stem.bn.num_batches_tracked": ((),),
        "hybrid.weight": ((1,), (channels,)),
        "attention.fc.0.weight": ((hidden, channels),),
        "attention.fc.0.bias": ((hidden,),),
        "attention.fc.2.weight": ((channels, hidden),),
        "attention.fc.2.bias": ((channels,),),
    }
    needed = {"stem.conv.weight", "stem.mean", "stem.std"}
    for prefix in ("stem.bn.", "attention."):
        if any(name.startswith(prefix) for name in tensors):
            needed |= {name for name in expected if name.startswith(prefix)}
    missing = sorted(needed - tensors.keys() - {"stem.bn.num_batches_tracked"})
    if missing:
        raise StemUnavailable(
            "The trained stem {file} lacks {names}: save it again with these tensors.",
            file=path.name,
            names=", ".join(missing),
        )
    for name, tensor in tensors.items():
        if name not in expected or tuple(tensor.shape) not in expected[name]:
            raise StemUnavailable(
                "The trained stem {file} holds {name} of shape {shape}, which does not fit a stem "
                "of {channels} channels: save it again.",
                file=path.name,
                name=name,
                shape=tuple(tensor.shape),
                channels=channels,
            )
        if not torch.isfinite(tensor).all():
            raise StemUnavailable(
                "The trained stem {file} holds numbers in {name} that are not finite: train and "
                "save it again.",
                file=path.name,
                name=name,
            )
