"""The page, ready before its first visitor: ``streamlit run serve.py``.

With ``streamlit run app.py`` the first visitor waits while torch and Plotly are imported. Here the
page has run once before the server answers, and only then is its address given out.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import ipaddress
import os
import re
import socket
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import streamlit as st
from starlette.middleware import Middleware
from streamlit import cli_util, file_util, net_util
from streamlit.runtime import get_instance
from streamlit.web.server import server_util
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

#: Sites that may show the page in a frame, besides the page itself: origins with spaces between.
FRAME_ANCESTORS = "HYBRIDPOOL_FRAME_ANCESTORS"
_ENOUGH_FILES = 65_536
#: What the page runs before Streamlit's own scripts.
FIRST = (Path(__file__).parent / "assets" / "page" / "history.js").read_text("utf-8")
#: Seconds between two looks for sessions that have ended.
SWEEP = 10.0


@asynccontextmanager
async def warm_up(_: st.App) -> AsyncIterator[None]:
    """Run the page once, then say where it is and open the browser."""
    print("Getting the page ready ...", flush=True)
    send_at_once()
    open_many_files()
    ask_nobody()
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
    sweeping = asyncio.create_task(close_ended_sessions())
    yield
    sweeping.cancel()


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


def open_many_files() -> None:
    """Raise the number of files and connections that may be open, as far as the system lets us.

    A visitor takes several connections. Some systems begin with 256 files, which a class uses up.
    """
    with suppress(ImportError):  # Windows has no such limit
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = _ENOUGH_FILES if hard == resource.RLIM_INFINITY else min(hard, _ENOUGH_FILES)
        if soft != resource.RLIM_INFINITY and soft < most:
            # macOS refuses numbers beyond its own limit for a process, whatever `hard` says.
            for wanted in (most, 10_240):
                with suppress(ValueError, OSError):
                    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
                    break


async def close_ended_sessions() -> None:
    """Shut down every session that Streamlit has dropped, now and then.

    Streamlit keeps a session for two minutes after its visitor has left and then leaves it to the
    garbage collector, which seldom runs here. Until then its three open files stay open.
    """
    manager = get_instance()._session_mgr
    known: dict[str, Any] = {}
    while True:
        here = {found.session.id: found.session for found in manager.list_sessions()}
        for name in known.keys() - here.keys():
            known[name].shutdown()
        known = here
        await asyncio.sleep(SWEEP)


def ask_nobody() -> None:
    """Keep Streamlit from asking a host on the internet for this machine's own address.

    It does so for every connection from a page of another site, and answers nobody meanwhile.
    """
    net_util.get_external_ip = lambda: None


class Guard:
    """Answer only to names that are this server's, and tell browsers what the page may do.

    A site can make its own name point to this machine (DNS rebinding); a browser then takes the
    page for a part of that site. Such a name is refused. The policy lets the page load scripts,
    pictures and data from this server alone, and decides which sites may show it in a frame.
    """

    def __init__(self, app: Any) -> None:
        self.app = app
        self.headers = [
            (b"content-security-policy", policy(os.environ.get(FRAME_ANCESTORS, "")).encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"same-origin"),
        ]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Handle one request or connection, as ASGI wants it."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
        if not is_ours(host):
            await self._refuse(scope["type"], host, send)
            return

        async def send_more(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *self.headers]}
            await send(message)

        await self.app(scope, receive, send_more)

    async def _refuse(self, kind: str, host: str, send: Any) -> None:
        if kind == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        name = re.sub(r"[^\w.:-]", "?", host, flags=re.ASCII) or "without a name"
        text = (
            f"This server does not answer to the name {name}. If it is yours, start the server "
            "with --server.allowedHosts and that name.\n"
        )
        plain = (b"content-type", b"text/plain; charset=utf-8")
        await send(
            {"type": "http.response.start", "status": 421, "headers": [plain, *self.headers]}
        )
        await send({"type": "http.response.body", "body": text.encode()})


class Opening:
    """Put our script before Streamlit's in what a browser opens as a page."""

    #: What asks for a part of the page, for none if it is known, or for it in another coding.
    unasked = (b"accept-encoding", b"if-none-match", b"if-modified-since", b"if-range", b"range")
    #: What is said of Streamlit's page and not of ours.
    unsaid = (b"content-length", b"etag", b"last-modified")

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Handle one request, as ASGI wants it."""
        opens = scope["type"] == "http" and scope["method"] == "GET"
        if not opens or b"text/html" not in dict(scope["headers"]).get(b"accept", b""):
            await self.app(scope, receive, send)
            return
        known = dict(scope["headers"]).get(b"if-none-match", b"")
        asked = [header for header in scope["headers"] if header[0] not in self.unasked]
        start: Any = None
        body = b""

        async def send_opening(message: Any) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
                return
            body += message.get("body", b"")
            if message.get("more_body"):
                return
            if (b"content-type", b"text/html; charset=utf-8") in start["headers"]:
                await self._send_page(start, body, known, send)
            else:
                await send(start)
                await send({**message, "body": body})

        await self.app({**scope, "headers": asked}, receive, send_opening)

    async def _send_page(self, start: Any, body: bytes, known: bytes, send: Any) -> None:
        body = body.replace(b"<head>", f"<head><script>{FIRST}</script>".encode(), 1)
        tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'.encode()
        headers = [each for each in start["headers"] if each[0] not in self.unsaid]
        headers.append((b"etag", tag))
        if tag in known:
            await send({**start, "status": 304, "headers": headers})
            body = b""
        else:
            headers.append((b"content-length", str(len(body)).encode()))
            await send({**start, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def policy(frame_ancestors: str) -> str:
    """The content security policy, for the sites that may show the page in a frame."""
    sites = frame_ancestors.split()
    for site in sites:
        if not re.fullmatch(r"(https?://)?[\w.*-]+(:(\d+|\*))?", site, re.ASCII):
            raise SystemExit(
                f"{FRAME_ANCESTORS} holds {site!r}, which is no site: write sites as "
                "https://example.org, with spaces between them."
            )
    # Two scripts stand within the page, ours and Streamlit's. Components come as blobs, charts with
    # styles.
    page = (Path(file_util.get_static_dir()) / "index.html").read_text("utf-8")
    hashes = [
        f"'sha256-{b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in [FIRST, *re.findall(r"<script>(.*?)</script>", page, re.DOTALL)]
    ]
    rules = {
        "default-src": ["'self'"],
        "script-src": ["'self'", "blob:", *hashes],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:", "blob:"],
        "media-src": ["'self'", "data:", "blob:"],
        "font-src": ["'self'", "data:"],
        "connect-src": ["'self'", "data:", "blob:"],
        "worker-src": ["'self'", "blob:"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'self'", *sites],
    }
    return "; ".join(" ".join((name, *allowed)) for name, allowed in rules.items())


def is_ours(host: str) -> bool:
    """Whether a Host header names this server.

    An address of numbers always does: nobody can make it point elsewhere. `server.allowedHosts`
    takes the place of the names that are known here.
    """
    if st.get_option("server.allowedHosts"):
        return is_host_allowed(host)
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return False
    machine = socket.gethostname().lower()
    given = (st.get_option("server.address"), st.get_option("browser.serverAddress"))
    if name in {"localhost", machine, f"{machine}.local", *given} - {"", None}:
        return True
    try:
        ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True


app = st.App("app.py", lifespan=warm_up, middleware=[Middleware(Guard), Middleware(Opening)])
