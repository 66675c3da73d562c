"""The link to copy, and as a QR code."""

from __future__ import annotations

import re

import pytest
import segno

from hybridpool.ui import share
from tests.apps import Visit
from tests.shown import parts_of


class Session(Visit):
    def __init__(self) -> None:
        super().__init__("pages/6_Cost.py", lang="en")
        self.app.context["url"] = "http://localhost/"
        self.run()

    def header(self) -> dict[str, object]:
        return dict(parts_of(self.component("share").bytes)[0])

    def ask(self, address: object) -> Session:
        told = {"address": address, "told": next(self.told)}
        return self.tell(self.component("share").id, "json_value", {"code": told})


def squares(svg: str) -> set[tuple[int, int]]:
    """The dark places of a code, read from the strokes that draw it."""
    (path,) = re.findall(r' d="([^"]+)"', svg)
    row, column, dark = 0.0, 0.0, set()
    for kind, numbers in re.findall(r"([MmHh])([^MmHh]*)", path):
        values = [float(text) for text in re.findall(r"-?[\d.]+", numbers)]
        if kind == "M":
            column, row = values
        elif kind == "m":
            column, row = column + values[0], row + values[1]
        else:
            dark |= {(int(row), int(column + step)) for step in range(int(values[0]))}
            column += values[0]
    return dark


@pytest.mark.parametrize("file", ["", "pages/1_By_hand.py", "pages/7_The_answer.py"])
def test_a_file_is_made_once_somebody_asks_for_it(file: str) -> None:
    """One that waits in memory may be dropped, by runs of other sessions, before it is fetched."""
    offered = Visit(file, lang="en").run().app.get("download_button")
    assert offered
    for button in offered:
        assert button.proto.deferred_file_id
        assert not button.proto.url


def test_the_code_is_that_of_the_link() -> None:
    address = "http://localhost:8501/?picture=coins&lang=en"
    matrix = segno.make(address, micro=False).matrix
    wanted = {(r + 2, c + 2) for r, line in enumerate(matrix) for c, on in enumerate(line) if on}
    assert squares(share.code_of(address)) == wanted


def test_a_code_is_shown_when_somebody_asks_and_hidden_again() -> None:
    session = Session()
    assert session.header()["svg"] == ""
    own = "http://localhost/Cost?lang=en"
    session.ask(own)
    shown = session.header()
    assert str(shown["svg"]).startswith("<svg")
    assert own in str(shown["note"])
    assert "works on this machine alone" in str(shown["note"])
    assert session.ask("").header()["svg"] == ""


@pytest.mark.parametrize(
    "address", ["https://elsewhere.example/", "javascript:alert(1)", 7, "x" * 9999, None]
)
def test_an_address_elsewhere_gets_no_code(address: object) -> None:
    assert Session().ask(address).header()["svg"] == ""


def test_a_class_gets_the_address_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(share, "own_address", lambda: "192.168.1.7")
    monkeypatch.setattr(share.st, "get_option", lambda _name: "0.0.0.0")
    session = Session().ask("http://localhost/Cost?lang=en")
    assert session.header()["note"] == "http://192.168.1.7/Cost?lang=en"
