"""By hand in a real Chromium, at a server that breaks callbacks off as a busy one may."""

from pathlib import Path

import pytest

from tests.pages import ByHand, OpenTab, expect

pytestmark = pytest.mark.browser

# Streamlit breaks a callback off where the next run has been asked for, and that run, which holds
# the same state, calls nobody. Here this happens to the first message of every kind of number.
_BUSY = """
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.exceptions import RerunException
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData
from streamlit.runtime.state.session_state import SessionState

usual, broken_off = SessionState._call_callbacks, set()

def busy(self, **more):
    fresh = self._current_interaction_widget_states
    for number in ("101", "107", "0.7"):
        if number in str(fresh) and number not in broken_off:
            broken_off.add(number)
            here = get_script_run_ctx()
            raise RerunException(RerunData(here.query_string, fresh, here.page_script_hash))
    usual(self, **more)

SessionState._call_callbacks = busy
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder: Path = tmp_path_factory.mktemp("busy")
    (folder / "sitecustomize.py").write_text(_BUSY)
    return {"PYTHONPATH": str(folder)}


def test_no_number_and_no_turn_of_the_dial_is_lost(tab: OpenTab) -> None:
    shown = tab(ByHand, reduced_motion="reduce").open(grid="8x8")
    page = shown.page
    page.locator("[data-sheet=grid] input").first.click()
    for row in range(8):
        page.keyboard.type(str(100 + row))
        page.keyboard.press("Enter")
    largest = page.locator("[data-sheet=max] .cell")
    for row in range(4):
        expect(largest.nth(4 * row)).to_have_text(str(101 + 2 * row))
    page.locator(".by-hand #dial").fill("0.7")
    shown.await_link(dial="0.7")
    assert "107_58_" in shown.link()["cells"]
