"""Verdicts on runs that no network made: clear-cut each way, and every way of being too few."""

import math
from dataclasses import replace

import pytest

from hybridpool.training import claims
from hybridpool.training.claims import CLAIMS, Finding, judge
from hybridpool.training.curves import (
    by_arm,
    corruption_lines,
    occlusion_lines,
    size_lines,
    values_by_arm,
    weight_paths,
)
from hybridpool.training.results import Run
from tests.made_up_runs import ARMS, NOISES, SEEDS, a_field, a_run


def judged(
    claim: str, runs: list[Run], arm: str = "hybrid", more: list[Run] | None = None
) -> Finding:
    return judge(claim, runs, runs + (more or []), arm)


# ---- accuracy ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hybrid", "maximum", "average", "verdict"),
    [
        (0.72, 0.70, 0.69, "confirmed"),
        (0.70, 0.69, 0.72, "depends"),
        (0.70, 0.72, 0.69, "depends"),
        (0.70, 0.70, 0.69, "depends"),
        (0.70, 0.70, 0.70, "not_confirmed"),
        (0.68, 0.70, 0.71, "not_confirmed"),
    ],
)
def test_accuracy_is_confirmed_only_ahead_of_both(
    hybrid: float, maximum: float, average: float, verdict: str
) -> None:
    runs = a_field(hybrid=hybrid, max=maximum, average=average)
    found = judged("accuracy", runs)
    assert found.verdict == verdict
    assert [one.baseline for one in found.comparisons] == ["max", "average"]
    assert found.comparisons[0].difference.mean == pytest.approx(hybrid - maximum, abs=2e-3)


def test_the_interval_is_that_of_the_paired_differences() -> None:
    """By hand: 1, 2 and 3 points ahead, so the mean is 2 and Student's half width 2.484."""
    runs = [
        replace(run, measures=replace(run.measures, clean=clean))
        for seed in range(3)
        for arm, clean in (
            ("max", 0.5 + seed / 10),
            ("average", 0.1),
            ("hybrid", 0.51 + 0.11 * seed),
        )
        for run in [a_run(arm, seed)]
    ]
    against_max = judged("accuracy", runs).comparisons[0]
    assert against_max.difference.mean == pytest.approx(0.02)
    assert against_max.difference.high == pytest.approx(0.02 + 0.02484, abs=1e-5)
    assert against_max.outcome == "neither"


def test_another_arm_can_be_judged() -> None:
    runs = a_field(attention=0.75)
    assert judged("accuracy", runs, "attention").verdict == "confirmed"
    assert judged("accuracy", runs, "hybrid").verdict == "not_confirmed"


@pytest.mark.parametrize("missing", ["max", "average", "hybrid"])
def test_without_one_of_the_three_nothing_is_judged(missing: str) -> None:
    runs = [run for run in a_field(hybrid=0.9) if run.settings.arm != missing]
    assert judged("accuracy", runs).verdict == "open"


@pytest.mark.parametrize("count", [0, 1, 2])
def test_fewer_than_three_seeds_are_too_few_however_clear(count: int) -> None:
    runs = [run for run in a_field(hybrid=0.9) if run.settings.seed < count]
    found = judged("accuracy", runs)
    assert found.verdict == "open"
    assert {one.outcome for one in found.comparisons} <= {"few"}


def test_only_seeds_that_both_have_count() -> None:
    runs = [
        run
        for run in a_field(hybrid=0.9)
        if (run.settings.arm == "hybrid") == (run.settings.seed < 3)
    ]
    assert judged("accuracy", runs).verdict == "open"


# ---- noise, occlusion --------------------------------------------------------------------------


def noisy_field(ahead: dict[str, float]) -> list[Run]:
    """Hybrid pooling is ahead of both by so much under each kind of noise and behind occluders."""
    return [
        a_run(
            arm,
            seed,
            noisy=lambda name, arm=arm: 0.5 + (arm == "hybrid") * ahead.get(name, 0),
            covered=lambda name, arm=arm: 0.5 + (arm == "hybrid") * ahead.get(name, 0),
        )
        for arm in ARMS
        for seed in SEEDS
    ]


@pytest.mark.parametrize(
    ("ahead", "verdict", "holding"),
    [
        (dict.fromkeys(NOISES, 0.05), "confirmed", 4),
        ({"shot_noise": 0.05}, "depends", 1),
        ({"shot_noise": 0.05, "impulse_noise": -0.05}, "depends", 1),
        ({"brightness": 0.05}, "not_confirmed", 0),
        (dict.fromkeys(NOISES, -0.05), "not_confirmed", 0),
    ],
)
def test_noise_is_confirmed_only_under_every_kind(
    ahead: dict[str, float], verdict: str, holding: int
) -> None:
    found = judged("noise", noisy_field(ahead))
    assert (found.verdict, len(found.holding())) == (verdict, holding)
    assert set(found.conditions()) == {(name, "hybrid") for name in NOISES}


def test_four_kinds_of_noise_have_wider_intervals_than_one() -> None:
    runs = noisy_field({})
    found = judged("noise", runs)
    assert found.confidence == pytest.approx(1 - 0.05 / 4)
    single = claims.paired_difference(runs, "hybrid", "max", claims.under("shot_noise"))
    (wide,) = [
        one.difference
        for one in found.comparisons
        if (one.condition, one.baseline) == ("shot_noise", "max")
    ]
    assert single is not None
    # Student's t for four degrees of freedom: 4.315 at 98.75 %, 2.776 at 95 %.
    assert (wide.high - wide.mean) / (single.high - single.mean) == pytest.approx(
        4.315 / 2.776, rel=2e-3
    )


def test_every_occluder_is_a_condition() -> None:
    found = judged("occlusion", noisy_field({"block grey": 0.05}))
    assert (found.verdict, found.holding()) == ("depends", [("block grey", "hybrid")])
    assert len(found.conditions()) == 6


def test_runs_that_were_not_measured_on_changed_pictures_say_nothing_of_them() -> None:
    runs = [a_run(arm, seed, measured=0) for arm in ARMS for seed in SEEDS]
    assert judged("noise", runs).verdict == judged("occlusion", runs).verdict == "open"
    assert corruption_lines(runs, NOISES) == {}


# ---- cost, small data, size --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "parameters", "verdict"),
    [(0.0505, 24_003, "confirmed"), (0.07, 24_003, "depends"), (0.07, 30_000, "not_confirmed")],
)
def test_cost_is_small_below_five_per_cent_of_both(
    seconds: float, parameters: int, verdict: str
) -> None:
    runs = [
        a_run(arm, seed, seconds=seconds, parameters=parameters)
        if arm == "hybrid"
        else a_run(arm, seed)
        for arm in ARMS
        for seed in SEEDS
    ]
    found = judged("cost", runs)
    assert found.verdict == verdict
    (time,) = [one for one in found.comparisons if (one.condition, one.baseline) == ("time", "max")]
    assert time.difference.mean == pytest.approx(seconds / 0.05 - 1, abs=3e-3)


def few_pictures(gaps: dict[str, float], size: int = 500) -> list[Run]:
    return [
        a_run(arm, seed, 0.4, pictures=size, gap=gaps.get(arm, 0.1), measured=0)
        for arm in ARMS
        for seed in SEEDS
    ]


@pytest.mark.parametrize(
    ("gaps", "verdict"),
    [
        ({"channel": 0.2, "attention": 0.2}, "confirmed"),
        ({"attention": 0.2}, "depends"),
        ({"max": 0.2}, "not_confirmed"),
    ],
)
def test_overfitting_is_a_larger_gap_on_few_pictures(gaps: dict[str, float], verdict: str) -> None:
    found = judged("small_data", a_field(), more=few_pictures(gaps))
    assert found.verdict == verdict
    assert {condition for condition, _ in found.conditions()} == {"500"}


def test_many_pictures_say_nothing_of_few() -> None:
    assert judged("small_data", a_field()).comparisons == ()
    assert judged("small_data", a_field(), more=few_pictures({}, 10_000)).verdict == "open"


def test_the_size_of_the_model_needs_two_networks() -> None:
    small = a_field(hybrid=0.75)
    other = [
        a_run(
            arm, seed, 0.95 if arm == "hybrid" else 0.9, network="resnet18", parameters=11_000_000
        )
        for arm in ARMS
        for seed in SEEDS
    ]
    assert judged("size", small).verdict == "open"
    found = judged("size", small, more=other)
    assert found.verdict == "confirmed"
    assert [condition for condition, _ in found.conditions()] == ["small", "resnet18"]


def test_the_group_that_is_judged_stands_for_its_own_size_and_network() -> None:
    """Other settings with more runs must not take the place of what the page names."""
    few = [run for run in a_field() if run.settings.seed < 3]
    longer = [replace(run, settings=replace(run.settings, epochs=60)) for run in a_field()]
    groups = claims.by_size(few, few + longer)
    assert {run.settings.epochs for run in groups[50_000]} == {6}


def test_what_is_measured_elsewhere_is_judged_nowhere_here() -> None:
    assert {judged(claim, a_field()).verdict for claim in ("frequency", "start")} == {"elsewhere"}


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("runs", [[], [a_run("max", 0)], [a_run("hybrid", 0, measured=0)]])
def test_any_few_runs_have_a_verdict(claim: str, runs: list[Run]) -> None:
    assert judged(claim, runs).verdict in ("open", "elsewhere")


# ---- lines -------------------------------------------------------------------------------------


def test_lines_start_at_the_same_pictures_unchanged() -> None:
    runs = a_field(hybrid=0.72)
    places, means = corruption_lines(runs, ["shot_noise"])["hybrid"]
    assert places == (0, 1, 2, 3, 4, 5)
    at = [run.measures for run in runs if run.settings.arm == "hybrid"]
    assert means[0].mean == pytest.approx(math.fsum(m.clean_of_these for m in at) / 5)
    assert means[2].mean == pytest.approx(math.fsum(m.corruptions["shot_noise"][1] for m in at) / 5)
    covered, _ = occlusion_lines(runs, ["block grey", "pixels noise"])["max"]
    assert covered == (0, 4, 8, 12, 16)


def test_lines_by_size_take_what_is_there() -> None:
    groups = {500: [a_run("max", 0, 0.4)], 50_000: a_field()}
    lines = size_lines(groups, claims.clean)
    assert lines["max"][0] == (500, 50_000)
    assert lines["hybrid"][0] == (50_000,)
    assert lines["max"][1][0].count == 1


def test_paths_are_means_over_seeds_and_channels() -> None:
    runs = a_field()
    path = weight_paths(runs, "attention")["pooling 3"]
    at = [run.weights["pooling 3"] for run in runs if run.settings.arm == "attention"]
    flat = [weight for one in at for weight in one[-1]]
    assert path.mean[-1] == pytest.approx(math.fsum(flat) / len(flat))
    assert (path.low[-1], path.high[-1]) == (min(flat), max(flat))
    assert weight_paths(runs, "max") == {}


def test_runs_noted_at_other_steps_are_not_mixed() -> None:
    runs = [a_run("hybrid", seed) for seed in SEEDS]
    runs[4] = replace(runs[4], weight_steps=(0, 1, 2, 3))
    assert len(weight_paths(runs, "hybrid")["pooling 1"].runs) == 4


def test_arms_have_one_order_and_unknown_ones_come_last() -> None:
    runs = [a_run(arm, 0) for arm in ("stranger", "blur", "max")]
    assert list(by_arm(runs)) == ["max", "blur", "stranger"]
    assert list(values_by_arm(runs, lambda run: None)) == []
