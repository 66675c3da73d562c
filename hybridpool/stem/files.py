"""Where a stem's weights come from: torchvision's download, or a trained file."""

import hashlib
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from urllib.request import Request, urlopen

import torch
from torch import Tensor

from hybridpool.errors import SentenceError

_ANSWER_SECONDS = 6.0
_STALL_SECONDS = 10.0
_download_lock = threading.Lock()

_TRAINED_METADATA = {
    "title": ".+",
    "data": ".+",
    "seed": r"\d{1,18}",
    "epochs": r"\d{1,9}",
    "accuracy": r"0?\.\d+|[01]|1\.0+",
    "licence": ".+",
    "stride": r"[1-9]\d?",
    "padding": r"\d{1,2}",
    "padding_mode": "zeros|replicate",
}
# The tensors of a trained stem by part, with their shapes: the same letter is the same size, and
# "?" allows 1 instead.
_TRAINED_TENSORS = {
    "stem": {"stem.conv.weight": "C 3 K K", "stem.mean": "3", "stem.std": "3"},
    "stem.conv.bias": {"stem.conv.bias": "C"},
    "stem.bn": {
        "stem.bn.weight": "C",
        "stem.bn.bias": "C",
        "stem.bn.running_mean": "C",
        "stem.bn.running_var": "C",
        "stem.bn.num_batches_tracked": "",
    },
    "hybrid": {"hybrid.weight": "C?"},
    "attention": {
        "attention.fc.0.weight": "H C",
        "attention.fc.0.bias": "H",
        "attention.fc.2.weight": "C H",
        "attention.fc.2.bias": "C",
    },
}


class StemUnavailable(SentenceError, RuntimeError):  # noqa: N818 - it says what is the case, as a sentence
    """A set of weights that cannot be had.

    Example:
        >>> str(StemUnavailable("There is no stem called {key}.", key="vgg"))
        'There is no stem called vgg.'
    """


def resnet18_url() -> str:
    """Where torchvision offers the ImageNet weights of its ResNet-18.

    Example:
        >>> resnet18_url().endswith(".pth")
        True
    """
    # Not at the top: torchvision takes longer to import than all the rest of the page together.
    from torchvision.models import ResNet18_Weights

    url: str = ResNet18_Weights.IMAGENET1K_V1.url
    return url


def resnet18_file() -> Path:
    """Where torch.hub keeps the weights of ResNet-18, whether they are there or not.

    Example:
        >>> resnet18_file().parent.name
        'checkpoints'
    """
    return Path(torch.hub.get_dir()) / "checkpoints" / resnet18_url().rpartition("/")[2]


def resnet18_state() -> dict[str, Tensor]:
    """torchvision's ImageNet weights of ResNet-18: from the disk, else downloaded.

    Raises:
        StemUnavailable: If they cannot be had, in one sentence.

    Example:
        >>> sorted(resnet18_state())[:2]  # doctest: +SKIP
        ['bn1.bias', 'bn1.running_mean']
    """
    path = resnet18_file()
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
    if not _answers(resnet18_url()):
        raise StemUnavailable(
            "The ImageNet weights of ResNet-18 are not on this machine and cannot be downloaded "
            "now: connect it to the internet, or go on without them."
        )
    timeout = socket.getdefaulttimeout()
    # torch.hub takes no time-out of its own: without this a stalled download never ends.
    socket.setdefaulttimeout(_STALL_SECONDS)
    try:
        torch.hub.load_state_dict_from_url(
            resnet18_url(), str(path.parent), progress=False, check_hash=True, weights_only=True
        )
    except (OSError, HTTPException, RuntimeError) as error:
        raise StemUnavailable(
            "The download of the ImageNet weights of ResNet-18 broke off or could not be saved: "
            "try again, or go on without them."
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


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    # Only trained stems need it: counting and timing poolings works without it.
    from safetensors import SafetensorError

    try:
        yield
    except (SafetensorError, OSError) as error:
        raise StemUnavailable(
            "The trained stem {file} cannot be read, because it is damaged or is no safetensors "
            "file: copy it again.",
            file=path.name,
        ) from error


def read_head(path: Path) -> tuple[dict[str, str], tuple[str, ...]]:
    """The metadata of a trained stem, and the poolings that were learned with it.

    Every entry is checked; the tensors are not read yet.

    Raises:
        StemUnavailable: If the file or an entry cannot be used, in one sentence.

    Example:
        >>> read_head(Path("no such file.safetensors"))
        Traceback (most recent call last):
        hybridpool.stem.files.StemUnavailable: The trained stem no such file.safetensors cannot ...
    """
    from safetensors import safe_open

    with _reading(path), safe_open(path, framework="pt") as file:
        metadata: dict[str, str] = file.metadata() or {}
        parts = {name.partition(".")[0] for name in file.keys()}  # noqa: SIM118 - not a dict
    for name, pattern in _TRAINED_METADATA.items():
        if not re.fullmatch(pattern, metadata.get(name, "")):
            raise StemUnavailable(
                "The trained stem {file} says {value} as its {name}, which cannot be used: "
                "save it again with metadata that fit.",
                file=path.name,
                name=name,
                value=repr(metadata.get(name, "")),
            )
    return metadata, tuple(part for part in ("hybrid", "attention") if part in parts)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a trained stem, checked to be complete and to fit together.

    Raises:
        StemUnavailable: If the file cannot be read, or a tensor is missing or does not fit.

    Example:
        >>> read_tensors(Path("no such file.safetensors"))
        Traceback (most recent call last):
        hybridpool.stem.files.StemUnavailable: The trained stem no such file.safetensors cannot ...
    """
    from safetensors.torch import load_file

    with _reading(path):
        tensors = load_file(path)
    expected: dict[str, str] = {}
    for part, shapes in _TRAINED_TENSORS.items():
        if part == "stem" or any(name in tensors for name in shapes):
            expected |= shapes
    sizes: dict[str, int] = {}
    for name in (*expected, *sorted(tensors.keys() - expected.keys())):
        if name not in tensors:
            raise StemUnavailable(
                "The trained stem {file} lacks {name}: save it again.", file=path.name, name=name
            )
        tensor = tensors[name]
        fits = name in expected and _fits(tensor, expected[name].split(), sizes)
        if not fits or (name == "stem.std" and tensor.min() <= 0):
            raise StemUnavailable(
                "The trained stem {file} holds {name} with the shape {shape} or with numbers that "
                "do not fit the rest: save it again.",
                file=path.name,
                name=name,
                shape=tuple(tensor.shape),
            )
    return tensors


def _fits(tensor: Tensor, shape: list[str], sizes: dict[str, int]) -> bool:
    """Whether a tensor is finite and has this shape, given the sizes that letters have so far."""
    if tensor.ndim != len(shape) or 0 in tensor.shape or not tensor.isfinite().all():
        return False
    for letter, size in zip(shape, tensor.shape, strict=True):
        if letter.endswith("?") and size == 1:
            continue
        known = int(letter) if letter.isdigit() else sizes.setdefault(letter.rstrip("?"), size)
        if size != known:
            return False
    return True
