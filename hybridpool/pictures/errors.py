"""The one error that a picture file is refused with, as a sentence for a person."""

__all__ = ["ImageError", "not_readable_here", "too_much_work"]


class ImageError(ValueError):
    """A file that cannot be used as a picture, said in one sentence for a person.

    Args:
        template: the English sentence, with ``{named}`` placeholders.
        **values: what fills the placeholders.

    Example:
        >>> error = ImageError("{name} has no pixels.", name="x.png")
        >>> str(error), error.template, error.values
        ('x.png has no pixels.', '{name} has no pixels.', {'name': 'x.png'})
    """

    def __init__(self, template: str, **values: object) -> None:
        super().__init__(template)
        self.template = template
        self.values = values

    def __str__(self) -> str:
        return self.template.format(**self.values)


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
