"""What every test stands on: the same random examples everywhere, one thread, and no network."""

import socket
from collections.abc import Callable

import pytest
import torch
from hypothesis import settings

settings.register_profile("steady", derandomize=True, deadline=None, database=None)
settings.load_profile("steady")

# As the page does. On cores that others use too, threads that wait for each other make a small
# pooling twenty times slower.
torch.set_num_threads(1)

_LOCAL = {"localhost", "127.0.0.1", "::1", ""}


@pytest.fixture(autouse=True)
def only_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that runs inside the tests' own process may look up or reach another host."""
    look_up: Callable[..., object] = socket.getaddrinfo

    def local_look_up(host: object, *rest: object, **more: object) -> object:
        name = host.decode() if isinstance(host, bytes) else str(host or "")
        if name not in _LOCAL:
            raise socket.gaierror(socket.EAI_NONAME, f"the tests have no network: {name}")
        return look_up(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", local_look_up)
