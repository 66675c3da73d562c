"""The server that is ready before its first visitor."""

import importlib
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

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
