"""What a training run found, as frozen records."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

EDGES = ("black", "mirrored")
"""What comes in at the edge of a shifted picture: nothing, or the picture itself."""


@dataclass(frozen=True)
class RunSettings:
    """Everything that decides the numbers of a run.

    Attributes:
        data: Name of the pictures.
        network: Key of `hybridpool.training.networks.NETWORKS`.
        width: How many channels the first stage of the network has.
        arm: Key of `hybridpool.training.arms.ARMS`: the pooling.
        seed: The seed of the first weights, of the order of the pictures and of their changes; arms
            with the same seed share all three.
        epochs: How often every training picture is seen.
        train_pictures: How many training pictures there are; the first of each class.
        held_out: How many training pictures are held out, and take the place of the test pictures:
            for choosing a setting. 0 in a run whose result counts.
        batch_size: Pictures a step.
        parts: In how many equal parts a batch is normalised.
        learning_rate: At its highest; it rises and falls over the run (one cycle).
        blend_rate: The same for the parameters that decide the blends: logits, attention, gating
            masks.
        blend_optimizer: Their optimizer: ``"adam"``, whose steps do not depend on the size of the
            gradient, or ``"sgd"``, as for all other weights.
        blend_start: Where learned blend weights start; None is the article's drawn start.
        frozen_at: The blend weight of each pooling layer, for the arm ``"frozen"``.
        momentum: Nesterov's momentum.
        weight_decay: The weight decay of all other parameters.
        smoothing: How much of each label is spread over all classes.
        augment: Whether training pictures are shifted and mirrored.
        shift: By how many pixels at most they are shifted, in each direction.
        edge: What comes in at the edge, one of `EDGES`.
        precision: ``"float32"``, or ``"bfloat16"`` for the forward pass.
        measured_pictures: How many pictures robustness is measured on, of test and training set.

    Example:
        >>> RunSettings(arm="hybrid", seed=3).name
        'small16-hybrid-50000-seed3-...'
    """

    data: str = "CIFAR-10"
    network: str = "small"
    width: int = 16
    arm: str = "hybrid"
    seed: int = 0
    epochs: int = 10
    train_pictures: int = 50_000
    held_out: int = 0
    batch_size: int = 256
    parts: int = 1
    learning_rate: float = 0.4
    blend_rate: float = 0.01
    blend_optimizer: str = "adam"
    blend_start: float | None = 0.5
    frozen_at: tuple[float, ...] = ()
    momentum: float = 0.9
    weight_decay: float = 5e-4
    smoothing: float = 0.1
    augment: bool = True
    shift: int = 4
    edge: str = "black"
    precision: str = "float32"
    measured_pictures: int = 2000

    @property
    def name(self) -> str:
        """The name of the run and of its files; runs with other settings have other names."""
        settings = dict(item for item in asdict(self).items() if item not in LATER.items())
        told = json.dumps(settings, sort_keys=True)
        digest = hashlib.sha256(told.encode()).hexdigest()[:8]
        return (
            f"{self.network}{self.width}-{self.arm}-{self.train_pictures}-seed{self.seed}-{digest}"
        )

    def option(self, name: str) -> list[str]:
        """One setting as the command line takes it; nothing where no option says it.

        Example:
            >>> RunSettings(blend_start=None).option("blend_start")
            ['--blend-start', 'article']
        """
        value, option = getattr(self, name), f"--{name.replace('_', '-')}"
        if name in ("arm", "seed"):
            return [f"{option}s", str(value)]
        if name == "augment":
            return [] if value else ["--no-augment"]
        if name == "frozen_at":
            return [option, *map(str, value)] if value else []
        if name == "blend_start" and value is None:
            return [option, "article"]
        return [option, str(value)]

    @property
    def group(self) -> RunSettings:
        """What comparable runs share: all settings but the arm, the seed and those of an arm alone.

        Example:
            >>> RunSettings(arm="max", seed=3).group == RunSettings(arm="channel", seed=1).group
            True
        """
        plain = RunSettings()
        return replace(
            self,
            arm="",
            seed=0,
            blend_rate=plain.blend_rate,
            blend_optimizer=plain.blend_optimizer,
            frozen_at=(),
        )


def is_cifar10(name: str) -> bool:
    """Whether data of this name are CIFAR-10, downloaded or a JPEG copy, of whatever size.

    Example:
        >>> is_cifar10("CIFAR-10 (JPEG copy) at 64 pixels"), is_cifar10("birds")
        (True, False)
    """
    return name.startswith("CIFAR-10")


LATER = {name: getattr(RunSettings(), name) for name in ("shift", "edge")}
"""Settings that came later, with what held before: with these values a run keeps its name."""


@dataclass(frozen=True)
class Epoch:
    """The state after so many epochs; accuracies are shares of 1.

    Attributes:
        epoch: How many epochs are done.
        loss: Mean cross-entropy over the epoch, on changed training pictures.
        train_accuracy: Accuracy on some training pictures as they are.
        held_out_accuracy: Accuracy on the held-out training pictures; None if there are none. The
            test pictures are looked at once, at the end.
        seconds: Time of training so far, without measurements.
    """

    epoch: int
    loss: float
    train_accuracy: float
    held_out_accuracy: float | None
    seconds: float


@dataclass(frozen=True)
class Occlusion:
    """Accuracy behind an occluder of one shape and fill, by size.

    Attributes:
        shape: ``"block"``, one square at a random place, or ``"pixels"``, as many scattered ones.
        fill: ``"grey"`` (the mean colour), ``"noise"`` or ``"picture"`` (part of another one).
        sides: Side of the square in pixels; scattered pixels are as many as the square has.
        test: Accuracy on test pictures, for each side.
        train: Accuracy on training pictures, for each side.
        iocclusion: abs((train - test) / (train - test without occluder)), for each side; None
            where there is no gap to divide by (Marcu, arXiv:2211.13734).
    """

    shape: str
    fill: str
    sides: tuple[int, ...]
    test: tuple[float, ...]
    train: tuple[float, ...]
    iocclusion: tuple[float | None, ...]


@dataclass(frozen=True)
class Measures:
    """The measurements of a trained network; accuracies are shares of 1.

    Attributes:
        clean: Accuracy on all test pictures.
        train: Accuracy on training pictures, at most 10,000.
        pictures: How many test pictures everything below was measured on.
        clean_of_these: Accuracy on those, unchanged.
        train_of_these: Accuracy on as many training pictures, unchanged.
        corruptions: Accuracy by CIFAR-10-C style corruption, at severity 1 to 5.
        occlusions: Accuracy behind occluders.
        shift_consistency: Share of pictures whose class stays the same under two random circular
            shifts of up to three pixels.
        frequencies: Accuracy on those with only frequencies up to a radius, in cycles a picture
            (``"low 4"``), or only above it and the mean colour (``"high 4"``).
        right: Which test pictures were right, packed: read it with `right_of`.
    """

    clean: float
    train: float
    pictures: int
    clean_of_these: float
    train_of_these: float
    corruptions: Mapping[str, tuple[float, ...]]
    occlusions: tuple[Occlusion, ...]
    shift_consistency: float
    frequencies: Mapping[str, float] = field(default_factory=dict)
    right: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Costs:
    """The costs of a network and of one step of its training.

    Attributes:
        parameters: How many the whole network has.
        pooling_parameters: How many its pooling layers have.
        operations: Floating-point operations of convolutions and matrix products for one picture,
            as torch counts them; poolings themselves are not among these.
        seconds_per_step: Median over the run.
        peak_memory: Bytes: of a GPU's memory at its fullest, or on the CPU of what autograd keeps
            from the forward to the backward pass of one step.
    """

    parameters: int
    pooling_parameters: int
    operations: int
    seconds_per_step: float
    peak_memory: int


@dataclass(frozen=True)
class Run:
    """One trained network.

    Attributes:
        settings: What decided the numbers.
        data: The pictures it was trained on: name, digest, and the size of training and test set.
        environment: Versions, device, threads, processes, and when it ended.
        command: The command that repeats it.
        history: One entry for each epoch that was measured: about ten, the last among them.
        weight_steps: The steps at which blend weights were noted.
        weights: For each pooling layer with blend weights that can change, those weights at each
            step: one number, or one for each channel; for attention and gates the mean over a
            batch. The last are those of the network as it was measured.
        measures: The measurements at the end.
        costs: What it cost.
        classes: The names of the classes, in the order of the network's scores.
    """

    settings: RunSettings
    data: Mapping[str, Any]
    environment: Mapping[str, Any]
    command: str
    history: tuple[Epoch, ...]
    weight_steps: tuple[int, ...]
    weights: Mapping[str, tuple[tuple[float, ...], ...]]
    measures: Measures
    costs: Costs
    classes: tuple[str, ...] = ()

    @property
    def ends(self) -> tuple[float, ...]:
        """The last blend weight of each layer, the first channel's where there are several.

        Example:
            >>> replace(_example("hybrid", 0, 0.7), weights={"pool": ((0.5,), (0.25,))}).ends
            (0.25,)
        """
        return tuple(path[-1][0] for path in self.weights.values())


def _example(arm: str, seed: int, clean: float) -> Run:
    """A run for the examples of the documentation: nothing was trained."""
    return Run(
        settings=RunSettings(arm=arm, seed=seed),
        data={"name": "nothing"},
        environment={},
        command="",
        history=(Epoch(1, 1.0, clean, clean, 1.0),),
        weight_steps=(),
        weights={},
        measures=Measures(clean, clean, 0, clean, clean, {}, (), 1.0),
        costs=Costs(0, 0, 0, 0.0, 0),
    )
