"""The one error that refuses a picture file, as a sentence for a person."""

from hybridpool.errors import SentenceError

__all__ = ["ImageError", "not_readable_here", "too_much_work"]


class ImageError(SentenceError, ValueError):
    """A file that cannot be used as a picture.

    Example:
        >>> str(ImageError("{name} has no pixels.", name="x.png"))
        'x.png has no pixels.'
    """


def not_readable_here() -> ImageError:
    """The error of a sound file whose pixels are stored in a way that is not supported.

    Example:
        >>> str(not_readable_here()).partition(":")[2]
        ' open it in another program and save it as PNG.'
    """
    return ImageError(
        "This picture may be sound, but its pixels are stored in a way that cannot be read here: "
        "open it in another program and save it as PNG."
    )


def too_much_work() -> ImageError:
    """The error of a file that costs far more to decode than its picture is worth.

    Example:
        >>> str(too_much_work()).partition(":")[2]
        ' open it in another program and save it as PNG or JPEG.'
    """
    return ImageError(
        "This picture is stored in a way that takes far too much work to read: "
        "open it in another program and save it as PNG or JPEG."
    )
