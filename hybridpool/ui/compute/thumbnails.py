"""Small pictures of the gallery."""

from __future__ import annotations

import base64
import io
from functools import cache

from PIL import Image

from hybridpool.pictures.gallery import GALLERY, gallery_image
from hybridpool.pictures.image import fit_image

_SIDE = 96


@cache
def thumbnails() -> dict[str, str]:
    """A small picture of each key of the gallery, as an address that holds all of it."""
    return {key: _thumbnail(key) for key in GALLERY}


def _thumbnail(key: str) -> str:
    image = fit_image(gallery_image(key), _SIDE)
    pixels = (image.permute(1, 2, 0) * 255).round().byte().numpy()
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "WEBP", quality=80)
    return "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode()
