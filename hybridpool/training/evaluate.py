"""What a trained network can do: clean, corrupted, occluded and shifted pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.swa_utils import update_bn

from hybridpool.pictures.corruptions import CIFAR10C_STYLE, corrupt
from hybridpool.training.data import MEAN, STD, Dataset
from hybridpool.training.records import Measures, Occlusion
from hybridpool.training.results import pack

SIDES = (4, 8, 12, 16)
SHAPES = ("block", "pixels")
FILLS = ("grey", "noise", "picture")
MAX_SHIFT = 3
#: The radii between low and high frequencies, in cycles along the side of a picture.
RADII = (4, 8, 12)
#: The side of the pictures that the sizes of occluders are given for.
_USUAL_SIDE = 32
#: How many training pictures are looked at for their accuracy and for batch normalisation.
TRAIN_SAMPLE = 10_000
_NORMALISING_SAMPLE = 4096
_BATCH = 512


Prepare = Callable[[Tensor], Tensor]
"""From uint8 pictures to what a network takes."""


def prepare(
    pictures: Tensor,
    mean: Tensor | tuple[float, ...] = MEAN,
    std: Tensor | tuple[float, ...] = STD,
) -> Tensor:
    """Prepare pictures for a network: from uint8 to normalised floats, channels last.

    Args:
        pictures: (N, 3, H, W) uint8.
        mean: Of each channel of the training pictures, as a share of 1.
        std: Their standard deviation.

    Example:
        >>> prepare(torch.zeros(1, 3, 2, 2, dtype=torch.uint8))[0, 0, 0, 0]  # -0.4914 / 0.2470
        tensor(-1.9895)
    """
    centre, spread = (
        torch.as_tensor(values, dtype=torch.float32, device=pictures.device).view(3, 1, 1)
        for values in (mean, std)
    )
    scaled = (pictures.float() / 255 - centre) / spread
    return scaled.contiguous(memory_format=torch.channels_last)


def preparation(dataset: Dataset) -> Prepare:
    """`prepare` with the mean and standard deviation of a dataset.

    Example:
        >>> black = torch.zeros(1, 3, 1, 1, dtype=torch.uint8)
        >>> few = Dataset("", black, torch.zeros(1), black, torch.zeros(1), mean=(0, 0, 0))
        >>> preparation(few)(black).abs().sum()
        tensor(0.)
    """
    # Sent to the device once: each transfer would wait until the device has done its work.
    device = dataset.train.device
    mean, std = (
        torch.tensor(values, dtype=torch.float32, device=device)
        for values in (dataset.mean, dataset.std)
    )
    return partial(prepare, mean=mean, std=std)


def normalise_batches(model: nn.Module, pictures: Tensor, prepare: Prepare = prepare) -> None:
    """Take the statistics of batch normalisation from training pictures as they are.

    These do not depend on how many processes trained the network.

    Example:
        >>> model = nn.BatchNorm2d(3)
        >>> normalise_batches(model, torch.zeros(8, 3, 2, 2, dtype=torch.uint8))
        >>> model.running_mean[0]
        tensor(-1.9895)
    """
    sample = pictures[:_NORMALISING_SAMPLE]
    update_bn((prepare(part) for part in torch.split(sample, _BATCH)), model)


@torch.no_grad()
def predictions(model: nn.Module, pictures: Tensor, prepare: Prepare = prepare) -> Tensor:
    """The class that the network sees in each picture, uint8 (N, 3, H, W).

    Example:
        >>> model = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        >>> predictions(model, torch.tensor([[[[255]], [[0]], [[0]]]], dtype=torch.uint8))
        tensor([0])
    """
    model.eval()
    return torch.cat([model(prepare(part)).argmax(1) for part in torch.split(pictures, _BATCH)])


def accuracy(
    model: nn.Module, pictures: Tensor, labels: Tensor, prepare: Prepare = prepare
) -> float:
    """The share of pictures whose class the network predicts.

    Example:
        >>> model = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        >>> black = torch.zeros(2, 3, 1, 1, dtype=torch.uint8)
        >>> accuracy(model, black, torch.tensor([0, 2]))  # after normalisation blue is largest
        0.5
    """
    return (predictions(model, pictures, prepare) == labels).float().mean().item()


@dataclass(frozen=True)
class Trials:
    """The changed pictures on which robustness is measured: the same ones for every network.

    Attributes:
        test: The first test pictures and their classes.
        train: At most as many training pictures that the network saw, and their classes.
        corrupted: By name, the test pictures at severity 1 to 5.
        occluded: By shape, fill and side, the test and the training pictures behind occluders.
        shifted: The test pictures under two different shifts.
        filtered: By band and radius, the test pictures with those frequencies alone.
    """

    test: tuple[Tensor, Tensor]
    train: tuple[Tensor, Tensor]
    corrupted: Mapping[str, tuple[Tensor, ...]]
    occluded: Mapping[tuple[str, str, int], tuple[Tensor, Tensor]]
    shifted: tuple[Tensor, Tensor]
    filtered: Mapping[str, Tensor]


def make_trials(dataset: Dataset, count: int) -> Trials:
    """Corrupt, cover, shift and filter the first `count` pictures, each change with its own seed.

    Example:
        >>> pictures = torch.zeros(4, 3, 32, 32, dtype=torch.uint8)
        >>> labels = torch.zeros(4, dtype=torch.long)
        >>> trials = make_trials(Dataset("", pictures, labels, pictures, labels), 2)
        >>> trials.corrupted["brightness"][4].unique()  # black has no value to raise
        tensor([76], dtype=torch.uint8)
    """
    test, train = dataset.test[:count], dataset.train[:count]
    sides = [side * test.shape[-1] // _USUAL_SIDE for side in SIDES]
    corrupted = {
        name: tuple(
            _corrupted(test, name, severity, seed=10 * number + severity)
            for severity in (1, 2, 3, 4, 5)
        )
        for number, name in enumerate(CIFAR10C_STYLE)
    }
    occluded = {
        (shape, fill, side): (
            occlude_each(test, shape, fill, side, seed=side),
            occlude_each(train, shape, fill, side, seed=100 + side),
        )
        for shape, fill, side in product(SHAPES, FILLS, sides)
    }
    filtered = {
        f"{band} {radius}": keep_frequencies(test, band, radius)
        for band, radius in product(("low", "high"), RADII)
    }
    return Trials(
        (test, dataset.test_labels[:count]),
        (train, dataset.train_labels[:count]),
        corrupted,
        occluded,
        (shift_each(test, seed=1), shift_each(test, seed=2)),
        filtered,
    )


def _corrupted(pictures: Tensor, name: str, severity: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    changed = corrupt(pictures.cpu().float() / 255, name, severity, generator)
    return (changed * 255).round().to(torch.uint8).to(pictures.device)


def occlude_each(pictures: Tensor, shape: str, fill: str, side: int, seed: int) -> Tensor:
    """Cover a part of each picture, at another place in each.

    Args:
        pictures: Uint8 (N, 3, H, W).
        shape: ``"block"``, a square that lies wholly inside, or ``"pixels"``, as many scattered.
        fill: ``"grey"``, ``"noise"``, or ``"picture"``: what the next picture shows there.
        side: Side of the square.
        seed: The seed of places and noise.

    Example:
        >>> black = torch.zeros(1, 3, 8, 8, dtype=torch.uint8)
        >>> int((occlude_each(black, "block", "grey", 4, seed=0)[0, 0] > 0).sum())
        16
    """
    count, _, height, width = pictures.shape
    generator = torch.Generator().manual_seed(seed)
    if shape == "block":
        top = torch.randint(height - side + 1, (count, 1, 1), generator=generator)
        left = torch.randint(width - side + 1, (count, 1, 1), generator=generator)
        rows, columns = torch.arange(height).view(1, -1, 1), torch.arange(width).view(1, 1, -1)
        covered = (rows >= top) & (rows < top + side) & (columns >= left) & (columns < left + side)
    else:
        order = torch.rand(count, height * width, generator=generator).argsort(1)
        covered = (order < side * side).view(count, height, width)
    if fill == "grey":
        filling = (torch.tensor(MEAN) * 255).round().to(torch.uint8).view(1, 3, 1, 1)
    elif fill == "noise":
        filling = torch.randint(256, pictures.shape, generator=generator, dtype=torch.uint8)
    else:
        filling = pictures.roll(1, 0)
    return torch.where(
        covered.unsqueeze(1).to(pictures.device), filling.to(pictures.device), pictures
    )


def shift_each(pictures: Tensor, seed: int, most: int = MAX_SHIFT) -> Tensor:
    """Shift each picture around its borders by up to `most` pixels along each side.

    Example:
        >>> picture = torch.arange(4).view(1, 1, 2, 2)
        >>> sorted(shift_each(picture, seed=0).flatten().tolist())
        [0, 1, 2, 3]
    """
    count, channels, height, width = pictures.shape
    by = torch.randint(
        -most, most + 1, (2, count, 1), generator=torch.Generator().manual_seed(seed)
    )
    rows = ((torch.arange(height) - by[0]) % height).to(pictures.device)
    columns = ((torch.arange(width) - by[1]) % width).to(pictures.device)
    return pictures[
        torch.arange(count, device=pictures.device).view(-1, 1, 1, 1),
        torch.arange(channels, device=pictures.device).view(1, -1, 1, 1),
        rows.view(count, 1, height, 1),
        columns.view(count, 1, 1, width),
    ]


def keep_frequencies(pictures: Tensor, band: str, radius: float) -> Tensor:
    """Leave in each picture its mean colour and one band of frequencies.

    Args:
        pictures: Uint8 (N, C, H, W).
        band: ``"low"`` for frequencies up to the radius, ``"high"`` for those above.
        radius: In cycles along the side of the picture.

    Example:
        >>> stripes = torch.tensor([[[[0, 200], [0, 200]]]], dtype=torch.uint8)
        >>> keep_frequencies(stripes, "low", 0.5).unique()  # the mean alone
        tensor([100], dtype=torch.uint8)
    """
    height, width = pictures.shape[-2:]
    rows, columns = torch.fft.fftfreq(height, 1 / height), torch.fft.rfftfreq(width, 1 / width)
    distance = (rows[:, None] ** 2 + columns**2).sqrt().to(pictures.device)
    kept = (distance <= radius) if band == "low" else (distance > radius) | (distance == 0)
    spectrum = torch.fft.rfft2(pictures.float()) * kept
    filtered: Tensor = torch.fft.irfft2(spectrum, s=(height, width))
    return filtered.round().clamp(0, 255).to(torch.uint8)


def measure(model: nn.Module, dataset: Dataset, trials: Trials | None) -> Measures:
    """Measure a trained network; without `trials`, only its accuracy.

    Example:
        >>> model = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        >>> black = torch.zeros(2, 3, 8, 8, dtype=torch.uint8)
        >>> two = torch.tensor([2, 2])
        >>> measure(model, Dataset("", black, two, black, two), None).clean
        1.0
    """
    ready = preparation(dataset)
    seen = dataset.train[:TRAIN_SAMPLE], dataset.train_labels[:TRAIN_SAMPLE]
    train = accuracy(model, *seen, ready)
    clean = predictions(model, dataset.test, ready) == dataset.test_labels
    if trials is None:
        share = _share(clean)
        return Measures(share, train, 0, share, train, {}, (), 1.0, right={"clean": pack(clean)})
    labels = trials.test[1]
    right = {
        name: predictions(model, pictures, ready) == labels
        for name, pictures in _test_trials(trials)
    }
    first, second = (predictions(model, each, ready) for each in trials.shifted)
    same = first == second
    clean_of_these = _share(clean[: len(labels)])
    train_of_these = accuracy(model, *trials.train, ready)
    gap = train_of_these - clean_of_these
    return Measures(
        clean=_share(clean),
        train=train,
        pictures=len(labels),
        clean_of_these=clean_of_these,
        train_of_these=train_of_these,
        corruptions={
            name: tuple(_share(right[f"{name} {severity}"]) for severity in (1, 2, 3, 4, 5))
            for name in trials.corrupted
        },
        occlusions=tuple(_occlusions(model, trials, right, gap, ready)),
        shift_consistency=_share(same),
        frequencies={name: _share(right[name]) for name in trials.filtered},
        right={
            name: pack(values) for name, values in ({"clean": clean, "shift": same} | right).items()
        },
    )


def _share(right: Tensor) -> float:
    return right.float().mean().item()


def _test_trials(trials: Trials) -> Iterator[tuple[str, Tensor]]:
    """The changed test pictures by the names that `right_of` takes."""
    for name, by_severity in trials.corrupted.items():
        for severity, pictures in enumerate(by_severity, 1):
            yield f"{name} {severity}", pictures
    for (shape, fill, side), (covered, _) in trials.occluded.items():
        yield f"{shape} {fill} {side}", covered
    yield from trials.filtered.items()


def _occlusions(
    model: nn.Module, trials: Trials, right: Mapping[str, Tensor], gap: float, prepare: Prepare
) -> Iterator[Occlusion]:
    sides = tuple(dict.fromkeys(side for _, _, side in trials.occluded))
    for shape, fill in product(SHAPES, FILLS):
        test = tuple(_share(right[f"{shape} {fill} {side}"]) for side in sides)
        train = tuple(
            accuracy(model, trials.occluded[shape, fill, side][1], trials.train[1], prepare)
            for side in sides
        )
        ratios = tuple(
            abs((seen - unseen) / gap) if gap else None
            for seen, unseen in zip(train, test, strict=True)
        )
        yield Occlusion(shape, fill, sides, test, train, ratios)


def crop_and_mirror(pictures: Tensor, corners: Tensor, mirrored: Tensor, side: int) -> Tensor:
    """Cut a square out of each picture and mirror some: the usual changes in training.

    Args:
        pictures: (N, C, H, W).
        corners: (N, 2) top and left corner of each square.
        mirrored: (N,) whether left and right change places.
        side: Side of the square.

    Example:
        >>> picture = torch.arange(9).view(1, 1, 3, 3)
        >>> crop_and_mirror(picture, torch.tensor([[1, 0]]), torch.tensor([True]), 2)
        tensor([[[[4, 3],
                  [7, 6]]]])
    """
    count, channels = pictures.shape[:2]
    device = pictures.device
    along = torch.arange(side, device=device)
    rows = corners[:, :1] + along
    columns = corners[:, 1:] + torch.where(mirrored.unsqueeze(1), side - 1 - along, along)
    return pictures[
        torch.arange(count, device=device).view(-1, 1, 1, 1),
        torch.arange(channels, device=device).view(1, -1, 1, 1),
        rows.view(count, 1, side, 1),
        columns.view(count, 1, 1, side),
    ]


def pad(pictures: Tensor, cells: int, edge: str = "black") -> Tensor:
    """Pictures (N, C, H, W) with a border of so many cells: black, or the picture mirrored.

    Example:
        >>> row = torch.tensor([[[[1, 2, 3]]]])
        >>> pad(row, 1)[0, 0].tolist()
        [[0, 0, 0, 0, 0], [0, 1, 2, 3, 0], [0, 0, 0, 0, 0]]
        >>> pad(row.expand(1, 1, 2, 3), 1, "mirrored")[0, 0, 0].tolist()
        [2, 1, 2, 3, 2]
    """
    if edge == "black":
        return F.pad(pictures, (cells,) * 4)

    def mirrored(length: int) -> Tensor:
        places = torch.arange(-cells, length + cells, device=pictures.device).abs()
        return length - 1 - (length - 1 - places).abs()

    # The mirrored mode of `F.pad` takes no whole numbers.
    return pictures[:, :, mirrored(pictures.shape[2])][..., mirrored(pictures.shape[3])]
