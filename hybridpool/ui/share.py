"""What a person takes along: files, and the link of the page, to copy or as a code for a class."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from mimetypes import guess_type
from typing import Any
from urllib.parse import urlsplit

import segno
import streamlit as st

from hybridpool.ui.browser import sent
from hybridpool.ui.browser.component import BASE, component, show
from hybridpool.ui.browser.packing import pack_message
from hybridpool.ui.words import _

#: Longer links make a code that no phone reads from a screen.
LONGEST = 1200
_LISTENS = "server.address"
_HERE = ("localhost", "127.0.0.1", "::1")


#: Icons by the end of a file's name.
_ICONS = {"csv": "table", "html": "web", "npz": "grid_on", "py": "code"}


def download(
    label: str,
    make: Callable[[], bytes | str],
    file: str,
    words: str | None = None,
    **options: Any,
) -> None:
    """A button that saves a file and runs nothing again; its kind follows from its name.

    The file is made once it is asked for. One that is made before waits in the server's memory,
    and Streamlit may have dropped it when it is fetched: other sessions' runs end meanwhile.
    """
    st.download_button(
        label,
        data=make,
        file_name=file,
        mime=guess_type(file)[0] or "application/octet-stream",
        on_click="ignore",
        icon=f":material/{_ICONS[file.rpartition('.')[2]]}:",
        help=words,
        **options,
    )


def show_share() -> None:
    """Two buttons: copy the link, and show it as a QR code."""
    address = st.session_state.get("shared_address", "")
    header = {
        "svg": code_of(address) if address else "",
        "note": _note(address) if address else "",
        "words": {
            "copy": _("Copy link"),
            "code": _("QR code"),
            "address": _("Link to this page"),
            "copied": _("Copied."),
            "select": _("The browser keeps the clipboard from this page: copy it from here."),
        },
    }
    show(component("share", *BASE, "share/share.js"), "share", pack_message(header, {}), code=_ask)


def code_of(address: str) -> str:
    """A QR code as SVG, dark on nothing.

    Example:
        >>> code_of("http://localhost:8501/?lang=en")[:5]
        '<svg '
    """
    text: str = segno.make(address, micro=False).svg_inline(scale=4, border=2, dark="#000")
    return text


def for_others(address: str, listens: str | None, own: str) -> tuple[str, bool]:
    """The address that other machines need, and whether they can reach it.

    Args:
        address: What this browser shows.
        listens: The address that the server listens to; None or 0.0.0.0 is every one.
        own: The address of this machine in its network.

    Example:
        >>> for_others("http://localhost:8501/Cost?lang=en", "0.0.0.0", "192.168.1.7")
        ('http://192.168.1.7:8501/Cost?lang=en', True)
        >>> for_others("http://localhost:8501/", "localhost", "192.168.1.7")
        ('http://localhost:8501/', False)
        >>> for_others("https://pooling.example.org/", "localhost", "192.168.1.7")
        ('https://pooling.example.org/', True)
    """
    parts = urlsplit(address)
    if parts.hostname not in _HERE:
        return address, True
    if listens not in (None, "", "0.0.0.0", "::") or own in _HERE:
        return address, False
    port = f":{parts.port}" if parts.port else ""
    return parts._replace(netloc=own + port).geturl(), True


def own_address() -> str:
    """The address of this machine in its network. Nothing is sent to find it out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # reserved for examples (RFC 5737)
        except OSError:
            return "127.0.0.1"
        address: str = probe.getsockname()[0]
        return address


def _note(address: str) -> str:
    if for_others(address, st.get_option(_LISTENS), own_address())[1]:
        return address
    return _(
        "{address} works on this machine alone. For a class, start the page with "
        "{command} and show the code again."
    ).format(address=address, command='make run ARGS="--server.address 0.0.0.0"')


def _ask(told: Mapping[str, Any]) -> None:
    asked = sent.checked(told, {"address": sent.text})
    if not asked:
        return
    address, here = asked["address"], urlsplit(st.context.url or "")
    parts = urlsplit(address)
    same = (parts.scheme, parts.netloc) == (here.scheme, here.netloc)
    if not address or (same and len(address) <= LONGEST):
        listens = st.get_option(_LISTENS)
        st.session_state["shared_address"] = (
            address and for_others(address, listens, own_address())[0]
        )
