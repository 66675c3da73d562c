"""The race: one small network with many poolings and starts, all trained at once, step by step.

The network is a convolution, a pooling over the whole map and a linear layer, without an activation
before the pooling: all that the network knows is the output of the pooling. The map of a zero-mean
filter has the mean 0 with or without a small spot, and the largest value of a noisy map says little
about a small difference of tone. So the task decides whether a network needs the largest value or
the mean. It does not decide how much of the other may be mixed in.

All arms start from the same filters, see the same pictures in the same order and lose the same
channels to dropout. They share no parameter, so each learns what it would learn alone; one
convolution and one call of `hybrid_pool2d` serve them all.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from threading import Lock

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hybridpool.blocks import parameter_groups
from hybridpool.functional import hybrid_pool2d
from hybridpool.layers import HybridPooling, HybridPoolingWithAttention
from hybridpool.race.tasks import MOST_PICTURES, SIDE, TASKS, draw_data

#: Arms that learn their blend weight, and where it starts; the article's own start is random.
STARTS: dict[str, float | None] = {
    "start_low": 0.02,
    "start_half": 0.5,
    "start_high": 0.98,
    "start_drawn": None,
}
#: Arms whose blend weight is fixed.
FIXED = {"max": 1.0, "average": 0.0, "fixed_half": 0.5}
ARMS = (*STARTS, "channels", "attention", *FIXED)

CHANNELS = 8
BATCH = 32
MOMENTUM = 0.9
OPTIMIZERS = ("sgd", "adam")
PICTURES = (20, 50, 100, 200, 500, MOST_PICTURES)
STEPS = (100, 200, 300, 500, 1000)
LEARNING_RATES = (0.01, 0.02, 0.05, 0.1, 0.2)
WEIGHT_DECAYS = (0.0, 0.003, 0.01, 0.03, 0.1)
DROPOUTS = (0.0, 0.1, 0.2, 0.3, 0.5)
MOST_SEED = 999
#: Accuracy and attention are measured after every so many steps, and after the last.
EVERY = 10

_KERNEL = 3
_MAP = SIDE - _KERNEL + 1
_MEAN, _SPREAD = 0.4, 0.15
#: Accuracy is measured on the first pictures, at most so many, so that a measurement is short.
MEASURED = 400


@dataclass(frozen=True)
class RaceSettings:
    """Everything that decides the numbers of a race.

    Args:
        task: Key of `TASKS`.
        seed: The seed of pictures, filters, batches and dropout.
        pictures: Training pictures.
        steps: Training steps.
        learning_rate: The same for filters and blend weights.
        optimizer: ``"sgd"``, with momentum `MOMENTUM`, or ``"adam"``.
        weight_decay: The weight decay of filters and linear layers.
        decay_logits: Whether the logits of the blend weights decay too: the mistake that erases
            what they learn.
        dropout: Probability that a pooled channel is left out.
        arms: Which of `ARMS` take part.
    """

    task: str = "spot"
    seed: int = 0
    pictures: int = MOST_PICTURES
    steps: int = 300
    learning_rate: float = 0.05
    optimizer: str = "sgd"
    weight_decay: float = 0.0
    decay_logits: bool = False
    dropout: float = 0.0
    arms: tuple[str, ...] = ARMS

    def clamped(self) -> RaceSettings:
        """The nearest ones that can be run; a link may ask for anything.

        Example:
            >>> RaceSettings(task="chess", pictures=1, learning_rate=9.0).clamped().pictures
            20
        """
        return replace(
            self,
            task=self.task if self.task in TASKS else "spot",
            seed=min(max(self.seed, 0), MOST_SEED),
            pictures=int(_nearest(self.pictures, PICTURES)),
            steps=int(_nearest(self.steps, STEPS)),
            learning_rate=_nearest(self.learning_rate, LEARNING_RATES),
            optimizer=self.optimizer if self.optimizer in OPTIMIZERS else "sgd",
            weight_decay=_nearest(self.weight_decay, WEIGHT_DECAYS),
            dropout=_nearest(self.dropout, DROPOUTS),
            arms=tuple(arm for arm in ARMS if arm in self.arms) or ARMS,
        )


@dataclass(frozen=True)
class Moment:
    """The state of all arms after a number of steps; rows follow the arms of the settings.

    Args:
        step: How many steps have been taken.
        blend_weight: (arms, channels); one value for all channels where there is one logit, the
            mean over the batch for attention.
        gradient: Gradient of the loss by the logit (arms, channels), NaN where there is none.
        loss: Cross-entropy on the batch of the next step (arms,).
        train_accuracy: On the first `MEASURED` training pictures, without dropout (arms,); None
            between two measurements.
        test_accuracy: On the test set (arms,), or None.
        attention: Mean attention values on the test set (classes, channels), or None.
    """

    step: int
    blend_weight: Tensor
    gradient: Tensor
    loss: Tensor
    train_accuracy: Tensor | None
    test_accuracy: Tensor | None
    attention: Tensor | None

    @property
    def slope(self) -> Tensor:
        """Slope of the sigmoid, s(1 - s), by which every gradient of a logit is multiplied."""
        return self.blend_weight * (1 - self.blend_weight)


class Race:
    """All arms on one task, from the first step to the last. To pause, do not call `advance`.

    Args:
        settings: The settings of the race; `settings.clamped()` is used.
        every: Steps between two measurements of accuracy; None measures at the last step alone.

    The same settings give the same numbers, however the steps are divided among the calls of
    `advance`, and no global generator is touched.

    Example:
        >>> race = Race(RaceSettings(steps=100, arms=("start_low", "start_half")))
        >>> [round(weight, 2) for weight in race.moments[0].blend_weight[:, 0].tolist()]
        [0.02, 0.5]
        >>> len(list(race.advance(3))), race.step
        (3, 3)
    """

    def __init__(self, settings: RaceSettings, *, every: int | None = EVERY) -> None:
        self.settings = settings = settings.clamped()
        self.every = every
        data = draw_data(settings.task, settings.pictures, settings.seed)
        self._train = (_scaled(data.train_images), data.train_labels)
        self._test = (_scaled(data.test_images), data.test_labels)
        # A stream of its own for each purpose: other settings leave the rest as it was.
        weights, self._batches, self._dropout = (
            torch.Generator().manual_seed(settings.seed + stream * (MOST_SEED + 1))
            for stream in (1, 2, 3)
        )
        classes = len(TASKS[settings.task].classes)
        self.network = RacingNetwork(settings.arms, classes, weights)
        self._optimizer = _optimizer(self.network, settings)
        self._turn = Lock()
        self.step = 0
        self.moments = [self._look()]

    @property
    def done(self) -> bool:
        """Whether the last step is taken."""
        return self.step >= self.settings.steps

    def advance(self, steps: int) -> Iterator[Moment]:
        """Take so many steps, fewer at the end, and yield the state after each.

        Several threads may ask for steps: they take turns, and the race is the same.
        """
        for _ in range(steps):
            with self._turn:
                if self.done:
                    return
                self._optimizer.step()
                self.step += 1
                moment = self._look()
                self.moments.append(moment)
            yield moment

    def _look(self) -> Moment:
        """Measure the state, and leave the gradient of the next step in the parameters."""
        images, labels = self._train
        drawn = torch.randint(len(labels), (BATCH,), generator=self._batches)
        network = self.network
        weights = network.blend_weights(maps := network.maps(images[drawn]))
        scores = network.scores(maps, weights, self._kept())
        loss = _losses(scores, labels[drawn])
        self._optimizer.zero_grad()
        torch.autograd.backward(loss.sum())
        train = test = attention = None
        if self.done or (self.every and self.step % self.every == 0):
            train, _ = self._accuracy(*self._train)
            test, attention = self._accuracy(*self._test)
        shape = (BATCH, len(self.settings.arms), CHANNELS)
        blend_weight = weights.detach().expand(BATCH, -1).view(shape).mean(0)
        return Moment(
            self.step, blend_weight, network.gradients(), loss.detach(), train, test, attention
        )

    def _kept(self) -> Tensor | None:
        """The factor of each pooled channel under dropout: the same for all arms."""
        chance = self.settings.dropout
        if not chance:
            return None
        kept = torch.rand(BATCH, CHANNELS, generator=self._dropout) >= chance
        return kept / (1 - chance)

    def _accuracy(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor | None]:
        arms = self.settings.arms
        right, values = self._right(images, labels)
        accuracy = right.float().mean(1)
        if "attention" not in arms:
            return accuracy, None
        first = arms.index("attention") * CHANNELS
        attended = values[:, first : first + CHANNELS]
        classes = range(len(TASKS[self.settings.task].classes))
        labels = labels[:MEASURED]
        return accuracy, torch.stack([attended[labels == label].mean(0) for label in classes])

    def right(self, *, train: bool = False) -> Tensor:
        """Which pictures every arm is right about now: (arms, pictures), at most 400.

        Args:
            train: Whether training pictures are asked for instead of the test set.
        """
        return self._right(*(self._train if train else self._test))[0]

    @torch.no_grad()
    def _right(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        network = self.network
        images, labels = images[:MEASURED], labels[:MEASURED]
        right, values = [], []
        # In parts whose maps fit into the processor's cache: this takes less than half the time.
        for part, truth in zip(torch.split(images, BATCH), torch.split(labels, BATCH), strict=True):
            weights = network.blend_weights(maps := network.maps(part))
            right.append(network.scores(maps, weights).argmax(-1) == truth)
            values.append(weights)
        return torch.cat(right, 1), torch.cat(values)


class RacingNetwork(nn.Module):
    """The networks of all arms in one: the channels of the first arm, then those of the second.

    Args:
        arms: Some of `ARMS`.
        classes: How many classes there are.
        generator: Draws the filters, the linear layer and the attention layer, which start alike in
            all arms.

    Shape:
        - maps: :math:`(N, A C, 22, 22)` for :math:`A` arms of :math:`C` channels
        - scores: :math:`(A, N, \\text{classes})`

    Example:
        >>> network = RacingNetwork(("max", "average"), 2, torch.Generator().manual_seed(0))
        >>> maps = network.maps(torch.zeros(5, 1, 24, 24))
        >>> network.scores(maps, network.blend_weights(maps)).shape
        torch.Size([2, 5, 2])
    """

    def __init__(self, arms: tuple[str, ...], classes: int, generator: torch.Generator) -> None:
        super().__init__()
        filters = torch.randn(CHANNELS, 1, _KERNEL, _KERNEL, generator=generator) / _KERNEL
        readout = torch.randn(CHANNELS, classes, generator=generator) / math.sqrt(CHANNELS)
        drawn = torch.rand((), generator=generator).sigmoid().item()
        self.filters = nn.Parameter(filters.repeat(len(arms), 1, 1, 1))
        self.filter_bias = nn.Parameter(torch.zeros(len(arms) * CHANNELS))
        self.readout = nn.Parameter(readout.repeat(len(arms), 1, 1))
        self.readout_bias = nn.Parameter(torch.zeros(len(arms), 1, classes))
        self.pools = nn.ModuleDict({arm: _pooling(arm, drawn, generator) for arm in arms})

    def maps(self, images: Tensor) -> Tensor:
        """The feature maps of every arm."""
        return F.conv2d(images, self.filters, self.filter_bias)

    def blend_weights(self, maps: Tensor) -> Tensor:
        """The blend weight of every channel, (A C,), or (N, A C) if attention is among the arms."""
        weights = []
        for arm, pool in enumerate(self.pools.values()):
            if isinstance(pool, HybridPoolingWithAttention):
                weights.append(pool.attention(maps[:, arm * CHANNELS : (arm + 1) * CHANNELS]))
            elif isinstance(pool, HybridPooling):
                weights.append(pool.blend_weight.expand(CHANNELS))
        if "attention" in self.pools:
            weights = [weight.expand(len(maps), CHANNELS) for weight in weights]
        return torch.cat(weights, -1)

    def scores(self, maps: Tensor, weights: Tensor, kept: Tensor | None = None) -> Tensor:
        """The scores of the classes for every arm; `kept` (N, C) multiplies the pooled channels."""
        pooled = hybrid_pool2d(maps, weights, _MAP).view(len(maps), -1, CHANNELS).transpose(0, 1)
        if kept is not None:
            pooled = pooled * kept
        return torch.baddbmm(self.readout_bias, pooled, self.readout)

    def gradients(self) -> Tensor:
        """The gradient of every logit (A, C) after a backward pass, NaN where none learns."""
        values = torch.full((len(self.pools), CHANNELS), math.nan)
        for arm, pool in enumerate(self.pools.values()):
            logit = getattr(pool, "weight", None)
            if logit is not None and logit.grad is not None:
                values[arm] = logit.grad
        return values


def _pooling(arm: str, drawn: float, generator: torch.Generator) -> nn.Module:
    if arm == "attention":
        # Made on the meta device, because initialisation would move the global generator, and then
        # filled from PyTorch's own range for linear layers.
        with torch.device("meta"):
            pool = HybridPoolingWithAttention(CHANNELS, _MAP)
        pool = pool.to_empty(device="cpu")
        for layer in pool.fc:
            reach = layer.in_features**-0.5 if isinstance(layer, nn.Linear) else 0.0
            for parameter in layer.parameters():
                nn.init.uniform_(parameter, -reach, reach, generator=generator)
        return pool
    if arm == "channels":
        return HybridPooling(_MAP, channels=CHANNELS)
    if arm in FIXED:
        return HybridPooling(_MAP, blend_weight=FIXED[arm]).requires_grad_(False)
    start = STARTS[arm]
    return HybridPooling(_MAP, blend_weight=drawn if start is None else start)


def _optimizer(network: nn.Module, settings: RaceSettings) -> torch.optim.Optimizer:
    decay = settings.weight_decay
    groups = parameter_groups(network, decay)
    if settings.decay_logits:
        groups[1]["weight_decay"] = decay
    if settings.optimizer == "adam":
        return torch.optim.Adam(groups, lr=settings.learning_rate)
    return torch.optim.SGD(groups, lr=settings.learning_rate, momentum=MOMENTUM)


def _losses(scores: Tensor, labels: Tensor) -> Tensor:
    arms, count, classes = scores.shape
    every = F.cross_entropy(scores.reshape(-1, classes), labels.repeat(arms), reduction="none")
    return every.view(arms, count).mean(1)


def _scaled(images: Tensor) -> Tensor:
    return (images - _MEAN) / _SPREAD


def _nearest(value: float, options: tuple[float, ...]) -> float:
    return min(options, key=lambda option: abs(option - value))
