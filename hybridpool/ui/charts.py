"""How tables and Plotly charts stand on a page, and charts that wait until the rest is there.

A browser that opens the page for the first time fetches and compiles 4.7 MB for Plotly. Asked for
together with the maps, that comes before them as often as not and keeps them from being painted
for a second. So the first chart of a session leaves its place to a component of our own, which
says when the browser has painted the rest, and is drawn then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from hybridpool.ui.browser.component import component
from hybridpool.viz.charts import enlarged

#: No bar of buttons above a chart.
BAR = {"displaylogo": False, "displayModeBar": False}

#: Pixels of the smallest text that the back row of a class can read.
READABLE = 18


def show_table(head: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: bool = True) -> None:
    """Draw a table; with `numbers`, all columns but the first are right-aligned."""
    lines = [head, ["---", *["--:" if numbers else "---"] * (len(head) - 1)], *rows]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    # A share stays on one line with its sign.
    st.markdown(table.replace(" %", "\N{NO-BREAK SPACE}%"))


def show_chart(
    figure: Any, *, key: str, place: Any = st, alt: str | None = None, **options: Any
) -> None:
    """Draw a Plotly chart at its place; `alt` says in words what a picture of it would show."""
    if st.session_state.get("large"):
        figure = enlarged(figure, READABLE)
    place.plotly_chart(figure, key=key, config=BAR, alt=alt, **options)


def show_later(make: Callable[[], Any], *, key: str, height: int, alt: str) -> None:
    """Draw the Plotly chart that `make` returns, `height` pixels high, once the page is painted.

    Inside a fragment only that fragment runs again for it. From then on the session's charts are
    drawn with everything else.
    """
    if st.session_state.get("painted"):
        show_chart(make(), key=key, alt=alt)
    else:
        place = component("later", "later/later.js")
        place(key=f"{key}_later", height=height, on_painted_change=_painted)


def _painted() -> None:
    st.session_state["painted"] = True
