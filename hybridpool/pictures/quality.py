"""Images to images of another quality: blurred, compressed, brighter, or of less contrast.

These are the changes of the benchmark CIFAR-10-C that need no chance, with a level that can be
anything between its severities (see :mod:`hybridpool.pictures.corruptions`). Images are floating
point with values in [0, 1]; what comes out has their shape, dtype and device.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from hybridpool.pictures.draws import check_image, check_level
from hybridpool.pictures.noises import Noise

#: A Gaussian is cut off at so many of its sigmas.
_CUT = 4
#: Along each side of a pixel, so many places decide how much of it a disc covers.
_PLACES = 16
_FROM_ZERO = "a finite number from 0"


def gaussian_blur(image: Tensor, sigma: float) -> Tensor:
    """Blur with a Gaussian that ends at four sigmas; the border is repeated.

    Args:
        image: The image.
        sigma: Standard deviation in pixels; 0 leaves the image as it is.

    Raises:
        ValueError: `sigma` is below zero or not finite.

    Source:
        The same as ``gaussian(image, sigma)`` of scikit-image, which CIFAR-10-C uses.

    Example:
        >>> spot = torch.tensor([[0.0, 0.0, 1.0, 0.0, 0.0]])
        >>> gaussian_blur(spot, 0.5).mul(100).round().int().tolist()
        [[0, 11, 79, 11, 0]]
    """
    check_image(image)
    check_level("sigma", sigma, 0 <= sigma < math.inf, _FROM_ZERO)
    if sigma == 0:
        return image.clone()
    reach = int(_CUT * sigma + 0.5)
    offsets = torch.arange(-reach, reach + 1)
    weights = torch.exp(-(offsets.double() / sigma).square() / 2)
    values = image.to(torch.promote_types(image.dtype, torch.float32))

    def along(size: int) -> Tensor:
        places = (torch.arange(size)[:, None] + offsets).clamp(0, size - 1)
        taps = torch.zeros(size, size, dtype=torch.float64)
        return taps.scatter_add_(1, places, (weights / weights.sum()).expand(size, -1)).to(values)

    blurred: Tensor = along(image.shape[-2]) @ values @ along(image.shape[-1]).T
    return blurred.to(image.dtype)


def defocus_blur(image: Tensor, radius: float) -> Tensor:
    """Blur as a lens out of focus does: each point becomes a disc. The border is repeated.

    Each pixel of the disc counts by how much of it the disc covers, so that every radius differs a
    little from the next; the benchmark has whole pixels and blurs the disc's own edge.

    Args:
        image: The image.
        radius: Of the disc, in pixels; up to 0.5 the image stays as it is.

    Raises:
        ValueError: `radius` is below zero or not finite.

    Example:
        >>> spot = torch.zeros(3, 3)
        >>> spot[1, 1] = 1
        >>> blurred = defocus_blur(spot, 1.0)  # the middle pixel lies wholly in the disc
        >>> blurred[1, 1].item() > blurred[0, 1].item() > blurred[0, 0].item() > 0
        True
    """
    check_image(image)
    check_level("radius", radius, 0 <= radius < math.inf, _FROM_ZERO)
    reach = max(math.ceil(radius - 0.5), 0)
    if reach == 0:
        return image.clone()
    within = (torch.arange(_PLACES, dtype=torch.float64) + 0.5) / _PLACES - 0.5
    places = (torch.arange(-reach, reach + 1)[:, None] + within).square().flatten()
    inside = (places[:, None] + places <= radius**2).double()
    disc = F.avg_pool2d(inside[None, None], _PLACES)
    values = image.to(torch.promote_types(image.dtype, torch.float32))
    planes = values.reshape(-1, 1, *image.shape[-2:])
    padded = F.pad(planes, (reach,) * 4, mode="replicate")
    return F.conv2d(padded, (disc / disc.sum()).to(values)).reshape(image.shape).to(image.dtype)


def jpeg(image: Tensor, quality: float) -> Tensor:
    """Compress as JPEG and decompress, on the CPU; before it, values become 8 bit.

    Args:
        image: The image, (..., 3, H, W).
        quality: From 1 to 100; the less, the smaller the file and the worse the image.

    Raises:
        ValueError: `quality` is not in that range.

    Example:
        >>> image = torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(0))
        >>> fine, coarse = ((jpeg(image, quality) - image).abs().mean() for quality in (90, 10))
        >>> bool(fine < coarse)
        True
    """
    check_image(image)
    check_level("quality", quality, 1 <= quality <= 100, "from 1 to 100")

    def compress(picture: Image.Image) -> Image.Image:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=int(quality))
        return Image.open(file)

    return through_pillow(compress, image)


def brightness(image: Tensor, added: float) -> Tensor:
    """Raise the V of HSV: at the same hue and saturation all channels grow in proportion.

    Args:
        image: The image, (..., 3, H, W).
        added: What is added to the largest of red, green and blue, up to 1.

    Raises:
        ValueError: `added` is not in [0, 1].

    Example:
        >>> brightness(torch.tensor([0.25, 0.5, 0.0]).view(3, 1, 1), 0.25).flatten().tolist()
        [0.375, 0.75, 0.0]
    """
    check_image(image)
    check_level("added", added, 0 <= added <= 1, "from 0 to 1")
    value = image.amax(-3, keepdim=True)
    brighter = (value + added).clamp(max=1)
    return torch.where(value > 0, image / value, 1) * brighter


def contrast(image: Tensor, factor: float) -> Tensor:
    """Bring each value nearer to the mean of its channel.

    Args:
        image: The image.
        factor: What is left of the distance; 1 leaves the image as it is, 0 leaves the mean.

    Raises:
        ValueError: `factor` is not in [0, 1].

    Example:
        >>> contrast(torch.tensor([[0.0, 1.0]]), 0.5).tolist()
        [[0.25, 0.75]]
    """
    check_image(image)
    check_level("factor", factor, 0 <= factor <= 1, "from 0 to 1")
    mean = image.mean((-2, -1), keepdim=True)
    return ((image - mean) * factor + mean).clamp(0, 1)


def through_pillow(change: Callable[[Image.Image], Image.Image], image: Tensor) -> Tensor:
    """What Pillow makes of an image (..., 3, H, W), as 8 bit and on the CPU.

    Example:
        >>> through_pillow(lambda picture: picture.rotate(180), torch.eye(2).repeat(3, 1, 1))[0]
        tensor([[1., 0.],
                [0., 1.]])
    """
    levels = (image.detach().cpu() * 255).round().to(torch.uint8).movedim(-3, -1)
    pictures = levels.reshape(-1, *levels.shape[-3:]).numpy()
    changed = np.stack([np.array(change(Image.fromarray(picture))) for picture in pictures])
    found = torch.from_numpy(changed).reshape(levels.shape).movedim(-1, -3).double() / 255
    return found.to(image)


_PIXELS = "pixels"

#: Changes of the picture without chance, in the style of CIFAR-10-C.
QUALITIES: dict[str, Noise] = {
    "gaussian_blur": Noise(gaussian_blur, "sigma", _PIXELS, 0.0, 5.0, 1.0, random=False),
    "defocus_blur": Noise(defocus_blur, "radius", _PIXELS, 0.0, 5.0, 2.0, random=False),
    "jpeg": Noise(
        *(jpeg, "quality", "from 1 to 100", 5.0, 95.0, 40.0),
        more_is_noisier=False,
        random=False,
        steps=18,
    ),
    "brightness": Noise(brightness, "added", "of the range", 0.0, 0.5, 0.2, random=False),
    "contrast": Noise(
        *(contrast, "factor", "of the distance", 0.0, 1.0, 0.4),
        more_is_noisier=False,
        random=False,
    ),
}
