"""Verdicts on runs that no network made: clear-cut each way, and every way of being too few."""

import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

from hybridpool.training import selection, values
from hybridpool.training.claims import CLAIMS, Finding, judge, others_against, verdict_of
from hybridpool.training.curves import (
    corruption_lines,
    occlusion_lines,
    size_lines,
    values_by_arm,
    weight_paths,
)
from hybridpool.training.records import Run
from hybridpool.training.report import report
from hybridpool.training.results import read_folder
from tests.made_up_runs import ARMS, NOISES, SEEDS, a_field, a_full_house, a_run


def judged(
    claim: str, runs: list[Run], arm: str = "hybrid", more: list[Run] | None = None
) -> Finding:
    return judge(claim, runs, runs + (more or []), arm)


def outcomes(found: Finding) -> dict[str, str]:
    return {one.baseline: one.outcome for one in found.comparisons}


# ---- accuracy ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hybrid", "maximum", "average", "verdict"),
    [
        (0.72, 0.70, 0.69, "confirmed"),
        (0.70, 0.69, 0.72, "refuted"),
        (0.70, 0.7133, 0.66, "refuted"),  # far ahead of one, behind the other
        (0.70, 0.70, 0.69, "refuted"),  # as good as max is not better than max
        (0.70, 0.70, 0.70, "refuted"),
        (0.68, 0.70, 0.71, "refuted"),
    ],
)
def test_accuracy_is_confirmed_only_ahead_of_both(
    hybrid: float, maximum: float, average: float, verdict: str
) -> None:
    runs = a_field(hybrid=hybrid, max=maximum, average=average)
    found = judged("accuracy", runs)
    assert found.verdict == verdict
    assert [one.baseline for one in found.comparisons] == ["max", "average", "fixed", "frozen"]
    assert found.comparisons[0].difference.mean == pytest.approx(hybrid - maximum, abs=2e-3)


def test_what_could_not_be_seen_is_not_refuted() -> None:
    """Seeds that differ by points hide any difference of tenths."""
    runs = [a_run(arm, seed, spread=0.02) for arm in ARMS for seed in SEEDS]
    found = judged("accuracy", runs)
    assert found.verdict == "unseen"
    assert set(outcomes(found).values()) == {"undecided"}
    assert all(one.visible > 0.01 for one in found.comparisons)


def test_each_baseline_is_judged_by_itself() -> None:
    found = judged("accuracy", a_field(hybrid=0.71, max=0.72, average=0.70, fixed=0.71))
    assert outcomes(found) == {
        "max": "behind",
        "average": "ahead",
        "fixed": "equivalent",
        "frozen": "ahead",
    }


def test_another_arm_can_be_judged() -> None:
    runs = a_field(attention=0.75)
    assert judged("accuracy", runs, "attention").verdict == "confirmed"
    assert judged("accuracy", runs, "hybrid").verdict == "refuted"


@pytest.mark.parametrize("missing", ["max", "average", "hybrid"])
def test_without_one_of_the_three_nothing_is_judged(missing: str) -> None:
    runs = [run for run in a_field(hybrid=0.9) if run.settings.arm != missing]
    for claim in ("accuracy", "noise", "occlusion", "frequency"):
        assert judged(claim, runs).verdict == "open"


@pytest.mark.parametrize("count", [1, 2])
def test_fewer_than_three_seeds_are_too_few_however_clear(count: int) -> None:
    runs = [run for run in a_field(hybrid=0.9) if run.settings.seed < count]
    found = judged("accuracy", runs)
    assert found.verdict == "open"
    assert set(outcomes(found).values()) == {"few"}


def test_on_few_pictures_accuracy_is_paired_and_the_margin_is_wide() -> None:
    """As the plan says: there the arms of a seed move together."""
    many, few = (
        judged("accuracy", [a_run(arm, seed, pictures=count) for arm in ARMS for seed in SEEDS])
        for count in (50_000, 500)
    )
    assert {one.margin for one in many.comparisons} == {0.003}
    assert {one.margin for one in few.comparisons} == {0.01}
    assert {one.difference.freedom for one in many.comparisons} == {8}
    assert {one.difference.freedom for one in few.comparisons} == {4}


def test_what_gains_more_than_hybrid_is_a_family_of_its_own() -> None:
    runs = a_field(blur=0.72, channel=0.68)
    assert {one.arm: one.outcome for one in others_against(runs, "hybrid")} == {
        "channel": "behind",
        "attention": "equivalent",
        "blur": "ahead",
    }


# ---- noise, occlusion, frequencies -------------------------------------------------------------


def noisy_field(ahead: dict[str, float]) -> list[Run]:
    """Hybrid pooling is ahead of all by so much under each kind of noise and behind occluders."""
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
    ("ahead", "verdict"),
    [
        (dict.fromkeys(NOISES, 0.05), "confirmed"),
        ({"shot_noise": 0.2}, "confirmed"),
        ({"shot_noise": 0.2, "impulse_noise": -0.2}, "refuted"),
        ({"brightness": 0.05}, "refuted"),
        (dict.fromkeys(NOISES, -0.05), "refuted"),
    ],
)
def test_noise_is_judged_in_the_mean_of_its_kinds(ahead: dict[str, float], verdict: str) -> None:
    assert judged("noise", noisy_field(ahead)).verdict == verdict


def test_occlusion_is_judged_in_the_mean_over_occluders() -> None:
    found = judged("occlusion", noisy_field({"block grey": 0.12}))
    assert found.verdict == "confirmed"
    assert found.comparisons[0].difference.mean == pytest.approx(0.02, abs=2e-3)


@pytest.mark.parametrize("claim", ["noise", "occlusion", "frequency"])
def test_runs_that_were_not_measured_on_changed_pictures_say_nothing_of_them(claim: str) -> None:
    runs = [a_run(arm, seed, measured=0) for arm in ARMS for seed in SEEDS]
    assert judged(claim, runs).verdict == "unmeasured"


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        ({"max": 0.3, "average": 0.4, "hybrid": 0.4}, {"max": 0.4, "average": 0.3}, "confirmed"),
        ({"max": 0.3, "average": 0.4, "hybrid": 0.4}, {"hybrid": 0.3}, "depends"),
        ({"max": 0.3, "average": 0.4, "hybrid": 0.35}, {"hybrid": 0.3}, "refuted"),
        ({}, {}, "refuted"),
    ],
)
def test_both_frequencies_take_the_better_of_two_poolings(
    low: dict[str, float], high: dict[str, float], verdict: str
) -> None:
    sides = {"low": low, "high": high}
    runs = [
        a_run(arm, seed, kept=lambda side, arm=arm: sides[side].get(arm, 0.4))
        for arm in ARMS
        for seed in SEEDS
    ]
    found = judged("frequency", runs)
    assert found.verdict == verdict
    assert set(found.conditions) == {"low", "high"}


# ---- start, cost, small data, size -------------------------------------------------------------


def started(**behind: float) -> list[Run]:
    starts = {"low": 0.02, "high": 0.98, "drawn": None}
    return [
        a_run("hybrid", seed, 0.7 - behind[name], start=start)
        for name, start in starts.items()
        if name in behind
        for seed in SEEDS
    ]


@pytest.mark.parametrize(
    ("behind", "verdict"),
    [
        ({"low": 0.05, "high": 0.05, "drawn": 0.0}, "confirmed"),
        ({"low": 0.05, "high": 0.05}, "confirmed"),
        ({"low": 0.05, "high": 0.0, "drawn": 0.05}, "refuted"),
        ({"low": -0.05, "high": 0.05}, "refuted"),
        ({"low": 0.05}, "open"),
        ({}, "unmeasured"),
    ],
)
def test_the_start_is_judged_from_runs_with_other_starts(
    behind: dict[str, float], verdict: str
) -> None:
    found = judged("start", a_field(), more=started(**behind))
    assert found.verdict == verdict
    assert all(one.difference.freedom == 4 for one in found.comparisons)  # paired
    assert all(one.margin == 0.003 for one in found.comparisons)


def test_starts_of_other_settings_are_not_mixed() -> None:
    other = [
        replace(run, settings=replace(run.settings, epochs=60))
        for run in started(low=0.05, high=0.05)
    ]
    assert set(selection.by_start(a_field(), a_field() + other)) == {0.02, 0.98}


@pytest.mark.parametrize(
    ("parameters", "seconds", "verdict"),
    [(24_003, 5.0, "confirmed"), (25_300, 0.05, "refuted")],
)
def test_cost_is_counted_and_never_taken_from_a_clock(
    parameters: int, seconds: float, verdict: str
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
    assert found.added["hybrid"] == pytest.approx(parameters / 24_000 - 1)


def few_pictures(gaps: dict[str, float], tests: dict[str, float], size: int = 500) -> list[Run]:
    return [
        a_run(arm, seed, tests.get(arm, 0.4), pictures=size, gap=gaps.get(arm, 0.1), measured=0)
        for arm in ARMS
        for seed in SEEDS
    ]


BOTH_LARGER = {"channel": 0.2, "attention": 0.2}
BOTH_WORSE = {"channel": 0.3, "attention": 0.3}


@pytest.mark.parametrize(
    ("gaps", "tests", "verdict"),
    [
        (BOTH_LARGER, BOTH_WORSE, "confirmed"),
        ({"attention": 0.2}, BOTH_WORSE, "depends"),
        (BOTH_LARGER, {}, "refuted"),  # a larger gap that costs nothing is no overfitting
        ({}, BOTH_WORSE, "refuted"),  # worse on both is underfitting
        ({"max": 0.9, "average": 0.0}, {"max": 0.1}, "refuted"),  # the single poolings do not count
    ],
)
def test_overfitting_is_complex_against_simple_blending(
    gaps: dict[str, float], tests: dict[str, float], verdict: str
) -> None:
    found = judged("small_data", a_field(), more=few_pictures(gaps, tests))
    assert found.verdict == verdict
    assert set(outcomes(found)) == {"hybrid"}
    assert set(found.conditions) == {"500 channel", "500 attention"}


def test_many_pictures_say_nothing_of_few() -> None:
    assert judged("small_data", a_field()).comparisons == ()
    many = few_pictures({}, {}, 10_000)
    assert judged("small_data", a_field(), more=many).verdict == "unmeasured"


def test_few_pictures_may_be_those_of_another_network() -> None:
    large = [a_run(arm, seed, network="air", width=32) for arm in ARMS for seed in SEEDS]
    found = judged("small_data", large, more=few_pictures(BOTH_LARGER, BOTH_WORSE))
    assert found.verdict == "confirmed"


def test_the_size_of_the_model_needs_two_networks() -> None:
    small = a_field(hybrid=0.75)
    wider = [
        a_run(arm, seed, 0.95 if arm == "hybrid" else 0.9, width=32, parameters=11_000_000)
        for arm in ARMS
        for seed in SEEDS
    ]
    assert judged("size", small).verdict == "unmeasured"
    found = judged("size", small, more=wider)
    assert found.verdict == "confirmed"
    assert list(found.conditions) == ["small 16", "small 32"]
    assert judged("size", small, more=wider[:3]).verdict == "open"


def test_the_group_that_is_judged_stands_for_its_own_size_and_network() -> None:
    """Other settings with more runs must not take the place of what the page names."""
    few = [run for run in a_field() if run.settings.seed < 3]
    longer = [replace(run, settings=replace(run.settings, epochs=60)) for run in a_field()]
    groups = selection.by_size(few, few + longer)
    assert {run.settings.epochs for run in groups[50_000]} == {6}


def test_of_other_settings_those_that_can_be_judged_stand_for_a_network() -> None:
    """Ten poolings with one seed are more runs than three with three, and tell less."""
    small = a_field(hybrid=0.75)
    wide = [
        a_run(arm, seed, 0.95 if arm == "hybrid" else 0.9, width=32, parameters=11_000_000)
        for arm in ("max", "average", "hybrid")
        for seed in range(3)
    ]
    tried = [
        replace(run, settings=replace(run.settings, epochs=60, arm=f"{run.settings.arm}{copy}"))
        for run in wide
        if run.settings.seed == 0
        for copy in range(4)
    ]
    assert judged("size", small, more=[*tried, *wide]).verdict == "confirmed"


def test_runs_older_than_the_plan_take_no_part_in_later_verdicts() -> None:
    old = [
        replace(run, environment={"finished": "2026-11-28T20:44:00+00:00"})
        for run in a_field(hybrid=0.75)
    ]
    wide = [a_run(arm, seed, width=32, parameters=11_000_000) for arm in ARMS for seed in SEEDS]
    assert judged("size", wide, more=old).verdict == "unmeasured"
    assert judged("size", old, more=wide).verdict == "unmeasured"


def test_the_chosen_runs_stand_for_their_own_number_of_few_pictures() -> None:
    chosen = few_pictures(BOTH_LARGER, {})
    longer = [
        replace(run, settings=replace(run.settings, epochs=60))
        for run in few_pictures(BOTH_LARGER, BOTH_WORSE)
    ]
    longer += [replace(run, settings=replace(run.settings, arm="gated")) for run in longer]
    assert judged("small_data", chosen, more=longer).verdict == "refuted"


@pytest.mark.parametrize("claim", ["fine_grained", "medical"])
def test_what_nothing_measures_has_no_verdict(claim: str) -> None:
    assert judged(claim, a_full_house()).verdict == "unmeasured"


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("runs", [[], [a_run("max", 0)], [a_run("hybrid", 0, measured=0)]])
def test_any_few_runs_have_a_verdict(claim: str, runs: list[Run]) -> None:
    assert judged(claim, runs).verdict in ("open", "unmeasured")


@pytest.mark.parametrize(
    ("conditions", "verdict"),
    [
        (["holds", "holds", "few"], "confirmed"),
        (["holds", "refuted"], "depends"),
        (["holds", "unseen"], "depends"),
        (["refuted", "refuted"], "refuted"),
        (["refuted", "unseen"], "partly_refuted"),
        (["unseen", "unseen"], "unseen"),
        (["few"], "open"),
        ([], "unmeasured"),
    ],
)
def test_a_verdict_follows_from_the_conditions(conditions: list[str], verdict: str) -> None:
    assert verdict_of(conditions) == verdict


# ---- the report --------------------------------------------------------------------------------


def test_the_report_prints_every_family_and_what_could_be_seen() -> None:
    said = report(a_full_house())
    assert "accuracy hybrid - max" in said
    assert "noise hybrid - frozen" in said
    assert "small_data: confirmed" in said
    vague = report([a_run(arm, seed, spread=0.02) for arm in ARMS for seed in SEEDS])
    assert "points would have been seen with 80 % power" in vague


def test_the_report_tells_apart_groups_that_differ_in_a_setting_alone() -> None:
    said = report([*a_field(), *started(low=0.05, high=0.05, drawn=0.0)])
    heads = [line.partition(";")[0] for line in said.splitlines() if " epochs" in line]
    assert len(set(heads)) == len(heads) == 4
    assert {head.partition("epochs, ")[2] for head in heads} == {
        *("--blend-start 0.5", "--blend-start 0.02", "--blend-start 0.98"),
        "--blend-start article",
    }
    assert "0.5 - article " in said
    assert "None" not in said


def test_the_report_of_one_run_has_neither_spread_nor_interval() -> None:
    said = report([a_run("max", 0, 0.7), a_run("hybrid", 0, 0.71)])
    assert "hybrid - max" in said
    assert "±" not in said.partition("\n")[2]
    assert " to +" not in said


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
    lines = size_lines(groups, values.clean)
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
    assert list(selection.by_arm(runs)) == ["max", "blur", "stranger"]
    assert list(values_by_arm(runs, lambda run: None)) == []


def test_the_report_of_a_choice_names_every_way_and_judges_none() -> None:
    runs = [
        replace(run, settings=replace(run.settings, held_out=5000, blend_rate=rate))
        for rate in (0.003, 0.01)
        for run in a_field(hybrid=0.7 + rate)
    ]
    said = report(runs)
    assert "accuracy on 5000 held-out training pictures" in said
    assert re.search(r"hybrid +adam 0\.003 +70\.\d\d ± ", said)
    assert re.search(r"hybrid +adam 0\.01 +71\.\d\d ± ", said)
    assert "primary comparisons" not in said
    assert report([*a_full_house(), *runs]).count("small_data: confirmed") == 1


def test_the_readme_says_what_the_results_say() -> None:
    """Every interval with its outcome in the README is one of the report on the stored results."""
    root = Path(__file__).resolve().parents[2]
    papers = (root / "README.md").read_text("utf-8")
    (section,) = re.findall(r"### What was found so far\n(.*?)(?:\n#|\Z)", papers, re.DOTALL)
    claimed = re.findall(r"([+−±][\d.]+ \([+−][\d.]+ to [+−][\d.]+\)), (\w+)", section)
    runs, problems = read_folder(root / "assets" / "results")
    assert not problems
    said = re.findall(r"([+-][\d.]+ \([+-][\d.]+ to [+-][\d.]+\)) +(\w+)", report(runs))
    assert len(claimed) >= 4
    assert {(number.replace("−", "-"), outcome) for number, outcome in claimed} <= set(said)
