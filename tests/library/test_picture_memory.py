"""Memory that decoding took is given back."""

import subprocess
import sys

import pytest

_TRIMMED = """
import threading
from hybridpool.pictures.memory import give_back_memory

def resident():
    pages = int(open("/proc/self/statm").read().split()[1])
    return pages * 4096 / 2**20

def work():
    kept = [bytes(60_000) for _ in range(3000)]
    pins.append(bytes(60_000))

pins = []
threads = [threading.Thread(target=work) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
before = resident()
give_back_memory()
print(before - resident())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_goes_back_to_the_system():
    done = subprocess.run(
        [sys.executable, "-c", _TRIMMED], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) > 50
