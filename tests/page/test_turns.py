"""Who computes, who waits, and what a person who waits is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from typing import Any

import pytest
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from hybridpool.ui import compute
from hybridpool.ui.compute.turns import Turns, Waiting, once, queued
from hybridpool.ui.results import watch
from tests.apps import Visit
from tests.page.test_noise_page import opened, texts

PATIENCE = 60.0


def wait_until(condition: Callable[[], object]) -> None:
    for _ in range(2000):
        if condition():
            return
        time.sleep(0.005)
    raise AssertionError("it did not come to that")


def test_no_more_than_so_many_go_at_once_and_in_the_order_in_which_they_came() -> None:
    turns = Turns(2)
    going: list[int] = []
    most: list[int] = []
    order: list[int] = []
    leave = [threading.Event() for _ in range(6)]
    told: list[list[int]] = [[] for _ in range(6)]

    def go(number: int) -> None:
        with turns.turn(told[number].append):
            order.append(number)
            going.append(number)
            most.append(len(going))
            leave[number].wait(20)
            going.remove(number)

    threads = []
    for number in range(6):
        threads.append(threading.Thread(target=go, args=(number,)))
        threads[-1].start()
        if number < 2:
            wait_until(lambda number=number: number in order)
        else:
            wait_until(lambda number=number: told[number])
    assert [line[0] for line in told[2:]] == [1, 2, 3, 4]
    assert told[:2] == [[], []]
    for event in leave:
        event.set()
        time.sleep(0.02)
    for thread in threads:
        thread.join(20)
    assert order == list(range(6))
    assert max(most) == 2


def test_whoever_fails_or_leaves_the_queue_holds_up_nobody() -> None:
    turns = Turns(1)
    with suppress(ValueError), turns.turn():
        raise ValueError
    gone = threading.Event()

    class LeftError(Exception):
        pass

    def leave(_ahead: int) -> None:
        raise LeftError

    def impatient() -> None:
        with pytest.raises(LeftError), turns.turn(leave):
            raise AssertionError("it was not its turn")
        gone.set()

    with turns.turn():
        thread = threading.Thread(target=impatient)
        thread.start()
        assert gone.wait(20)
    thread.join(20)
    with turns.turn():
        pass


def steps(count: int, reached: list[int]) -> Callable[[], Iterator[int]]:
    """Something that grows, and writes down how far it came."""

    def begin() -> Iterator[int]:
        for step in range(1, count + 1):
            reached.append(step)
            yield step

    return begin


def test_of_several_sessions_one_computes_and_the_others_know_their_place() -> None:
    turns = Turns(1)
    heard: list[list[object]] = [[], [], []]
    kept: list[list[int]] = [[], [], []]

    def session(number: int) -> None:
        for record in queued(steps(3, []), kept[number], turns):
            if not heard[number] or heard[number][-1] != record:
                heard[number].append(record)

    first = queued(steps(3, []), [], turns)
    assert next(first) == 1
    others = []
    for number in range(3):
        others.append(threading.Thread(target=session, args=(number,)))
        others[-1].start()
        wait_until(lambda number=number: heard[number])
    assert heard == [[Waiting(1)], [Waiting(2)], [Waiting(3)]]
    first.close()  # its page was left
    for each in others:
        each.join(PATIENCE)
    assert [line[-3:] for line in heard] == [[1, 2, 3]] * 3
    assert kept == [[3]] * 3


def test_who_leaves_while_waiting_makes_room_and_computes_nothing() -> None:
    turns, reached, kept = Turns(1), [], []
    first = queued(steps(2, []), [], turns)
    assert next(first) == 1
    leaves = queued(steps(2, reached), kept, turns)
    stays = queued(steps(2, []), [], turns)
    assert next(leaves) == Waiting(1)
    assert next(stays) == Waiting(2)
    leaves.close()
    assert next(stays) == Waiting(1)
    first.close()
    assert list(stays) == [1, 2]
    assert reached == kept == []


def test_who_is_stopped_in_the_midst_gives_the_turn_back_and_keeps_nothing_half_done() -> None:
    turns, kept = Turns(1), []

    class StoppedError(Exception):
        """What Streamlit raises at a call that draws."""

    def draw(_part: int) -> None:
        raise StoppedError

    with pytest.raises(StoppedError) as stopped:
        watch(queued(steps(9, []), kept, turns), st.empty(), draw=draw)
    # Although the frames of what was stopped are still held.
    assert stopped.traceback
    with closing(queued(steps(1, []), [], turns)) as next_one:
        assert next(next_one) == 1
    assert kept == []


def test_what_somebody_else_has_computed_meanwhile_is_taken_at_once() -> None:
    turns, reached, kept = Turns(1), [], []
    with turns.place():
        waits = queued(steps(2, reached), kept, turns)
        assert next(waits) == Waiting(1)
        kept.append(2)
        assert list(waits) == [2]
    assert reached == []
    assert list(once(lambda: 7, [])) == [7]


def held_by_somebody(
    monkeypatch: pytest.MonkeyPatch, hold: Callable[[Turns], None], holds: threading.Event
) -> threading.Thread:
    """A server on which one computes at a time, and somebody else holds the turn."""
    monkeypatch.setattr("hybridpool.ui.compute.turns.COMPUTED_AT_ONCE", 1)
    other = threading.Thread(target=hold, args=(compute.heavy(),))
    other.start()
    assert holds.wait(PATIENCE)
    return other


def test_the_page_says_how_many_come_first_and_goes_on_when_it_is_its_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    st.cache_resource.clear()
    told: list[str] = []
    seen = threading.Event()
    holds = threading.Event()
    real = DeltaGenerator.progress

    def spy(self: Any, value: float, text: str | None = None, **more: Any) -> Any:
        told.append(text or "")
        if "before you" in told[-1]:
            seen.set()
        return real(self, value, text, **more)

    def somebody_else(turns: Turns) -> None:
        with turns.place(), turns.place():  # and one more
            holds.set()
            seen.wait(PATIENCE)

    monkeypatch.setattr(DeltaGenerator, "progress", spy)
    other = held_by_somebody(monkeypatch, somebody_else, holds)
    page = opened(level="0.15")
    other.join(PATIENCE)
    assert told[0] == "The server computes for others first: 2 before you."
    assert "8 of 8 draws" in told
    assert "Computed in" in texts(page)


def test_no_control_waits_for_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows answer while curves of others hold every turn, and so does another page."""
    st.cache_resource.clear()
    shown: list[bool] = []
    real = DeltaGenerator.progress

    def spy(self: Any, value: float, text: str | None = None, **more: Any) -> Any:
        shown.append("compare_shows" in st.session_state)
        leave.set()
        return real(self, value, text, **more)

    leave, holds = threading.Event(), threading.Event()

    def somebody_else(turns: Turns) -> None:
        with turns.place():
            holds.set()
            leave.wait(PATIENCE)

    monkeypatch.setattr(DeltaGenerator, "progress", spy)
    other = held_by_somebody(monkeypatch, somebody_else, holds)
    Visit().run()  # Explore asks for nothing that waits
    assert not leave.is_set()
    opened(show="occlusion")
    other.join(PATIENCE)
    assert shown[0], "the rows were there before the map had its turn"
