"""What a page keeps, the link that carries it, and what all pages' links have in common."""

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import streamlit
from streamlit.testing.v1 import AppTest

from hybridpool.ui import settings
from hybridpool.ui.by_hand import state as by_hand_state
from hybridpool.ui.cost import state as cost_state
from hybridpool.ui.evidence import state as evidence_state
from hybridpool.ui.learning import state as learning_state
from hybridpool.ui.noise import state as noise_state
from hybridpool.ui.page_state import PageState, Parameter, mirror_in_link, number, text_of, wholes
from hybridpool.ui.shift import state as shift_state

ROOT = Path(__file__).resolve().parents[2]
STATES: dict[str, PageState[Any]] = {
    "shared": settings.SHARED,
    "pages/1_By_hand.py": by_hand_state.STATE,
    "pages/2_Noise_and_occlusion.py": noise_state.STATE,
    "pages/3_Shift_and_frequency.py": shift_state.STATE,
    "pages/4_Learning.py": learning_state.STATE,
    "pages/5_Evidence.py": evidence_state.STATE,
    "pages/6_Cost.py": cost_state.STATE,
}


@dataclass(frozen=True)
class Inner:
    size: int = 3
    fast: bool = False


@dataclass(frozen=True)
class Outer:
    inner: Inner = field(default_factory=Inner)
    share: float = 0.5
    name: str = "one"

    def clamped(self) -> "Outer":
        return replace(self, share=min(max(self.share, 0.0), 1.0))


STATE = PageState(
    "outer",
    Outer(),
    (
        Parameter("size", "size", old="kernel"),
        Parameter("fast", "fast"),
        Parameter("share", "share"),
        Parameter("name", "name"),
        Parameter(
            "both",
            values=wholes(r"(?P<size>\d+)x(?P<share>\d+)"),
            write=lambda outer: None,
        ),
    ),
    lambda outer, values: {"fast": True} | values if "name" in values else values,
)


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    values: dict[str, Any] = {"language": "en"}
    monkeypatch.setattr(streamlit, "session_state", values)
    return values


# ---- one record --------------------------------------------------------------------------------


def test_each_parameter_is_read_as_what_its_field_is() -> None:
    found = STATE.read({"size": "7", "fast": "1", "share": "0.25", "name": "two"})
    assert found == Outer(Inner(7, True), 0.25, "two")
    assert type(found.inner.size) is int
    assert type(found.inner.fast) is bool
    assert STATE.query(found) == {"size": "7", "fast": "1", "share": "0.25", "name": "two"}


@pytest.mark.parametrize("text", ["", "nan", "inf", "-1e999", "three", "0x", "9" * 5000])
def test_what_is_no_number_is_left_as_it_is(text: str) -> None:
    assert STATE.read({"size": text, "share": text, "both": text, "fast": text}) == Outer()


def test_what_is_out_of_range_moves_to_the_nearest() -> None:
    assert STATE.read({"share": "7"}).share == 1.0


def test_an_old_name_is_read_and_never_written() -> None:
    assert STATE.read({"kernel": "5"}) == STATE.read({"size": "5"})
    assert STATE.read({"kernel": "5", "size": "6"}).inner.size == 6
    assert "kernel" not in STATE.query(Outer())
    assert STATE.old_names() == {"kernel"}


def test_a_parameter_without_a_name_means_nothing() -> None:
    assert STATE.read({"": "3"}) == Outer()


def test_a_compound_parameter_fills_several_fields() -> None:
    assert STATE.read({"both": "4x0"}) == Outer(Inner(4), 0)


def test_a_choice_reaches_the_record_within_and_takes_along_what_follows(
    session: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streamlit, "query_params", type("Q", (dict,), {"to_dict": dict})())
    STATE.choose(size=9)
    assert STATE.chosen() == Outer(Inner(9))
    STATE.choose(name="two")
    assert STATE.chosen() == Outer(Inner(9, True), name="two")
    STATE.choose(share=5.0)
    assert STATE.chosen().share == 1.0
    with pytest.raises(TypeError):
        STATE.choose(weight=1)


def test_numbers_are_written_as_short_as_they_can_be_read() -> None:
    for value in (0.0, 1.0, 0.1, 1 / 3, 0.1 + 0.2, 123456.75, 1e-9):
        text = text_of(value)
        assert text is not None
        assert number(text) == value
    assert [text_of(value) for value in (1.0, 0.05, True, 12, "a")] == ["1", "0.05", "1", "12", "a"]


# ---- all pages ---------------------------------------------------------------------------------


def test_a_name_in_a_link_means_one_thing_on_every_page() -> None:
    names = Counter(each.name for state in STATES.values() for each in state.table)
    assert [name for name, count in names.items() if count > 1] == []
    assert names.keys() & {"lang", "large"} == set()


def test_the_readme_explains_every_parameter_of_a_link() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    tables = re.findall(r"\| parameter \| values \|\n\| --- \| --- \|\n((?:\|.*\n)+)", readme)
    names = re.findall(r"^\|([^|]*)\|", "".join(tables), re.MULTILINE)
    explained = set(re.findall(r"`([\w-]+)`", "".join(names)))
    for page, state in STATES.items():
        assert {each.name for each in state.table} - explained == set(), page


def test_a_link_to_cost_as_it_was_once_changes_cost_and_no_other_page() -> None:
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300)
    page.switch_page("pages/6_Cost.py")
    old = {"batch": "1", "map": "2x8x8", "kernel": "3", "stride": "1", "padding": "1"}
    for name, value in (old | {"pictures": "1x32", "turns": "5", "lang": "en"}).items():
        page.query_params[name] = value
    page.run()
    assert not page.exception
    chosen = page.session_state["cost_chosen"]
    assert (chosen.map.kernel_size, chosen.map.stride, chosen.map.padding) == (3, 1, 1)
    assert chosen.pictures == 1
    assert page.session_state["control_chosen"] == settings.Shared()
    assert page.query_params["map-kernel"] == "3"
    assert "kernel" not in page.query_params


@pytest.mark.parametrize(
    ("page", "old"),
    [
        ("pages/1_By_hand.py", {"numbers": "noise", "draw": "7"}),
        ("pages/2_Noise_and_occlusion.py", {"draw": "7"}),
        ("pages/3_Shift_and_frequency.py", {"draw": "7", "sender": "all"}),
        ("pages/4_Learning.py", {"draw": "7", "pictures": "50"}),
        ("pages/6_Cost.py", {"pictures": "4x224", "device": "cpu", "turns": "5"}),
    ],
)
def test_older_links_restore_what_they_did(page: str, old: dict[str, str]) -> None:
    state = STATES[page]
    found = state.read(old)
    assert found != state.default
    now = state.query(found)
    assert now.keys() & old.keys() <= {"numbers"}
    assert state.read(now) == found


def test_the_address_is_written_only_when_it_changes(
    session: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []

    class Link(dict[str, str]):
        def to_dict(self) -> dict[str, str]:
            return dict(self)

        def from_dict(self, wanted: dict[str, str]) -> None:
            written.append(wanted)
            self.update(wanted)

    monkeypatch.setattr(streamlit, "query_params", Link())
    session["large"] = True
    for _ in range(2):
        mirror_in_link({"size": "3"}, {"name": "one"})
    assert written == [{"size": "3", "name": "one", "lang": "en", "large": "1"}]
