"""The present picture, stem and window as one HTML file that works without a server."""

from __future__ import annotations

import html
from collections.abc import Callable
from urllib.parse import urlencode

import streamlit as st

from hybridpool.pictures.gallery import GALLERY
from hybridpool.trace import Trace
from hybridpool.ui import compute
from hybridpool.ui.browser.alone import ALONE, deflated, document
from hybridpool.ui.browser.inspector import SCRIPTS, Inspected, without_server
from hybridpool.ui.browser.packing import pack_message
from hybridpool.ui.browser.words import alone_words, inspector_words, is_learned
from hybridpool.ui.explore.sentences import caption
from hybridpool.ui.phrases import provenance
from hybridpool.ui.settings import SHARED, ResolvedView, Shared, view_of
from hybridpool.ui.words import _, language, speaking

#: There is no other picture to go to, and no place for one of one's own.
_STYLE = ".pair:has([data-picture]), .freeze { display: none; }"


def web_page(trace: Trace, seen: ResolvedView) -> Callable[[], bytes]:
    """What makes the file, once it is asked for: words and link are those of now."""
    spoken, link = language(), _link(trace, seen)

    def make() -> bytes:
        # It is made where nobody knows the language of this session.
        with speaking(spoken):
            return _document(trace, seen, link)

    return make


def _document(trace: Trace, seen: ResolvedView, link: str) -> bytes:
    chosen, said = trace.settings, caption(trace)
    words = inspector_words(learned=is_learned(trace)) | alone_words()
    message = without_server(Inspected(trace, seen, said, words, compute.stem_of(chosen)))
    title = f"{_title(chosen.picture)} · {_('Hybrid Pooling Explorer')}"
    lines = [
        f"<h1>{html.escape(title)}</h1>",
        "COMPONENT",
        *_small_print(trace, said, link),
        f'<script type="text/plain" id="message">{deflated(pack_message(*message))}</script>',
    ]
    return document(
        language=language(),
        title=title,
        body="\n".join(lines),
        folder="inspector",
        scripts=(*SCRIPTS, *ALONE, "site/saved.js"),
        style=_STYLE,
    ).encode()


def _link(trace: Trace, seen: ResolvedView) -> str:
    query = SHARED.query(Shared(trace.settings, view_of(seen))) | {"lang": language()}
    return f"{st.context.url or ''}?{urlencode(query)}"


def _title(picture: str) -> str:
    return _(GALLERY[picture].title) if picture in GALLERY else _("A picture of one's own")


def _small_print(trace: Trace, said: str, link: str) -> list[str]:
    picture = GALLERY.get(trace.settings.picture)
    lines = [_("Saved with: {caption}").format(caption=said)]
    if picture:
        lines.append(provenance(picture))
    else:
        lines.append(_("The picture belongs to the person who saved this page."))
    found = [f'<p class="small">{html.escape(line)}</p>' for line in lines]
    if picture:
        # The address holds numbers and known words alone, and is escaped besides.
        href = f'<a href="{html.escape(link)}" rel="noreferrer">{html.escape(link)}</a>'
        said = html.escape(_("The same in the Hybrid Pooling Explorer: {link}"))
        found.append(f'<p class="small">{said.replace("{link}", href)}</p>')
    return found
