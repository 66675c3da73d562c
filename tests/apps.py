"""A page in Streamlit's own test harness, and what the browser would send it."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Self

import streamlit
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.testing.v1 import AppTest

APP = Path(__file__).resolve().parents[1] / "app.py"
PATIENCE = 300.0  # seconds; a fast machine never waits this long


def opened(file: str, link: Mapping[str, str]) -> AppTest:
    """One of the pages, run once with a link."""
    page = AppTest.from_file(str(APP), default_timeout=PATIENCE).switch_page(file)
    for name, text in link.items():
        page.query_params[name] = text
    return good(page.run())


def good(page: AppTest) -> AppTest:
    """The same page, if it ran to its end."""
    assert not page.exception, [problem.value for problem in page.exception]
    return page


def title_of(page: AppTest) -> str:
    """The title of a page, as it stands where the text is not large."""
    titles = [re.fullmatch("<h1>(.+)</h1>", part.proto.body) for part in page.get("html")]
    (title,) = filter(None, titles)
    return html.unescape(title[1])


def link_of(page: AppTest) -> dict[str, str]:
    """The parameters in the address bar."""
    return {
        name: text if isinstance(text, str) else text[-1]
        for name, text in page.query_params.items()
    }


class Visit:
    """One person at one page."""

    def __init__(self, file: str = "", **link: str) -> None:
        self.app = AppTest.from_file(str(APP), default_timeout=PATIENCE)
        if file:
            self.app.switch_page(file)
        self.app.query_params.update(link)
        self.told = count(1)

    def run(self) -> Self:
        with self._language_outside():
            self.app.run()
        return self.checked()

    @contextmanager
    def _language_outside(self) -> Iterator[None]:
        """AppTest writes down the choice in a select box outside of the session, in its words."""
        streamlit.session_state["language"] = self.link.get("lang", "en")
        try:
            yield
        finally:
            del streamlit.session_state["language"]

    def checked(self) -> Self:
        assert not self.app.exception, self.app.exception[0].message
        return self

    def set(self, kind: str, key: str, value: object) -> Self:
        """Moves a control of the sidebar."""
        getattr(self.app.sidebar, kind)(key=key).set_value(value)
        return self.run()

    def set_main(self, kind: str, key: str, value: object) -> Self:
        """Moves a control of the page itself."""
        getattr(self.app.main, kind)(key=key).set_value(value)
        return self.run()

    def tell(self, place: str, kind: str, value: object) -> Self:
        """What a component sends when the hand lets go."""
        with self._language_outside():
            states = self.app._tree.get_widget_states()
        states.widgets.append(WidgetState(id=place, **{kind: json.dumps(value)}))
        self.app._run(states)
        return self.checked()

    def component(self, name: str) -> Any:
        """What Streamlit sends the browser for a component of ours."""
        (found,) = (
            element.proto
            for element in self.app.get("bidi_component")
            if element.proto.component_name == f"hybridpool_{name}"
        )
        return found

    @property
    def link(self) -> Mapping[str, str]:
        return {name: "".join(text) for name, text in self.app.query_params.items()}
