"""Write files whole or not at all, or say in one sentence why that is impossible."""

from __future__ import annotations

import os
from pathlib import Path


class CannotWrite(RuntimeError):  # noqa: N818 - it says what is the case, as a sentence
    """A file that cannot be written, in one plain sentence.

    Example:
        >>> str(CannotWrite("x.json cannot be written: no space left on device."))
        'x.json cannot be written: no space left on device.'
    """


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that even a power failure leaves either the new file or the old one.

    Args:
        path: The file; its folder is made.
        data: The new content.

    Raises:
        CannotWrite: If it cannot be written; the old file then stays.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     write_whole(Path(folder) / "new" / "x.json", b"{}")
        ...     (Path(folder) / "new" / "x.json").read_bytes()
        b'{}'
    """
    unfinished = path.with_suffix(".unfinished")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with unfinished.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(unfinished, path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise CannotWrite(
            f"{path} cannot be written ({reason(error)}): what was kept before is still there, "
            "and the same command goes on from it."
        ) from error


def check_folder(folder: Path) -> None:
    """Check that a folder can be written to, before hours of work depend on it.

    Raises:
        CannotWrite: If it is below a file or may not be written to.

    Example:
        >>> check_folder(Path(__file__) / "results")
        Traceback (most recent call last):
        hybridpool.training.files.CannotWrite: ... cannot be a folder: ... is a file.
    """
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not there.is_dir():
        raise CannotWrite(f"{folder} cannot be a folder: {there} is a file.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise CannotWrite(f"{folder} cannot be written to: {there} does not allow it.")


def printable(name: str) -> str:
    r"""The name of a file or folder, with codes for what in it is no text.

    Example:
        >>> printable(os.fsdecode(b"bee \xff"))
        'bee \\udcff'
    """
    return name.encode("utf-8", "backslashreplace").decode()


def reason(error: OSError) -> str:
    """The system's words for an error, without its number.

    Example:
        >>> reason(OSError(28, "No space left on device"))
        'no space left on device'
    """
    said = error.strerror or str(error) or type(error).__name__
    return said[0].lower() + said[1:]
