"""Pictures with colour profiles in a real Chromium: it shows the colours that the library reads."""

import base64

import numpy as np
import pytest
from PIL import Image

from hybridpool.pictures import read_image
from tests.picture_files import encode, pixels
from tests.profiles import SPACES, cmyk_profile, grey_profile, rgb_profile

pytestmark = pytest.mark.browser

_SHOWN = """async address => {
    const picture = new Image();
    picture.src = address;
    await picture.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [picture.width, picture.height];
    const context = canvas.getContext("2d", {colorSpace: "srgb"});
    context.drawImage(picture, 0, 0);
    return Array.from(context.getImageData(0, 0, picture.width, picture.height).data);
}"""
_PATCH = 16


def patches(count, depth, seed):
    """Colours of every kind, and the corners of the space, in large squares."""
    some = np.random.default_rng(seed).integers(0, 256, (count, depth), dtype=np.uint8)
    some[0], some[1] = 0, 255
    return some.reshape(1, count, depth).repeat(_PATCH, axis=0).repeat(_PATCH, axis=1)


def files():
    """Name -> (type, file, how far the two may be apart)."""
    colours, inks = patches(24, 3, 1), patches(24, 4, 2)
    grey = np.ascontiguousarray(colours[..., 0])
    inks[..., 3] = 0  # Chromium mixes black into the other three before it follows the profile
    found = {}
    for space in SPACES:
        profile = rgb_profile(space)
        found[f"{space} png"] = ("png", encode(colours, "PNG", icc_profile=profile), 2)
        options = {"quality": 100, "subsampling": 0, "icc_profile": profile}
        found[f"{space} jpeg"] = ("jpeg", encode(colours, "JPEG", **options), 2)
        webp = encode(colours, "WEBP", lossless=True, icc_profile=profile)
        found[f"{space} webp"] = ("webp", webp, 2)
    for exponent in (1.8, 2.2):
        found[f"grey {exponent}"] = (
            "png",
            encode(grey, "PNG", icc_profile=grey_profile(exponent)),
            2,
        )
    found["grey in RGB"] = ("png", encode(grey, "PNG", icc_profile=rgb_profile("Generic RGB")), 2)
    found["broken"] = ("png", encode(colours, "PNG", icc_profile=b"broken" * 50), 2)
    press = Image.frombytes("CMYK", inks.shape[1::-1], inks.tobytes())
    found["CMYK"] = ("jpeg", encode(press, "JPEG", quality=100, icc_profile=cmyk_profile()), 6)
    return found


FILES = files()


@pytest.fixture(scope="module")
def canvas(chromium):
    page = chromium.new_page()
    page.goto("data:text/html,<title>a canvas</title>")
    yield page
    page.close()


@pytest.mark.parametrize("name", FILES)
def test_a_browser_shows_the_same_colours(canvas, name):
    kind, data, tolerance = FILES[name]
    address = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    shown = np.array(canvas.evaluate(_SHOWN, address))
    read = pixels(read_image(data))
    shown = shown.reshape(*read.shape[:2], 4)[..., :3]
    middle = (slice(_PATCH // 2, None, _PATCH),) * 2
    np.testing.assert_allclose(read[middle], shown[middle], atol=tolerance, rtol=0)
