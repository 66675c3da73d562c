"""Numbers and names as they are printed in every sentence of the page."""

from __future__ import annotations

import math

from hybridpool.training.comparisons import Difference
from hybridpool.training.summary import Summary
from hybridpool.ui.evidence.words import arm_names, named
from hybridpool.ui.words import _


def signed(share: float, digits: int = 2) -> str:
    """A difference in percentage points, with its sign.

    Example:
        >>> signed(-0.0123), signed(0.0)
        ('−1.23', '±0.00')
    """
    text = f"{100 * share:+.{digits}f}"
    if not text.strip("+-0."):
        return "±" + text[1:]
    return text.replace("-", "−")


def interval(estimate: Difference | Summary) -> str:
    """A mean with its interval; one run has no interval."""
    if estimate.low == estimate.high:
        return signed(estimate.mean)
    return _("{mean} ({low} to {high})").format(
        mean=signed(estimate.mean), low=signed(estimate.low), high=signed(estimate.high)
    )


def points(share: float) -> str:
    """A size in percentage points, with two significant digits.

    Example:
        >>> points(0.0127), points(0.052), points(0.003)
        ('1.3', '5.2', '0.30')
    """
    if not math.isfinite(share):
        return "∞"
    size = 100 * share
    return f"{size:.2f}" if size < 0.995 else f"{size:.1f}"


def share(value: float) -> str:
    """An accuracy in a table."""
    return f"{100 * value:.2f} %"


def low(name: str) -> str:
    """A name inside a sentence; names such as ResNet-18 stay as they are."""
    return name if name[1:2].isupper() or any(map(str.isdigit, name)) else name.lower()


def inside(arm: str) -> str:
    """An arm inside a sentence."""
    return low(named(arm_names(), arm))
