"""Pictures: a person's own file, the gallery, and the changes before a picture is pooled."""

from hybridpool.pictures.errors import ImageError
from hybridpool.pictures.gallery import GALLERY, gallery_image
from hybridpool.pictures.image import fit_image, read_image

__all__ = ["GALLERY", "ImageError", "fit_image", "gallery_image", "read_image"]
