"""What is chosen on the page "Shift and frequency", and its link."""

from __future__ import annotations

from hybridpool.sensitivity import Study
from hybridpool.ui.page_state import PageState, Parameter, cell_text, read_cell

STATE = PageState(
    "study",
    Study(),
    (
        Parameter("down", "rows"),
        Parameter("right", "columns"),
        Parameter("edge", "mode"),
        Parameter("along", "axis"),
        Parameter("stochastic-seed", "draw", old="draw"),
        Parameter("band", "band"),
        Parameter("gradient", "gradient_of", old="sender"),
        Parameter("on", "shown_on"),
        Parameter(
            "more",
            "more",
            read=lambda text: tuple(text.split("-")),
            write=lambda chosen: "-".join(chosen.more) or None,
        ),
        Parameter(
            "from", values=read_cell, write=lambda chosen: cell_text(chosen.row, chosen.column)
        ),
    ),
)
