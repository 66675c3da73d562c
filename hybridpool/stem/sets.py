"""The sets of weights that a stem can carry: built in, downloaded, or trained files."""

import logging
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor, nn

from hybridpool.stem.conv import ConvStem, StemInfo
from hybridpool.stem.files import (
    StemUnavailable,
    read_head,
    read_tensors,
    resnet18_file,
    resnet18_state,
)
from hybridpool.stem.filters import THRESHOLD, ChannelName, channel_name, filter_bank

logger = logging.getLogger(__name__)

STEM_FOLDER = Path(__file__).resolve().parents[2] / "assets" / "stems"
_DEFAULT = "cifar10-channel"
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

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


def load_stem(
    key: str, *, seed: int = 0, channels: int = 16, folder: Path = STEM_FOLDER
) -> ConvStem:
    """A stem with the weights called `key`, in evaluation mode and without gradients.

    Args:
        key: A key of `STEMS`, or the name of a trained stem in `folder`.
        seed: The seed of the random filters; the other sets ignore it.
        channels: How many random filters to draw; the other sets ignore it.
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


def stem_info(key: str) -> StemInfo:
    """What is known of a stem without loading it: one of `STEMS` or of the trained ones.

    Raises:
        KeyError: If there is no such stem.

    Example:
        >>> stem_info("filters").learned
        ()
    """
    return (STEMS | trained_stems())[key]


def trained_stems(folder: Path = STEM_FOLDER) -> dict[str, StemInfo]:
    """The trained stems in `folder`, by file name; only the head of each file is read.

    Such a file has the stem's `state_dict` with "stem." before each name, the `stem.mean` and
    `stem.std` of its input, and, where a pooling was learned with it, the `state_dict` of that
    layer with "hybrid." or "attention." before each name. Its metadata are strings: title, data,
    seed, epochs, accuracy (a share of 1), licence, stride, padding and padding_mode.

    A file that cannot be used is left out with a warning in the log; `load_stem` says why. A
    missing `folder` is logged too: the project's own is in its checkout, not in the wheel.

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
    """Names that are numbered from 1."""
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
    """What the head of a file says; it is read again once the file is another."""
    try:
        known = path.stat()
    except OSError:
        return _info_of(path, 0, 0)
    return _info_of(path, known.st_mtime_ns, known.st_size)


@lru_cache(64)
def _info_of(path: Path, _changed: int, _size: int) -> StemInfo:
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
