"""The parts of sentences about numbers: shares, lists, extremes and ties.

Two numbers that print alike, or differ by no more than rounding, are a tie, and every sentence
that names a least one or a largest one names all that tie for it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from hybridpool.measure import ROUNDING, alike
from hybridpool.pictures.gallery import Picture
from hybridpool.ui.words import Sentence, _, language


def percent(share: float, *, least: int = 0, most: int = 1) -> str:
    """A share as every page prints it: two significant digits, as far as the decimals allow.

    Args:
        share: The share, 1 being the whole.
        least: Decimals at least: 1 for accuracies, which lie near the whole.
        most: Decimals at most: 4 where a ten-thousandth of a per cent matters, as in costs.

    Example:
        >>> percent(0.1234), percent(0.0567), percent(-0.0012), percent(math.inf)
        ('12 %', '5.7 %', '-0.1 %', '∞')
        >>> percent(0.9962, least=1), percent(0.0012, most=4), percent(0.000023, most=4)
        ('99.6 %', '0.12 %', '0.0023 %')
    """
    if not math.isfinite(share):
        return "∞" if share > 0 else "–"
    decimals, limit = (0, 0.0995) if share else (1, 0)
    while abs(share) < limit and decimals < most:
        decimals, limit = decimals + 1, limit / 10
    return f"{100 * share:.{min(max(decimals, least), most)}f} %"


def significant(value: float) -> str:
    """A number with three significant digits, without an exponent.

    Example:
        >>> significant(0.5), significant(1234.5)
        ('0.500', '1234')
    """
    if value == 0:
        return "0"
    decimals = 2
    size = abs(value)
    while size >= 10 and decimals > 0:
        size, decimals = size / 10, decimals - 1
    while size < 0.9995 and decimals < 8:
        size, decimals = size * 10, decimals + 1
    return f"{value:.{decimals}f}"


def signed(value: float) -> str:
    """A number with its sign and two decimals; what is printed as zero has no minus.

    Example:
        >>> signed(1.5), signed(-0.25), signed(-0.001)
        ('+1.50', '−0.25', '+0.00')
    """
    return f"{round(value, 2) + 0.0:+.2f}".replace("-", "\N{MINUS SIGN}")


def joined(names: Sequence[str]) -> str:
    """Names as a list in words: "A", "A and B", "A, B and C"."""
    if len(names) == 1:
        return names[0]
    first = _("{list}, {name}")
    together = names[0]
    for name in names[1:-1]:
        together = first.format(list=together, name=name)
    return _("{list} and {name}").format(list=together, name=names[-1])


def paragraph(said: Iterable[str]) -> str:
    """Sentences one after the other, without those that are empty; Chinese sets no space."""
    return ("" if language() == "zh" else " ").join(filter(None, said))


def tied(a: float, b: float) -> bool:
    """Whether two shares print alike or differ by no more than rounding.

    Example:
        >>> tied(0.171, 0.169), tied(0.17, 0.16)
        (True, False)
    """
    return percent(a) == percent(b) or alike(a, b)


def nothing(shares: Iterable[float]) -> bool:
    """Whether all shares are zero but for rounding.

    Example:
        >>> nothing([0.0, 1e-7]), nothing([0.0, 1e-3])
        (True, False)
    """
    return all(abs(share) <= ROUNDING for share in shares)


def below_print(shares: Iterable[float]) -> bool:
    """Whether all shares would be printed as zero.

    Example:
        >>> below_print([0.0, 0.0004]), below_print([0.0, 0.0006])
        (True, False)
    """
    return all(percent(abs(share)) == percent(0) for share in shares)


class Ends(NamedTuple):
    """The smallest and the largest of several shares, and everything that ties for them.

    Attributes:
        least: The keys of the smallest ones.
        low: How small, as it is printed.
        most: The keys of the largest ones.
        high: How large.
    """

    least: list[str]
    low: str
    most: list[str]
    high: str


def ends_of(shares: Mapping[str, float]) -> Ends | None:
    """The smallest and the largest shares; None if all tie.

    Example:
        >>> ends_of({"max": 0.3, "average": 0.171, "hybrid": 0.169})
        Ends(least=['average', 'hybrid'], low='17 %', most=['max'], high='30 %')
        >>> ends_of({"max": 0.171, "average": 0.169}) is None
        True
    """
    low, high = min(shares.values()), max(shares.values())
    if tied(low, high):
        return None
    least, most = ([name for name in shares if tied(shares[name], end)] for end in (low, high))
    return Ends(least, percent(low), most, percent(high))


def place_of(hybrid: float, maximum: float, average: float) -> str:
    """Where a share of hybrid pooling lies: between its two parts, below, above, or on one.

    Example:
        >>> place_of(0.2, 0.3, 0.1), place_of(0.1, 0.3, 0.1), place_of(0.1, 0.1, 0.1)
        ('between', 'one', 'both')
    """
    low, high = sorted((maximum, average))
    if tied(hybrid, low) and tied(hybrid, high):
        return "both"
    if tied(hybrid, low) or tied(hybrid, high):
        return "one"
    return "below" if hybrid < low else "above" if hybrid > high else "between"


def bold(keys: Sequence[str], names: Mapping[str, str]) -> str:
    """The names of some keys as one list in words, to stand between asterisks."""
    return joined([names[key] for key in keys])


def provenance(picture: Picture) -> str:
    """Where a picture of the gallery comes from, and its terms."""
    return _("Source: {source}. Licence: {licence}.").format(
        source=picture.source, licence=picture.licence
    )


def plain(words: str) -> str:
    """Words of a file, or its name, that are to be read as they are, not as Markdown."""
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>$~|:#" else letter for letter in words)


def told_plainly(problem: Sentence) -> str:
    """What is wrong with a file, in its sentence, with what comes from the file read as it is."""
    values = {
        name: value if isinstance(value, int | float) else plain(str(value))
        for name, value in problem.values.items()
    }
    return _(problem.template).format(**values)
