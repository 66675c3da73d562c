"""The page "Evidence": every control, own results, links, and folders of every kind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from hybridpool.training.claims import CLAIMS
from hybridpool.training.results import Run, Summary, write_run
from hybridpool.ui import compute, evidence_findings, evidence_state
from hybridpool.ui import evidence_words as names
from hybridpool.ui.evidence_findings import Evidence, in_one_line, what_learning_is_worth
from hybridpool.ui.evidence_state import Choice, choice_from, groups, query
from hybridpool.ui.noise import sentences as noise_findings
from hybridpool.viz.evidence_charts import Interval, forest_chart
from tests.made_up_runs import ARMS, SEEDS, a_field, a_folder, a_full_house, a_run

ROOT = Path(__file__).resolve().parents[2]
PAGE = "pages/5_Evidence.py"
FOREVER = 300


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_folder(tmp_path_factory.mktemp("results"), a_full_house())


@pytest.fixture(autouse=True)
def no_memory() -> Iterator[None]:
    yield
    st.cache_resource.clear()


def opened(folder: Path, monkeypatch: pytest.MonkeyPatch, **link: str) -> AppTest:
    monkeypatch.setattr(evidence_state, "RESULTS", folder)
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=FOREVER)
    page.switch_page(PAGE)
    for name, value in ({"lang": "en"} | link).items():
        page.query_params[name] = value
    page.run()
    assert not page.exception
    return page


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
        *("confirmed", "depends", "not_confirmed", "elsewhere"),
        *("elsewhere", "depends", "confirmed", "open"),
    ]
    assert "<b>Hybrid</b> minus max +1.25" in rows[0]
    assert "which was not run here" in said(page)


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
    **{"accuracy": 2, "noise": 2, "occlusion": 2, "frequency": 1, "start": 1},
    **{"cost": 1, "small_data": 3, "size": 1},
}


def test_every_seed_is_a_dot(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    accuracy, forest = charts(opened(house, monkeypatch))
    dots = [trace for trace in accuracy["data"] if "customdata" in trace]
    assert len(dots) == len(ARMS)
    assert all(len(trace["y"]) == len(SEEDS) for trace in dots)
    assert len(forest["data"]) == 3  # against max, average, and the half that learns nothing


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
    assert "<b>Attention</b> minus max" in the_table(page)
    assert page.query_params["blend"] == "attention"
    few = [group.key for group in groups(a_full_house()) if "-500-" in group.key]
    page.selectbox(key="evidence_group").set_value(few[0]).run()
    assert not page.exception
    assert page.query_params["results"] == few[0]
    assert "500 training pictures" in said(page)
    linked = opened(house, monkeypatch, results=few[0], blend="attention")
    assert the_table(linked) == the_table(page)


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
    assert len(charts(page)) == 2
    assert (link.get("results", "").startswith("own-")) == ("a link cannot carry" in said(page))


# ---- folders -----------------------------------------------------------------------------------


def test_without_results_the_page_says_how_to_make_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = opened(tmp_path / "nowhere", monkeypatch)
    assert "No results are here yet" in said(page)
    assert page.code[0].value.startswith("python -m hybridpool.training train")
    assert "What others have published" in [each.value for each in page.subheader]


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_single_run_is_shown_and_not_judged(
    claim: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(a_run("hybrid", 0, measured=0), tmp_path)
    page = opened(tmp_path, monkeypatch, claim=claim)
    assert the_table(page).count('class="mark open"') == 6
    assert the_table(page).count('class="mark elsewhere"') == 2


def test_new_files_are_seen_and_a_bad_one_takes_nothing_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_folder(tmp_path, a_field(hybrid=0.75))
    (tmp_path / "broken.json").write_text("{")
    page = opened(tmp_path, monkeypatch)
    assert page.warning[0].value.startswith("broken.json holds no results")
    assert 'class="mark confirmed"' in the_table(page)
    (tmp_path / "broken.json").unlink()
    a_folder(tmp_path, a_field(hybrid=0.6))
    page.run()
    assert not page.warning
    assert "<b>Hybrid</b> minus max −10" in the_table(page)


def test_files_are_read_once(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs, problem = compute.results(house)
    assert (len(runs), problem) == (98, None)
    monkeypatch.setattr(compute, "read_run", lambda *_: pytest.fail("read again"))
    assert compute.results(house)[0] == runs


# ---- own results -------------------------------------------------------------------------------


def files(runs: list[Run], tmp_path: Path) -> list[tuple[str, bytes, str]]:
    paths = [write_run(run, tmp_path / "mine") for run in runs]
    return [(path.name, path.read_bytes(), "application/json") for path in paths]


def load(page: AppTest, given: list[tuple[str, bytes, str]]) -> AppTest:
    page.file_uploader[0].set_value(given).run()
    assert not page.exception
    return page


def test_own_results_are_judged_beside_ours(
    house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = [
        replace(run, settings=replace(run.settings, network="resnet18"))
        for run in a_field(hybrid=0.75)
    ]
    page = load(opened(house, monkeypatch), files(mine, tmp_path))
    assert "<b>Hybrid</b> minus max +4.9" in the_table(page)
    assert "which was not run here" not in said(page)
    assert "Loaded: 35 runs of your own." in said(page)
    assert page.query_params["results"].startswith("own-resnet18-50000-")
    page.selectbox(key="evidence_group").set_value(groups(a_full_house())[0].key).run()
    assert "<b>Hybrid</b> minus max +1.25" in the_table(page)
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
    assert choice_from(query(chosen)) == chosen


def test_the_article_s_network_comes_first_where_it_can_be_judged() -> None:
    large = [replace(run, settings=replace(run.settings, network="resnet18")) for run in a_field()]
    assert groups(a_field() + large)[0].runs[0].settings.network == "resnet18"
    assert groups(a_field() + large[:3])[0].runs[0].settings.network == "small"


@pytest.fixture
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (evidence_findings, names, noise_findings):
        monkeypatch.setattr(module, "_", lambda message: message)
    monkeypatch.setattr("hybridpool.ui.names._", lambda message: message)


@pytest.mark.usefixtures("english")
def test_whether_learning_is_worth_anything_follows_from_the_numbers() -> None:
    def worth(**by_arm: float) -> str:
        runs = a_field(**by_arm)
        return what_learning_is_worth(Evidence(runs, runs, "hybrid"))

    assert "it is the learning that helps" in worth(hybrid=0.75)
    assert "does harm" in worth(hybrid=0.6)
    assert "cannot be told from 0" in worth()
    assert what_learning_is_worth(Evidence([], [], "hybrid")) == ""


@pytest.mark.usefixtures("english")
def test_what_is_missing_is_named() -> None:
    runs = [run for run in a_field() if run.settings.arm != "average" and run.settings.seed < 2]
    evidence = Evidence(runs, runs, "hybrid")
    assert in_one_line(evidence.finding("accuracy"), evidence) == (
        "At least 3 seeds of each are needed; here are max 2, average 0 and hybrid 2."
    )


@pytest.mark.usefixtures("english")
def test_numbers_carry_their_sign_and_one_seed_no_interval() -> None:
    assert evidence_findings.signed(-0.0123) == "−1.23"
    assert evidence_findings.signed(0.00001) == "±0.00"
    assert evidence_findings.interval(Summary(0.01, 0, 0.01, 0.01, 1)) == "+1.00"
    assert evidence_findings.interval(Summary(0.01, 0, -0.01, 0.03, 3)) == "+1.00 (−1.00 to +3.00)"


def test_hollow_marks_are_what_cannot_be_told_from_the_line() -> None:
    rows = [
        ("a", {"max": Interval(0.02, 0.01, 0.03)}),
        ("b", {"max": Interval(0.02, -0.01, 0.05)}),
    ]
    words = {"max": "against max", "difference": "points"}
    (trace,) = forest_chart(rows, words).data
    assert trace.marker.symbol == ("circle", "circle-open")
    (trace,) = forest_chart(rows, words, limit=0.02).data
    assert trace.marker.symbol == ("circle-open", "circle-open")
