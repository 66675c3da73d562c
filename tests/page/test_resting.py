"""Parts of a page that are drawn once the hand rests, and that give way when it moves again."""

import re
from collections.abc import Generator
from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit.runtime.scriptrunner import RerunData, RerunException
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequests

from benchmarks.visitors import header_of
from hybridpool.ui import results
from hybridpool.ui.browser import resting
from hybridpool.ui.words import language


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """A session that is a dictionary."""
    kept: dict[str, object] = {}
    monkeypatch.setattr(st, "session_state", kept)
    return kept


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> ScriptRequests:
    """What this run is asked for meanwhile: nothing yet."""
    asked = ScriptRequests()
    context = SimpleNamespace(script_requests=asked)
    monkeypatch.setattr(resting, "get_script_run_ctx", lambda **_options: context)
    return asked


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What the slower part was drawn for, by the name that the browser hears."""
    names: list[object] = []

    def draw(*, data: bytes, **_options: object) -> None:
        names.append(header_of(data)["due"])

    monkeypatch.setattr(resting, "component", lambda *_files: draw)
    return names


def due(monkeypatch: pytest.MonkeyPatch, shows: object) -> str:
    """The name that is written into the page."""
    written: list[str] = []
    monkeypatch.setattr(st, "html", written.append)
    resting.say_due(shows)
    (name,) = re.findall(r'data-due="(\w+)"', written[0])
    return str(name)


def test_a_run_goes_on_while_nothing_else_is_asked_for(requests: ScriptRequests) -> None:
    resting.give_way()
    assert requests.request_rerun(RerunData()), "it still takes requests"


def test_a_run_ends_for_another_part_which_streamlit_lets_wait(
    requests: ScriptRequests, session: dict[str, object]
) -> None:
    requests.request_rerun(RerunData(fragment_id="rows"))
    assert requests.on_scriptrunner_yield() is None, "if this fails, Streamlit gives way itself"
    with pytest.raises(RerunException) as ended:
        resting.give_way()
    assert ended.value.rerun_data.fragment_id_queue == ["rows"]
    resting.give_way()  # it was asked for once


def test_a_part_that_was_broken_off_is_due_again(
    requests: ScriptRequests, session: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = due(monkeypatch, (1, "noise"))
    assert due(monkeypatch, (1, "noise")) == first
    assert due(monkeypatch, (2, "noise")) != first
    requests.request_rerun(RerunData(fragment_id="rows"))
    with pytest.raises(RerunException):
        resting.give_way()
    assert due(monkeypatch, (1, "noise")) != first


def test_a_part_that_breaks_itself_off_still_draws_what_the_page_names(
    requests: ScriptRequests,
    session: dict[str, object],
    drawn: list[object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As when a control within it is moved again while it computes."""
    named = due(monkeypatch, (1, "noise"))
    requests.request_rerun(RerunData(fragment_id="curves"))
    with pytest.raises(RerunException):
        resting.give_way()
    resting.follow((1, "noise"))
    assert drawn == [named]


def test_the_whole_page_is_drawn_anew_once_for_what_the_moved_part_never_says(
    session: dict[str, object], drawn: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def rerun() -> None:
        raise RerunException(RerunData())

    monkeypatch.setattr(st, "rerun", rerun)
    named = due(monkeypatch, (1, "noise"))
    resting.follow((1, "noise"))
    with pytest.raises(RerunException):
        resting.follow((2, "noise"))
    resting.follow((2, "noise"))
    assert drawn == [named, named]
    with pytest.raises(RerunException):
        resting.follow((3, "noise"))


def test_what_is_followed_gives_way_and_closes(
    requests: ScriptRequests, session: dict[str, object]
) -> None:
    closed, seen = [], []

    def records() -> Generator[int, None, None]:
        try:
            yield from range(9)
        finally:
            closed.append(True)

    def draw(record: int) -> None:
        seen.append(record)
        if record == 2:
            requests.request_rerun(RerunData(fragment_id="rows"))

    with pytest.raises(RerunException):
        results.watch(records(), place=None, draw=draw)
    assert seen == [0, 1, 2]
    assert closed == [True]


def test_a_part_keeps_to_one_language(
    session: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    session["language"] = "zh"
    monkeypatch.setattr(st, "fragment", lambda draw: draw)
    spoken = []

    @resting.part
    def drawn() -> None:
        session["language"] = "en"
        spoken.append(language())

    drawn()
    assert spoken == ["zh"]
    assert language() == "en"
