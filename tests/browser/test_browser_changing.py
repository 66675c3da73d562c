"""What the browser does to a picture while the hand moves, against the library, to the last bit."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser, Page
from torch import Tensor

from hybridpool.pictures.gallery import gallery_image
from hybridpool.pictures.image import fit_image
from hybridpool.pictures.perturb import CHANGES, FILLS, SHAPES
from hybridpool.sensitivity import Perturbation, compare_traces
from hybridpool.sensitivity.perturbation import in_thousandths, level_options
from hybridpool.stem import load_stem
from hybridpool.trace import Settings, Trace, run_poolings, run_stem
from hybridpool.ui.noise.live import live_part
from hybridpool.ui.noise.words import release_notes

pytestmark = pytest.mark.browser

ASSETS = Path(__file__).resolve().parents[2] / "assets"
FILES = (
    *("common/maths.js", "common/component.js", "common/engine.js"),
    *("common/changing.js", "compare/passage.js"),
)
FOLLOWED = [name for name in CHANGES if name not in release_notes()]
#: Sums in another order than PyTorch's; everything else is the same to the last bit.
SUMMED = ("gaussian_blur", "defocus_blur", "blur")
STEMS = ("filters", "cifar10-channel", "random")

_TOOLS = """
const TIE = 255;
const read = (text) => new Float32Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
const write = (values) => {
  let text = "";
  for (const byte of new Uint8Array(values.buffer, values.byteOffset, values.byteLength)) {
    text += String.fromCharCode(byte);
  }
  return btoa(text);
};
window.changeOf = (picture, name, level, given) => {
  const found = { ...given, draw: given.draw && read(given.draw) };
  return write(CHANGES[name](read(picture), level, found));
};
window.coveredOf = (picture, box, given) => {
  const found = { ...given, draw: given.draw && read(given.draw) };
  return write(covered(read(picture), box, found));
};
window.mapsOf = (clean, picture, box, shape, { stem, window: pooling, size, weights }) => {
  const read_ = Object.fromEntries(Object.entries(weights).map(([key, text]) => [key, read(text)]));
  const passage = new Passage(stem, pooling, read_, size);
  const [before, after] = [passage.begin(read(clean)), passage.begin(read(picture))];
  const part = box && passage.seeing(box);
  const cells = new Uint8Array(passage.channels * passage.count);
  const [was, is] = [new Uint8Array(cells.length), new Uint8Array(cells.length)];
  for (let channel = 0; channel < passage.channels; channel++) {
    passage.run(before, channel);
    passage.run(after, channel, part, before);
  }
  const top = (map) => map.reduce((a, b) => Math.max(a, b), 0);
  const range = (...maps) => ROUNDING * Math.max(...maps.map(top));
  const attention = [passage.attention(before), passage.attention(after)];
  const apart_ = [];
  for (let channel = 0; channel < passage.channels; channel++) {
    apart_.push(apart(before, after, channel, passage.count,
      attention.map((values) => values[channel]), range(before.max, after.max), cells));
    passage.winners(before, channel, range(before.features), was);
    passage.winners(after, channel, range(after.features), is);
  }
  return {
    max: write(after.max), average: write(after.average), attention: write(attention[1]),
    cells: write(cells), was: write(was), is: write(is), apart: apart_,
    reached: box && write(passage.reached(box, shape)),
  };
};
"""


def written(values: Any) -> str:
    array = values.numpy() if isinstance(values, Tensor) else values
    return base64.b64encode(np.ascontiguousarray(array, "<f4").tobytes()).decode()


def floats(text: str, like: Tensor) -> Tensor:
    return torch.from_numpy(np.frombuffer(base64.b64decode(text), "<f4").copy()).view(like.shape)


def whole(text: str, like: Tensor) -> Tensor:
    return torch.from_numpy(np.frombuffer(base64.b64decode(text), "u1").copy()).view(like.shape)


@pytest.fixture(scope="module")
def engine(chromium: Browser) -> Iterator[Page]:
    page = chromium.new_page()
    page.set_content("<p>engine</p>")
    text = "\n".join((ASSETS / file).read_text("utf-8") for file in FILES)
    page.add_script_tag(content=text + _TOOLS)
    yield page
    page.close()


def image(picture: str = "astronaut", size: int = 64) -> Tensor:
    return fit_image(gallery_image(picture), size)


def trace_of(picture: Tensor, settings: Settings) -> Trace:
    stem = load_stem(settings.stem, seed=settings.seed, channels=settings.channels)
    return run_poolings(run_stem(picture, stem, torch.device("cpu")), settings)


def given(clean: Trace, done: Perturbation) -> tuple[dict[str, Any], dict[str, Any]]:
    settings = clean.settings
    stem = load_stem(settings.stem, seed=settings.seed, channels=settings.channels)
    live = live_part(clean, stem, done)
    height, width = clean.features.image.shape[-2:]
    draw = live.arrays.get("draw")
    change = {
        "means": live.header["means"],
        **{"height": height, "width": width, "fill": done.fill, "shape": done.shape},
        "draw": None if draw is None else written(draw),
    }
    names = ("kernel", "stride", "padding")
    window = (settings.kernel_size, settings.stride, settings.padding)
    passage = {
        "stem": dict(zip(names, clean.features.receptive_field, strict=True)) | live.header["stem"],
        "window": dict(zip(names, window, strict=True)) | live.header["window"],
        "size": [height, width],
        "weights": {
            name: written(live.arrays[name])
            for name in ("filter", "bias", "inner", "innerBias", "outer", "outerBias")
        },
    }
    return change, passage


def assert_same(found: Tensor, wanted: Tensor, name: str) -> None:
    if name in SUMMED:
        torch.testing.assert_close(found, wanted, atol=2e-6, rtol=0)
    else:
        assert torch.equal(found, wanted)


@pytest.mark.parametrize("name", FOLLOWED)
def test_every_level_gives_the_picture_of_the_library(engine: Page, name: str) -> None:
    clean = image()
    trace = trace_of(clean, Settings(stem="filters", image_size=64))
    levels = level_options(CHANGES[name])
    for level in [*levels[:5], *levels[5::9], levels[-1]]:
        done = Perturbation(noise=name, level=level, draw=7)
        change, _ = given(trace, done)
        found = engine.evaluate(
            "([picture, name, level, given]) => changeOf(picture, name, level, given)",
            [written(clean), name, level, change],
        )
        assert_same(floats(found, clean), done.apply(clean), name)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("fill", FILLS)
def test_every_occluder_gives_the_picture_of_the_library(
    engine: Page, fill: str, shape: str
) -> None:
    clean = image("coins", 64)
    height, width = clean.shape[-2:]
    trace = trace_of(clean, Settings(stem="filters", image_size=64))
    for place in (
        (0, 0, 1, 1),
        (3, 5, 20, 11),
        (height - 7, width - 9, 7, 9),
        (0, 0, height, width),
    ):
        box = dict(zip(("top", "left", "height", "width"), place, strict=True))
        done = Perturbation(
            kind="occlusion", fill=fill, shape=shape, draw=3, **in_thousandths(box, (height, width))
        )
        assert done.box((height, width)) == place
        change, _ = given(trace, done)
        found = engine.evaluate(
            "([picture, box, given]) => coveredOf(picture, box, given)",
            [written(clean), box, change],
        )
        assert_same(floats(found, clean), done.apply(clean), fill)


@pytest.mark.parametrize(
    ("stem", "window"),
    [
        *((stem, {}) for stem in STEMS),
        ("filters", {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}),
        (
            "cifar10-channel",
            {"kernel_size": 5, "stride": 3, "padding": 2, "count_include_pad": True},
        ),
    ],
)
@pytest.mark.parametrize("kind", ["noise", "middle", "corner"])
def test_maps_counts_and_winners_are_those_of_the_library(
    engine: Page, stem: str, window: dict[str, Any], kind: str
) -> None:
    settings = Settings(stem=stem, image_size=64, channels=8, **window)
    clean = image()
    size = (clean.shape[-2], clean.shape[-1])
    done = Perturbation(noise="gaussian", level=0.2, draw=1)
    if kind != "noise":
        at = {"top": 300, "left": 400} if kind == "middle" else {"top": 0, "left": 0}
        done = Perturbation(kind="occlusion", shape="disc", **at)
    before, after = trace_of(clean, settings), trace_of(done.apply(clean), settings)
    mask = None if kind == "noise" else done.mask(size)
    compared = compare_traces(before, after, mask)
    box = dict(zip(("top", "left", "height", "width"), done.box(size), strict=True))
    found = engine.evaluate(
        "([clean, picture, box, shape, given]) => mapsOf(clean, picture, box, shape, given)",
        [
            *(written(clean), written(done.apply(clean))),
            *(None if kind == "noise" else box, done.shape, given(before, done)[1]),
        ],
    )
    unit = max(after.pooled["max"].max().item(), 1e-6)
    for name in ("max", "average"):
        wanted = after.pooled[name]
        torch.testing.assert_close(
            floats(found[name], wanted) / unit, wanted / unit, atol=2e-6, rtol=0
        )
    attention = floats(found["attention"], after.attention)
    torch.testing.assert_close(attention, after.attention, atol=1e-5, rtol=0)
    cells = whole(found["cells"], after.pooled["max"])
    for bit, name in ((1, "max"), (2, "average"), (4, "attention")):
        off = ((cells & bit) > 0) != compared.cells[name]
        assert off.double().mean() < 2e-3, name
    for side, key in ((compared.before, "was"), (compared.after, "is")):
        assert side.winners is not None
        theirs = side.winners.where(side.winners >= 0, 255)
        assert (whole(found[key], theirs) != theirs).double().mean() < 2e-3, key
    moved, clean_sums = compared.changes.moved[:, :3], compared.changes.clean[:, :3]
    ours = torch.tensor([one["moved"] for one in found["apart"]], dtype=torch.float64)
    torch.testing.assert_close(ours[:, :3], moved, rtol=1e-4, atol=1e-5 * moved.max().item())
    ours = torch.tensor([one["size"] for one in found["apart"]], dtype=torch.float64)
    torch.testing.assert_close(
        ours[:, :3], clean_sums, rtol=1e-4, atol=1e-5 * clean_sums.max().item()
    )
    distance, own, *_ = compared.changes.sums("attention")
    ours = torch.tensor([one["moved"][3] for one in found["apart"]], dtype=torch.float64)
    torch.testing.assert_close(ours, distance, rtol=1e-3, atol=1e-5 * own.max().item())
    if compared.reached is not None:
        assert torch.equal(whole(found["reached"], compared.reached) > 0, compared.reached)
