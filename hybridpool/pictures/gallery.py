"""The pictures that come with the page: photographs from scikit-image, and drawn test cards."""

from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

from torch import Tensor

from hybridpool.pictures.cards import draw_card
from hybridpool.pictures.image import read_image

__all__ = ["GALLERY", "Picture", "gallery_image"]


@dataclass(frozen=True)
class Picture:
    """A picture of the gallery, and why it is worth pooling.

    Args:
        key: The name used in links and in :func:`gallery_image`.
        title: What it shows.
        words: One or two sentences on what to look for under max, average and hybrid pooling.
        source: Who made it, or where it was published; photographs come with scikit-image.
        licence: Its terms, as far as scikit-image states them.
        kind: A photograph (or scan) read from a file, or a drawn test card.
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
    """Read or draw a picture of the gallery.

    Args:
        key: A key of ``GALLERY``.
        card_side: The side at which a test card is drawn, at least 64. Its finest details are
            one pixel wide, so draw it at the side at which it is used; photographs keep
            their own size.

    Shape:
        ``(3, H, W)``, float32 in [0, 1]; of a photograph ``max(H, W) <= 1024``.

    Raises:
        KeyError: If no picture has that key.
        ValueError: If ``card_side`` is below 64.

    Example:
        >>> gallery_image("checks")[0, 4:6, 4:8]
        tensor([[0., 1., 0., 1.],
                [1., 0., 1., 0.]])
    """
    if key not in GALLERY:
        raise KeyError(f"the gallery has no picture {key!r}: choose from {', '.join(GALLERY)}")
    if key in _FILES:
        return read_image(files("skimage").joinpath("data", _FILES[key]).read_bytes())
    return draw_card(key, card_side)
