"""The server: ready before its first visitor, and open to nobody but its own page."""

import asyncio
import importlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.request import urlopen

import pytest
import streamlit as st
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.machines import free_port

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("address", ["localhost", "0.0.0.0"])
def test_the_page_has_run_before_the_server_answers(address: str) -> None:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    flags = ["--server.headless=true", f"--server.port={port}", f"--server.address={address}"]
    server = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "serve.py", *flags],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert server.stdout is not None
        said = ["Getting the page ready ...", f"Hybrid Pooling Explorer: http://localhost:{port}"]
        assert [server.stdout.readline().rstrip() for _ in said] == said
        if address == "0.0.0.0":
            there = server.stdout.readline()
            assert there.startswith("From other machines: http://")
            assert there.endswith(f":{port}\n")
        while True:
            assert server.poll() is None
            try:
                with urlopen(f"http://localhost:{port}/_stcore/health", timeout=60) as answer:
                    assert answer.status == 200
                    break
            except OSError:
                time.sleep(0.05)
        if sys.platform == "linux":
            assert "libtorch_cpu" in Path(f"/proc/{server.pid}/maps").read_text()
    finally:
        server.kill()
        server.wait()


def test_nothing_that_is_sent_waits_for_a_confirmation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT)
    with socket.socket() as listens, socket.socket() as closed, socket.socket() as visitor:
        closed.close()
        listens.bind(("127.0.0.1", 0))
        listens.listen()
        importlib.import_module("serve").send_at_once()
        visitor.connect(listens.getsockname())
        with listens.accept()[0] as connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


# ---- whom it answers -----------------------------------------------------------------------------


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT)
    return importlib.import_module("serve")


@pytest.mark.parametrize(
    ("host", "answered"),
    [
        *((name, True) for name in ("localhost", "LOCALHOST:8501", "127.0.0.1", "10.1.2.3:80")),
        *((name, True) for name in ("[::1]:8501", "[fe80::1]", socket.gethostname())),
        *((name, False) for name in ("", "example.org", "localhost.example.org", "127.0.0.1.org")),
        *((name, False) for name in ("[::1", "10.1.2", "user@", "a b", "xn--lcalhost-")),
    ],
)
def test_it_answers_to_its_own_names_and_to_numbers(
    host: str, answered: bool, serve: ModuleType
) -> None:
    assert serve.is_ours(host) is answered


def test_names_that_the_operator_gives_take_the_place_of_those_that_are_known(
    serve: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"server.allowedHosts": ["pooling.example.org"]}
    monkeypatch.setattr(st, "get_option", options.get)
    monkeypatch.setattr(
        serve, "is_host_allowed", lambda host: host in options["server.allowedHosts"]
    )
    assert serve.is_ours("pooling.example.org")
    assert not serve.is_ours("localhost")


def test_only_the_sites_that_the_operator_names_may_frame_the_page(serve: ModuleType) -> None:
    def ancestors(names: str) -> str:
        return serve.policy(names).rpartition("frame-ancestors ")[2]

    assert ancestors("") == "'self'"
    named = "https://moodle.example.org https://*.example.org:8443"
    assert ancestors(named) == f"'self' {named}"
    for wrong in ("https://a.org; script-src *", "'unsafe-inline'", "a,b", "https://a.org/path"):
        with pytest.raises(SystemExit, match="is no site"):
            serve.policy(wrong)


def test_a_page_comes_whole_and_with_our_script_before_streamlits(serve: ModuleType) -> None:
    plain = "<html><head><script src=theirs></script></head></html>"
    page = "text/html; charset=utf-8"

    def answer(kind: str, accept: str, known: str = '"old"') -> tuple[set[bytes], Any, str]:
        heard, said = set(), []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            heard.update(name for name, _ in scope["headers"])
            length = str(len(plain)).encode()
            headers = [
                (b"content-type", kind.encode()),
                (b"content-length", length),
                (b"etag", b'"theirs"'),
            ]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            for part in (plain[:8], plain[8:]):
                more = part == plain[:8]
                await send({"type": "http.response.body", "body": part.encode(), "more_body": more})

        async def send(message: Any) -> None:
            said.append(message)

        asked = {"accept": accept, "if-none-match": known, "accept-encoding": "gzip"}
        headers = [(name.encode(), text.encode()) for name, text in asked.items()]
        scope = {"type": "http", "method": "GET", "headers": headers}
        asyncio.run(serve.Opening(app)(scope, None, send))
        start = {**said[0], **dict(said[0]["headers"])}
        return heard, start, b"".join(each["body"] for each in said[1:]).decode()

    heard, start, text = answer(page, "text/html,*/*;q=0.8")
    assert text == plain.replace("<head>", f"<head><script>{serve.FIRST}</script>")
    assert heard == {b"accept"}
    assert (start["status"], int(start[b"content-length"])) == (200, len(text.encode()))
    for known in (start[b"etag"].decode(), f'W/{start[b"etag"].decode()}, "other"'):
        heard, same, nothing = answer(page, "text/html", known)
        assert (same["status"], same[b"etag"], nothing) == (304, start[b"etag"], "")
        assert heard == {b"accept"}
    # Streamlit's own page is another one.
    assert answer(page, "text/html", '"theirs"')[2] == text
    for kind, accept in (("text/plain", "text/html"), (page, "*/*")):
        heard, other, text = answer(kind, accept)
        assert (other["status"], other[b"etag"], text) == (200, b'"theirs"', plain)
        assert int(other[b"content-length"]) == len(plain)
    assert answer(page, "*/*")[0] > {b"if-none-match"}


SLOW_TO_FORGET = "manager = get_instance()._session_mgr\n"
QUICK_TO_FORGET = SLOW_TO_FORGET + (
    "    storage = manager._session_storage\n"
    "    storage._cache = type(storage._cache)(maxsize=128, ttl=1)\n"
)
FEW_FILES = """
import resource, runpy, sys
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
sys.argv = ["streamlit", *sys.argv[1:]]
runpy.run_module("streamlit", run_name="__main__")
"""


@contextmanager
def impatient_server(folder: Path, log: Path) -> Iterator[tuple[int, int]]:
    """Port and process of the server as it is, but with 256 files and sessions kept a second."""
    text = (ROOT / "serve.py").read_text("utf-8")
    for old, new in {
        SLOW_TO_FORGET: QUICK_TO_FORGET,
        "SWEEP = 10.0": "SWEEP = 0.2",
        'st.App("app.py"': f'st.App("{ROOT}/app.py"',
        "Path(__file__).parent": f'Path("{ROOT}")',
    }.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    (folder / "impatient.py").write_text(text)
    port = free_port()
    words = ["run", str(folder / "impatient.py"), "--server.headless", "true"]
    words += ["--server.port", str(port), "--server.address", "127.0.0.1"]
    with log.open("wb") as said:
        server = subprocess.Popen(
            [sys.executable, "-c", FEW_FILES, *words],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        try:
            while "Hybrid Pooling Explorer:" not in log.read_text():
                assert server.poll() is None, log.read_text()
                time.sleep(0.1)
            yield port, server.pid
        finally:
            server.kill()
            server.wait()


async def knock(port: int, origin: str) -> int:
    """The status that a connection from a page of this origin gets."""
    try:
        async with websockets.connect(stream(port), origin=origin):
            return 101
    except websockets.InvalidStatus as refused:
        return refused.response.status_code


def stream(port: int) -> str:
    return f"ws://127.0.0.1:{port}/_stcore/stream"


async def visit(port: int) -> None:
    """Open the page, wait until all of it has come, and leave."""
    async with websockets.connect(
        stream(port), origin=f"http://127.0.0.1:{port}", max_size=None
    ) as connection:
        asked = BackMsg()
        asked.rerun_script.query_string = "stem=filters&size=64"
        await connection.send(asked.SerializeToString())
        answer = ForwardMsg()
        while answer.WhichOneof("type") != "script_finished":
            answer.ParseFromString(await connection.recv())
        assert answer.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY


@pytest.mark.skipif(sys.platform != "linux", reason="counts open files in /proc")
def test_sessions_that_come_and_go_leave_no_file_open_and_strangers_are_refused(
    tmp_path: Path,
) -> None:
    log = tmp_path / "log"
    with impatient_server(tmp_path, log) as (port, pid):

        def open_files() -> int:
            return len(os.listdir(f"/proc/{pid}/fd"))

        limits = Path(f"/proc/{pid}/limits").read_text()
        (soft,) = [line.split()[3] for line in limits.splitlines() if "open files" in line]
        assert int(soft) > 256
        asyncio.run(visit(port))
        before = open_files()
        for _ in range(15):
            asyncio.run(visit(port))
        end = time.monotonic() + 60
        while open_files() > before and time.monotonic() < end:
            time.sleep(0.2)
        assert open_files() <= before

        assert asyncio.run(knock(port, f"http://127.0.0.1:{port}")) == 101
        assert asyncio.run(knock(port, "https://example.org")) == 403
    # Streamlit says so once it has asked another host for the address of this one, in vain.
    assert "external IP" not in log.read_text()
