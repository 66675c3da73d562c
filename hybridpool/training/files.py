"""Files that are written whole or not at all, and one sentence where they cannot be."""

from __future__ import annotations

import os
from pathlib import Path


class CannotWrite(RuntimeError):  # noqa: N818 - it says what is the case, as a sentence
    """A file that cannot be written, said in one plain sentence.

    Example:
        >>> str(CannotWrite("x.json cannot be written: no space left on device."))
        'x.json cannot be written: no space left on device.'
    """


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole or as it was before, whenever the power fails.

    Args:
        path: Where; its folder is made.
        data: What the file shall hold.

    Raises:
        CannotWrite: In one sentence; what was there before stays.

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
    """See that files can be written to a folder, before hours are spent on what they shall hold.

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


def reason(error: OSError) -> str:
    """What the system says of an error, without a number.

    Example:
        >>> reason(OSError(28, "No space left on device"))
        'no space left on device'
    """
    said = error.strerror or str(error) or type(error).__name__
    return said[0].lower() + said[1:]
