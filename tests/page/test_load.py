"""The measurement of many people at once: what it sends is answered, and what fails is counted."""

import asyncio
import time
from dataclasses import replace

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetState

from benchmarks import visitors
from benchmarks.load import (
    PLACES,
    Load,
    Sample,
    growth,
    median,
    percentile,
    put_under_load,
    session,
    soak,
)
from benchmarks.visitors import Control, Record, Visitor
from tests.machines import Server


@pytest.mark.parametrize("name", PLACES)
def test_two_people_who_move_once_a_second_are_answered_each_time(
    server: Server, name: str
) -> None:
    load = asyncio.run(put_under_load(server, name, people=2, seconds=4, tabs=0))
    assert load.errors() == []
    assert len(load.record.opened) == 2
    # Both begin somewhere within the first second.
    assert 6 <= len(load.record.answers) <= 8
    assert all(0 < each < visitors.PATIENCE for each in load.record.answers)
    assert load.cpu > 0
    assert load.memory > 50
    assert load.record.received > 2 * 200_000, "the maps were sent"


def test_the_answer_is_what_was_moved_and_large_messages_are_not_sent_twice(
    server: Server,
) -> None:
    async def moved() -> tuple[str, int, int]:
        record = Record()
        async with Visitor(server.url, PLACES["explore"].control, record) as visitor:
            first = record.received
            for value in ("5", "4", "5"):
                await visitor.move(value)
                await visitor.answered()
            return visitor.link["kernel"], first, record.received

    kernel, first, last = asyncio.run(moved())
    assert kernel == "5"
    # Three windows bring new maps at most three times; the gallery's pictures come once.
    assert last - first < 3 * first


def test_what_is_never_answered_is_an_error(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitors, "PATIENCE", 10)
    place = PLACES["explore"]
    silent = replace(place, control=replace(place.control, parameter="nothing"))
    record = Record()
    asyncio.run(session(server, silent, record, number=0, seconds=1.5))
    assert record.answers == []
    assert set(record.errors) == {"no answer"}


def test_a_server_that_is_not_there_is_an_error() -> None:
    record = Record()
    nowhere = Server("http://127.0.0.1:9", None, None)  # type: ignore[arg-type]
    asyncio.run(session(nowhere, PLACES["noise"], record, number=0, seconds=1))
    (error,) = record.errors
    assert error.startswith("no session")


def test_an_exception_on_the_page_is_an_error(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitors, "PATIENCE", 10)

    def number(state: WidgetState, value: str, message: bytes) -> None:
        """A slider of options wants texts."""
        state.double_array_value.data.append(1.0)

    place = PLACES["explore"]
    sizes = Control("", "control_image_size", "size", ("64", "128"), number)
    record = Record()
    asyncio.run(session(server, replace(place, control=sizes), record, number=0, seconds=1.2))
    assert any("has encountered an error" in each for each in record.errors), record.errors


def test_sessions_come_and_go_and_memory_is_sampled(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.load.STAY", 1.0)
    monkeypatch.setattr("benchmarks.load.TOGETHER", 2)
    record = Record()
    began = time.perf_counter()
    samples = asyncio.run(soak(server, 6 / 60, record))
    assert time.perf_counter() - began < 120
    assert record.errors == []
    assert len(record.opened) > 2
    assert len(samples) >= 5
    assert all(each.megabytes > 50 for each in samples)


def test_the_numbers_of_the_table() -> None:
    values = [float(each) for each in range(1, 101)]
    assert percentile(values, 0.95) == 95
    assert percentile([3.0], 0.95) == 3
    assert median([3.0, 1.0, 2.0]) == 2
    assert growth([Sample(60.0 * minute, 0, 100 + 2.0 * minute) for minute in range(10)]) == 2


def test_a_line_says_whether_the_page_keeps_its_time() -> None:
    quick = Load("explore", 3, Record(answers=[0.1] * 95 + [9.0] * 5))
    assert quick.line().endswith("met")
    late = Load("explore", 3, Record(answers=[0.1] * 94 + [9.0] * 6))
    assert late.line().endswith("MISSED")
    broken = Load("explore", 3, Record(answers=[0.1], errors=["no answer"]))
    assert broken.line().endswith("MISSED")
    assert Load("explore", 3).line().endswith("MISSED")
