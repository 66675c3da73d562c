"""Which differences of a race may be chance: on the same test pictures, and over a few seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from scipy import stats
from torch import Tensor

from hybridpool.race.gaps import ARMS, Gaps
from hybridpool.training.comparisons import LEVEL, holm

_ROUNDING = 1e-9


class Versus(NamedTuple):
    """One arm against another.

    Attributes:
        arm: The one that is ahead, or the first where they are equal.
        other: The other one.
        by: The difference, in test pictures or as a share of accuracy.
        certain: Whether the difference is significant after Holm's correction.
    """

    arm: str
    other: str
    by: float
    certain: bool


def compare_right(right: Mapping[str, Tensor], arm: str, others: Sequence[str]) -> list[Versus]:
    """Compare an arm with others by the test pictures that each is right about.

    This is an exact sign test (McNemar's) on the pictures that only one of the two is right about,
    with Holm's correction. It says nothing about other seeds.

    Args:
        right: For each arm, whether it is right about each picture (pictures,).
        arm: The arm to compare.
        others: The arms that it is compared with.

    Example:
        >>> import torch
        >>> right = {"start_half": torch.ones(40), "max": torch.ones(40), "average": torch.ones(40)}
        >>> right["average"] = torch.arange(40) < 10
        >>> compare_right(right, "start_half", ["max", "average"])[1]
        Versus(arm='start_half', other='average', by=30, certain=True)
    """
    results, chances = [], []
    for other in others:
        ours, theirs = right[arm].bool(), right[other].bool()
        ahead, behind = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
        pair = (arm, other) if ahead >= behind else (other, arm)
        results.append(Versus(*pair, abs(ahead - behind), certain=False))
        told = ahead + behind
        chances.append(float(stats.binomtest(ahead, told).pvalue) if told else 1.0)
    certain = holm(chances, LEVEL)
    return [versus._replace(certain=place in certain) for place, versus in enumerate(results)]


def overfits(train_right: Tensor, test_right: Tensor) -> bool:
    """Whether the training accuracy exceeds the test accuracy by more than chance explains.

    Fisher's exact test, one-sided.

    Args:
        train_right: Whether it is right about each training picture.
        test_right: Whether it is right about each test picture.

    Example:
        >>> import torch
        >>> overfits(torch.ones(20), torch.arange(400) < 300)
        True
        >>> overfits(torch.ones(20), torch.arange(400) < 396)
        False
    """
    table = [
        [int(right.sum()), len(right) - int(right.sum())] for right in (train_right, test_right)
    ]
    return bool(stats.fisher_exact(table, alternative="greater").pvalue <= LEVEL)


def compare_gaps(gaps: Gaps) -> list[Versus]:
    """Compare every two arms by their gap between training and test accuracy, over all seeds.

    For each seed the mean over all numbers of training pictures counts, so that no number is picked
    for its result. The test is Student's paired t test, with Holm's correction for the three pairs.

    Args:
        gaps: Complete gaps of two seeds or more.

    Example:
        >>> import torch
        >>> test = torch.full((1, 3, 4), 0.8)
        >>> train = test + torch.tensor([0.01, 0.1, 0.1])[:, None]
        >>> train[0, 0] += torch.tensor([0.001, -0.001, 0.002, -0.002])
        >>> gaps = Gaps((20,), (0, 1, 2, 3), train, test, 4)
        >>> [(versus.arm, versus.other, versus.certain) for versus in compare_gaps(gaps)]
        [('channels', 'start_half', True), ('attention', 'start_half', True), ...]
    """
    by_arm = gaps.gap.double().mean(0).numpy()
    pairs = [(one, other) for one in range(len(ARMS)) for other in range(one)]
    compared, chances = [], []
    for one, other in pairs:
        differences = by_arm[one] - by_arm[other]
        mean = float(differences.mean())
        pair = (one, other) if mean >= 0 else (other, one)
        compared.append(Versus(ARMS[pair[0]], ARMS[pair[1]], abs(mean), certain=False))
        if differences.std() < _ROUNDING:
            chances.append(float(abs(mean) < _ROUNDING))
        else:
            chances.append(float(stats.ttest_rel(by_arm[one], by_arm[other]).pvalue))
    certain = holm(chances, LEVEL)
    return [versus._replace(certain=place in certain) for place, versus in enumerate(compared)]
