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
        source: who made it, or where it was published; photographs come with scikit-image.
        licence: its terms, as far as scikit-image states them.
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
        "astronaut",
        "Astronaut",
        "A face, the stripes of a flag, stitching and polished glass. Max pooling widens the "
        "glints on the helmet and bleaches the small dark features of the face; average pooling "
        "keeps their tone and dulls the glints.",
        "NASA Great Images: Eileen Collins",
        "Public domain",
        "photo",
    ),
    Picture(
        "chelsea",
        "Cat",
        "Striped fur, pale whiskers and two large eyes. The pupils and the dark stripes shrink "
        "under max pooling; the whiskers, hardly a pixel wide, fade under average pooling.",
        "Stefan van der Walt",
        "CC0",
        "photo",
    ),
    Picture(
        "camera",
        "Photographer",
        "The legs of the tripod are dark with a line of light along them. Max pooling keeps only "
        "the light, so under a large window they turn light; average pooling mixes both to grey.",
        "Lav Varshney",
        "CC0",
        "photo",
    ),
    Picture(
        "coffee",
        "Cup of coffee",
        "Smooth porcelain, a glint on the spoon, the grain of a table. On the porcelain all "
        "poolings nearly agree; at the glint and in the grain they part.",
        "Rachel Michetti, Pikolo Espresso Bar",
        "CC0",
        "photo",
    ),
    Picture(
        "motorcycle",
        "Motorcycle",
        "Chrome, spokes and cables at many scales before a crowded shelf. Max pooling lets the "
        "bright parts grow until neighbours merge; average pooling lets the thin ones sink into "
        "what lies behind them.",
        "Middlebury Stereo 2014, Daniel Scharstein and others",
        "Not stated",
        "photo",
    ),
    Picture(
        "rocket",
        "Rocket at dusk",
        "Lamps, lattice towers and a sky that changes slowly. Every pooling leaves the sky almost "
        "as it was; max pooling swells the lamps and thins the dark towers.",
        "SpaceX: DSCOVR on Falcon 9",
        "Public domain",
        "photo",
    ),
    Picture(
        "stars",
        "Hubble eXtreme Deep Field",
        "Galaxies on black, most of them only a few pixels wide. Max pooling keeps each at its "
        "peak until they crowd the frame; average pooling spreads their light over the window, "
        "and the faint ones sink into the dark.",
        "NASA, HubbleSite",
        "Public domain",
        "photo",
    ),
    Picture(
        "moon",
        "Surface of the moon",
        "A quiet plain with small craters, each a lit rim beside a shadow. Max pooling keeps the "
        "rims and fills in the shadows; average pooling sets one against the other, and the "
        "smallest craters fade.",
        "scikit-image",
        "Not stated",
        "photo",
    ),
    Picture(
        "retina",
        "Retina",
        "Vessels, thin and darker than the tissue around them. In brightness max pooling wipes "
        "out the finest, and average pooling leaves a trace; in a channel that answers to dark "
        "lines it is max pooling that keeps them.",
        "Mikael Häggström, Wikimedia Commons",
        "CC0",
        "photo",
    ),
    Picture(
        "microaneurysms",
        "Retina with lesions",
        "A detail in green light: vessels, and microaneurysms as dark dots a few pixels wide. A "
        "finding as small as this is easily lost: compare how much of a dot each pooling leaves.",
        "Andreas Maier, High-Resolution Fundus Image Database",
        "CC0",
        "photo",
    ),
    Picture(
        "tissue",
        "Stained tissue",
        "Glands of the colon stained brown for a protein, with blue nuclei between them. A single "
        "nucleus is a peak, how much of an area is stained is an average: hybrid pooling carries "
        "some of each.",
        "Center for Microscopy and Molecular Imaging",
        "No known copyright restrictions",
        "photo",
    ),
    Picture(
        "cell",
        "Cell in saline",
        "A phase image from a hologram: one bright cell before faint bands. The cell outlives "
        "every pooling; the dark ring around it narrows under max pooling.",
        "Paul Müller and others, Optics Express 26, 2018",
        "CC0",
        "photo",
    ),
    Picture(
        "brick",
        "Brick wall",
        "Pale joints, a few pixels wide, in a regular grid. Max pooling widens the joints at the "
        "cost of the bricks; average pooling lets them fade into the wall.",
        "CC0Textures, Bricks25",
        "CC0",
        "photo",
    ),
    Picture(
        "grass",
        "Grass",
        "Texture everywhere, and hardly an edge that lasts. Max pooling lifts the whole field "
        "towards its brightest blades; average pooling keeps the tone of the field.",
        "linolafett, DeviantArt",
        "CC0",
        "photo",
    ),
    Picture(
        "gravel",
        "Gravel",
        "Stones of similar size, each with a lit face and a shadow. Once the window is as large "
        "as a stone, nearly every window holds a lit face: max pooling turns the shadows light, "
        "average pooling turns everything grey.",
        "CC0Textures, Gravel04",
        "CC0",
        "photo",
    ),
    Picture(
        "coins",
        "Greek coins",
        "Worn relief inside firm outlines, on a ground that is unevenly lit. The relief is the "
        "first to go under every pooling; then max pooling fattens the coins, and average pooling "
        "keeps their size.",
        "Brooklyn Museum Collection",
        "No known copyright restrictions",
        "photo",
    ),
    Picture(
        "page",
        "Printed page",
        "Small dark letters on unevenly lit paper. In brightness max pooling keeps the paper and "
        "loses the ink; average pooling leaves a grey that can be read for longer.",
        "scikit-image",
        "Not stated",
        "photo",
    ),
    Picture(
        "text",
        "Handwriting",
        "Dark strokes on ruled paper, seen at an angle, so that they grow thinner towards the "
        "top. Find the height at which max pooling has lost them and average pooling has not.",
        "Wikipedia: Corner.png",
        "Public domain",
        "photo",
    ),
    Picture(
        "horse",
        "Horse",
        "A silhouette: away from its outline all poolings agree. Along the outline max pooling "
        "lets the white eat into the thin legs, and average pooling turns black and white to grey.",
        "Andreas Preuss, Openclipart",
        "CC0",
        "photo",
    ),
    Picture(
        "checks",
        "Checkerboards",
        "Squares of 1, 2, 4 and 8 pixels. Where every window holds a bright and a dark square, "
        "max sees only bright and average only grey; the second row is the first moved by one "
        "pixel, the third changes in colour and not in brightness, the fourth is faint.",
        "Drawn by this program",
        "CC0",
        "card",
    ),
    Picture(
        "dots",
        "Dots",
        "Dots of 1 to 8 pixels, bright on dark above and dark on bright below, fainter from row "
        "to row. In brightness max pooling keeps every bright dot and thins or loses the dark "
        "ones; average pooling treats both alike.",
        "Drawn by this program",
        "CC0",
        "card",
    ),
    Picture(
        "ramps",
        "Ramps and steps",
        "Where brightness or colour changes slowly, max and average differ by no more than the "
        "change inside one window, and the blend weight hardly matters. On the steps it matters "
        "at the edges, and only there.",
        "Drawn by this program",
        "CC0",
        "card",
    ),
    Picture(
        "star",
        "Siemens star",
        "Spokes in every direction that meet in the middle. In brightness the bright spokes widen "
        "under max pooling and close the gaps from the centre outwards; under average pooling "
        "both fade alike.",
        "Drawn by this program",
        "CC0",
        "card",
    ),
    Picture(
        "zone_plate",
        "Zone plate",
        "Rings that grow finer outwards, until they alternate from pixel to pixel. Where they are "
        "too fine for the pooled grid, every pooling invents coarser ones: aliasing. Max pooling "
        "adds patterns of its own and lifts the fine rings towards white.",
        "Drawn by this program",
        "CC0",
        "card",
    ),
    Picture(
        "noise",
        "Shapes under noise",
        "The same bars and discs twice, clean on the left, under noise on the right. Average "
        "pooling quietens the noise; max pooling follows its peaks, so that the noisy side "
        "becomes brighter than the clean one.",
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
        card_side: the side at which a test card is drawn, at least 64. Its finest details are
            one pixel wide, so draw it at the side at which it is used; photographs keep
            their own size.

    Shape:
        ``(3, H, W)``, float32 in [0, 1]; of a photograph ``max(H, W) <= 1024``.

    Raises:
        KeyError: no picture has that key.
        ValueError: ``card_side`` is below 64.

    Example:
        >>> gallery_image("checks")[0, 4:6, 4:8]
        tensor([[0., 1., 0., 1.],
                [1., 0., 1., 0.]])
    """
    if key not in GALLERY:
        raise KeyError(f"the gallery has no picture {key!r}: choose from {', '.join(GALLERY)}")
    if key in _FILES:
        return read_image(files("skimage").joinpath("data", _FILES[key]).read_bytes())
    if card_side < _LEAST_CARD_SIDE:
        raise ValueError(f"a card needs a side of at least {_LEAST_CARD_SIDE}, got {card_side}")
    drawn = np.clip(_CARDS[key](card_side), 0, 1)
    if drawn.ndim == 2:
        drawn = np.repeat(drawn[..., None], 3, axis=2)
    return torch.from_numpy(drawn.astype(np.float32)).permute(2, 0, 1).contiguous()


_LEAST_CARD_SIDE = 64
_Grid = NDArray[np.float64]


def _checks(side: int) -> _Grid:
    cell = side // 4
    patch = (cell - 4) // 8 * 8
    margin = (cell - patch) // 4 * 2  # even, so that a 2 x 2 window starts with the patch
    picture = np.full((side, side, 3), 0.5)
    dark, light = np.zeros(3), np.ones(3)
    # Both colours have the same sum, so that only a filter that weighs colours sees them.
    orange, blue = np.array([0.95, 0.5, 0.05]), np.array([0.05, 0.5, 0.95])
    rows = [(0, dark, light), (1, dark, light), (0, blue, orange), (0, light * 0.45, light * 0.55)]
    down, right = np.indices((patch, patch))
    for row, (moved, first, second) in enumerate(rows):
        for column in range(4):
            odd = ((down + moved) // 2**column + (right + moved) // 2**column) % 2
            top, left = row * cell + margin, column * cell + margin
            squares = np.where(odd[..., None] == 1, second, first)
            picture[top : top + patch, left : left + patch] = squares
    return picture


def _dots(side: int) -> _Grid:
    ground, cell = 0.08, side // 8
    picture = np.full((side, side), ground)
    for row, strength in enumerate((0.92, 0.6, 0.35, 0.18)):
        for column in range(8):
            across = min(column + 1, cell - 2)
            # An even corner: the smallest dots lie within one 2 x 2 window.
            corner = (cell - across) // 4 * 2
            top, left = row * cell + corner, column * cell + corner
            dot = ground + strength * _disc(side, top + across / 2, left + across / 2, across / 2)
            picture = np.maximum(picture, dot)
    picture[side // 2 :] = 1 - picture[: side - side // 2]
    return picture


def _ramps(side: int) -> _Grid:
    slow = np.linspace(0, 1, side)
    steps = np.minimum(np.floor(slow * 8), 7)
    grey = [np.repeat(band[:, None], 3, axis=1) for band in (slow, steps / 7)]
    bands = [*grey, _hue(slow), _hue(steps / 8)]
    edges = np.linspace(0, side, len(bands) + 1).round().astype(int)
    picture = np.empty((side, side, 3))
    for band, top, bottom in zip(bands, edges, edges[1:], strict=False):
        picture[top:bottom] = band
    return picture


def _star(side: int) -> _Grid:
    fine = 8
    offset = (np.arange(side * fine) + 0.5) / fine - side / 2
    angle = np.arctan2(offset[:, None], offset)
    spokes = (np.floor(angle / np.pi * 24 + 0.5) % 2).reshape(side, fine, side, fine)
    return _on_grey(spokes.mean(axis=(1, 3)))


def _zone_plate(side: int) -> _Grid:
    offset = np.arange(side) + 0.5 - side / 2
    squared = offset[:, None] ** 2 + offset**2
    return _on_grey(0.5 + 0.5 * np.cos(np.pi * squared / side))


def _noise(side: int) -> _Grid:
    half = side // 2
    scene = np.full((side, half), 0.35)
    long = (half - side // 8) // 16 * 16
    left = (half - long) // 2
    for row, width in enumerate((1, 2, 4, 8)):
        top, high = side * (2 * row + 1) // 16, side // 10
        scene[top : top + high, left : left + long] += 0.4 * (1 - np.arange(long) // width % 2)
    for column, strength in enumerate((0.4, -0.25)):
        centre = half * (2 * column + 1) / 4
        scene += strength * _disc(side, side * 0.76, centre, side * 0.09)[:, :half]
    grain = np.random.default_rng(20).normal(0, 0.12, scene.shape)
    picture: _Grid = np.concatenate([scene, scene + grain], axis=1)
    return np.pad(picture, ((0, 0), (0, side - 2 * half)), mode="edge")


def _disc(side: int, row: float, column: float, radius: float) -> _Grid:
    """How much of each pixel a disc covers."""
    centres = np.arange(side) + 0.5
    distance: _Grid = np.hypot(centres[:, None] - row, centres - column)
    return np.clip(radius - distance + 0.5, 0, 1)


def _on_grey(picture: _Grid) -> _Grid:
    """The round middle of a picture on mid-grey."""
    side = len(picture)
    return 0.5 + (picture - 0.5) * _disc(side, side / 2, side / 2, side * 0.48)


def _hue(turn: _Grid) -> _Grid:
    """Fully saturated colours around the circle, red at 0 and at 1."""
    distance: _Grid = np.abs((turn[:, None] * 6 + np.array([0, 4, 2])) % 6 - 3)
    return np.clip(distance - 1, 0, 1)


_CARDS: dict[str, Callable[[int], _Grid]] = {
    "checks": _checks,
    "dots": _dots,
    "ramps": _ramps,
    "star": _star,
    "zone_plate": _zone_plate,
    "noise": _noise,
}
