"""Tables in Markdown, written in one way on every page."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st


def show_table(head: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: bool = True) -> None:
    """Draw a table; with `numbers`, all columns but the first are right-aligned."""
    lines = [head, ["---", *["--:" if numbers else "---"] * (len(head) - 1)], *rows]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    # A share stays on one line with its sign.
    st.markdown(table.replace(" %", "\N{NO-BREAK SPACE}%"))
