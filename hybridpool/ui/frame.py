"""The frame around every page: title, navigation, shared controls, language, looks."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import streamlit as st

from hybridpool.ui import controls, settings
from hybridpool.ui.browser.component import component
from hybridpool.ui.cards import Card, show_cards
from hybridpool.ui.charts import READABLE
from hybridpool.ui.page_state import PageState
from hybridpool.ui.share import show_share
from hybridpool.ui.words import _, language, markup

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]

_STYLE = """
.block-container { padding: 1.2rem clamp(1rem, 3vw, 3rem) 4rem; max-width: 1600px; }
/* Where the sidebar is put away, Streamlit's bar with the button that brings it back lies above. */
.stApp:not(:has([data-testid="stSidebar"][data-collapsed="false"])) .block-container {
  padding-top: 4rem;
}
@media (max-width: 768px) { .stApp .block-container { padding-top: 4rem; } }
.st-key-title h1 { font-size: 1.9rem; line-height: 1.2; margin: 0; padding: 0; }
@media (max-width: 480px) { .st-key-title h1 { font-size: 1.45rem; } }
.introduction { margin: 0; }
.introduction b { font-weight: 600; }
[data-testid="stHeading"] h2 { font-size: 1.3rem; padding: 0.3rem 0; }
[data-testid="stSidebarHeader"] { height: 2.5rem; }
/* The bar lies over the title's line, where only its own buttons are to be touched. */
[data-testid="stHeader"], [data-testid="stHeader"] div { pointer-events: none; }
[data-testid="stHeader"] button { pointer-events: auto; }
.st-key-title { margin-bottom: -0.6rem; gap: 0 1rem; min-height: 1.92rem; }
/* A menu is as wide as its entries, which may say at their end what tells them apart. */
[data-testid="stSelectboxVirtualDropdown"] {
  width: max-content !important; min-width: var(--trigger-width); max-width: calc(100vw - 3rem);
}
[data-testid="stSelectboxVirtualDropdown"] [role="option"],
[data-testid="stSelectboxVirtualDropdown"] [role="option"] * {
  height: auto; min-height: 1.75rem; white-space: normal;
}
[data-testid="stSelectboxVirtualDropdown"] [role="option"] { padding-block: 0.375rem; }
.st-key-title [data-testid="stPopoverButton"] { min-height: 0; padding-block: 0.2rem; }
[data-testid="stStatusWidget"], .st-key-page, .st-key-resting,
[data-testid="stElementContainer"]:has([data-heard], [data-due]) { display: none; }
[data-testid="stMarkdownContainer"]:has(> table) { overflow-x: auto; }
[data-testid="stMarkdownContainer"] :is(th, td) { word-break: keep-all; overflow-wrap: normal; }
[data-testid="stHtml"] :is(th, td) { overflow-wrap: normal; }
/* In a row Streamlit cuts choices side by side off at the edge of the screen. */
[data-testid="stButtonGroup"] > [data-rac] { flex-wrap: wrap; row-gap: 0.25rem; overflow: visible; }
/* "Start" becomes "Continue", and what stands beside it stays where it is. */
.st-key-race_go button { min-width: 7rem; }
/* Small print and white on the dark theme's green are too faint as they come. */
:is([data-testid="stCaptionContainer"], [data-testid="stImageCaption"]),
:is([data-testid="stCaptionContainer"], [data-testid="stImageCaption"]) * {
  color: light-dark(#4a5451, #b4beba) !important; opacity: 1 !important;
}
[data-testid^="stBaseButton-primary"]:not(:disabled),
[data-testid^="stBaseButton-primary"]:not(:disabled) *,
[data-testid="stMultiSelectTagsContainer"] [data-tag],
[data-testid="stMultiSelectTagsContainer"] [data-tag] * {
  color: light-dark(#fff, #0c1412);
}
[data-testid="stPageLink-NavLink"]:focus-visible, [data-testid="stSidebar"] a:focus-visible {
  outline: 3px solid light-dark(#00735a, #35c79f); outline-offset: -2px;
}
/* Streamlit draws toggles, sliders and what is chosen with colours of the background alone. */
@media (forced-colors: active) {
  [data-testid="stCheckbox"] label:has([role="switch"]) > div:not([data-testid]),
  [data-testid="stSlider"] [role="group"] > div > div:not([data-testid]) {
    border: 1px solid ButtonText; box-sizing: content-box;
  }
  [data-testid="stCheckbox"] label:has([role="switch"]) > div:not([data-testid]) > div,
  [data-testid="stSlider"] [role="group"] > div > div:has(input) {
    forced-color-adjust: none; background: ButtonText;
  }
  [data-testid="stSlider"] [data-testid] { color: CanvasText; background: none; }
  [data-variant][data-selected="true"], [data-variant][data-selected="true"] * {
    forced-color-adjust: none; background: Highlight !important; color: HighlightText;
  }
}
"""
#: The sidebar comes after what a person waits for; its room is kept, so that nothing moves then.
_KEPT = """
@media (min-width: 769px) {
  .stApp.stApp:not(:has([data-testid="stSidebar"])) .block-container { padding-top: 1.2rem; }
  .stApp:not(:has([data-testid="stSidebar"])) [data-testid="stMain"] {
    box-sizing: border-box; padding-left: 300px;
  }
}
"""
#: No text is smaller than `--least`: Streamlit's small print is 0.875 of the first size.
_LARGE = (
    f"html {{ font-size: 20.6px; --least: {READABLE}px; }}"
    + """
/* The result comes first: the title shares its line with the button that opens the sidebar. */
.stApp.stApp:not(:has([data-testid="stSidebar"][data-collapsed="false"])) {
  .block-container.block-container { padding-top: 0.8rem; }
  .st-key-title h1 { padding-left: 2.5rem; }
  [data-testid="stHeader"] { background: none; }
}
.st-key-title h1 { font-size: 1.5rem; }
"""
)
#: With `?embed=true` Streamlit hides its menu alone. A lesson page wants what can be touched.
_EMBEDDED = """
:is([data-testid="stSidebar"], [data-testid="stHeader"]) { display: none; }
.stApp.stApp.stApp .block-container.block-container { padding: 0.75rem; }
"""

#: What stands at the lower edge once the server has not answered for a while.
_AWAY = """
.stApp:not([data-test-connection-state="CONNECTED"])::after {
  content: WORDS; position: fixed; inset: auto 0 0 0; z-index: 1000000; padding: 0.6rem 1rem;
  background: #7a2e00; color: #fff; text-align: center; animation: away 0s 4s both;
}
/* Streamlit's own dialog says the same in English and lies over everything. */
body:has(.stApp:not([data-test-connection-state="CONNECTED"])) [data-testid="stDialog"] {
  display: none;
}
@keyframes away { from { visibility: hidden; } to { visibility: visible; } }
"""

#: Words that Streamlit itself writes, in English only: where they stand -> what replaces them.
_BUILT_IN = {
    '[data-testid="stFileUploaderDropzone"] [data-testid="stBaseButton-secondary"] p': "upload",
    '[data-testid="stFileUploaderDropzoneInstructions"] span': "formats",
    '[data-testid="stCameraInputButton"]': "take",
    '[data-testid="stCameraInput"]:has(img) [data-testid="stCameraInputButton"]': "again",
}


def pages() -> dict[str, str]:
    """File of each page and its title, in the order of the story."""
    return {
        "app.py": _("Explore"),
        "pages/1_By_hand.py": _("By hand"),
        "pages/7_The_answer.py": _("The answer"),
        "pages/2_Noise_and_occlusion.py": _("Noise and occlusion"),
        "pages/3_Shift_and_frequency.py": _("Shift and frequency"),
        "pages/4_Learning.py": _("Learning"),
        "pages/5_Evidence.py": _("Evidence"),
        "pages/6_Cost.py": _("Cost"),
    }


def open_page(
    title: str,
    introduction: str,
    *,
    shared_controls: bool = True,
    inspected: bool = False,
    first: Callable[[], T] | None = None,
    state: PageState[Any] | None = None,
    cards: Sequence[Card] = (),
) -> T | None:
    """Draw the frame. Call it first on every page, with translated words.

    `shared_controls` are those of picture, stem and window: a page that brings its own leaves
    them out; on one that is `inspected` the window stands beside the maps. `state` is the page's
    own: a name that its links had before means nothing to the other pages. `first` draws what a
    person waits for: it is under way to the browser before cards and sidebar, whose controls hear
    of every change before anything is drawn. `cards` are prepared states of the page; they open
    beside its title, where they take no room from what it shows.

    Returns:
        What `first` returns.
    """
    old = state.old_names() if state else set()
    link = st.query_params.to_dict()
    settings.begin({name: text for name, text in link.items() if name not in old})
    large = bool(st.session_state.get("large"))
    st.set_page_config(
        page_title=f"{title} · {_product()}",
        page_icon=ROOT / "assets" / "icon.png",
        layout="wide",
        initial_sidebar_state="collapsed" if large else "auto",
    )
    embedded = bool(st.context.is_embedded)
    looks = (
        _STYLE,
        "" if large or embedded else _KEPT,
        _LARGE if large else "",
        _EMBEDDED if embedded else "",
        _built_in_words(),
    )
    st.html(f"<style>{''.join(looks)}</style>")
    if not first:
        _show_sidebar()
    if not embedded:
        line = st.container(key="title", horizontal=True, vertical_alignment="center")
        with line:
            # On a projector the introduction waits behind a mark. Elsewhere both are HTML: the
            # browser paints the maps that stand below before it has to run the parts of Streamlit
            # that read Markdown.
            if large:
                st.title(title, help=introduction)
            else:
                st.html(f"<h1>{markup(title)}</h1>")
        if not large:
            st.html(f"<p class='introduction'>{markup(introduction)}</p>")
    if st.session_state.pop("lost", False):
        st.info(
            _(
                "The server has lost this session: it was started again, or you were away long. "
                "What the address holds is as it was; choose files of your own again."
            )
        )
    try:
        return first() if first else None
    finally:
        if cards and not embedded:
            with line:
                show_cards(cards)
        if first:
            _show_sidebar()
        if shared_controls:
            with st.sidebar:
                controls.picture_controls(words_beside=inspected)
                controls.stem_controls()
                if not inspected:
                    controls.window_controls()
                    controls.start_controls()
                controls.advanced_controls(start=inspected)


def _show_sidebar() -> None:
    """The part of it that every page has."""
    with st.sidebar:
        component("page", "common/reach.js", "page/history.js", "page/page.js")(
            key="page",
            data={
                "language": language(),
                "session": st.session_state.setdefault("session", secrets.token_hex(8)),
                "withheld": controls.withheld(),
            },
            on_withheld_change=controls.hear_what_is_withheld,
            on_lost_change=_lost,
        )
        st.markdown(f"**{_product()}**")
        for file, name in pages().items():
            st.page_link(file, label=name)
        controls.language_controls()
        show_share()


def _product() -> str:
    return _("Hybrid Pooling Explorer")


def _lost() -> None:
    st.session_state["lost"] = True


def _built_in_words() -> str:
    texts = {
        "away": _(
            "The server does not answer. Controls wait until it is back; dials and what you point "
            "at still work."
        ),
        "upload": _("Choose a file"),
        "formats": _("or drop it here: PNG, JPEG, WebP, BMP, TIFF, GIF up to 40 MB"),
        "take": _("Take the photo"),
        "again": _("Take another photo"),
    }
    rules = [_AWAY.replace("WORDS", json.dumps(texts.pop("away"), ensure_ascii=False))]
    for place, name in _BUILT_IN.items():
        text = json.dumps(texts[name], ensure_ascii=False)
        rules.append(f"{place} {{ font-size: 0; }}")
        rules.append(
            f"{place}::after {{ content: {text}; "
            "font-size: 0.875rem; line-height: 1.3; white-space: normal; }"
        )
    return "".join(rules)
