"""Every word a person sees, in the person's language.

Messages are plain English in the code; ``assets/locale/<language>.po`` holds the translations and
is read as it is, so there is no compiled copy that could be out of date.
"""

from __future__ import annotations

import gettext
import html
import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import streamlit as st
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES = {"en": "English", "zh": "中文"}
_SPOKEN: ContextVar[str | None] = ContextVar("_SPOKEN", default=None)
LOCALE_FOLDER = Path(__file__).resolve().parents[2] / "assets" / "locale"


class Sentence(Protocol):
    """Words that wait for their translation: an English template and what fills it."""

    @property
    def template(self) -> str: ...

    @property
    def values(self) -> Mapping[str, Any]: ...


def language() -> str:
    """The language of this session: chosen, else the link's, else the browser's, else English."""
    if spoken := _SPOKEN.get():
        return spoken
    chosen = st.session_state.get("language")
    if chosen not in LANGUAGES:
        # "zh-CN" and "ZH" name Chinese as well.
        asked = (st.query_params.get("lang"), st.context.locale)
        names = (re.split("[-_]", tag or "")[0].lower() for tag in asked)
        chosen = next((name for name in names if name in LANGUAGES), "en")
        st.session_state["language"] = chosen
    return str(chosen)


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """One language, whatever the session's is: for many words at once, or without a session."""
    token = _SPOKEN.set(code)
    try:
        yield
    finally:
        _SPOKEN.reset(token)


def _(message: str) -> str:
    """Translate a message into the language of this session."""
    return translation(language()).gettext(message)


def ngettext(one: str, many: str, count: int) -> str:
    """Translate a message that has a form of its own for one of something."""
    return translation(language()).ngettext(one, many, count)


def fill(sentence: Sentence) -> str:
    """Translate words that the library left as a template, and fill them in."""
    return _(sentence.template).format(**sentence.values)


def markup(words: str) -> str:
    """Words for HTML; as in Markdown ** makes bold, * italic and ` code.

    Example:
        >>> markup("**Turn** the dial *s* & see")
        '<b>Turn</b> the dial <i>s</i> &amp; see'
    """
    words = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", html.escape(words))
    words = re.sub(r"\*(.+?)\*", r"<i>\1</i>", words)
    return re.sub(r"`(.+?)`", r"<code>\1</code>", words)


@cache
def translation(code: str) -> gettext.NullTranslations:
    """The translations into one language; English is the language of the code itself."""
    path = LOCALE_FOLDER / f"{code}.po"
    if not path.is_file():
        return gettext.NullTranslations()
    with path.open("rb") as source:
        catalogue = read_po(source, locale=code)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
