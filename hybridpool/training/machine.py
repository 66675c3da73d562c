"""Where a run took place: versions, device, processes, and the commit of the program."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch


def environment(device: torch.device, world: int) -> Mapping[str, Any]:
    """Where a run took place.

    Example:
        >>> environment(torch.device("cpu"), 1)["device"]
        'cpu'
    """
    return {
        "python": platform.python_version(),
        "torch": version("torch"),
        "torchvision": version("torchvision"),
        "device": device.type,
        "device_name": torch.cuda.get_device_name(device) if device.type == "cuda" else "",
        "threads": torch.get_num_threads(),
        "processes": world,
        "commit": _commit(),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _commit() -> str:
    """The commit of the program, with a plus if files differ from it; "" outside a clone."""
    top = Path(__file__).parents[2]

    def git(*words: str) -> str:
        told = subprocess.run(["git", "-C", str(top), *words], capture_output=True, text=True)
        return told.stdout.strip() if told.returncode == 0 else ""

    try:
        # An installed copy may lie inside somebody else's clone.
        if Path(git("rev-parse", "--show-toplevel") or "/") != top:
            return ""
        return git("describe", "--always", "--dirty=+", "--abbrev=12")
    except OSError:
        return ""
