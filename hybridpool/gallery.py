"""The pictures that come with the page: photographs from scikit-image, and drawn test cards."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hybridpool.image import read_image

__all__ = ["GALLERY", "Picture", "gallery_image"]


@dataclass(frozen=True)
class Picture:
    """A picture of the gallery, and why it is worth pooling.

    Args:
        key: the name used in links and in :func:`gallery_image`.
        title: what it shows.
        words: one or two sentences on what to look for under max, average and hybrid pooling.
        source: where it comes from.
        licence: under which terms.
        kind: a photograph (or scan) read from a file, or a drawn test card.
    """

    key: str
    title: str
    words: str
    source: str
    licence: str
    kind: Literal["photo", "card"]


_PICTURES = [
    Picture(
        "chelsea",
        "Cat",
        "Whiskers one or two pixels wide cross fur that is all texture. Max pooling keeps the "
        "whiskers and roughens the fur; average pooling calms the fur and thins the whiskers.",
        "Stefan van der Walt, in scikit-image",
        "CC0",
        "photo",
    ),
    Picture(
        "astronaut",
        "Astronaut",
        "A face, embroidered patches, the stripes of a flag and highlights on a helmet: small "
        "bright details that max pooling keeps, beside smooth skin that average pooling respects.",
        "NASA Great Images, in scikit-image",
        "Public domain",
        "photo",
    ),
    Picture(
        "camera",
        "Photographer",
        "A dark coat against a bright sky, thin tripod legs and a field of grass. Max pooling "
        "eats into whatever is dark and thin; compare the tripod under max and average.",
        "Lav Varshney, in scikit-image",
        "CC0",
        "photo",
    ),
    Picture(
        "coffee",
        "Cup of coffee",
        "Long smooth curves, a glint on the spoon and the grain of the wood. On the porcelain all "
        "poolings agree; at the glint and in the grain they part.",
        "Rachel Michetti, Pikolo Espresso Bar, in scikit-image",
        "CC0",
        "photo",
    ),
    Picture(
        "motorcycle",
        "Motorcycle",
        "Spokes, cables and chrome at many scales, in front of a cluttered wall. Thin bright parts "
        "outlive max pooling longest; where they crowd together it merges them.",
        "Middlebury Stereo 2014 (D. Scharstein et al.), in scikit-image",
        "Not stated",
        "photo",
    ),
    Picture(
        "rocket",
        "Rocket at dusk",
        "Lamps with flares, lattice towers and a sky of slowly changing blue. Max pooling spreads "
        "the lamps; average pooling leaves the sky as it was and dims the lattice.",
        "SpaceX, in scikit-image",
        "Public domain",
        "photo",
    ),
    Picture(
        "stars",
        "Hubble eXtreme Deep Field",
        "Thousands of galaxies, many of them a few pixels wide, on black. Max pooling keeps the "
        "faint ones, and the brightest noise with them; average pooling sinks both.",
        "NASA, HubbleSite, in scikit-image",
        "Public domain",
        "photo",
    ),
    Picture(
        "moon",
        "Surface of the moon",
        "Low contrast, with soft shadows and small craters, each a bright rim beside a dark one. "
        "Max pooling favours the lit rims and shrinks the shadows.",
        "scikit-image",
        "Not stated",
        "photo",
    ),
    Picture(
        "retina",
        "Retina",
        "In medical pictures both kinds of evidence count: the vessels, thin and dark, and the "
        "overall tone of the tissue. Max pooling narrows dark vessels unless a filter of the stem "
        "answers to them brightly.",
        "Mikael Häggström, Wikimedia Commons, in scikit-image",
        "CC0",
        "photo",
    ),
    Picture(
        "microaneurysms",
        "Retina with lesions",
        "A small green-channel detail of a diseased retina. The microaneurysms are dark dots a "
        "few pixels wide: the kind of finding that must survive the pooling of a network.",
        "Andreas Maier, HRF Image Database, in scikit-image",
        "CC0",
        "photo",
    ),
    Picture(
        "tissue",
        "Stained colon tissue",
        "Glands stained brown, nuclei stained blue. Single nuclei are local peaks; how much of "
        "an area is stained is an average. Hybrid pooling carries some of each.",
        "Center for Microscopy and Molecular Imaging, in scikit-image",
        "No known copyright restrictions",
        "photo",
    ),
    Picture(
        "cell",
        "Cell in saline",
        "One bright cell on a background with faint bands, measured as the phase of light. The "
        "cell survives any pooling; the bands show what each does to weak, wide structure.",
        "P. Müller et al., Optics Express 26 (2018), in scikit-image",
        "CC0",
        "photo",
    ),
    Picture(
        "brick",
        "Brick wall",
        "Bright joints in a regular grid around rough stone. The joints grow thicker under max "
        "pooling and paler under average pooling.",
        "CC0Textures, in scikit-image",
        "CC0",
        "photo",
    ),
    Picture(
        "grass",
        "Grass",
        "Texture nearly everywhere, with hardly an edge that lasts. Max pooling lifts the whole "
        "field towards its brightest blades; average pooling keeps its overall tone.",
        "Linolafett, DeviantArt, in scikit-image",
        "CC0",
        "photo",
    ),
    Picture(
        "gravel",
        "Gravel",
        "Small stones of similar size, lit from one side. As the kernel nears the size of a stone, "
        "max pooling leaves only lit faces and average pooling only grey.",
        "CC0Textures, in scikit-image",
        "CC0",
        "photo",
    ),
    Picture(
        "coins",
        "Greek coins",
        "Worn relief inside sharp outlines on an uneven background. The relief is faint and local, "
        "the outline strong: see which of them each pooling lets go first.",
        "Brooklyn Museum Collection, in scikit-image",
        "No known copyright restrictions",
        "photo",
    ),
    Picture(
        "page",
        "Printed page",
        "Dark letters on white paper that is unevenly lit. Max pooling takes the paper and erases "
        "the ink; average pooling leaves a legible grey.",
        "scikit-image",
        "Not stated",
        "photo",
    ),
    Picture(
        "text",
        "Handwritten formulas",
        "Dark strokes on paper, seen at an angle so that they shrink into the distance. Follow a "
        "line to the point where max pooling has closed it and average pooling has not.",
        "Wikipedia, in scikit-image",
        "Public domain",
        "photo",
    ),
    Picture(
        "horse",
        "Horse silhouette",
        "Pure black and white: inside and outside nothing changes, so all the difference between "
        "the poolings lies on the outline. Average pooling turns it into greys.",
        "Andreas Preuss, Openclipart, in scikit-image",
        "CC0",
        "photo",
    ),
    Picture(
        "checks",
        "Checkerboards",
        "Squares of 1, 2, 4 and 8 pixels; in the second row the same, moved by one pixel. A "
        "2 × 2 window turns the finest to white under max and to grey under average.",
        "Drawn by this program",
        "CC0",
        "card",
    ),
    Picture(
        "dots",
        "Dots",
        "Dots from 1 pixel up, bright on dark above and dark on bright below. Max pooling keeps "
        "every bright dot at full strength and erases the dark ones; average pooling treats both "
        "alike.",
        "Drawn by this program",
        "CC0",
        "card",
    ),
    Picture(
        "ramps",
        "Ramps and steps",
        "Where brightness changes slowly, max and average differ by no more than the rise inside "
        "one window. The steps show what each does at an edge.",
        "Drawn by this program",
        "CC0",
        "card",
    ),
    Picture(
        "zone_plate",
        "Zone plate",
        "Rings that grow finer outwards, up to one pixel each. Where they are too fine for the "
        "pooled grid, false rings appear: aliasing, weaker under average than under max pooling.",
        "Drawn by this program",
        "CC0",
        "card",
    ),
    Picture(
        "noise",
        "Bars in noise",
        "Bars of growing width, clean on the left and under noise on the right. Average pooling "
        "quietens the noise; max pooling follows its peaks and grows brighter.",
        "Drawn by this program",
        "CC0",
        "card",
    ),
]

GALLERY: dict[str, Picture] = {picture.key: picture for picture in _PICTURES}
"""The pictures by key, in the order in which they are shown."""

_FILES = {
    "astronaut": "astronaut.png",
    "brick": "brick.png",
    "camera": "camera.png",
    "cell": "cell.png",
    "chelsea": "chelsea.png",
    "coffee": "coffee.png",
    "coins": "coins.png",
    "grass": "grass.png",
    "gravel": "gravel.png",
    "horse": "horse.png",
    "microaneurysms": "microaneurysms.png",
    "moon": "moon.png",
    "motorcycle": "motorcycle_left.png",
    "page": "page.png",
    "retina": "retina.jpg",
    "rocket": "rocket.jpg",
    "stars": "hubble_deep_field.jpg",
    "text": "text.png",
    "tissue": "ihc.png",
}


def gallery_image(key: str, *, card_side: int = 256) -> Tensor:
    """Reads or draws a picture of the gallery.

    Args:
        key: a key of ``GALLERY``.
        card_side: the side at which a test card is drawn. Details of one pixel survive only
            at the side at which the card is shown; photographs keep their own size.

    Shape:
        ``(3, H, W)``, float32 in [0, 1], with ``max(H, W) <= 1024``.

    Raises:
        KeyError: no picture has that key.

    Example:
        >>> gallery_image("checks")[0, :2, :4]
        tensor([[0., 1., 0., 1.],
                [1., 0., 1., 0.]])
    """
    if key not in GALLERY:
        raise KeyError(f"the gallery has no picture {key!r}: choose from {', '.join(GALLERY)}")
    if key in _FILES:
        return read_image(files("skimage").joinpath("data", _FILES[key]).read_bytes())
    drawn = np.clip(_CARDS[key](card_side), 0.0, 1.0)
    if drawn.ndim == 2:
        drawn = np.repeat(drawn[..., None], 3, axis=2)
    return torch.from_numpy(drawn.astype(np.float32)).permute(2, 0, 1).contiguous()


_Grid = NDArray[np.float64]


def _checks(side: int) -> _Grid:
    rows, columns = np.indices((side, side))
    cell = side // 4
    square = 2 ** np.minimum(columns // cell, 3)
    band = np.minimum(rows // cell, 3)
    moved = (band == 1).astype(int)
    parity = ((rows + moved) // square + (columns + moved) // square) % 2
    light = parity.astype(float)[..., None]
    orange, blue = np.array([0.95, 0.55, 0.1]), np.array([0.1, 0.35, 0.85])
    colour = light * orange + (1 - light) * blue
    faint = 0.4 + 0.2 * light
    picture: _Grid = np.where((band == 2)[..., None], colour, light)
    picture = np.where((band == 3)[..., None], faint, picture)
    return picture


def _dots(side: int) -> _Grid:
    picture = np.full((side, side), 0.08)
    rows, columns = np.indices((side, side)) + 0.5
    cell = side // 8
    for row in range(4):
        for column in range(8):
            across = column + 1
            top = row * cell + (cell - across) // 2 // 2 * 2
            left = column * cell + (cell - across) // 2 // 2 * 2
            distance = np.hypot(rows - top - across / 2, columns - left - across / 2)
            inside = np.clip(across / 2 - distance + 0.5, 0, 1)
            picture = np.maximum(picture, 0.08 + inside * (0.92 - 0.2 * row))
    picture[side // 2 :] = 1 - picture[: side - side // 2]
    return picture


def _ramps(side: int) -> _Grid:
    across = np.linspace(0, 1, side)
    bands = [across, np.floor(across * 7.999) / 7]
    grey = [np.repeat(band[None, :, None], 3, axis=2) for band in bands]
    hue = (np.abs((across[:, None] * 6 + np.array([0, 4, 2])) % 6 - 3) - 1)[None]
    stack = [*grey, np.clip(hue, 0, 1), np.round(np.clip(hue, 0, 1))]
    height = -(-side // len(stack))
    return np.concatenate([np.repeat(band, height, axis=0) for band in stack])[:side]


def _zone_plate(side: int) -> _Grid:
    offset = np.arange(side) - (side - 1) / 2
    squared = offset[:, None] ** 2 + offset**2
    fade = np.clip((side / 2 - np.sqrt(squared)) / 4, 0, 1)
    picture: _Grid = 0.5 + 0.5 * fade * np.cos(np.pi * squared / side)
    return picture


def _noise(side: int) -> _Grid:
    generator = np.random.default_rng(20)
    position = np.arange(side // 2)
    width = np.maximum(1, position * 12 // side + 1)
    bars = (np.cumsum(1 / width).astype(int) % 2).astype(float)
    clean = 0.2 + 0.6 * np.repeat(bars[:, None], side, axis=1)
    clean = np.concatenate([clean, np.full((side - len(clean), side), 0.5)])
    noise = generator.normal(0, 0.15, (side, side))
    noise[:, : side // 2] = 0
    return clean + noise


_CARDS: dict[str, Callable[[int], _Grid]] = {
    "checks": _checks,
    "dots": _dots,
    "ramps": _ramps,
    "zone_plate": _zone_plate,
    "noise": _noise,
}
