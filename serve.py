"""The page, ready before its first visitor: ``streamlit run serve.py``.

With ``streamlit run app.py`` the first visitor waits while torch and Plotly are imported. Here the
page has run once before the server answers, and only then is its address given out.
"""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st
from streamlit import cli_util, net_util
from streamlit.runtime import get_instance
from streamlit.web.server import server_util


@asynccontextmanager
async def warm_up(_: st.App) -> AsyncIterator[None]:
    """Run the page once, then say where it is and open the browser."""
    print("Getting the page ready ...", flush=True)
    send_at_once()
    await get_instance().does_script_run_without_error()
    listens_at = st.get_option("server.address") or "localhost"
    address = server_util.get_url(server_util.get_display_address(listens_at))
    print(f"Hybrid Pooling Explorer: {address}", flush=True)
    if listens_at in ("0.0.0.0", "::"):
        name = net_util.get_internal_ip() or socket.gethostname()
        print(f"From other machines: {server_util.get_url(name)}", flush=True)
    if not st.get_option("server.headless"):
        # The server begins to listen as soon as this function yields.
        asyncio.get_running_loop().call_later(0.2, cli_util.open_browser, address)
    yield


def send_at_once() -> None:
    """Let what is written leave at once on every connection that will be accepted.

    Streamlit opens its socket in a way that keeps asyncio from doing this, and Nagle's algorithm
    then holds a small message back until the browser has confirmed the one before, which takes up
    to 40 ms each time. Connections inherit the option from the socket that listens.
    """
    for found in gc.get_objects():
        if type(found) is socket.socket and found.fileno() >= 0 and _is_tcp(found):
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _is_tcp(found: socket.socket) -> bool:
    internet = found.family in (socket.AF_INET, socket.AF_INET6)
    return internet and found.type == socket.SOCK_STREAM


app = st.App("app.py", lifespan=warm_up)
