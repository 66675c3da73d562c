"""A hand-made bank of sixteen 7 x 7 filters whose names say what they look for."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

_RADIUS = 3
_PINK_SIZE = 64

# A quarter of one grey level: it cuts the rounding noise and nothing that an eye could see, so
# that an even area is exactly 0.
THRESHOLD = 1e-3

# Red, green and blue in each kind of filter. In photographs red minus green varies about half as
# much as brightness does, hence the 2.
_GREY = (1 / 3, 1 / 3, 1 / 3)
_RED_GREEN = (2.0, -2.0, 0.0)
_GREEN_RED = (-2.0, 2.0, 0.0)
_BLUE_YELLOW = (-1.0, -1.0, 2.0)


def channel_name(template: str) -> str:
    """Mark a channel's name for the extraction of translations and return it unchanged.

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
    line = torch.arange(-_RADIUS, _RADIUS + 1, dtype=torch.float64)
    y, x = torch.meshgrid(line, line, indexing="ij")
    return x, y


def _gaussian(sigma: float, right: float = 0.0, down: float = 0.0) -> Tensor:
    """A Gaussian with its peak at (`right`, `down`), sum 1."""
    x, y = _plane()
    bell = torch.exp(-((x - right) ** 2 + (y - down) ** 2) / (2 * sigma**2))
    return bell / bell.sum()


def _edge(degrees: float) -> Tensor:
    """The slope of a Gaussian, upwards in the direction `degrees`, clockwise from the right."""
    x, y = _plane()
    angle = math.radians(degrees)
    return (x * math.cos(angle) + y * math.sin(angle)) * _gaussian(1.5)


def _corner(right: int, down: int) -> Tensor:
    """A bright spot within the corner, and a dark one outside each of its two sides.

    The dark spots lie far along the sides: a straight edge cannot have both of them on its dark
    side and all of the bright one on the other, and gives little more than half of the corner.
    """
    beside = _gaussian(1.1, -1.5 * right, 2.5 * down) + _gaussian(1.1, 2.5 * right, -1.5 * down)
    return _gaussian(1.1, right, down) - beside / 2


def _spot(centre: float, surround: float) -> Tensor:
    """A bright centre on a dark surround: the difference of two Gaussians."""
    return _gaussian(centre) - _gaussian(surround)


def _stripes(degrees: float) -> Tensor:
    """A Gabor function: a cosine of wavelength 4 that runs along `degrees`, under a Gaussian."""
    x, y = _plane()
    angle = math.radians(degrees)
    along = x * math.cos(angle) + y * math.sin(angle)
    return torch.cos(math.pi * along / 2) * _gaussian(2.0)


def _contrast(taps: Tensor) -> Tensor:
    """Give `taps` zero mean, and scale them to pass pink noise with its spread unchanged.

    Pink noise has the spectrum of natural pictures (power 1 / f²), so that all contrast filters
    answer to these with comparable strength.

    Source: Field, "Relations between the statistics of natural images and the response properties
    of cortical cells", 1987.
    """
    taps = taps - taps.mean()
    frequency = torch.fft.fftfreq(_PINK_SIZE, dtype=torch.float64)
    power = 1 / (frequency[:, None] ** 2 + frequency**2)
    power[0, 0] = 0
    passed = torch.fft.fft2(taps, s=power.shape).abs() ** 2
    scale: Tensor = (power.sum() / (power * passed).sum()) ** 0.5
    return taps * scale


def filter_bank() -> dict[str, Tensor]:
    r"""Sixteen readable filters, by name.

    - The twelve filters of edges, corners, spots and stripes look at the mean of red, green and
      blue. Their weights sum to 0, so that an even area gives 0 in any colour.
    - The three of colour give 0 to whatever is grey. In an evenly coloured area they give a
      quarter of the mean difference of the colours, and more where the colour changes.
    - Brightness is a mean: its weights are positive and sum to 1.

    The contrast filters are scaled so that they keep the spread of pink noise, which has the
    spectrum of natural pictures. The answers of all channels to photographs are then comparable.

    Shape:
        Each filter: :math:`(3, 7, 7)`, float32.

    Example:
        >>> bank = filter_bank()
        >>> len(bank), bank["Brightness"].shape
        (16, torch.Size([3, 7, 7]))
        >>> round(bank["Brightness"].sum().item(), 4)
        1.0
    """
    small, large = _contrast(_spot(0.6, 1.2)), _contrast(_spot(1.6, 4.0))
    colour = large + _gaussian(1.5) / 8
    table = (
        (channel_name("Edge, dark left to bright right"), _contrast(_edge(0)), _GREY),
        (channel_name("Edge, dark top to bright bottom"), _contrast(_edge(90)), _GREY),
        (channel_name("Edge, dark top left to bright bottom right"), _contrast(_edge(45)), _GREY),
        (channel_name("Edge, dark bottom left to bright top right"), _contrast(_edge(-45)), _GREY),
        (channel_name("Corner, bright at the bottom right"), _contrast(_corner(1, 1)), _GREY),
        (channel_name("Corner, bright at the top left"), _contrast(_corner(-1, -1)), _GREY),
        (channel_name("Small bright spot"), small, _GREY),
        (channel_name("Small dark spot"), -small, _GREY),
        (channel_name("Large bright spot"), large, _GREY),
        (channel_name("Large dark spot"), -large, _GREY),
        (channel_name("Fine vertical stripes"), _contrast(_stripes(0)), _GREY),
        (channel_name("Fine horizontal stripes"), _contrast(_stripes(90)), _GREY),
        (channel_name("Red against green"), colour, _RED_GREEN),
        (channel_name("Green against red"), colour, _GREEN_RED),
        (channel_name("Blue against yellow"), colour, _BLUE_YELLOW),
        (channel_name("Brightness"), _gaussian(1.5), _GREY),
    )
    return {
        name: torch.stack([weight * taps for weight in weights]).float()
        for name, taps, weights in table
    }
