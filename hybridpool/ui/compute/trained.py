"""Results and trained networks from files, and the answers of these networks."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from hybridpool.answer import (
    Answer,
    AnswerCurve,
    Change,
    ImageNetNetwork,
    Network,
    OpenStage,
    Places,
    Stage,
    answer,
    answer_curve,
    dialled,
    imagenet_answers,
    imagenet_network,
    kind_of,
    network_files,
    open_stage,
    places,
    read_fit_network,
    stages,
    test_pictures,
)
from hybridpool.stem import StemUnavailable
from hybridpool.trace import resolve_device
from hybridpool.training.claims import Evidence
from hybridpool.training.data import DataUnavailable
from hybridpool.training.network_files import NetworkFileError
from hybridpool.training.records import Run
from hybridpool.training.results import ResultsError, read_run
from hybridpool.ui.compute.process import at_work, keeping, prepare
from hybridpool.ui.compute.turns import Waiting, once, queued


@dataclass(frozen=True)
class Stored:
    """The results in a folder.

    Attributes:
        runs: The runs that could be read.
        problems: The error of each other file.
        judged: The verdicts so far, by group and arm.
    """

    runs: list[Run]
    problems: list[ResultsError]
    judged: dict[tuple[str, str], Evidence] = field(default_factory=dict)


def results(folder: Path) -> Stored:
    """The results in a folder and below it.

    Files that change, come or go are seen at the next look.
    """
    stamps = []
    for path in sorted(folder.rglob("*.json")):
        with suppress(OSError):
            found = path.stat()
            stamps.append((str(path.relative_to(folder)), found.st_size, found.st_mtime_ns))
    return _results(str(folder), tuple(stamps))


@keeping(4)
def _results(folder: str, stamps: tuple[tuple[str, int, int], ...]) -> Stored:
    runs, problems = [], []
    for name, _, _ in stamps:
        try:
            runs.append(read_run((Path(folder) / name).read_bytes(), name))
        except OSError:
            continue  # taken away since it was listed
        except ResultsError as found:
            problems.append(found.alone())
    return Stored(runs, problems)


def networks(folder: Path) -> list[Network]:
    """The trained networks in a folder, by pooling and seed; what cannot be read is left out.

    Files that change, come or go are seen at the next look.
    """
    stamps = []
    for path in network_files(folder):
        with suppress(OSError):
            found = path.stat()
            stamps.append((path.name, found.st_size, found.st_mtime_ns))
    return _networks(str(folder), tuple(stamps))


@keeping(4)
def _networks(folder: str, stamps: tuple[tuple[str, int, int], ...]) -> list[Network]:
    prepare()
    found = []
    for name, *_ in stamps:
        with suppress(NetworkFileError, OSError):
            found.append(read_fit_network(Path(folder) / name))
    return found


# A failure is remembered for a minute: somebody may put the copy there while the page runs.
@keeping(8, ttl=60)
def test_set(folder: Path) -> tuple[Tensor, tuple[int, ...], tuple[int, ...]] | DataUnavailable:
    """The test pictures that are offered from a person's own copy of CIFAR-10, or why none are."""
    try:
        return _test_set(folder)
    except DataUnavailable as problem:
        return problem


# What is raised is not kept.
@keeping(8)
def _test_set(folder: Path) -> tuple[Tensor, tuple[int, ...], tuple[int, ...]]:
    return test_pictures(folder)


def asked(
    network: Network, clean: Tensor, named: str, change: Change, weight: float | None
) -> Answer:
    """What a network says of a picture and of the changed one.

    `named` names the picture beyond doubt; a `weight` takes the place of the network's own blends.
    """
    return _asked(network.key, named, change.canonical(), weight, network, clean)


@keeping(2048)
def _asked(
    key: str, named: str, change: Change, weight: float | None, _network: Network, _clean: Tensor
) -> Answer:
    prepare()
    return at_work(answer, dialled(_network, weight), _clean, change.apply(_clean))


def answer_curves(
    networks: Mapping[str, Sequence[Network]],
    clean: Tensor,
    named: str,
    change: Change,
    weight: float | None,
) -> Generator[AnswerCurve | Waiting, None, None]:
    """The answers of networks at every level of a kind of change, growing until they are whole."""
    keys = tuple((arm, tuple(each.key for each in ones)) for arm, ones in networks.items())
    kind = kind_of(change)
    kept = _kept_curve(keys, named, kind, weight)

    def curve() -> Iterator[AnswerCurve]:
        turned = {arm: [dialled(each, weight) for each in ones] for arm, ones in networks.items()}
        return answer_curve(turned, clean, kind)

    return queued(curve, kept)


@keeping(48)
def _kept_curve(
    keys: tuple[tuple[str, tuple[str, ...]], ...], named: str, kind: Change, weight: float | None
) -> list[AnswerCurve]:
    return []


def answer_places(
    network: Network, image: Tensor, named: str, weight: float | None
) -> Generator[Places | Waiting, None, None]:
    """What a network says of a picture with a patch at every place."""
    kept = _kept_places(network.key, named, weight)
    return once(lambda: places(dialled(network, weight), image), kept)


@keeping(256)
def _kept_places(key: str, named: str, weight: float | None) -> list[Places]:
    return []


def answer_stages(network: Network, image: Tensor, named: str, weight: float | None) -> list[Stage]:
    """What each pooling of a network hands on, and which channels speak for its answer."""
    return _answer_stages(network.key, named, weight, network, image)


@keeping(256)
def _answer_stages(
    key: str, named: str, weight: float | None, _network: Network, _image: Tensor
) -> list[Stage]:
    prepare()
    return at_work(stages, dialled(_network, weight), _image)


def opened_stage(
    network: Network, number: int, image: Tensor, named: str, weight: float | None
) -> OpenStage:
    """One pooling of a network, from 0, with its windows; the last one where there are fewer."""
    return _opened_stage(network.key, number, named, weight, network, image)


@keeping(64)
def _opened_stage(
    key: str, number: int, named: str, weight: float | None, _network: Network, _image: Tensor
) -> OpenStage:
    prepare()
    return at_work(open_stage, dialled(_network, weight), _image, number)


def asked_imagenet(
    image: Tensor, named: str, change: Change, weights: tuple[float, ...], device: str
) -> tuple[tuple[str, ...], tuple[Answer, ...]]:
    """The classes of ResNet-18, and what it says with each blend weight in its one pooling.

    `named` names the picture (3, 224, 224) beyond doubt.

    Raises:
        StemUnavailable: If its weights cannot be had.
    """
    network = _imagenet()
    if isinstance(network, StemUnavailable):
        raise network
    found = _asked_imagenet(named, change.canonical(), weights, device, network, image)
    return network.classes, found


# A failure is remembered for a minute too, as that of a stem.
@keeping(1, ttl=60)
def _imagenet() -> ImageNetNetwork | StemUnavailable:
    prepare()
    try:
        return imagenet_network()
    except StemUnavailable as problem:
        return problem


@keeping(256)
def _asked_imagenet(
    named: str,
    change: Change,
    weights: tuple[float, ...],
    device: str,
    _network: ImageNetNetwork,
    _image: Tensor,
) -> tuple[Answer, ...]:
    pictures = torch.stack([_image, change.apply(_image)])
    said = at_work(imagenet_answers, _network, pictures, weights, resolve_device(device))
    found = said.tolist()
    return tuple(Answer(tuple(clean), tuple(changed)) for clean, changed in found)
