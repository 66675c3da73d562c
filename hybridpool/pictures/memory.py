"""Memory that decoding took, given back."""

import ctypes
import sys
from contextlib import suppress

__all__ = ["give_back_memory"]


def give_back_memory() -> None:
    """Return free memory to the system if the C library would keep it.

    The allocator of GNU/Linux keeps the memory of large pictures for the same thread.

    Example:
        >>> give_back_memory()
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library has no such function
            ctypes.CDLL(None).malloc_trim(0)
