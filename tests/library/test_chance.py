"""What a race shows and what may be chance: against simulated races in which nothing differs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from hybridpool.race.chance import compare_gaps, compare_right, overfits
from hybridpool.race.gaps import Gaps


def test_where_nothing_differs_a_difference_of_gaps_is_seldom_claimed() -> None:
    """One in twenty at most, whatever the pair; the extreme pair at two errors had 23 %."""
    draw, claims = torch.Generator().manual_seed(0), 0
    for _ in range(400):
        level = torch.randn(6, 1, 5, generator=draw) * 0.05
        train = 0.9 + level + torch.randn(6, 3, 5, generator=draw) * 0.02
        found = Gaps(tuple(range(6)), tuple(range(5)), train, torch.full((6, 3, 5), 0.8), 30)
        claims += any(versus.certain for versus in compare_gaps(found))
    assert claims <= stats.binom.ppf(0.999, 400, 0.05)


def test_a_difference_of_gaps_that_is_there_is_seen() -> None:
    draw = torch.Generator().manual_seed(1)
    train = 0.9 + torch.randn(6, 3, 5, generator=draw) * 0.02
    train[:, 2] += 0.06
    found = Gaps(tuple(range(6)), tuple(range(5)), train, torch.full((6, 3, 5), 0.8), 30)
    certain = {(versus.arm, versus.other) for versus in compare_gaps(found) if versus.certain}
    assert certain == {("attention", "channels"), ("attention", "start_half")}


def test_the_p_values_are_those_of_students_paired_test() -> None:
    draw = torch.Generator().manual_seed(2)
    train = 0.9 + torch.randn(2, 3, 5, generator=draw, dtype=torch.float64) * 0.02
    found = Gaps((20, 50), tuple(range(5)), train, torch.zeros(2, 3, 5), 10)
    means = train.mean(0).numpy()
    by = {frozenset((v.arm, v.other)): v.by for v in compare_gaps(found)}
    assert by[frozenset(("channels", "start_half"))] == pytest.approx(
        abs((means[1] - means[0]).mean())
    )


@pytest.mark.parametrize("difference", [0.0, 0.1])
def test_gaps_that_differ_by_the_same_in_every_seed_are_judged_too(difference: float) -> None:
    train = torch.full((1, 3, 3), 0.9)
    train[:, 1] += difference
    found = compare_gaps(Gaps((20,), (0, 1, 2), train, torch.full((1, 3, 3), 0.8), 3))
    assert [versus.certain for versus in found] == [difference > 0, False, difference > 0]


def test_pictures_that_both_are_right_about_say_nothing() -> None:
    right = {"a": torch.arange(400) < 390, "b": torch.arange(400) < 384, "c": torch.zeros(400)}
    close, far = compare_right(right, "a", ["b", "c"])
    assert (close.arm, close.other, close.by) == ("a", "b", 6)
    # Six heads of six have p = 1/32, which is not below 0.05 / 1 after the larger difference.
    assert close.certain
    assert far.certain
    right["b"] = torch.arange(400) < 386
    assert not compare_right(right, "a", ["b", "c"])[0].certain
    behind = compare_right(right, "c", ["a"])[0]
    assert (behind.arm, behind.other, behind.certain) == ("a", "c", True)


def test_equal_arms_are_no_difference() -> None:
    right = {"a": torch.ones(10), "b": torch.ones(10)}
    assert compare_right(right, "a", ["b"])[0] == ("a", "b", 0, False)


def test_overfitting_is_fishers_test() -> None:
    draw = np.random.default_rng(0)
    claims = 0
    for _ in range(300):
        train, test = (torch.from_numpy(draw.random(count) < 0.9) for count in (100, 400))
        claims += overfits(train, test)
    assert claims <= stats.binom.ppf(0.999, 300, 0.05)
    assert overfits(torch.ones(100), torch.arange(400) < 360)
