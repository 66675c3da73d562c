"""Read the saved state of a run, or refuse it in one sentence."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from hybridpool.training.files import reason


class RunFailed(ValueError):  # noqa: N818 - it says what is the case, as a sentence
    """A run that cannot go on, although others can, in one plain sentence.

    Example:
        >>> str(RunFailed("It diverged."))
        'It diverged.'
    """


class Diverged(RunFailed):
    """A run whose loss is NaN or infinite.

    Example:
        >>> str(Diverged("It diverged."))
        'It diverged.'
    """


class DamagedCheckpoint(RunFailed):
    """A checkpoint from which a run cannot continue.

    Example:
        >>> str(DamagedCheckpoint("x.pt is empty."))
        'x.pt is empty.'
    """


@contextmanager
def within_memory(name: str) -> Iterator[None]:
    """Let a run fail, and the others go on, where there is not enough memory for it.

    Args:
        name: The name of the run.

    Raises:
        RunFailed: If memory ran out.

    Example:
        >>> with within_memory("air64"):
        ...     torch.empty(2**60)
        Traceback (most recent call last):
        hybridpool.training.checkpoints.RunFailed: There is not enough memory for air64: ...
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        # torch has a class of its own for this only on GPUs.
        if not isinstance(error, MemoryError | torch.OutOfMemoryError) and not any(
            words in str(error) for words in ("allocate memory", "Storage size", "out of memory")
        ):
            raise
        raise RunFailed(
            f"There is not enough memory for {name}: choose a smaller width or batch."
        ) from error


def read_checkpoint(path: Path, device: torch.device) -> dict[str, Any]:
    """Read what `hybridpool.training.loop.Training` saved.

    Raises:
        DamagedCheckpoint: If the file is empty, cut short or something else.
        RunFailed: If the file cannot be read at all.

    Example:
        >>> read_checkpoint(Path(__file__), torch.device("cpu"))
        Traceback (most recent call last):
        hybridpool.training.checkpoints.DamagedCheckpoint: ... is no whole checkpoint: ...
    """
    try:
        # From memory, because torch says of a file that is cut short that the disk failed.
        whole = path.read_bytes()
    except OSError as error:
        raise RunFailed(f"{path} cannot be read: {reason(error)}.") from error
    try:
        state = torch.load(io.BytesIO(whole), map_location=device, weights_only=True)
    except Exception as error:  # torch passes on whatever error the unpickling raises
        raise DamagedCheckpoint(damaged(path)) from error
    if (
        not isinstance(state, dict)
        or not {"settings", "data", "model", "history"} <= state.keys()
        or not isinstance(state["settings"], dict)
    ):
        raise DamagedCheckpoint(damaged(path))
    return state


def damaged(path: Path) -> str:
    """The message about a checkpoint from which a run cannot continue.

    Example:
        >>> damaged(Path("x.pt"))
        'x.pt is no whole checkpoint: remove it, and the run begins anew.'
    """
    return f"{path} is no whole checkpoint: remove it, and the run begins anew."
