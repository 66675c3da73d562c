"""The base of every error that a person reads as one sentence."""

from typing import Self


class SentenceError(Exception):
    """An error that a page shows as one sentence, in the person's language.

    Args:
        template: The sentence in English, to be translated, with `str.format` fields.
        **values: The values of those fields.

    Example:
        >>> error = SentenceError("{name} has no pixels.", name="x.png")
        >>> str(error), error.template, error.values
        ('x.png has no pixels.', '{name} has no pixels.', {'name': 'x.png'})
    """

    def __init__(self, template: str, **values: object) -> None:
        super().__init__(template)  # copying and pickling call the class with this again
        self.template = template
        self.values = values

    def alone(self) -> Self:
        """The same sentence without what led to it.

        Errors hold on to the errors before them, and these to all that had been read.

        Example:
            >>> SentenceError("It is {problem}.", problem=ValueError("no")).alone().values
            {'problem': 'no'}
        """
        kept = {
            name: value if isinstance(value, int | float) else str(value)
            for name, value in self.values.items()
        }
        return type(self)(self.template, **kept)

    def __str__(self) -> str:
        return self.template.format(**self.values)
