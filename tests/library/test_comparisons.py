"""Differences, intervals and outcomes, held against arithmetic by hand and against simulation."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import stats

from hybridpool.training.arms import ARMS
from hybridpool.training.comparisons import (
    Comparison,
    Difference,
    Pair,
    difference,
    family,
    holm,
)
from hybridpool.training.data import Dataset
from hybridpool.training.evaluate import make_trials, measure
from hybridpool.training.networks import NETWORKS
from hybridpool.training.records import Run
from hybridpool.training.values import (
    CLEAN,
    CLEAN_OF_FEW,
    SHIFTED,
    Measure,
    bands,
    behind,
    iocclusion,
    keeping,
    noises,
    occluders,
    under,
)
from tests.made_up_runs import a_run


def of_accuracies(arm: str, values: Sequence[float]) -> list[Run]:
    runs = [a_run(arm, seed) for seed in range(len(values))]
    return [
        replace(run, measures=replace(run.measures, clean=value))
        for run, value in zip(runs, values, strict=True)
    ]


def compared(ours: Sequence[float], theirs: Sequence[float], by: Measure = CLEAN) -> Difference:
    found = difference(of_accuracies("hybrid", ours), of_accuracies("max", theirs), by)
    assert found is not None
    return found


def one(ours: Sequence[float], theirs: Sequence[float], by: Measure = CLEAN) -> Comparison:
    pair = Pair(
        "", "hybrid", "max", of_accuracies("hybrid", ours), of_accuracies("max", theirs), by
    )
    (found,) = family([pair])
    return found


# ---- intervals ---------------------------------------------------------------------------------


def test_unpaired_is_welch_s_interval() -> None:
    """By hand: variances 1e-4 and 4e-4, three runs each, so 2.94 degrees of freedom."""
    found = compared([0.71, 0.72, 0.73], [0.58, 0.60, 0.62])
    error = math.sqrt(1e-4 / 3 + 4e-4 / 3)
    freedom = (1e-4 / 3 + 4e-4 / 3) ** 2 / ((1e-4 / 3) ** 2 / 2 + (4e-4 / 3) ** 2 / 2)
    assert freedom == pytest.approx(2.941, abs=1e-3)
    assert found.mean == pytest.approx(0.12)
    assert found.high - found.mean == pytest.approx(stats.t.isf(0.025, freedom) * error)
    assert found.inner[0] == pytest.approx(0.12 - stats.t.isf(0.05, freedom) * error)
    assert (found.freedom, found.counts, found.pictures) == (4, (3, 3), 0)


@pytest.mark.filterwarnings("error")
def test_runs_that_come_to_the_same_accuracy_are_no_trouble() -> None:
    """By hand: the other pooling's variance alone, 1e-4 over three runs, with its own 2 degrees."""
    found = compared([0.8192, 0.8192, 0.8192], [0.80, 0.81, 0.82])
    assert found.high - found.mean == pytest.approx(stats.t.isf(0.025, 2) * math.sqrt(1e-4 / 3))


def test_paired_is_over_the_seeds_that_both_have() -> None:
    """By hand: 1, 2 and 3 points ahead, so the mean is 2 and Student's half width 2.484."""
    found = compared([0.51, 0.62, 0.73, 0.99], [0.5, 0.6, 0.7], CLEAN_OF_FEW)
    assert found.mean == pytest.approx(0.02)
    assert found.high - found.mean == pytest.approx(0.02484, abs=1e-5)
    assert found.counts == (3, 3)


def test_pairing_takes_away_what_the_seed_does() -> None:
    ours, theirs = [0.50, 0.61, 0.69, 0.80], [0.49, 0.595, 0.685, 0.785]
    assert compared(ours, theirs, CLEAN_OF_FEW).p < 0.05 < 0.8 < compared(ours, theirs).p


def test_one_run_has_no_interval_and_equal_runs_have_none_either() -> None:
    single = compared([0.7], [0.6])
    assert (single.low, single.high, single.p) == (single.mean, single.mean, 1)
    assert math.isinf(single.visible())
    assert compared([0.7] * 3, [0.7] * 3).p == 1
    assert compared([0.75] * 3, [0.5] * 3).p == 0
    assert difference([], of_accuracies("max", [0.7]), CLEAN) is None


# ---- seeds and pictures ------------------------------------------------------------------------


plain = cache(a_run)


def with_pictures(arm: str, seed: int, right: NDArray[np.bool_]) -> Run:
    """A run whose class stayed under shifts on these pictures."""
    run = plain(arm, seed)
    packed = base64.b64encode(np.packbits(right).tobytes()).decode()
    measures = replace(
        run.measures,
        pictures=len(right),
        shift_consistency=float(right.mean()),
        right={"shift": packed},
    )
    return replace(run, measures=measures)


def simulated(
    generator: np.random.Generator, by_seed: float, by_picture: float, pictures: int = 300
) -> tuple[list[Run], list[Run]]:
    """Five networks of two arms that are equally good on the pictures that could be drawn.

    `by_seed` is how much a seed changes an arm, `by_picture` how much a picture favours one.
    """
    hard = generator.uniform(0.3, 0.7, pictures)
    favour = generator.normal(0, by_picture, pictures)
    found = []
    for arm, sign in (("hybrid", 1), ("max", -1)):
        chances = [
            np.clip(hard + sign * favour / 2 + generator.normal(0, by_seed), 0, 1) for _ in range(5)
        ]
        found.append(
            [
                with_pictures(arm, seed, generator.random(pictures) < chance)
                for seed, chance in enumerate(chances)
            ]
        )
    return found[0], found[1]


@pytest.mark.parametrize(("by_seed", "by_picture"), [(0.03, 0.4), (0.0, 0.4), (0.05, 0.0)])
def test_crossed_intervals_hold_what_they_promise(by_seed: float, by_picture: float) -> None:
    """Of 95 % intervals no fewer than 92 % hold the truth in 250 simulated experiments, whose own
    standard error is about 1.4 points."""
    generator = np.random.default_rng(1)
    found = [difference(*simulated(generator, by_seed, by_picture), SHIFTED) for _ in range(250)]
    held = [at is not None and at.low <= 0 <= at.high for at in found]
    assert np.mean(held) > 0.92
    assert {at.pictures for at in found if at} == {300}


def test_seeds_alone_promise_too_much_where_pictures_differ() -> None:
    """Why pictures are resampled: networks that agree on 300 pictures say little of others."""
    generator = np.random.default_rng(1)
    alone = replace(SHIFTED, right=None)
    found = [difference(*simulated(generator, 0.0, 0.4), alone) for _ in range(120)]
    assert np.mean([at is not None and at.low <= 0 <= at.high for at in found]) < 0.85


def test_without_pictures_the_interval_is_over_seeds_alone() -> None:
    ours, theirs = simulated(np.random.default_rng(2), 0.03, 0.0)
    theirs[0] = replace(theirs[0], measures=replace(theirs[0].measures, right={}))
    found = difference(ours, theirs, SHIFTED)
    assert found == difference(ours, theirs, replace(SHIFTED, right=None))
    assert found is not None
    assert found.pictures == 0


def test_the_same_runs_have_the_same_interval() -> None:
    ours, theirs = simulated(np.random.default_rng(3), 0.03, 0.2)
    assert difference(ours, theirs, SHIFTED) == difference(ours, theirs, SHIFTED)


# ---- outcomes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ours", "theirs", "outcome", "within"),
    [
        ([0.72, 0.721, 0.722], [0.70, 0.701, 0.702], "ahead", False),
        ([0.68, 0.681, 0.682], [0.70, 0.701, 0.702], "behind", False),
        ([0.7000, 0.7010, 0.7005], [0.7002, 0.7008, 0.7000], "equivalent", True),
        ([0.7015, 0.7016, 0.7017], [0.7000, 0.7001, 0.7002], "ahead", True),
        ([0.70, 0.72, 0.74], [0.70, 0.71, 0.75], "undecided", False),
        ([0.9, 0.9], [0.1, 0.1, 0.1], "few", False),
        ([0.7, 0.7], [0.7, 0.7], "few", False),
    ],
)
def test_each_baseline_has_one_of_five_outcomes(
    ours: list[float], theirs: list[float], outcome: str, within: bool
) -> None:
    found = one(ours, theirs)
    assert (found.outcome, found.within) == (outcome, within)


def test_the_margin_decides_what_is_equivalent() -> None:
    ours, theirs = [0.700, 0.702, 0.701, 0.703], [0.704, 0.706, 0.705, 0.707]
    inside = one(ours, theirs, replace(CLEAN, margin=0.01))
    assert (inside.outcome, inside.within) == ("behind", True)
    assert not one(ours, theirs).within


def test_holm_s_correction_is_within_a_family() -> None:
    """A difference that is clear alone is none among three that are not."""
    clear = ([0.700, 0.704, 0.702], [0.710, 0.706, 0.709])
    vague = ([0.70, 0.72, 0.74], [0.70, 0.71, 0.75])
    assert one(*clear).outcome == "behind"
    pairs = [
        Pair(str(at), "hybrid", "max", of_accuracies("hybrid", a), of_accuracies("max", b), CLEAN)
        for at, (a, b) in enumerate([clear, vague, vague, vague])
    ]
    assert 0.05 / 4 < one(*clear).difference.p < 0.05
    assert {found.outcome for found in family(pairs)} == {"undecided"}


@pytest.mark.parametrize(
    ("values", "significant"),
    [
        ([], set()),
        ([0.01, 0.02, 0.03], {0, 1, 2}),
        ([0.04, 0.04], set()),
        ([0.001, 0.04, 0.02], {0, 1, 2}),
        ([0.02, 0.001, 0.2], {0, 1}),
    ],
)
def test_holm_steps_down(values: list[float], significant: set[int]) -> None:
    assert holm(values, 0.05) == significant


@pytest.mark.parametrize("counts", [(3, 3), (5, 5), (3, 5), (10, 10)])
@pytest.mark.parametrize("by", [CLEAN, CLEAN_OF_FEW])
def test_what_would_have_been_seen_is_seen_four_times_in_five(
    by: Measure, counts: tuple[int, int]
) -> None:
    """Experiments with a true difference of that size, in the test that judges them."""
    if by.paired:
        counts = (counts[0], counts[0])
    generator = np.random.default_rng(sum(counts))
    ours, theirs = (generator.normal(0, 1, (20_000, count)) for count in counts)
    found = compared(*(list(0.7 + 0.005 * side[0]) for side in (ours, theirs)), by)
    spread = found.error / math.sqrt(1 / counts[0] + 1 / counts[1])
    for level in (0.05, 0.0125):
        if by.paired:
            shift = found.visible(level) / found.error / math.sqrt(counts[0])
            p = stats.ttest_1samp(ours + shift, 0, axis=1).pvalue
        else:
            shift = found.visible(level) / spread
            p = stats.ttest_ind(ours + shift, theirs, axis=1, equal_var=False).pvalue
        assert np.mean(p <= level) == pytest.approx(0.8, abs=0.01)


def test_a_larger_family_sees_less() -> None:
    runs = ([0.70, 0.72, 0.74], [0.70, 0.71, 0.75])
    pair = Pair(
        "", "hybrid", "max", of_accuracies("hybrid", runs[0]), of_accuracies("max", runs[1]), CLEAN
    )
    (alone,) = family([pair])
    assert family([pair] * 4)[0].visible > alone.visible


# ---- iOcclusion --------------------------------------------------------------------------------


def test_iocclusion_needs_a_gap_that_is_clear() -> None:
    """On 2,000 pictures two accuracies near 70 % have a standard error of 1.45 points together."""
    unclear, clear = (a_run("max", 0, gap=gap) for gap in (0.02, 0.05))
    assert iocclusion(["block grey"])(unclear) is None
    assert iocclusion(["block grey"])(clear) == pytest.approx(0.6)


def test_a_mean_over_kinds_needs_all_of_them() -> None:
    run = a_run("max", 0)
    assert under(["shot_noise", "no such"]).value(run) is None
    assert under([]).value(run) is None


def test_what_an_evaluation_keeps_is_what_is_resampled() -> None:
    """Every measure's pictures have the mean that the run states, in a real evaluation."""
    generator = torch.Generator().manual_seed(0)
    pictures = torch.randint(256, (60, 3, 32, 32), dtype=torch.uint8, generator=generator)
    labels = torch.arange(60) % 10
    dataset = Dataset("made up", pictures, labels, pictures, labels)
    torch.manual_seed(0)
    network = NETWORKS["small"](10, ARMS["max"], 16)
    found = measure(network, dataset, make_trials(dataset, 40))
    run = replace(a_run("max", 0), measures=found, data={"name": "made up", "test": 60})
    measures = {
        "noise": under(noises([run])),
        "occlusion": behind(occluders([run])),
        "low": keeping(bands([run], "low")),
        "high": keeping(bands([run], "high")),
        "shift": SHIFTED,
    }
    for name, by in measures.items():
        assert by.right is not None
        right = by.right(run)
        assert right is not None, name
        assert right.shape == (40,)
        assert right.mean() == pytest.approx(by.value(run)), name
