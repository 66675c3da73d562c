"""Clean, changed and their difference on the page "Noise and occlusion"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hybridpool.sensitivity import Comparison, Perturbation
from hybridpool.sensitivity.perturbation import in_thousandths
from hybridpool.ui.browser import sent
from hybridpool.ui.browser.component import show_packed
from hybridpool.ui.browser.rows import Rows, pack, rows_component
from hybridpool.ui.browser.words import is_learned, rows_words
from hybridpool.ui.noise.state import STATE
from hybridpool.ui.settings import Shown, look_at
from hybridpool.ui.words import language

_PATCH = dict.fromkeys(("top", "left", "height", "width", "rows", "columns"), sent.whole)


def show_rows(compared: Comparison, seen: Shown, picture: str, done: Perturbation) -> None:
    """Draw the rows; what the person lets go of lands in the session's state."""
    settings = compared.trace.settings
    rows = Rows(
        compared,
        seen,
        f"{picture} {settings}",
        rows_words(learned=is_learned(compared.trace)),
        done,
    )
    show_packed(
        rows_component(),
        "compare",
        (settings, picture, done.essential(), language()),
        lambda: pack(rows),
        view=look_at,
        patch=_remember_patch,
    )


def _remember_patch(told: Mapping[str, Any]) -> None:
    patch = sent.checked(told, _PATCH)
    if patch and patch["rows"] and patch["columns"]:
        STATE.choose(**in_thousandths(patch, (patch["rows"], patch["columns"])))
