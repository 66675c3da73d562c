"""The page "Evidence": every control, own results, links, and folders of every kind."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from hybridpool.training import claims
from hybridpool.training.arms import ARMS as EVERY_ARM
from hybridpool.training.claims import CLAIMS, PRIMARY, Evidence
from hybridpool.training.comparisons import Comparison, Difference
from hybridpool.training.records import Run
from hybridpool.training.results import read_folder, write_run
from hybridpool.training.summary import Summary
from hybridpool.ui import compute, phrases
from hybridpool.ui import names as ui_names
from hybridpool.ui.evidence import bars, numbers, opening, outcomes, published, sentences, state
from hybridpool.ui.evidence import words as names
from hybridpool.ui.evidence.state import STATE, Choice, groups
from hybridpool.viz.evidence_charts import Interval, forest_chart
from hybridpool.viz.palette import ARM_COLOURS
from tests import apps
from tests.made_up_runs import ARMS, SEEDS, a_field, a_folder, a_full_house, a_run

ROOT = Path(__file__).resolve().parents[2]
IN_ENGLISH = (sentences, names, published, bars, numbers, outcomes, opening, phrases, ui_names)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_folder(tmp_path_factory.mktemp("results"), a_full_house())


@pytest.fixture(autouse=True)
def no_memory() -> Iterator[None]:
    yield
    st.cache_resource.clear()


def opened(folder: Path, monkeypatch: pytest.MonkeyPatch, **link: str) -> AppTest:
    monkeypatch.setattr(state, "RESULTS", folder)
    return apps.opened("pages/5_Evidence.py", {"lang": "en"} | link)


def the_table(page: AppTest) -> str:
    (found,) = [each.proto.body for each in page.get("html") if "<table" in each.proto.body]
    return found


def charts(page: AppTest) -> list[dict[str, Any]]:
    return [json.loads(each.proto.spec) for each in page.get("plotly_chart")]


def said(page: AppTest) -> str:
    return "\n".join(each.value for each in [*page.markdown, *page.caption, *page.info])


# ---- the page ----------------------------------------------------------------------------------


def test_every_claim_has_a_row_and_a_verdict(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = opened(house, monkeypatch)
    rows = the_table(page).split("<tr>")[2:]
    assert len(rows) == len(CLAIMS)
    verdicts = [row.partition('class="mark ')[2].partition('"')[0] for row in rows]
    assert verdicts == [
        *("confirmed", "confirmed", "refuted", "depends", "confirmed"),
        *("confirmed", "confirmed", *["unmeasured"] * 3),
    ]
    assert "which is another network" in said(page)


def test_every_row_shows_its_intervals_as_bars(
    house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = the_table(opened(house, monkeypatch)).split("<tr>")[2:]
    shown = dict(zip(CLAIMS, (row.count('class="axis') for row in rows), strict=True))
    assert shown == {
        **dict.fromkeys(("accuracy", "noise", "occlusion", "frequency"), 4),
        **{"start": 3, "cost": 0, "small_data": 12, "size": 2, "fine_grained": 0, "medical": 0},
    }
    accuracy = rows[0]
    assert ">minus max<" in accuracy
    assert re.search(r">\+1\.25 \(\+1\.\d\d to \+1\.\d\d\)<", accuracy)
    assert accuracy.count('class="outcome ahead"') == 4


def test_the_page_opens_with_what_a_practitioner_asks(
    house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = opened(house, monkeypatch).main.markdown[0].value
    gains, costs = first.split("\n\n")
    assert "**Hybrid** is ahead of max by +1.25" in gains
    assert "adds 3 parameters" in costs
    assert "changes more often under shifts than with average: −3.9" in costs
    assert "More is gained here by max, then blur +0.5" in costs


@pytest.mark.parametrize("claim", CLAIMS)
def test_every_claim_opens_from_its_button_and_from_a_link(
    claim: str, house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = opened(house, monkeypatch)
    page.button_group(key="evidence_claim").set_value(claim).run()
    assert not page.exception
    assert page.query_params["claim"] == claim
    assert f"> {names.claim_quotes()[claim]}" in said(page)
    linked = opened(house, monkeypatch, claim=claim)
    assert said(linked) == said(page)
    assert len(charts(linked)) == LINES.get(claim, 0)


LINES = {
    **{"accuracy": 3, "noise": 3, "occlusion": 3, "frequency": 3, "start": 2},
    **{"cost": 0, "small_data": 3, "size": 1},
}


def test_every_seed_is_a_dot(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    accuracy, forest, others = charts(opened(house, monkeypatch))
    dots = [trace for trace in accuracy["data"] if "customdata" in trace]
    assert len(dots) == len(ARMS)
    assert all(len(trace["y"]) == len(SEEDS) for trace in dots)
    assert len(forest["data"]) == len(PRIMARY)
    assert len(others["data"]) == 2  # against max and against average


def test_one_kind_of_noise_can_be_looked_at(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = opened(house, monkeypatch, claim="noise")
    together = charts(page)[0]["data"]
    page.selectbox(key="evidence_change").set_value("impulse_noise").run()
    assert not page.exception
    assert page.query_params["under"] == "impulse_noise"
    assert charts(page)[0]["data"] != together
    page.button_group(key="evidence_claim").set_value("occlusion").run()
    assert "under" not in page.query_params
    linked = opened(house, monkeypatch, claim="occlusion", under="block-grey")
    assert linked.selectbox(key="evidence_change").value == "block grey"


def test_another_pooling_and_other_networks_can_be_judged(
    house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = opened(house, monkeypatch)
    page.button_group(key="evidence_arm").set_value("attention").run()
    assert "Test accuracy of <b>Attention</b> minus" in the_table(page)
    assert page.query_params["blend"] == "attention"
    few = [group.key for group in groups(a_full_house()) if "-500-" in group.key]
    page.selectbox(key="evidence_group").set_value(few[0]).run()
    assert not page.exception
    assert page.query_params["results"] == few[0]
    assert "500 training pictures" in said(page)
    linked = opened(house, monkeypatch, results=few[0], blend="attention")
    assert the_table(linked) == the_table(page)


def test_only_what_was_run_can_be_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first group is of a larger network that ran with one of the three hybrid poolings."""
    for arm, seed in [(arm, seed) for arm in EVERY_ARM for seed in SEEDS]:
        write_run(a_run(arm, seed), tmp_path)
        if arm in ("max", "average", "fixed", "hybrid"):
            write_run(a_run(arm, seed, network="air", width=32, parameters=500_000), tmp_path)
    page = opened(tmp_path, monkeypatch)
    assert page.button_group(key="evidence_arm").options == ["One weight a layer"]
    assert "Not run with these networks: one a channel and attention." in said(page)
    larger = page.selectbox(key="evidence_group").value
    linked = opened(tmp_path, monkeypatch, blend="channel")
    assert "Test accuracy of <b>Hybrid per channel</b> minus" in the_table(linked)
    smaller = linked.selectbox(key="evidence_group").value
    assert smaller != larger
    linked.button_group(key="evidence_arm").set_value("hybrid").run()
    assert linked.selectbox(key="evidence_group").value == smaller
    both = opened(tmp_path, monkeypatch, blend="channel", results=larger)
    assert not both.exception
    assert "Test accuracy of <b>Hybrid</b> minus" in the_table(both)
    both.selectbox(key="evidence_group").set_value(smaller).run()
    assert "Test accuracy of <b>Hybrid per channel</b> minus" in the_table(both)


@pytest.mark.parametrize(
    "link",
    [
        {"results": "no such", "blend": "max", "claim": "price", "under": "<b>"},
        {"claim": "noise", "under": "block-grey"},
        {"results": "own-small-50000-abcdef"},
    ],
)
def test_a_link_can_ask_for_anything(
    link: dict[str, str], house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = opened(house, monkeypatch, **link)
    assert len(charts(page)) == 3
    assert (link.get("results", "").startswith("own-")) == ("a link cannot carry" in said(page))


# ---- folders -----------------------------------------------------------------------------------


def test_without_results_the_page_says_how_to_make_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = opened(tmp_path / "nowhere", monkeypatch)
    assert "No results are here yet" in said(page)
    assert page.code[0].value == names.COMMAND
    assert "What others have published" in [each.value for each in page.header]


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_single_run_is_shown_and_not_judged(
    claim: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(a_run("hybrid", 0, measured=0), tmp_path)
    page = opened(tmp_path, monkeypatch, claim=claim)
    assert the_table(page).count('class="mark open"') == 1  # the accuracy, which was measured
    assert the_table(page).count('class="mark unmeasured"') == len(CLAIMS) - 1


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("seeds", [1, 2, 3])
def test_few_seeds_are_shown(
    claim: str, seeds: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_folder(tmp_path, [run for run in a_full_house() if run.settings.seed < seeds])
    judged = opened(tmp_path, monkeypatch, claim=claim)
    assert ('class="mark open"' in the_table(judged)) == (seeds < 3)


def test_the_results_of_the_project_are_read_and_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = ROOT / "assets" / "results"
    runs, problems = read_folder(folder)
    assert runs
    assert not problems
    assert not opened(folder, monkeypatch).warning


def test_new_files_are_seen_and_bad_ones_take_nothing_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_folder(tmp_path, a_field(hybrid=0.75))
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "strange.json").write_text("[]")
    page = opened(tmp_path, monkeypatch)
    broken, strange = page.warning[0].value.split("\n\n")
    assert broken.startswith("broken.json holds no results")
    assert strange.startswith("strange.json holds no results")
    assert 'class="mark confirmed"' in the_table(page)
    for path in tmp_path.glob("*.json"):
        path.unlink()
    a_folder(tmp_path, a_field(hybrid=0.6))
    page.run()
    assert not page.warning
    assert ">−10" in the_table(page)


HOSTILE = {
    "a seed of 4,000 digits": lambda text: text.replace('"seed":0', '"seed":1' + "0" * 4000),
    "a list for a number": lambda text: text.replace('"batch_size":256', '"batch_size":[1,2]'),
    "a table for a word": lambda text: text.replace('"precision":"float32"', '"precision":{}'),
    "no number": lambda text: text.replace('"clean":', '"clean":NaN,"was":'),
    "half a file": lambda text: text[: len(text) // 2],
    "nothing": lambda text: "",
}


@pytest.mark.parametrize("spoil", HOSTILE.values(), ids=HOSTILE)
def test_one_spoilt_file_is_named_and_the_others_are_shown(
    spoil: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_folder(tmp_path, a_field(hybrid=0.75))
    victim = next(tmp_path.rglob("*-seed0-*.json"))
    spoilt = spoil(victim.read_text())
    assert spoilt != victim.read_text()
    (tmp_path / "spoilt.json").write_text(spoilt)
    page = opened(tmp_path, monkeypatch)
    assert page.warning[0].value.startswith("spoilt.json holds no results")
    assert len(page.warning[0].value) < 400
    assert 'class="mark confirmed"' in the_table(page)


def test_many_bad_files_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_folder(tmp_path, a_field())
    for number in range(8):
        (tmp_path / f"{number}.json").write_text("{")
    told = opened(tmp_path, monkeypatch).warning[0].value.split("\n\n")
    assert len(told) == 6
    assert told[-1] == "More files that cannot be used: 3."


def test_runs_that_chose_a_setting_are_no_evidence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chose = [
        replace(run, settings=replace(run.settings, held_out=5000)) for run in a_field(hybrid=0.9)
    ]
    assert groups(chose) == []
    assert groups([*a_field(), *chose])[0].runs[0].settings.held_out == 0
    page = load(opened(tmp_path / "nowhere", monkeypatch), files(chose[:1], tmp_path))
    assert "which is no evidence" in page.error[0].value


def test_files_are_read_once(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = compute.results(house)
    assert (len(stored.runs), stored.problems) == (len(a_full_house()), [])
    monkeypatch.setattr(compute.trained, "read_run", lambda *_: pytest.fail("read again"))
    assert compute.results(house) is stored
    opened(house, monkeypatch)
    (judged,) = stored.judged.values()
    monkeypatch.setattr(claims, "judge", lambda *_: pytest.fail("judged again"))
    opened(house, monkeypatch)
    assert list(stored.judged.values()) == [judged]


# ---- own results -------------------------------------------------------------------------------


def files(runs: list[Run], tmp_path: Path) -> list[tuple[str, bytes, str]]:
    paths = [write_run(run, tmp_path / "mine") for run in runs]
    return [(path.name, path.read_bytes(), "application/json") for path in paths]


def load(page: AppTest, given: list[tuple[str, bytes, str]]) -> AppTest:
    page.file_uploader[0].set_value(given).run()
    assert not page.exception
    return page


@pytest.mark.parametrize("width", [16, 64])
def test_own_results_are_judged_beside_ours(
    width: int, house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = [
        replace(run, settings=replace(run.settings, network="resnet18", width=width))
        for run in a_field(hybrid=0.75)
    ]
    page = load(opened(house, monkeypatch), files(mine, tmp_path))
    assert ">+4.9" in the_table(page)
    assert "which is another network" not in said(page)
    assert ("whose first stage has 64 channels; here it has 16" in said(page)) == (width == 16)
    assert "Loaded: 40 runs of your own." in said(page)
    assert page.query_params["results"].startswith("own-resnet18-50000-")
    page.selectbox(key="evidence_group").set_value(groups(a_full_house())[0].key).run()
    assert ">+1.25 (" in the_table(page)
    page.button(key="forget_own").click().run()
    assert "Loaded:" not in said(page)
    assert not page.exception


def test_own_results_show_where_there_are_none_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = opened(tmp_path / "nowhere", monkeypatch)
    load(page, files([a_run("max", 0), a_run("hybrid", 0)], tmp_path))
    assert "No results are here yet" not in said(page)
    # The same run again takes its own place.
    load(page, files([a_run("max", 0), a_run("hybrid", 1)], tmp_path))
    assert "Loaded: 3 runs of your own." in said(page)


def test_own_results_that_differ_in_a_setting_have_names_of_their_own(
    house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = [
        replace(run, settings=replace(run.settings, learning_rate=rate))
        for rate in (0.1, 0.2)
        for run in a_field()
    ]
    page = load(opened(house, monkeypatch), files(mine, tmp_path))
    options = page.selectbox(key="evidence_group").options
    assert len(set(options)) == len(options)
    assert sum("--learning-rate 0.1" in option for option in options) == 1


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ([("x.json", b"{", "")], "x.json holds no results of a training run"),
        ([("x.json", b" " * 2_000_001, "")], "x.json is larger than 2 MB"),
        ([(f"{i}.json", b"{}", "") for i in range(201)], "These are 201 files: choose 200"),
        ([(f"{i}.json", b" " * 1_999_999, "") for i in range(21)], "larger than 40 MB together"),
    ],
)
def test_a_bad_upload_gets_one_sentence_and_takes_nothing_away(
    given: list[tuple[str, bytes, str]],
    sentence: str,
    house: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = opened(house, monkeypatch)
    before = the_table(page)
    load(page, given)
    assert len(page.error) == 1
    assert sentence in page.error[0].value
    assert the_table(page) == before


def test_one_bad_file_among_good_ones_is_refused_alone(
    house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = files([a_run("max", 0), a_run("hybrid", 0)], tmp_path)
    page = load(opened(house, monkeypatch), [good[0], ("bad.json", b"{", ""), good[1]])
    assert "bad.json holds no results" in page.error[0].value
    assert "Loaded: 2 runs of your own." in said(page)


def test_files_that_fail_as_nobody_foresaw_fail_once(
    house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = opened(house, monkeypatch)

    def failing(files: object) -> None:
        raise LookupError(files)

    with monkeypatch.context() as patch:
        patch.setattr(state, "accept_own", failing)
        page.file_uploader[0].set_value([("x.json", b"{}", "application/json")]).run()
        assert page.exception
        page.run()
        assert not page.exception


def test_own_results_are_held_up_to_a_limit_and_no_file_is_kept(
    house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = files([a_run("max", seed) for seed in range(3)], tmp_path)
    two = sum(len(data) for _name, data, _kind in given[:2])
    monkeypatch.setattr(state, "MAX_BYTES_TOGETHER", two)
    page = load(load(opened(house, monkeypatch), given[:1]), given[1:2])
    # The same run again takes its own place.
    load(page, given[:1])
    assert "Loaded: 2 runs of your own." in said(page)
    load(page, given[2:])
    assert "With those that are loaded" in page.error[0].value
    assert "Loaded: 2 runs of your own." in said(page)
    load(page, [("x.json", b"{", "")])
    (problem,) = page.session_state["own_results_problems"]
    assert problem.__cause__ is problem.__traceback__ is None


def test_names_of_own_files_are_never_markup(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = load(opened(house, monkeypatch), [("![x](y) *b*.json", b"{", "")])
    assert page.error[0].value.startswith("!\\[x\\](y) \\*b\\*.json holds no results")


def test_names_in_own_files_are_never_markup(
    house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = [replace(run, data={"name": "<b>[x](y)**"}) for run in a_field()]
    page = load(opened(house, monkeypatch), files(mine, tmp_path))
    assert "\\<b\\>\\[x\\](y)\\*\\*" in said(page)


# ---- choices, sentences, charts ----------------------------------------------------------------


@pytest.mark.parametrize(
    "chosen", [Choice(), Choice("small-50000-abc", "channel", "noise", "block grey")]
)
def test_a_link_restores_what_was_chosen(chosen: Choice) -> None:
    assert STATE.read(STATE.query(chosen)) == chosen


def test_the_article_s_network_comes_first_where_it_can_be_judged() -> None:
    large = [
        replace(run, settings=replace(run.settings, network="resnet18", width=64))
        for run in a_field()
    ]
    assert groups(a_field() + large)[0].runs[0].settings.network == "resnet18"
    assert groups(a_field() + large[:3])[0].runs[0].settings.network == "small"


def test_of_two_networks_that_can_be_judged_the_larger_comes_first() -> None:
    larger = [
        replace(
            run,
            settings=replace(run.settings, network="air"),
            costs=replace(run.costs, parameters=10 * run.costs.parameters),
        )
        for run in a_field()
        if run.settings.seed < 3
    ]
    assert groups(a_field() + larger)[0].runs[0].settings.network == "air"
    two_seeds = [run for run in larger if run.settings.seed < 2]
    assert groups(a_field() + two_seeds)[0].runs[0].settings.network == "small"


def evidence(runs: list[Run], arm: str = "hybrid") -> Evidence:
    return Evidence(runs, runs, arm)


def compared(
    outcome: str, mean: float, half: float, baseline: str = "max", margin: float = 0.003
) -> Comparison:
    """An outcome with a made-up interval, for sentences alone."""
    at = Difference(
        mean, mean - half, mean + half, (mean - 0.8 * half, mean + 0.8 * half), 0.5, half, 8, (5, 5)
    )
    return Comparison("", "hybrid", baseline, "accuracy", at, outcome, margin, 0.0127)


@pytest.mark.usefixtures("english")
@pytest.mark.parametrize(
    ("one", "said"),
    [
        (compared("ahead", 0.02, 0.01), "ahead of max by +2.00 (+1.00 to +3.00)"),
        (compared("behind", -0.0133, 0.009), "behind max by −1.33 (−2.23 to −0.43)"),
        (
            compared("ahead", 0.0015, 0.001),
            "ahead of max, but by less than 0.3: +0.15 (+0.05 to +0.25)",
        ),
        (
            compared("equivalent", 0.0, 0.002),
            "equivalent to max within ±0.3: ±0.00 (−0.20 to +0.20)",
        ),
        (
            compared("undecided", 0.0018, 0.0078),
            "undecided against max: +0.18 (−0.60 to +0.96); a difference of 1.3 would have been "
            "seen with 80 % power",
        ),
        (compared("few", 0.02, 0.0), "not judged against max, with too few runs: +2.00"),
    ],
)
def test_every_outcome_has_its_words(one: Comparison, said: str) -> None:
    assert outcomes.clause(one) == said


@pytest.mark.usefixtures("english")
@pytest.mark.parametrize(
    ("mean", "half", "said"),
    [
        (0.0018, 0.0130, "a gain of 1.2 points fits these runs, and so does no gain at all."),
        (0.0100, 0.0080, "a gain of 1.2 points fits these runs; no gain at all does not."),
        (0.0018, 0.0078, "a gain of 1.2 points is more than these runs allow."),
        (-0.0133, 0.0090, "a gain of 1.2 points is more than these runs allow."),
        (0.0290, 0.0087, "the gain is larger than 1.2 points."),
    ],
)
def test_where_a_gain_fits_it_says_whether_none_does(mean: float, half: float, said: str) -> None:
    assert sentences.about_the_gain([compared("undecided", mean, half)]) == [f"Against max, {said}"]


def worth(fixed: str, frozen: str | None = None) -> str:
    found = [compared(fixed, 0.0, 0.01, "fixed")]
    found += [compared(frozen, 0.0, 0.01, "frozen")] if frozen else []
    return sentences.what_learning_is_worth(found)


@pytest.mark.usefixtures("english")
@pytest.mark.parametrize(
    ("fixed", "frozen", "said"),
    [
        ("ahead", "ahead", "So the learning itself helps"),
        ("ahead", "equivalent", "So the value helps"),
        ("ahead", "behind", "learning it during the training costs something"),
        ("ahead", "undecided", "These runs cannot tell"),
        ("ahead", None, "The frozen blend would tell"),
        ("behind", "ahead", "So learning the weight does harm here"),
        ("equivalent", "ahead", "a half of each is as good"),
        ("undecided", "ahead", "neither that learning the weight is worth anything nor"),
        ("few", None, "Too few seeds"),
    ],
)
def test_learning_helps_only_ahead_of_a_half_and_of_its_own_values(
    fixed: str, frozen: str | None, said: str
) -> None:
    assert said in worth(fixed, frozen)
    assert ("the learning itself helps" in worth(fixed, frozen)) == (
        (fixed, frozen) == ("ahead", "ahead")
    )


@pytest.mark.usefixtures("english")
def test_without_a_half_nothing_is_said_of_learning() -> None:
    assert sentences.what_learning_is_worth([compared("ahead", 0.02, 0.01)]) == ""


@pytest.mark.usefixtures("english")
def test_a_bound_that_holm_does_not_pass_is_no_learning() -> None:
    """As in the earlier runs: +0.54 with a lower bound of +0.07 before any correction."""
    spread = [0.0, 0.004, 0.008, 0.002, 0.006]
    runs = [
        replace(run, measures=replace(run.measures, clean=value + extra))
        for arm, value in (("max", 0.705), ("average", 0.704), ("fixed", 0.700), ("hybrid", 0.7055))
        for seed, extra in enumerate(spread)
        for run in [a_run(arm, seed)]
    ]
    found = evidence(runs).finding("accuracy").comparisons
    fixed = next(one for one in found if one.baseline == "fixed")
    assert fixed.difference.low > 0
    assert fixed.outcome == "undecided"
    assert "the learning that helps" not in sentences.what_learning_is_worth(found)


@pytest.mark.usefixtures("english")
def test_frozen_says_nothing_of_other_blends() -> None:
    """It holds what one weight a layer learned."""
    runs = a_field(channel=0.73, fixed=0.70, frozen=0.70)
    found = evidence(runs, "channel").finding("accuracy").comparisons
    assert "frozen" not in {one.baseline for one in found}
    said = sentences.what_learning_is_worth(found)
    assert said.endswith("So the learned weights are better than a half.")


@pytest.mark.usefixtures("english")
def test_two_seeds_say_nothing_of_the_articles_gain() -> None:
    two = [run for run in a_field(hybrid=0.712) if run.settings.seed < 2]
    assert sentences.about_the_gain(evidence(two).finding("accuracy").comparisons) == []


@pytest.mark.usefixtures("english")
def test_seeds_that_nobody_shares_are_named_as_such() -> None:
    runs = [
        replace(run, settings=replace(run.settings, seed=run.settings.seed + 10))
        if run.settings.arm == "max"
        else run
        for run in a_field()
    ]
    found = evidence(runs)
    assert sentences.in_one_line(found.finding("noise"), found) == (
        "At least 3 seeds are needed that all of max, average and hybrid were run with."
    )


@pytest.mark.usefixtures("english")
def test_runs_of_another_network_are_said_to_be_of_one() -> None:
    large = [a_run(arm, seed, network="air", width=32) for arm in ARMS for seed in SEEDS]
    starts = [a_run("hybrid", seed, start=at) for at in (0.02, 0.5, 0.98) for seed in SEEDS]
    found = Evidence(large, [*large, *starts], "channel")
    said = sentences.in_one_line(found.finding("start"), found)
    assert "with one weight a layer that starts at 0.5" in said
    assert said.endswith("These runs are of another network: small network.")


def test_older_runs_and_other_data_are_no_proof(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for run in a_field():
        early = {**run.environment, "finished": "2026-11-28T20:44:00+00:00"}
        write_run(replace(run, environment=early), tmp_path)
    assert "These runs are older than the rules" in said(opened(tmp_path, monkeypatch))
    birds = tmp_path / "birds"
    for run in a_field():
        settings = replace(run.settings, network="resnet18", width=64, data="birds")
        write_run(replace(run, settings=settings, data={**run.data, "name": "birds"}), birds)
    page = opened(birds, monkeypatch)
    assert "older than the rules" not in said(page)
    assert "The article's number is about all of CIFAR-10" in said(page)


@pytest.mark.usefixtures("english")
def test_what_gains_more_is_named_only_where_it_is_seen() -> None:
    assert "More is gained here by max, then blur +2.0" in opening.price(
        evidence(a_field(blur=0.72))
    )
    vague = [a_run(arm, seed, spread=0.02) for arm in ARMS for seed in SEEDS]
    assert "None of 3 further poolings was seen to gain more." in opening.price(evidence(vague))
    alone = [run for run in vague if run.settings.arm in ("max", "average", "hybrid")]
    assert "further poolings" not in opening.price(evidence(alone))
    wide = [
        replace(run, settings=replace(run.settings, network="resnet18", width=64)) for run in alone
    ]
    assert (
        "On another network (small network), more is gained by max, then blur +2.0"
    ) in opening.price(Evidence(wide, [*wide, *a_field(blur=0.72)], "hybrid"))
    assert (
        "Of 3 further poolings on another network (small network), none was seen to gain more."
    ) in opening.price(Evidence(wide, [*wide, *vague], "hybrid"))


@pytest.mark.usefixtures("english")
def test_steadiness_under_shifts_is_said_where_hybrid_is_behind() -> None:
    steady = [
        a_run(arm, seed, shifted=0.84 if arm == "average" else 0.80)
        for arm in ARMS
        for seed in SEEDS
    ]
    assert "under shifts than with average: −3.9" in opening.price(evidence(steady))
    assert "under shifts" not in opening.price(evidence(a_field()))


@pytest.mark.usefixtures("english")
def test_a_verdict_on_too_few_runs_is_not_said_of_what_nobody_measured() -> None:
    runs = [a_run(arm, seed, measured=0) for arm in ARMS for seed in SEEDS]
    found = evidence(runs)
    for claim in ("noise", "occlusion", "frequency", "start", "small_data"):
        said = sentences.in_one_line(found.finding(claim), found)
        assert said.startswith("Nothing was measured"), claim
        assert "seeds" not in said


@pytest.mark.usefixtures("english")
def test_tasks_that_need_own_pictures_name_the_command() -> None:
    found = evidence(a_field())
    for claim in ("fine_grained", "medical"):
        assert "`python -m hybridpool.training train --data FOLDER`" in sentences.in_one_line(
            found.finding(claim), found
        )


@pytest.mark.usefixtures("english")
def test_what_is_missing_is_named() -> None:
    runs = [run for run in a_field() if run.settings.arm != "average" and run.settings.seed < 2]
    found = evidence(runs)
    assert sentences.in_one_line(found.finding("accuracy"), found) == (
        "At least 3 seeds of each are needed; here are max 2, average 0 and hybrid 2."
    )


@pytest.mark.usefixtures("english")
def test_what_could_have_been_seen_is_said_and_with_how_many_seeds() -> None:
    found = evidence([a_run(arm, seed, spread=0.01) for arm in ARMS for seed in SEEDS])
    said = outcomes.resolution(found.finding("accuracy").comparisons)
    assert said.startswith("With 5 seeds, differences of ")
    assert "80 % power" in said
    assert outcomes.resolution([]) == ""
    assert outcomes.resolution([compared("few", 0, 0)]) == ""


@pytest.mark.usefixtures("english")
def test_intervals_over_seeds_alone_are_called_so() -> None:
    alone = compared("undecided", 0.0, 0.01)
    both = replace(alone, difference=replace(alone.difference, pictures=2000))
    assert "over seeds alone" in outcomes.sampled([alone, both])
    assert outcomes.sampled([both]).startswith("The intervals are over seeds and 2,000 pictures at")
    assert outcomes.sampled([]) == ""


@pytest.mark.usefixtures("english")
def test_numbers_carry_their_sign_and_one_seed_no_interval() -> None:
    assert numbers.signed(-0.0123) == "−1.23"
    assert numbers.signed(0.00001) == "±0.00"
    assert numbers.interval(Summary(0.01, 0, 0.01, 0.01, 1)) == "+1.00"
    assert numbers.interval(Summary(0.01, 0, -0.01, 0.03, 3)) == "+1.00 (−1.00 to +3.00)"


@pytest.mark.usefixtures("english")
def test_published_rows_have_sources_and_the_blend_its_own_row() -> None:
    rows = published.published()
    assert {row.source for row in rows} == set(published.SOURCES)
    (gated,) = [row for row in rows if "gated blend" in row.setting]
    assert gated.result.startswith("47.1 % against 47.0 %")
    (general,) = [row for row in rows if "GeneralPool" in row.setting]
    assert "no blend" in general.setting


def test_every_arm_has_a_name_a_colour_and_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "_", lambda message: message)
    monkeypatch.setattr("hybridpool.ui.names._", lambda message: message)
    assert set(names.arm_names()) == set(EVERY_ARM) == set(ARM_COLOURS)
    assert len(set(ARM_COLOURS.values())) == len(ARM_COLOURS)


def test_a_bar_lies_where_its_numbers_say(english: None) -> None:
    """From −1 to +3 on an axis that reaches 3 x 1.08 to both sides."""
    html = bars.bars([compared("undecided", 0.01, 0.02)])
    places = re.findall(r'class="(reach|mean)" style="left:([\d.]+)%(?:;right:([\d.]+)%)?', html)
    assert places == [
        ("reach", f"{50 - 50 / 3.24:.2f}", f"{50 - 150 / 3.24:.2f}"),
        ("mean", f"{50 + 50 / 3.24:.2f}", ""),
    ]
    assert bars.bars([]) == ""


def test_hollow_marks_are_what_reaches_the_line() -> None:
    rows = [
        ("a", {"max": Interval(0.02, 0.01, 0.03)}),
        ("b", {"max": Interval(0.02, -0.01, 0.05)}),
    ]
    words = {"max": "against max", "difference": "points"}
    (trace,) = forest_chart(rows, words).data
    assert trace.marker.symbol == ("circle", "circle-open")
    assert len(forest_chart(rows, words, margin=0.003).layout.shapes) == 2


def test_page_and_readme_name_the_same_commands() -> None:
    """But for the place of the results and the device."""
    papers = (ROOT / "README.md").read_text("utf-8")
    for command in (names.COMMAND, names.ARTICLE_COMMAND, names.OWN_COMMAND):
        words = command.partition(" --output")[0].partition(" --device")[0]
        assert words.partition("hybridpool.training ")[2] in papers, command
