"""The page "By hand" through every control, without a browser."""

from typing import Any

import numpy as np
import pytest
from streamlit.runtime.state.session_state import SessionState

from hybridpool.by_hand import PRESETS, attend_by_hand, pool_by_hand, preset_grid
from hybridpool.ui.by_hand.state import STATE, Task, WindowOptions
from hybridpool.ui.words import translation
from tests.apps import Visit
from tests.shown import parts_of

FILE = "pages/1_By_hand.py"


class Session(Visit):
    """One person at the page."""

    def __init__(self, **link: str) -> None:
        super().__init__(FILE, **{"lang": "en"} | link)
        self.run()

    def set(self, kind: str, key: str, value: object) -> "Session":
        return super().set(kind, f"by_hand_{key}", value)

    def send(self, **state: object) -> "Session":
        """What the browser sends: typed numbers as `edit`, dial and window as `look`."""
        return self.tell(self.component("by_hand").id, "json_value", state)

    def look(self, **look: object) -> "Session":
        return self.send(look={**self.header["look"], **look, "told": next(self.told)})

    @property
    def header(self) -> dict[str, Any]:
        return self.message()[0]

    def message(self) -> tuple[dict[str, Any], dict[str, Any]]:
        return parts_of(self.component("by_hand").bytes)

    @property
    def task(self) -> Task:
        return STATE.read(self.link).task

    def errors(self) -> list[str]:
        return [error.value for error in self.app.error]


def assert_shows(session: Session, task: Task) -> None:
    """Every number that the browser gets is PyTorch's, and the link restores it."""
    header, arrays = session.message()
    work = pool_by_hand(task.grid(), task.window)
    rows, columns = work.grid.shape
    assert header["grid"]["rows"] == rows
    assert header["grid"]["values"] == work.grid.flatten().tolist()
    output = header["output"]
    assert (output["rows"], output["columns"]) == tuple(work.max.shape)
    assert output["max"] == work.max.flatten().tolist()
    assert output["average"] == work.average.flatten().tolist()
    for name in ("max", "average"):
        gradient = getattr(work, f"{name}_gradient").numpy()
        assert (arrays[f"{name}_gradient"].reshape(gradient.shape) == gradient).all()
        np.testing.assert_allclose(
            arrays[f"{name}_gradient_sum"].reshape(rows, columns), gradient.sum(0)
        )
        np.testing.assert_allclose(header["totals"]["one"][name], gradient.sum((1, 2)))
    assert header["weightGradient"] == work.weight_gradient.flatten().tolist()
    lead, width = header["area"]["lead"], header["area"]["columns"]
    for index, window in enumerate(header["windows"]):
        places = [(at // width - lead, at % width - lead) for at in window["tied"]]
        assert places == list(work.tied[index])
        assert window["divisor"] == work.divisors[index]
    steps = attend_by_hand(task.grid(), task.window, seed=task.seed, hidden=task.hidden)
    for name in ("channels", "pooled", "max", "average"):
        assert header["attention"][name] == getattr(steps, name).flatten(1).tolist()
    for name in ("means", "sums", "hidden", "logits", "values", "first_weight", "second_bias"):
        assert header["attention"][name] == getattr(steps, name).tolist()
    assert session.task == task
    assert session.errors() == []


def test_it_opens_on_the_article_s_grid() -> None:
    session = Session()
    assert_shows(session, Task())
    assert session.header["output"]["max"] == [6, 8, 14, 16]
    assert session.header["output"]["average"] == [3.5, 5.5, 11.5, 13.5]
    assert session.header["look"] == {
        "weight": 0.5, "step": None, "row": 0, "column": 0, "back": "one", "hide": False
    }  # fmt: skip


def test_every_control_of_the_sidebar_changes_the_numbers() -> None:
    session = Session()
    session.set("slider", "rows", 5).set("slider", "columns", 7)
    task = Task(rows=5, columns=7)
    assert_shows(session, task)
    session.set("slider", "height_width", 3).set("slider", "stride", 1)
    session.set("segmented_control", "padding", 1)
    session.set("toggle", "ceil_mode", True).set("toggle", "count_include_pad", True)
    options = WindowOptions(3, 3, 1, 1, ceil_mode=True, count_include_pad=True)
    assert_shows(session, Task(rows=5, columns=7, options=options))
    session.set("toggle", "apart", True).set("slider", "height", 4).set("slider", "width", 2)
    options = WindowOptions(4, 2, 1, 1, ceil_mode=True, count_include_pad=True)
    assert_shows(session, Task(rows=5, columns=7, options=options))
    session.set("number_input", "seed", 12).set("segmented_control", "hidden", 1)
    task = Task(rows=5, columns=7, options=options, seed=12, hidden=1)
    assert_shows(session, task)
    assert "seed 12" in session.header["words"]["honest"]
    for name in PRESETS:
        session.set("selectbox", "numbers", name)
        assert session.task.numbers == name
        assert session.header["grid"]["values"] == preset_grid(name, 5, 7).flatten().tolist()


def test_the_noise_has_a_seed_and_is_drawn_again() -> None:
    session = Session().set("selectbox", "numbers", "noise")
    assert_shows(session, Task(numbers="noise"))
    session.app.sidebar.button(key="by_hand_draw_again").click()
    assert_shows(session.run(), Task(numbers="noise", draw=1))
    assert session.app.sidebar.number_input(key="by_hand_draw").value == 1
    session.set("number_input", "draw", 7)
    assert_shows(session, Task(numbers="noise", draw=7))
    assert not session.set("selectbox", "numbers", "ramp").app.sidebar.button


def test_typed_numbers_become_the_grid_and_survive_another_size() -> None:
    session = Session()
    cells = Task().grid().tolist()
    cells[0][1] = -2.5
    session.send(edit={"told": 1, "cells": cells})
    own = Task(numbers="own", own=tuple(map(tuple, cells)))
    assert_shows(session, own)
    assert session.header["serial"] == 1
    assert session.app.sidebar.selectbox(key="by_hand_numbers").value == "own"
    session.set("slider", "rows", 2).set("slider", "columns", 5)
    assert session.header["grid"]["values"] == [1, -2.5, 3, 4, 0, 5, 6, 7, 8, 0]
    session.set("selectbox", "numbers", "ramp")
    assert_shows(session, Task(rows=2, columns=5))


def test_numbers_that_arrive_after_later_ones_change_nothing() -> None:
    """Streamlit may run an older request after a newer one."""
    session = Session()
    cells = Task().grid().tolist()
    older = [[50.0, *cells[0][1:]], *cells[1:]]
    newer = [[51.0, *cells[0][1:]], *cells[1:]]
    session.send(edit={"told": 8, "cells": newer}).send(edit={"told": 7, "cells": older})
    assert session.header["serial"] == 8
    assert session.header["grid"]["values"][0] == 51


@pytest.mark.parametrize("told", [None, "soon", float("inf"), float("nan"), 10**30])
def test_a_message_from_no_clock_is_not_taken(told: object) -> None:
    session = Session()
    cells = [[52.0, 2, 3, 4], *Task().grid().tolist()[1:]]
    session.send(edit={"told": told, "cells": cells})
    assert (session.header["serial"], session.header["grid"]["values"][0]) == (0, 1)
    session.send(edit={"told": 5, "cells": cells})
    assert (session.header["serial"], session.header["grid"]["values"][0]) == (5, 52)


def test_a_message_whose_callback_never_ran_is_taken_at_the_next_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = Session()
    cells = [[52.0, 2, 3, 4], *Task().grid().tolist()[1:]]
    with monkeypatch.context() as patch:
        patch.setattr(SessionState, "_call_callbacks", lambda self, **_: None)
        session.send(edit={"told": 5, "cells": cells})
    assert session.header["serial"] == 5
    assert session.header["grid"]["values"][0] == 52


@pytest.mark.parametrize(
    "cells", [[[1, 2], [3, 4]], [["x", None, 1e99, float("nan")]] * 4, [[1, 2, 3, 4, 5]] * 4]
)
def test_whatever_is_sent_the_page_shows_finite_numbers(cells: list[list[Any]]) -> None:
    session = Session().send(edit={"told": 3, "cells": cells})
    assert session.header["serial"] == 3, "or the browser would wait for ever"
    values = session.header["grid"]["values"]
    assert len(values) == 16
    assert np.isfinite(values).all()
    assert np.abs(values).max() <= 9999


def test_dial_step_and_gradient_are_in_the_link_and_change_no_number() -> None:
    session = Session().look(weight=0.2, step=3, row=1, column=0, back="sum", hide=True)
    assert_shows(session, Task())
    seen = STATE.read(session.link).view
    assert (seen.weight, seen.step, seen.row, seen.column, seen.back) == (0.2, 3, 1, 0, "sum")
    assert session.link["hide"] == "1"
    again = Session(**session.link)
    assert again.header["look"] == session.header["look"]
    assert again.header["output"] == session.header["output"]


def test_the_link_restores_numbers_and_window() -> None:
    link = {"numbers": "own", "grid": "2x3", "cells": "1_-2.5_3~4_0_6", "window": "2x1-1-0-ceil"}
    session = Session(**link)
    own = ((1.0, -2.5, 3.0), (4.0, 0.0, 6.0))
    options = WindowOptions(2, 1, 1, 0, ceil_mode=True)
    assert_shows(session, Task(numbers="own", rows=2, columns=3, own=own, options=options))
    assert session.link.items() >= link.items()
    assert session.app.sidebar.slider(key="by_hand_height").value == 2
    assert session.app.sidebar.slider(key="by_hand_width").value == 1


def test_an_impossible_window_is_explained_and_the_last_good_view_stays() -> None:
    session = Session().set("slider", "height_width", 3)
    shown, link = session.header, session.link
    session.set("segmented_control", "padding", 2)
    assert session.errors() == [
        "Padding 2 is more than half of the window (3 × 3), so a window could lie in the padding "
        "alone: choose a padding of at most 1. Until then you see a grid of 4 × 4 and a window of "
        "3 × 3, stride 2, padding 0."
    ]
    assert session.header == shown
    assert session.link == link
    assert session.app.sidebar.segmented_control(key="by_hand_padding").value == 2
    session.set("segmented_control", "padding", 0).set("slider", "height_width", 7)
    assert session.errors() == [
        "The window (7 × 7) is larger than the grid with its padding (4 × 4), so it fits nowhere: "
        "choose a smaller window or a larger grid. Until then you see a grid of 4 × 4 and a "
        "window of 3 × 3, stride 2, padding 0."
    ]
    assert session.header["output"] == pool_outputs(WindowOptions(3, 3))
    session.set("slider", "height_width", 4)
    assert_shows(session, Task(options=WindowOptions(4, 4)))


def pool_outputs(options: WindowOptions) -> dict[str, object]:
    work = pool_by_hand(Task().grid(), options.window)
    rows, columns = work.max.shape
    pooled = {"max": work.max.flatten().tolist(), "average": work.average.flatten().tolist()}
    return {"rows": rows, "columns": columns, **pooled}


def test_numbers_typed_while_the_window_is_impossible_are_kept() -> None:
    session = Session().set("slider", "height_width", 7)
    cells = Task().grid().tolist()
    cells[3][3] = 99
    session.send(edit={"told": 1, "cells": cells})
    assert session.errors()
    assert session.header["output"]["max"] == [6, 8, 14, 99]
    session.set("slider", "height_width", 2)
    assert not session.errors()
    assert session.header["output"]["max"] == [6, 8, 14, 99]


def test_an_impossible_link_keeps_its_grid_and_says_what_is_shown() -> None:
    session = Session(window="8x8-1-0", grid="3x3")
    (said,) = session.errors()
    assert said.endswith(
        "Until then you see a grid of 3 × 3 and a window of 2 × 2, stride 2, padding 0."
    )
    assert session.app.sidebar.slider(key="by_hand_rows").value == 3
    assert session.header["output"]["max"] == [5]


LOOK = {"weight": 0.4, "step": 2, "row": 0, "column": 0, "back": "one", "hide": False}


@pytest.mark.parametrize(
    "sent",
    [
        {"edit": {"cells": [[1.0]]}},
        {"edit": {"cells": 7}},
        {"edit": {"cells": []}},
        {"look": LOOK | {"weight": "abc"}},
        {"look": LOOK | {"step": -1}},
        {"look": LOOK | {"row": 10**31}},
        {"look": LOOK | {"back": ["sum"]}},
        {"look": LOOK | {"hide": 1}},
        {"look": {"weight": 0.5}},
    ],
)
def test_what_the_browser_sends_is_checked_before_it_is_used(
    sent: dict[str, dict[str, object]],
) -> None:
    session = Session()
    before = session.header | {"serial": None}, session.link
    told = {"told": next(session.told)}
    session.send(**{name: value | told for name, value in sent.items()})
    assert (session.header | {"serial": None}, session.link) == before


# ---- the sentences ----------------------------------------------------------------------------


def test_the_output_s_size_is_worked_out_in_full() -> None:
    session = Session(grid="5x8", window="2x3-2-1")
    sizes = session.header["sizes"]
    assert sizes["rule"].startswith("output = ⌊(n + 2p − k) / s⌋ + 1")
    assert sizes["lines"] == [
        ["Height", "⌊(5 + 2 · 1 − 2) / 2⌋ + 1 = ⌊2.5⌋ + 1", 3],
        ["Width", "⌊(8 + 2 · 1 − 3) / 2⌋ + 1 = ⌊3.5⌋ + 1", 4],
    ]
    assert sizes["notes"] == []


def test_ceil_mode_s_extra_rule_is_explained() -> None:
    session = Session(grid="4x5", window="1x2-2-0-ceil")
    sizes = session.header["sizes"]
    assert sizes["lines"][0] == ["Height", "⌈(4 + 2 · 0 − 1) / 2⌉ + 1 = ⌈1.5⌉ + 1", 3]
    (note,) = sizes["notes"]
    assert note.startswith("Height: in ceil mode no window may start in the padding")
    assert note.endswith("3 becomes 2.")
    assert session.header["output"]["rows"] == 2


def notes(**link: str) -> tuple[list[str], list[list[str]]]:
    header = Session(**link).header
    return header["grid"]["notes"], [window["notes"] for window in header["windows"]]


def test_what_no_window_reaches_is_said_in_words() -> None:
    (note,), _ = notes(grid="5x7", window="2x3-2-0")
    assert note == (
        "No window reaches row 5: one more does not fit, so PyTorch drops it. Ceil mode keeps it."
    )
    found, _ = notes(grid="7x7", window="1x2-3-0")
    assert found == [
        "No window reaches column 7: one more does not fit, so PyTorch drops it. Ceil mode keeps "
        "it.",
        "The window steps over row 2, row 3, row 5, row 6, column 3, column 6: the stride is "
        "larger than the window.",
    ]
    found, _ = notes(grid="7x7", window="1x2-3-0-ceil")
    assert len(found) == 1


def test_ties_padding_and_overhang_are_explained_where_they_happen() -> None:
    _, windows = notes(numbers="ties", grid="3x3", window="2x2-2-1-zeros")
    tie = "PyTorch takes the first in reading order, row {}, column {}"
    assert windows[0] == [
        "Cells in the padding: 3. For max they are −∞ and never win; the average counts them as "
        "zeros and divides by 4."
    ]
    assert "2 cells tie" in windows[1][0]
    assert tie.format(1, 2) in windows[1][0]
    assert "4 cells tie" in windows[3][0]
    assert tie.format(2, 2) in windows[3][0]
    _, windows = notes(grid="3x3", window="2x2-2-1")
    assert windows[0] == [
        "Cells in the padding: 3. For max they are −∞ and never win; the average leaves them out "
        "and divides by 1."
    ]
    _, windows = notes(grid="3x3", window="2x2-2-0-ceil")
    assert windows[0] == []
    assert windows[3] == [
        "Cells beyond the padding: 3. Ceil mode lets this window stick out; neither max nor "
        "average counts them."
    ]


# ---- the frame --------------------------------------------------------------------------------


def test_the_page_keeps_its_own_controls_and_leaves_out_those_of_the_picture() -> None:
    app = Session().app
    assert [title.value for title in app.sidebar.header] == [
        "Numbers", "Pooling window", "Attention layer"
    ]  # fmt: skip
    assert not app.sidebar.get("file_uploader")


def test_numbers_and_window_survive_a_visit_to_another_page() -> None:
    session = Session().set("selectbox", "numbers", "bright").set("slider", "stride", 1)
    session.look(weight=0.8)
    session.app.switch_page("app.py")
    session.app.query_params.clear()
    session.run()
    session.app.switch_page(FILE)
    session.app.query_params.clear()
    session.run()
    assert_shows(session, Task(numbers="bright", options=WindowOptions(stride=1)))
    assert session.header["look"]["weight"] == 0.8


def test_the_words_are_chinese_where_the_language_is() -> None:
    header = Session(lang="zh", grid="5x5").header
    translated = translation("zh").gettext
    assert header["words"]["play"] == translated("Play") != "Play"
    assert header["grid"]["notes"][0].isascii() is False


def test_the_window_is_square_again_when_height_and_width_are_no_longer_apart() -> None:
    session = Session(window="3x2-2-0").set("toggle", "apart", False)
    assert session.link["window"].startswith("3x3-")
    assert session.app.sidebar.slider(key="by_hand_height_width").value == 3
    session.set("toggle", "apart", True).set("slider", "height", 4)
    assert session.link["window"].startswith("4x3-")
    session.set("slider", "height", 3)
    assert session.app.sidebar.toggle(key="by_hand_apart").value


def test_the_dial_costs_no_new_numbers() -> None:
    session = Session(numbers="noise", grid="8x8", window="2x2-1-1")
    before, arrays = session.message()
    after, same = session.look(weight=0.9).message()
    assert after.pop("look") != before.pop("look")
    assert after == before
    assert all((arrays[name] == same[name]).all() for name in arrays)
