"""The cards of every page: links that open what they say, and what they say is true."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
import torch

from hybridpool.answer import KNOWN
from hybridpool.by_hand import pool_by_hand
from hybridpool.race.race import Race
from hybridpool.sensitivity import compare_shifted
from hybridpool.stem import load_stem
from hybridpool.trace import Trace
from hybridpool.ui import compute
from hybridpool.ui.answer import cards as answer
from hybridpool.ui.answer import state as answer_state
from hybridpool.ui.by_hand import cards as by_hand
from hybridpool.ui.by_hand import state as by_hand_state
from hybridpool.ui.cards import Card
from hybridpool.ui.cost import cards as cost
from hybridpool.ui.cost import state as cost_state
from hybridpool.ui.evidence import cards as evidence
from hybridpool.ui.evidence import state as evidence_state
from hybridpool.ui.explore import cards as explore
from hybridpool.ui.learning import cards as learning
from hybridpool.ui.learning import state as learning_state
from hybridpool.ui.noise import cards as noise
from hybridpool.ui.noise import state as noise_state
from hybridpool.ui.page_state import PageState
from hybridpool.ui.settings import SHARED
from hybridpool.ui.shift import cards as shift
from hybridpool.ui.shift import state as shift_state
from tests.apps import opened
from tests.shown import expected

#: The file of each page, its cards, its own state, and a link under which it is quick.
PAGES: dict[str, tuple[Any, PageState[Any] | None, dict[str, str]]] = {
    "app.py": (explore, None, {"size": "64"}),
    "pages/1_By_hand.py": (by_hand, by_hand_state.STATE, {}),
    "pages/7_The_answer.py": (answer, answer_state.STATE, {}),
    "pages/2_Noise_and_occlusion.py": (noise, noise_state.STATE, {"size": "64"}),
    "pages/3_Shift_and_frequency.py": (shift, shift_state.STATE, {"size": "64"}),
    "pages/4_Learning.py": (learning, learning_state.STATE, {}),
    "pages/5_Evidence.py": (evidence, evidence_state.STATE, {}),
    "pages/6_Cost.py": (cost, cost_state.STATE, {"map": "4x8x8", "turns": "5"}),
}

IN_ENGLISH = [made for made, _, _ in PAGES.values()]

pytestmark = pytest.mark.usefixtures("english")


@pytest.mark.parametrize("file", PAGES)
def test_every_card_is_a_link_that_gives_its_state_again(file: str) -> None:
    made, own, quick = PAGES[file]
    page = opened(file, quick | {"lang": "zh", "large": "1"})
    html = "".join(part.proto.body for part in page.get("html"))
    links = re.findall('class="starter" target="_self" href="([^"]+)"', html)
    assert 3 <= len(links) <= 4
    for link, card in zip(links, made.cards(), strict=True):
        parameters = dict(parse_qsl(unescape(link).removeprefix("?")))
        assert parameters == {**card.link, "lang": "zh", "large": "1"}
        back = SHARED.query(SHARED.read(parameters))
        if own:
            back |= own.query(own.read(parameters))
        assert {name: back.get(name) for name in card.link} == card.link
        assert card.title
        assert card.sentence.endswith(".")
        assert card.question.endswith("?")


def test_a_page_with_nothing_to_show_has_no_cards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert answer.cards()
    assert evidence.cards()
    monkeypatch.setattr(answer_state, "NETWORKS", tmp_path)
    monkeypatch.setattr(evidence_state, "RESULTS", tmp_path)
    assert answer.cards() == []
    assert evidence.cards() == []
    page = opened("pages/5_Evidence.py", {"lang": "en"})
    assert "starter" not in "".join(part.proto.body for part in page.get("html"))


def read(cards: Callable[[], list[Card]], state: PageState[Any]) -> list[Any]:
    """What each card opens."""
    return [state.read(card.link) for card in cards()]


def traces(cards: Callable[[], list[Card]]) -> list[Trace]:
    """The maps that each card opens."""
    return [expected(SHARED.read(card.link).settings) for card in cards()]


def test_the_cards_of_explore_are_true() -> None:
    star, ink, learned, attentive = traces(explore.cards)
    at, paper, _, seen = [found.view for found in read(explore.cards, SHARED)]
    place = at.channel, at.row, at.column
    span = star.feature_map[at.channel].max() - star.feature_map[at.channel].min()
    assert star.pooled["max"][place] > 0.9 * span
    assert star.pooled["average"][place] < 0.1 * span

    before = ink.feature_map[paper.channel].mean()
    lighter = ink.pooled["max"][paper.channel].mean() - before
    assert lighter > 4 * (ink.pooled["average"][paper.channel].mean() - before).abs()

    assert learned.blend_weight.min() < 0.4 < 0.9 < learned.blend_weight.max()

    other = expected(replace(attentive.settings, picture="coins"))
    assert (attentive.attention - other.attention)[seen.channel].abs() > 0.05


def test_the_cards_of_by_hand_are_true() -> None:
    hidden, bright, ties, zeros = read(by_hand.cards, by_hand_state.STATE)
    assert hidden.view.hide
    grid = bright.task.grid()
    assert (grid == 9).sum() == 1
    assert (grid == 0).sum() == grid.numel() - 1
    pooled = pool_by_hand(grid, bright.task.window)
    assert pooled.max.max() == 9
    assert pooled.average.max() == 9 / 4
    assert ties.view.back == "sum"
    tied = pool_by_hand(ties.task.grid(), ties.task.window)
    assert {len(places) for places in tied.tied} == {4}
    options = zeros.task.options
    assert options.count_include_pad
    corner = pool_by_hand(zeros.task.grid(), zeros.task.window).average[0, 0]
    without = replace(options, count_include_pad=False).window
    assert corner == pool_by_hand(zeros.task.grid(), without).average[0, 0] / 4


def test_the_cards_of_the_answer_are_true() -> None:
    moved, salted, covered, plain = (
        found.change for found in read(answer.cards, answer_state.STATE)
    )
    assert (moved.action, moved.rows, moved.columns) == ("shift", 0, 1)
    assert (salted.done.noise, salted.done.level) == ("salt", 0.05)
    grey = covered.apply(torch.ones(3, 32, 32)) != 1
    assert (covered.action, covered.done.fill) == ("occlusion", "grey")
    assert grey.any(0).nonzero().min(0).values.tolist() == [2, 22]
    assert plain.nothing
    pictures = [SHARED.read(card.link).settings.picture for card in answer.cards()]
    assert [KNOWN[key] for key in pictures] == ["cat", "horse", "horse", "horse"]


def test_the_cards_of_shift_and_frequency_are_true() -> None:
    studies = read(shift.cards, shift_state.STATE)
    found = traces(shift.cards)

    def distances(place: int) -> dict[str, float]:
        trace, study = found[place], studies[place]
        stem = load_stem(trace.settings.stem)
        more = partial(study.layers, trace.settings)
        moved = compare_shifted(trace, stem, study.rows, study.columns, mode=study.mode, more=more)
        return moved.relative_change(None)

    half = distances(0)
    assert half["blur"] < 0.7 * min(half[name] for name in half if name != "blur")
    whole = distances(1)
    assert max(whole[name] for name in ("max", "average", "hybrid")) < 5e-5
    assert whole["attention"] > 5e-4, "so much that the page says it"
    assert studies[2].band == "high"
    assert found[3].settings.kernel_size ** 2 == 16
    assert (studies[3].gradient_of, studies[3].shown_on) == ("cell", "feature_map")


def test_the_cards_of_learning_are_true() -> None:
    ends = []
    for lesson in read(learning.cards, learning_state.STATE):
        race = Race(lesson.race)
        *_, last = race.advance(lesson.race.steps)
        arms = lesson.race.arms
        weights = dict(zip(arms, last.blend_weight.mean(-1).tolist(), strict=True))
        right = dict(zip(arms, last.test_accuracy.tolist(), strict=True))
        known = dict(zip(arms, last.train_accuracy.tolist(), strict=True))
        ends.append((weights, right, known))
    starts = ("start_low", "start_half", "start_high", "start_drawn")
    weights, right, _known = ends[0]
    assert weights["start_low"] < 0.1
    assert weights["start_half"] > 0.8
    assert right["average"] < 0.6 < 0.9 < right["max"]
    weights, right, _known = ends[1]
    assert max(weights[start] for start in ("start_low", "start_half", "start_drawn")) < 0.2
    assert right["average"] > right["max"]
    _weights, right, known = ends[2]
    assert min(known.values()) == 1
    assert min(right.values()) < 0.85
    weights, right, _known = ends[3]
    assert max(weights[one] for one in starts) - min(weights[one] for one in starts) < 0.05
    assert abs(weights["start_half"] - 0.5) < abs(ends[0][0]["start_half"] - 0.5)


def test_the_cards_of_cost_are_true() -> None:
    alone, large, apart, halved = (found.map for found in read(cost.cards, cost_state.STATE))
    assert (alone.batch, alone.training) == (1, False)
    assert (large.kernel_size, large.stride, large.padding) == (7, 1, 3)
    assert apart.memory_format == "contiguous"
    assert halved.dtype == "bfloat16"


def test_the_cards_of_noise_are_true() -> None:
    salted, covered, blurred = read(noise.cards, noise_state.STATE)
    assert (salted.kind, salted.noise) == ("noise", "salt")
    assert (covered.kind, covered.fill) == ("occlusion", "grey")
    assert (blurred.kind, blurred.noise) == ("noise", "defocus_blur")


def test_the_cards_of_evidence_are_true() -> None:
    chosen = read(evidence.cards, evidence_state.STATE)
    assert [one.claim for one in chosen] == ["noise", "accuracy", "small_data", "accuracy"]
    assert [one.arm for one in chosen] == ["hybrid", "hybrid", "hybrid", "channel"]
    runs = evidence_state.groups(
        evidence_state.evidence_of(compute.results(evidence_state.RESULTS).runs)
    )[0].runs
    assert {"fixed", "channel"} <= {run.settings.arm for run in runs}
    assert not any(run.settings.held_out for run in runs)
