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

# The first message with each of these numbers never arrives.
_DEAF = """
from streamlit.runtime.app_session import AppSession

usual_rerun, lost = AppSession.request_rerun, set()

def deaf(self, client_state, *rest, **more):
    told = str(client_state.widget_states) if client_state else ""
    for number in ("205", "207", "0.3"):
        if number in told and number not in lost:
            lost.add(number)
            return
    usual_rerun(self, client_state, *rest, **more)

AppSession.request_rerun = deaf
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder: Path = tmp_path_factory.mktemp("busy")
    (folder / "sitecustomize.py").write_text(_BUSY + _DEAF)
    return {"PYTHONPATH": str(folder)}


# Two messages in quick succession: Streamlit cleans up after the call with the first one, late.
_OVERTAKEN = """async (code) => {
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  const { default: mount } = await import(url);
  const place = document.body.appendChild(document.createElement("div"));
  place.innerHTML = "<p class='component'></p>";
  const header = new TextEncoder().encode('{"arrays":{}}');
  const message = () => new Uint8Array([header.length, 0, 0, 0, ...header]);
  const first = mount({ data: message(), parentElement: place });
  const second = mount({ data: message(), parentElement: place });
  first();
  await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  const shown = place.firstChild.dataset.painted;
  place.remove();
  second();
  return [shown, window.disposed];
}"""
_SMALL = """
class Small extends Component {
  load() { this.dirty(); }
  paint() {}
  dispose() { super.dispose(); window.disposed = (window.disposed ?? 0) + 1; }
}
export default mounting(Small);
"""


def test_what_an_overtaken_message_leaves_behind_takes_nothing_from_the_newer_one(
    tab: OpenTab,
) -> None:
    page = tab(ByHand).open().page
    common = Path(__file__).resolve().parents[2] / "assets" / "common"
    parts = [(common / name).read_text("utf-8") for name in ("maths.js", "component.js")]
    assert page.evaluate(_OVERTAKEN, "\n".join([*parts, _SMALL])) == ["1", 1]


@pytest.mark.parametrize(
    ("first", "dial"), [(100, "0.7"), (200, "0.3")], ids=["broken off", "lost on the way"]
)
def test_no_number_and_no_move_of_the_dial_is_lost(tab: OpenTab, first: int, dial: str) -> None:
    shown = tab(ByHand, reduced_motion="reduce").open(grid="8x8")
    page = shown.page
    page.locator("[data-sheet=grid] input").first.click()
    for row in range(8):
        page.keyboard.type(str(first + row))
        page.keyboard.press("Enter")
    largest = page.locator("[data-sheet=max] .cell")
    for row in range(4):
        expect(largest.nth(4 * row)).to_have_text(str(first + 1 + 2 * row))
    page.locator(".by-hand #dial").fill(dial)
    shown.await_link(dial=dial)
    assert f"{first + 7}_58_" in shown.link()["cells"]
    # Runs that are broken off by force leave the browser asking for something that is gone.
    shown.complaints[:] = [text for text in shown.complaints if "404" not in text]
