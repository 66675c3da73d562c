"""A hand-made bank of sixteen 7 x 7 filters whose names say what they look for."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

KERNEL_SIZE = 7
RADIUS = KERNEL_SIZE // 2

# Half a grey level is 0.002: this cuts only rounding noise, so that flat areas are exactly zero.
THRESHOLD = 1e-4


def channel_name(template: str) -> str:
    """Marks a channel's name for the extraction of translations and returns it unchanged.

    Example:
        >>> channel_name("Brightness")
        'Brightness'
    """
    return template


@dataclass(frozen=True)
class ChannelName:
    """The name of one channel: an English template and the values that fill it.

    A page translates `template` first and fills it afterwards; `str()` fills in the English.

    Args:
        template: What to translate, with `str.format` fields.
        values: The values of those fields.

    Example:
        >>> str(ChannelName("Random filter {number}", {"number": 7}))
        'Random filter 7'
    """

    template: str
    values: Mapping[str, object] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        return self.template.format(**self.values)


def _plane() -> tuple[Tensor, Tensor]:
    """The coordinates x (to the right) and y (downwards) of the taps, 0 in the centre."""
    line = torch.arange(-RADIUS, RADIUS + 1, dtype=torch.float64)
    y, x = torch.meshgrid(line, line, indexing="ij")
    return x, y


def _gaussian(sigma: float) -> Tensor:
    x, y = _plane()
    bell = torch.exp(-(x**2 + y**2) / (2 * sigma**2))
    return bell / bell.sum()


def _edge(degrees: float) -> Tensor:
    """The slope of a Gaussian, upwards in the direction `degrees`, clockwise from the right."""
    x, y = _plane()
    angle = math.radians(degrees)
    return (x * math.cos(angle) + y * math.sin(angle)) * _gaussian(1.5)


def _corner(right: int, down: int) -> Tensor:
    """A bright quarter towards (`right`, `down`) that the two quarters beside it count against.

    With weights 1, -1/2, -1/2 and 0 for the quarter opposite, a straight edge through the centre
    gives at most half of what the corner gives; no other zero-sum choice does better.
    """
    x, y = _plane()
    towards_x, towards_y = (1 + torch.tanh(right * x)) / 2, (1 + torch.tanh(down * y)) / 2
    away_x, away_y = 1 - towards_x, 1 - towards_y
    quarters = towards_x * towards_y - (towards_x * away_y + away_x * towards_y) / 2
    return quarters * _gaussian(2.0)


def _spot(centre: float, surround: float) -> Tensor:
    """A bright centre on a dark surround: the difference of two Gaussians."""
    return _gaussian(centre) - _gaussian(surround)


def _stripes(degrees: float, wavelength: float) -> Tensor:
    """A Gabor function: a cosine that runs along `degrees` under a Gaussian."""
    x, y = _plane()
    angle = math.radians(degrees)
    along = x * math.cos(angle) + y * math.sin(angle)
    return torch.cos(2 * math.pi * along / wavelength) * _gaussian(2.0)


def _colour(tap: Tensor, red: float, green: float, blue: float) -> Tensor:
    return torch.stack([red * tap, green * tap, blue * tap])


def _grey(tap: Tensor) -> Tensor:
    return _colour(tap, 1 / 3, 1 / 3, 1 / 3)


def _contrast(tap: Tensor) -> Tensor:
    """Zero mean in each colour, and positive weights that sum to 1: the best fit then gives 1."""
    tap = tap - tap.mean(dim=(-2, -1), keepdim=True)
    return tap / tap.clamp(min=0).sum()


def filter_bank() -> dict[str, Tensor]:
    r"""Sixteen readable filters, by name.

    Fifteen are contrast filters: each colour's weights sum to 0, so a constant picture gives 0,
    and all positive weights together sum to 1, so for a picture in [0, 1] the answer never
    exceeds 1, and is 1 only where every positive weight meets the value 1 and every negative
    weight the value 0. The last, brightness, is a weighted mean: its weights are positive and
    sum to 1.

    Shape:
        Each filter: :math:`(3, 7, 7)`, float32.

    Example:
        >>> bank = filter_bank()
        >>> len(bank), bank["Brightness"].shape
        (16, torch.Size([3, 7, 7]))
        >>> round(bank["Brightness"].sum().item(), 4)
        1.0
    """
    small, large = _spot(0.8, 1.6), _spot(1.6, 4.0)
    contrast = {
        channel_name("Edge, dark left to bright right"): _grey(_edge(0)),
        channel_name("Edge, dark top to bright bottom"): _grey(_edge(90)),
        channel_name("Edge, dark top left to bright bottom right"): _grey(_edge(45)),
        channel_name("Edge, dark bottom left to bright top right"): _grey(_edge(-45)),
        channel_name("Corner, bright at the bottom right"): _grey(_corner(1, 1)),
        channel_name("Corner, bright at the top left"): _grey(_corner(-1, -1)),
        channel_name("Small bright spot"): _grey(small),
        channel_name("Small dark spot"): _grey(-small),
        channel_name("Large bright spot"): _grey(large),
        channel_name("Large dark spot"): _grey(-large),
        channel_name("Fine vertical stripes"): _grey(_stripes(0, 3.5)),
        channel_name("Fine horizontal stripes"): _grey(_stripes(90, 3.5)),
        channel_name("Red spot on green"): _colour(large, 1, -1, 0),
        channel_name("Green spot on red"): _colour(large, -1, 1, 0),
        channel_name("Blue spot on yellow"): _colour(large, -0.5, -0.5, 1),
    }
    bank = {name: _contrast(tap) for name, tap in contrast.items()}
    bank[channel_name("Brightness")] = _grey(_gaussian(1.5))
    return {name: tap.float() for name, tap in bank.items()}
