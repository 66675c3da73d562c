"""What components send is checked before it is used."""

import math

import pytest
import streamlit

from hybridpool.ui.browser.sent import checked, finite, flag, lines, maybe, whole, word
from hybridpool.ui.settings import SHARED, View, look_at

GOOD = {
    "weight": 0.25, "channel": 3, "row": 1, "column": 2, "pinned": True, "scope": "all",
    "clipped": False, "difference": False, "left": "", "right": "", "divider": 50,
}  # fmt: skip


@pytest.mark.parametrize(
    "odd", [None, [], "view", 7, {}, {"row": None}, {"row": True}, {"row": -1}, {"row": 10**31}]
)
def test_nothing_is_taken_of_what_is_not_what_it_must_be(odd: object) -> None:
    assert checked(odd, {"row": whole}) == {}


def test_checks_tell_values_from_what_only_looks_like_them() -> None:
    assert [finite(value) for value in (1, 0.5, math.nan, math.inf, "1", True)] == [
        True, True, False, False, False, False
    ]  # fmt: skip
    assert (flag(True), flag(1), flag("true")) == (True, False, False)
    assert (maybe(whole)(None), maybe(whole)(3), maybe(whole)(2.5)) == (True, True, False)
    assert (word(("all",))("all"), word(("all",))(["all"]), word(("all",))("x")) == (
        True, False, False
    )  # fmt: skip
    assert (lines([[1], []]), lines([1]), lines("ab")) == (True, False, False)


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> None:
    class Link(dict[str, str]):
        def to_dict(self) -> dict[str, str]:
            return dict(self)

    monkeypatch.setattr(streamlit, "session_state", {})
    monkeypatch.setattr(streamlit, "query_params", Link())


@pytest.mark.usefixtures("session")
def test_what_the_hand_lets_go_of_is_looked_at() -> None:
    look_at(GOOD)
    assert SHARED.chosen().view == View(0.25, 3, 1, 2, True, "all")
    look_at(GOOD | {"weight": -5})
    assert SHARED.chosen().view.weight == 0


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize(
    "odd",
    [
        {"weight": "abc"},
        GOOD | {"weight": "abc"},
        GOOD | {"weight": math.nan},
        GOOD | {"channel": 10**30},
        GOOD | {"channel": -5},
        GOOD | {"row": 1.5},
        GOOD | {"pinned": "yes"},
        GOOD | {"scope": {"a": 1}},
        [GOOD],
        "weight",
    ],
)
def test_a_view_that_cannot_be_leaves_the_session_as_it_is(odd: object) -> None:
    look_at(odd)
    assert SHARED.chosen().view == View()
