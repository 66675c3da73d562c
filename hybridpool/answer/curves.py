"""How sure the networks stay of their answer as the picture changes more and more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from hybridpool.answer.change import Change
from hybridpool.answer.networks import Network
from hybridpool.answer.run import answers
from hybridpool.pictures.perturb import NOISES
from hybridpool.sensitivity import Perturbation

DRAWS = 4
"""How many noises or places of an occluder are drawn at each level."""


@dataclass(frozen=True)
class AnswerCurve:
    """The answers of several networks to one kind of change at several levels.

    Attributes:
        levels: Those that are done, rising.
        total: How many there will be.
        sure: For each pooling and level the probability of each network's clean answer, over its
            networks and the draws.
        same: For each pooling and level the share of networks and draws that keep that answer.
        harmless: The level from which a change grows.
    """

    levels: tuple[float, ...]
    total: int
    sure: Mapping[str, tuple[tuple[float, ...], ...]]
    same: Mapping[str, tuple[float, ...]]
    harmless: float

    @property
    def done(self) -> bool:
        """Whether every level is there."""
        return len(self.levels) == self.total

    def flips(self, pooling: str) -> list[float]:
        """Where fewer than half of the networks and draws keep the answer for the first time, on
        either side of the harmless level.

        Example:
            >>> AnswerCurve((0.0, 0.1), 2, {}, {"max": (1.0, 0.25)}, 0.0).flips("max")
            [0.1]
        """
        below: list[float] = []
        above: list[float] = []
        for level, share in zip(self.levels, self.same[pooling], strict=True):
            if share < 0.5:
                (below if level < self.harmless else above).append(level)
        return [*below[-1:], *above[:1]]


def kind_of(change: Change) -> Change:
    """What a curve depends on: the same for every level and seed of one kind of change.

    Example:
        >>> one, other = (Change("noise", Perturbation(level=level)) for level in (0.1, 0.4))
        >>> kind_of(one) == kind_of(other)
        True
    """
    if change.action == "shift":
        return Change("shift", rows=int(abs(change.rows) > abs(change.columns)), columns=0)
    if change.action == "noise":
        return Change("noise", Perturbation(noise=change.done.noise))
    done = change.done.canonical()
    middle = (done.top + done.height // 2, done.left + done.width // 2)
    done = replace(done, top=middle[0], left=middle[1], height=0, width=0, draw=0)
    return Change("occlusion", done)


def answer_curve(
    networks: Mapping[str, Sequence[Network]], clean: Tensor, kind: Change, draws: int = DRAWS
) -> Iterator[AnswerCurve]:
    """The answers at each level, growing level by level until they are whole.

    Args:
        networks: For each pooling its networks.
        clean: The picture (3, 32, 32).
        kind: What `kind_of` made of the change.
        draws: How many noises or places are drawn at each level.

    Example:
        >>> list(answer_curve({}, torch.zeros(3, 32, 32), Change("shift")))[-1].levels[-1]
        8.0
    """
    said = {
        network.key: int(answers(network, clean[None])[0].argmax())
        for ones in networks.values()
        for network in ones
    }
    sure: dict[str, tuple[tuple[float, ...], ...]] = dict.fromkeys(networks, ())
    same: dict[str, tuple[float, ...]] = dict.fromkeys(networks, ())
    steps = list(kind.curve(draws))
    levels: tuple[float, ...] = ()
    noise = NOISES[kind.done.noise]
    harmless = noise.high if kind.action == "noise" and not noise.more_is_noisier else 0.0
    for level, changes in steps:
        pictures = torch.stack([each.apply(clean) for each in changes])
        levels += (level,)
        for arm, ones in networks.items():
            found = [answers(network, pictures) for network in ones]
            first = [said[network.key] for network in ones]
            at = [each[:, own] for each, own in zip(found, first, strict=True)]
            kept = [each.argmax(1) == own for each, own in zip(found, first, strict=True)]
            sure[arm] += (tuple(torch.cat(at).tolist()),)
            same[arm] += (torch.cat(kept).float().mean().item(),)
        yield AnswerCurve(levels, len(steps), dict(sure), dict(same), harmless)
