"""The page "Learning": controls, link, the race through its buttons, what is sent and said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from hybridpool.race.gaps import Gaps, overfitting
from hybridpool.race.race import ARMS, CHANNELS, STARTS, Race, RaceSettings
from hybridpool.race.tasks import TASKS
from hybridpool.ui.learning import gaps as learning_gaps
from hybridpool.ui.learning import race as learning_race
from hybridpool.ui.learning import sentences as learning_findings
from hybridpool.ui.learning import state as learning_state
from hybridpool.ui.learning import words as learning_words
from hybridpool.ui.learning.gaps import Measurement
from hybridpool.ui.learning.state import SPEEDS, Lesson
from hybridpool.viz.learning_charts import ARM_COLOURS, ARM_DASHES, CHANNEL_COLOURS, gap_chart
from tests import apps
from tests.shown import parts_of

QUICK = {"steps": "100", "speed": "fast", "training-pictures": "50", "lang": "en"}
IN_ENGLISH = (learning_findings, learning_words)


def opened(**link: str) -> AppTest:
    return apps.opened("pages/4_Learning.py", QUICK | link)


def sent(page: AppTest) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    return parts_of(page.get("bidi_component")[0].proto.bytes)


def race_of(page: AppTest) -> Race:
    found = page.session_state["race"]
    assert isinstance(found, Race)
    return found


def finish(page: AppTest) -> AppTest:
    """What the browser does while the race runs: it asks again."""
    while page.session_state["race_runs"]:
        page.run()
        assert not page.exception
    return page


# ---- what is chosen, and the link --------------------------------------------------------------


@pytest.mark.parametrize(
    "chosen",
    [
        Lesson(),
        Lesson(RaceSettings("marks", 7, 20, 500, 0.1, "adam", 0.03, True, 0.5), "slow"),
    ],
)
def test_a_link_restores_what_was_chosen(chosen: Lesson) -> None:
    assert learning_state.STATE.read(learning_state.STATE.query(chosen)) == chosen


@pytest.mark.parametrize("wild", ["", "-1e999", "nan", "ninety", "中", "1e400", "0x20"])
def test_whatever_a_link_says_can_be_run(wild: str) -> None:
    names = learning_state.STATE.query(Lesson())
    found = learning_state.STATE.read(dict.fromkeys(names, wild))
    assert found == found.clamped()
    assert found.race.task in TASKS


def test_the_page_starts_with_what_the_link_says_and_writes_it_back() -> None:
    page = opened(task="tone", rate="0.1", decay="0.03", **{"decay-blend": "1", "race-seed": "3"})
    race = race_of(page)
    assert race.settings == RaceSettings(
        "tone", 3, 50, 100, 0.1, weight_decay=0.03, decay_logits=True
    )
    assert race.step == 0
    assert page.query_params["task"] == "tone"
    assert page.query_params["decay-blend"] == "1"
    assert page.query_params["race-seed"] == "3"


# ---- every control -----------------------------------------------------------------------------


@pytest.mark.parametrize("task", TASKS)
def test_every_task_shows_pictures_of_each_class(task: str) -> None:
    page = opened()
    page.button_group(key="learning_task").set_value(task).run()
    assert not page.exception
    assert race_of(page).settings.task == task
    assert len(page.get("image")) == len(TASKS[task].classes)
    header, _ = sent(page)
    assert len(header["classes"]) == len(TASKS[task].classes)


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("select_slider", "pictures", 20),
        ("select_slider", "steps", 200),
        ("number_input", "seed", 12),
        ("button_group", "optimizer", "adam"),
        ("select_slider", "learning_rate", 0.2),
        ("select_slider", "dropout", 0.3),
        ("select_slider", "weight_decay", 0.1),
    ],
)
def test_every_control_decides_the_race_and_stands_in_the_link(
    kind: str, name: str, value: object
) -> None:
    page = opened()
    old = race_of(page).settings
    getattr(page, kind)(key=f"learning_{name}").set_value(value).run()
    assert not page.exception
    assert race_of(page).settings == replace(old, **{name: value})  # type: ignore[arg-type]
    assert learning_state.STATE.read(dict(flat(page))).race == race_of(page).settings


def flat(page: AppTest) -> dict[str, str]:
    return {
        name: value if isinstance(value, str) else value[0]
        for name, value in page.query_params.items()
    }


def test_blend_weights_can_be_made_to_decay_once_there_is_weight_decay() -> None:
    page = opened()
    assert page.radio(key="learning_decay_logits").disabled
    page.select_slider(key="learning_weight_decay").set_value(0.03).run()
    page.radio(key="learning_decay_logits").set_value(True).run()
    assert race_of(page).settings.decay_logits


# ---- the race ----------------------------------------------------------------------------------


def test_start_pause_continue_to_the_end_gives_the_numbers_of_an_unbroken_race() -> None:
    page = opened()
    assert sent(page)[0]["count"] == 1
    page.button(key="race_go").click().run()
    assert page.session_state["race_runs"]
    page.button(key="race_pause").click().run()
    assert not page.session_state["race_runs"]
    stopped = race_of(page).step
    page.run()
    assert race_of(page).step == stopped
    page.button(key="race_go").click().run()
    finish(page)
    race = race_of(page)
    assert race.done
    assert page.button(key="race_go").disabled
    header, arrays = sent(page)
    whole = Race(race.settings)
    list(whole.advance(race.settings.steps))
    assert header["from"] == 0
    assert header["count"] == 101
    weights = torch.stack([moment.blend_weight.mean(1) for moment in whole.moments])
    assert arrays["weight"].tolist() == weights.flatten().tolist()
    assert arrays["measured"].tolist() == list(range(0, 101, 10))
    shape = (11, 2, CHANNELS)
    assert arrays["attention"].reshape(shape)[-1].tolist() == whole.moments[-1].attention.tolist()  # type: ignore[union-attr]


def test_while_it_runs_only_what_is_new_is_sent_and_the_rest_when_asked_for() -> None:
    page = opened(steps="1000", speed="slow")
    page.button(key="race_go").click().run()
    seen = 0
    for _ in range(8):
        page.run()
        header, _ = sent(page)
        assert header["from"] <= seen
        seen = header["from"] + header["count"]
        assert seen == race_of(page).step + 1
    assert header["from"] > 0
    page.session_state["race_sent"] = []
    page.run()
    assert sent(page)[0]["from"] == 0


def test_one_step_and_back_to_the_start() -> None:
    page = opened()
    page.button(key="race_once").click().run()
    page.button(key="race_once").click().run()
    assert race_of(page).step == 2
    first = sent(page)[0]["run"]
    page.button(key="race_back").click().run()
    assert race_of(page).step == 0
    assert sent(page)[0]["run"] != first
    assert page.button(key="race_back").disabled


def test_a_new_setting_stops_the_race_and_speed_does_not() -> None:
    page = opened()
    page.button(key="race_go").click().run()
    for speed in SPEEDS:
        page.button_group(key="learning_speed").set_value(speed).run()
        assert page.query_params["speed"] in (speed, [speed])
    assert page.session_state["race_runs"] or race_of(page).done
    page.select_slider(key="learning_pictures").set_value(20).run()
    assert not page.session_state["race_runs"]
    assert race_of(page).step == 0


def test_two_sessions_do_not_share_a_race() -> None:
    one, other = opened(), opened()
    one.button(key="race_once").click().run()
    assert race_of(one).step == 1
    assert race_of(other.run()).step == 0


def test_chinese_says_what_was_found_without_an_english_word() -> None:
    page = opened(lang="zh", decay="0.03", **{"decay-blend": "1"})
    page.button(key="race_go").click().run()
    finish(page)
    said = "".join(text.value for text in page.markdown if "0.02" in text.value)
    assert said
    assert re.findall(r"[A-Za-z]{2,}", said.replace("CPU", "").replace("logit", "")) == []


# ---- what is said ------------------------------------------------------------------------------


@pytest.mark.usefixtures("english")
def test_the_sentences_hold_the_numbers_of_the_race() -> None:
    race = Race(RaceSettings(steps=200))
    list(race.advance(200))
    ended = dict(zip(ARMS, race.moments[-1].blend_weight[:, 0].tolist(), strict=True))
    said = learning_findings.race(race, 1.25)
    assert f"started at 0.50, now {ended['start_half']:.2f}" in said
    assert "The start at 0.98 has moved by" in said
    assert "Average, fixed" in said
    assert "200 steps on 1000 generated pictures, seed 0" in said
    assert "in 1.2 s" in said
    assert "Weight decay" not in said


@pytest.mark.usefixtures("english")
def test_only_a_start_at_an_end_that_has_not_moved_is_said_to_be_stuck() -> None:
    began = dict.fromkeys(STARTS, 0.5) | {"start_low": 0.02, "start_high": 0.98}
    ended = began | {"start_half": 0.9, "start_high": 0.6}
    said = learning_findings.stuck(began, ended)
    assert "The start at 0.02 has moved by 0.00" in said
    assert "0.98" not in said
    assert "1/13 of that at one half" in said


@pytest.mark.usefixtures("english")
def test_the_gaps_are_told_apart_only_where_the_seeds_agree() -> None:
    test = torch.full((2, 3, 4), 0.9)
    train = test + torch.tensor([0.001, -0.001, 0.002, -0.002])
    train[:, 1] = test[:, 1] + torch.tensor([0.002, -0.002, -0.001, 0.001])
    train[0, 2] += torch.tensor([0.08, 0.09, 0.1, 0.09])
    found = Gaps((20, 50), (0, 1, 2, 3), train, test, 8)
    said = learning_findings.gaps(found)
    assert "With 20 training pictures the gap is largest" in said
    # 0.09 at one of two numbers of pictures.
    assert "Attention has a larger gap than Start at 0.50, by 4.5 points" in said
    assert "Attention has a larger gap than One for each channel, by 4.5 points" in said
    assert "One for each channel has a larger gap" not in said
    assert "Start at 0.50 has a larger gap" not in said
    train[0, 2] = 0.9 + torch.tensor([0.3, -0.3, 0.3, -0.2])
    vague = learning_findings.gaps(Gaps((20, 50), (0, 1, 2, 3), train, test, 8))
    assert "the seeds differ too much" in vague
    assert "has a larger gap" not in vague


class Judged(Race):
    """A race of which is known beforehand which pictures its arms are right about."""

    def __init__(self, right: dict[str, int], train: int = 400) -> None:
        super().__init__(RaceSettings(steps=100))
        self.counts, self.train = right, train

    def right(self, *, train: bool = False) -> torch.Tensor:
        counts = [self.train if train else self.counts.get(arm, 0) for arm in ARMS]
        return torch.arange(400) < torch.tensor(counts)[:, None]


@pytest.mark.usefixtures("english")
@pytest.mark.parametrize(
    ("own", "best", "sentence"),
    [
        (397, 393, "The two differ by 4 of the 400 test pictures, which may be chance."),
        (389, 393, "The two differ by 4 of the 400 test pictures, which may be chance."),
        (393, 393, "Both are right about equally many of the 400 test pictures."),
        (398, 370, "Of the 400 test pictures it gets 28 more right than any fixed pooling."),
        (340, 370, "Of the 400 test pictures it gets 30 fewer right than the best fixed pooling."),
    ],
)
def test_four_pictures_of_one_seed_are_no_finding(own: int, best: int, sentence: str) -> None:
    counts = {"max": best, "average": 200, "fixed_half": 300, "start_half": own}
    said = learning_findings.accuracies(Judged(counts, train=own))
    assert sentence in said
    assert "This is one seed" in said
    assert "overfits" not in said


@pytest.mark.usefixtures("english")
def test_being_surely_ahead_of_the_best_fixed_pooling_alone_is_no_chance() -> None:
    places = torch.arange(400)
    # Against the best one 9 pictures differ, all one way; against a lesser one 86 both ways.
    right = {"start_half": places < 300, "max": places < 100}
    right["fixed_half"] = (places >= 9) & (places < 300)
    right["average"] = ((places < 300) & ~((places >= 20) & (places < 68))) | (
        (places >= 300) & (places < 338)
    )
    race = Judged({})
    found = torch.stack([right.get(arm, right["max"]) for arm in ARMS])
    race.right = lambda *, train=False: found  # type: ignore[method-assign]
    said = learning_findings.accuracies(race)
    assert "it gets 9 more right than the best fixed pooling." in said
    assert "chance" not in said


@pytest.mark.usefixtures("english")
def test_an_accuracy_on_all_training_pictures_says_so() -> None:
    race = Judged({"start_half": 300}, train=50)
    race.settings = replace(race.settings, pictures=50)
    rows = [torch.arange(50) < 50] * len(ARMS)
    right = race.right
    race.right = lambda *, train=False: (  # type: ignore[method-assign]
        torch.stack(rows) if train else right()
    )
    said = learning_findings.accuracies(race)
    assert "It overfits: its accuracy on its own 50 training pictures is 100.0 %." in said


@pytest.mark.usefixtures("english")
def test_all_that_are_best_are_named_and_overfitting_is_said_where_it_is_no_chance() -> None:
    counts = {"max": 390, "average": 200, "fixed_half": 390, "start_half": 390}
    said = learning_findings.accuracies(Judged(counts))
    assert "Max, fixed and Half, fixed with 97.5 % (Average, fixed 50.0 %)" in said
    assert (
        "It overfits: its accuracy on the first 400 of its 1000 training pictures is 100.0 %."
    ) in said
    same = learning_findings.accuracies(Judged(dict.fromkeys(ARMS, 390), train=393))
    assert "Average, fixed and Half, fixed with 97.5 %; the blend weight" in same
    assert "overfits" not in same


@pytest.mark.usefixtures("english")
@pytest.mark.parametrize(
    ("rate", "asked", "said"),
    [
        (None, 50, "training"),
        (49.6, 50, "training, 50 steps a second"),
        (5.04, 50, "training, 5.0 steps a second instead of 50"),
        (83.4, None, "training, 83 steps a second"),
    ],
)
def test_the_real_rate_of_steps_is_said(
    rate: float | None, asked: float | None, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning_race, "_", lambda message: message)
    assert learning_race.training(rate, asked) == said


@pytest.mark.usefixtures("english")
def test_the_table_says_on_which_pictures_and_after_which_step_accuracies_are_measured() -> None:
    few, many = (
        {each["key"]: each["title"] for each in learning_words.columns(count)}
        for count in (20, 1000)
    )
    assert few["train"] == "Training accuracy"
    assert many["train"] == "Training accuracy (first 400)"
    race = Race(RaceSettings(steps=100))
    list(race.advance(19))
    assert [moment.step for moment in race.moments if moment.test_accuracy is not None][-1] == 10
    words = learning_words.component_words("paused")
    assert words["table"] == "All networks after {step} steps"
    assert words["table_between"].endswith("their accuracies after {measured}")
    script = Path("assets/learning/learning.js").read_text("utf-8")
    assert "words.table_between" in script


def test_while_it_runs_its_rate_is_that_of_its_own_clock() -> None:
    page = opened(steps="1000", speed="slow")
    page.button(key="race_go").click().run()
    for _ in range(3):
        page.run()
    pace = page.session_state["race_pace"]
    assert pace[-1][1] == race_of(page).step
    rate = learning_race.steps_a_second(pace)
    assert rate is not None
    assert sent(page)[0]["words"]["state"].startswith("training, ")


# ---- overfitting -------------------------------------------------------------------------------


def test_the_gaps_are_measured_to_the_end_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def short(settings: RaceSettings) -> Iterator[Gaps]:
        return overfitting(settings, pictures=(20, 50), seeds=(0, 1))

    monkeypatch.setattr(learning_gaps, "overfitting", short)
    page = opened()
    page.button(key="gaps_go").click().run()
    while page.session_state["gaps_run"]:
        page.run()
    assert not page.exception
    assert page.session_state["gaps"].found.runs == 4
    assert page.button(key="gaps_go").disabled
    assert any("the gap is largest" in text.value for text in page.markdown)


def test_the_gaps_are_measured_race_by_race_and_forgotten_with_their_settings() -> None:
    page = opened()
    page.button(key="gaps_go").click().run()
    assert page.session_state["gaps"].found.runs >= 1
    page.button(key="gaps_stop").click().run()
    stopped = page.session_state["gaps"].found.runs
    page.run()
    assert page.session_state["gaps"].found.runs == stopped
    page.button(key="gaps_go").click().run()
    assert page.session_state["gaps"].found.runs > stopped
    assert page.get("plotly_chart")
    page.select_slider(key="learning_learning_rate").set_value(0.1).run()
    assert "gaps" not in page.session_state
    assert not page.get("plotly_chart")


def test_a_race_whose_run_was_broken_off_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another run may be asked for before a run has written anything into the session."""

    def short(settings: RaceSettings) -> Iterator[Gaps]:
        return overfitting(settings, pictures=(20,), seeds=(0, 1))

    monkeypatch.setattr(learning_gaps, "overfitting", short)
    page = opened()
    page.button(key="gaps_go").click().run()
    measurement = page.session_state["gaps"]
    while not measurement.ended:
        measurement.go_on()
    page.run()
    assert not page.exception
    assert measurement.found.runs == 2
    assert not page.session_state["gaps_run"]
    assert page.button(key="gaps_go").disabled


def test_two_runs_of_a_page_may_ask_for_the_next_race_at_once() -> None:
    measurement = Measurement(overfitting(RaceSettings(steps=100), (20, 50), (0, 1)))
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: measurement.go_on(), range(5)))
    assert measurement.ended
    assert measurement.found
    assert measurement.found.runs == 4


def test_the_chart_of_gaps_leaves_out_what_is_not_known() -> None:
    gaps = np.array([[0.2, 0.4], [0.1, np.nan], [np.nan, np.nan]])
    names = {"channels": "One for each", "pictures": "p", "gap": "g", "seed": "seed"}
    mean, dots = gap_chart([20, 50, 100], {"channels": gaps}, names).data
    assert mean.y[:2] == pytest.approx((0.3, 0.1))
    assert mean.y[2] is None
    assert list(dots.y) == [0.2, 0.4, 0.1]
    assert list(dots.customdata) == [0, 1, 0]


def test_every_arm_and_channel_has_a_look_of_its_own() -> None:
    assert set(ARM_COLOURS) == set(ARM_DASHES) == set(ARMS)
    assert len(set(ARM_COLOURS.values())) == len(ARMS)
    assert len(set(CHANNEL_COLOURS)) == CHANNELS
