"""What pictures of several people at once cost in memory: ``python -m benchmarks.uploads``.

Each of some threads reads the same small file of a large picture, as the page does when as many
people choose it at once; every way runs in a process of its own. Linux only.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import numpy as np
from PIL import Image

from hybridpool.pictures import read_image
from hybridpool.pictures.memory import give_back_memory
from hybridpool.ui.compute import DECODED_AT_ONCE
from hybridpool.ui.compute.turns import Turns

SIDE = 8000


def picture_file(kind: str) -> bytes:
    """A picture of 64 million pixels in a small file."""
    file = io.BytesIO()
    if kind == "float TIFF":
        flat = Image.fromarray(np.zeros((SIDE, SIDE), np.float32))
        flat.save(file, "TIFF", compression="tiff_adobe_deflate")
    elif kind == "PNG":
        Image.new("RGB", (SIDE, SIDE), (9, 99, 199)).save(file, "PNG")
    else:
        Image.new("RGB", (SIDE, SIDE), (9, 99, 199)).save(file, "JPEG")
    return file.getvalue()


def resident() -> float:
    """Memory of this process in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


def measure(data: bytes, people: int, *, bounded: bool) -> str:
    """Start, peak and end of the memory while so many people's pictures are read."""
    turns, peak, done = Turns(DECODED_AT_ONCE), [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            peak[0] = max(peak[0], resident())

    def read(_: int) -> None:
        with turns.turn() if bounded else nullcontext():
            read_image(data)
            if bounded:
                give_back_memory()

    start, began = resident(), time.perf_counter()
    watcher = threading.Thread(target=watch)
    watcher.start()
    with ThreadPoolExecutor(people) as pool:
        list(pool.map(read, range(people)))
    done.set()
    watcher.join()
    seconds = time.perf_counter() - began
    return f"{start:6.0f} {peak[0]:6.0f} {resident():6.0f} MB {seconds:6.1f} s"


def main() -> None:
    """Prints a line for each kind of file, all at once and in turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=8)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--bounded", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        data = sys.stdin.buffer.read()
        print(measure(data, arguments.people, bounded=arguments.bounded))
        return
    print(f"{arguments.people} people, pictures of {SIDE} x {SIDE}: memory at start, most, at end")
    for kind in ("float TIFF", "PNG", "JPEG"):
        data = picture_file(kind)
        for way in ([], ["--bounded"]):
            people = ["--people", str(arguments.people)]
            command = [sys.executable, "-m", "benchmarks.uploads", "--one", kind, *way, *people]
            line = subprocess.run(command, input=data, capture_output=True, check=True).stdout
            name = f"{kind} ({len(data) / 1e6:.2f} MB), " + ("in turns" if way else "all at once")
            print(f"{name:36} {line.decode().strip()}")


if __name__ == "__main__":
    main()
