"""Numbers as every component prints them, asked of the script itself in a real Chromium."""

import re
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

ASSETS = Path(__file__).resolve().parents[2] / "assets"
SCRIPT = (ASSETS / "common" / "print.js").read_text("utf-8")


def printed(chromium: Any, expression: str) -> Any:
    page = chromium.new_page()
    try:
        return page.evaluate(f"() => {{ {SCRIPT}\nreturn {expression}; }}")
    finally:
        page.close()


def test_nothing_is_printed_as_minus_zero(chromium: Any) -> None:
    found = printed(
        chromium,
        "[fixed(-0.0004), fixed(-0.0006), fixed(-0.4, 0), fixed(-12.5, 1), fixed(0.0004),"
        " signed(-0.0004), signed(0.0004), signed(-0.5, 2), signed(0.5, 2), percent(-1e-6),"
        " bracketed(fixed(-0.0004)), bracketed(fixed(-2, 0))]",
    )
    assert found == [
        *("0.000", "−0.001", "0", "−12.5", "0.000"),
        *("0.000", "0.000", "−0.50", "+0.50", "0.0 %"),
        *("0.000", "(−2)"),
    ]


def test_a_share_that_cannot_be_counted_is_no_number(chromium: Any) -> None:
    assert printed(chromium, "[percent(1 / 0), percent(0 / 0), percent(0.1234)]") == [
        *("∞", "–", "12.3 %")
    ]


def test_no_component_has_a_way_of_its_own_to_print_a_minus() -> None:
    own = [
        str(path.relative_to(ASSETS))
        for path in ASSETS.rglob("*.js")
        if re.search(r'replace\("-"|\\u2212', path.read_text("utf-8"))
    ]
    assert sorted(own) == ["by_hand/editor.js", "common/print.js"]
