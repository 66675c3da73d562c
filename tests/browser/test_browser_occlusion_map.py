"""What stands below an occlusion map, asked of the script itself in a real Chromium."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from hybridpool.ui.browser.component import BASE
from hybridpool.ui.noise.words import map_words

pytestmark = pytest.mark.browser

ASSETS = Path(__file__).resolve().parents[2] / "assets"
SCRIPT = "\n".join(
    (ASSETS / name).read_text("utf-8") for name in (*BASE, "occlusion_map/occlusion_map.js")
).replace("export default", "const made =")


def note(chromium: Browser, values: Sequence[float], *, against: bool = False) -> str:
    """What is said of a map of two rows and three columns, in steps of eight pixels."""
    header = {"tops": [0, 8], "lefts": [0, 8, 16], "against": against, "words": map_words()}
    page = chromium.new_page()
    try:
        found = page.evaluate(
            f"""([header, values]) => {{
              {SCRIPT}
              const map = Object.assign(Object.create(Sliding.prototype), {{ header, columns: 3 }});
              return map.noteOf(new Float32Array(values));
            }}""",
            [header, values],
        )
    finally:
        page.close()
    return str(found)


def test_the_place_that_stands_out_is_named(chromium: Browser) -> None:
    values = [0.1, 0.2, 0.1, 0.0, 0.1, 0.25]
    assert note(chromium, values) == "at most 25.0 %, at row 9, column 17"
    values = [0.1, -0.3, 0.2, 0.0, 0.1, 0.25]
    assert note(chromium, values, against=True) == "farthest −30.0 points, at row 1, column 9"


@pytest.mark.parametrize("against", [False, True])
@pytest.mark.parametrize("most", [0.0, 0.0004])
def test_no_place_is_named_where_all_is_printed_as_zero(
    chromium: Browser, against: bool, most: float
) -> None:
    """So is max against itself, and any pooling of a flat picture behind a patch of its colour."""
    assert note(chromium, [0.0, 0.0, 0.0, 0.0, most, 0.0], against=against) == ""


@pytest.mark.parametrize("other", [0.3, 0.3000001])
def test_no_corner_is_named_where_several_tie(chromium: Browser, other: float) -> None:
    assert note(chromium, [0.1, 0.3, 0.2, 0.0, other, 0.1]) == "at most 30.0 %, at 2 places alike"
    assert note(chromium, [0.1, 0.3, 0.2, 0.0, -other, 0.1], against=True) == ""
