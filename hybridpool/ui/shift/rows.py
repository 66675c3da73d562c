"""Before, after and their difference: the rows of ``assets/compare`` for a shifted picture.

The further poolings, which are no blends of max and average, follow as still pictures in rows of
the same form, painted with the same colours over the same ranges.
"""

from __future__ import annotations

import base64
import html
import io

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from hybridpool.sensitivity import Comparison, Study
from hybridpool.ui.browser import rows
from hybridpool.ui.browser.component import show_packed
from hybridpool.ui.browser.rows import Rows, rows_component
from hybridpool.ui.browser.words import is_learned
from hybridpool.ui.names import more_names
from hybridpool.ui.phrases import percent
from hybridpool.ui.settings import ResolvedView, look_at
from hybridpool.ui.shift.words import compare_words
from hybridpool.ui.words import language
from hybridpool.viz.frequency_charts import MORE_COLOURS
from hybridpool.viz.palette import diverging, paint, sequential

# A shift moves cells out of their windows, so that it changes every winner and says nothing; and
# nobody says that a pooling should stay where it was.
_STYLE = """
[data-row="winners"], [data-row="nearest"] { display: none; }
"""


def show_rows(compared: Comparison, seen: ResolvedView, picture: str, chosen: Study) -> None:
    """Draw the rows; what the person lets go of lands in the session's view."""
    settings = compared.trace.settings
    show_packed(
        rows_component("shift_compare", _STYLE),
        "shift_compare",
        (settings, picture, chosen.canonical(), language()),
        lambda: pack(compared, seen, picture),
        view=look_at,
    )


def pack(compared: Comparison, seen: ResolvedView, picture: str) -> bytes:
    """The aligned maps as the message of the rows, said of a shift."""
    shape = tuple(compared.before.pooled["max"].shape)
    key = f"{picture} {compared.trace.settings} {shape}"
    return rows.pack(Rows(compared, seen, key, compare_words(learned=is_learned(compared.trace))))


def show_more_rows(compared: Comparison, seen: ResolvedView) -> None:
    """The further poolings that are switched on, as rows of still pictures."""
    if _more(compared):
        st.html(more_rows(compared, seen.channel, seen.scope))


def more_rows(compared: Comparison, channel: int, scope: str) -> str:
    """Those rows as HTML: both maps and their difference in true cells, and the distance."""
    low, high, far = _ranges(compared, channel, scope)
    names = more_names()
    words = compare_words()
    head = "".join(f"<span>{words[side]}</span>" for side in ("clean", "changed", "difference"))
    lines = [f'<div class="line head"><span></span>{head}<span></span></div>']
    for name in _more(compared):
        before, after = (
            side.pooled[name][channel].double().numpy()
            for side in (compared.before, compared.after)
        )
        distance, everywhere = (
            percent(compared.changes.relative_change(name, which).item(), least=1)
            for which in (channel, None)
        )
        largest = compared.largest[name][channel].item()
        painted = {
            "clean": paint(before, low, high, sequential()),
            "changed": paint(after, low, high, sequential()),
            "difference": paint(after - before, -far, far, diverging()),
        }
        pictures = "".join(
            f'<img src="{_png(pixels)}" alt="{html.escape(f"{names[name]}, {words[side]}")}">'
            for side, pixels in painted.items()
        )
        lines.append(
            f'<div class="line"><b><i style="background:{MORE_COLOURS[name]}"></i>'
            f"{html.escape(names[name])}</b>{pictures}"
            f"<dl><dt><b>{words['relative']}</b></dt><dd><b>{distance}</b></dd>"
            f"<dt>{words['largest']}</dt><dd>{largest:.3f}</dd>"
            f"<dt>{words['all']}</dt><dd>{everywhere}</dd></dl></div>"
        )
    height, width = before.shape
    style = _MORE_STYLE.replace("ASPECT", f"{width / height:.4f}")
    return f'<style>{style}</style><div class="more-poolings">{"".join(lines)}</div>'


def _more(compared: Comparison) -> list[str]:
    """The poolings of a comparison that the rows cannot blend."""
    return [name for name in compared.before.pooled if name in MORE_COLOURS]


def _ranges(compared: Comparison, channel: int, scope: str) -> tuple[float, float, float]:
    """Lowest and highest value, and largest difference, as in the rows above."""
    part = slice(None) if scope == "all" else slice(channel, channel + 1)
    sides = compared.before, compared.after
    both = [side.pooled[name][part] for side in sides for name in ("max", "average")]
    return (
        min(values.min().item() for values in both),
        max(values.max().item() for values in both),
        compared.reach[part].max().item(),
    )


def _png(pixels: NDArray[np.uint8]) -> str:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


_MORE_STYLE = """
.more-poolings { container-type: inline-size; display: grid; gap: 0.9rem; }
.more-poolings .line { display: grid; gap: 0.4rem 1rem; align-items: center;
  grid-template-columns: 8.5rem repeat(3, minmax(0, 1fr)) 15.5rem; }
.more-poolings .head { font-weight: 600; }
.more-poolings img { width: 100%; max-width: calc(ASPECT * 17rem); aspect-ratio: ASPECT;
  image-rendering: pixelated; outline: 1px solid #8888; border-radius: 0.25rem; }
.more-poolings b i { display: inline-block; width: 0.75rem; height: 0.75rem; border-radius: 50%;
  margin-right: 0.4rem; }
.more-poolings dl { margin: 0; padding: 0; display: grid; grid-template-columns: 1fr auto;
  gap: 0.15rem 0.6rem; font-size: 0.875rem; font-variant-numeric: tabular-nums; }
.more-poolings dt, .more-poolings dd { margin: 0; font-weight: 400; }
.more-poolings dd { text-align: right; }
@container (max-width: 58rem) {
  .more-poolings .line { grid-template-columns: 6.5rem repeat(3, minmax(0, 1fr));
    gap: 0.4rem 0.6rem; }
  .more-poolings dl { grid-column: 2 / -1; display: flex; flex-wrap: wrap; }
  .more-poolings dd { margin-right: 0.8rem; }
  .more-poolings .head span:last-child { display: none; }
}
@container (max-width: 40rem) {
  .more-poolings .line { grid-template-columns: repeat(3, minmax(0, 1fr)); }
  .more-poolings .line > b, .more-poolings dl { grid-column: 1 / -1; }
  .more-poolings .head span:first-child { display: none; }
}
"""
