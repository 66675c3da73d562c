"""The engine in the browser against PyTorch: every function, every window, every stem we ship."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from playwright.sync_api import Browser, Page
from torch import Tensor

from hybridpool.layers import HybridPoolingWithAttention
from hybridpool.stem import STEMS, load_stem, trained_stems

pytestmark = pytest.mark.browser

ENGINE = Path(__file__).resolve().parents[2] / "assets" / "common" / "engine.js"
#: In the units of the largest value: the engine counts in float64 and keeps float32.
CLOSE = 1e-4
OURS = [key for key in [*STEMS, *trained_stems()] if key != "resnet18"]

_NAMES = (
    *("pad", "convolve", "relu", "gelu", "poolBoth", "blendMaps", "channelMeans", "linear"),
    *("attention", "softmax"),
)
_CALL = """
([name, given]) => {
  const floats = (text) =>
    new Float32Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  const read = (value) => {
    if (Array.isArray(value)) return value.map(read);
    if (value === null || typeof value !== "object") return value;
    if ("floats" in value) return floats(value.floats);
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, read(inner)]));
  };
  const write = (value) => {
    if (value instanceof Float32Array) {
      let text = "";
      for (const byte of new Uint8Array(value.buffer)) text += String.fromCharCode(byte);
      return { floats: btoa(text) };
    }
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, write(inner)]));
  };
  return write(engine[name](...read(given)));
}
"""


class Engine:
    """The functions of engine.js in a page, called with and answering in tensors."""

    def __init__(self, page: Page) -> None:
        self.page = page
        text = ENGINE.read_text("utf-8")
        page.set_content("<p>engine</p>")
        page.add_script_tag(content=f"{text}\nwindow.engine = {{ {', '.join(_NAMES)} }};")

    def __call__(self, name: str, *given: Any) -> Any:
        return self._read(
            self.page.evaluate(_CALL, [name, [self._write(value) for value in given]])
        )

    def _write(self, value: Any) -> Any:
        if isinstance(value, Tensor) and value.ndim == 3:
            channels, height, width = value.shape
            sizes = {"channels": channels, "height": height, "width": width}
            return {"data": self._write(value.flatten()), **sizes}
        if isinstance(value, Tensor):
            raw = np.ascontiguousarray(value.detach().flatten().numpy().astype("<f4")).tobytes()
            return {"floats": base64.b64encode(raw).decode()}
        if isinstance(value, dict):
            return {key: self._write(inner) for key, inner in value.items()}
        return value

    def _read(self, value: Any) -> Any:
        if isinstance(value, dict) and "floats" in value:
            return torch.from_numpy(
                np.frombuffer(base64.b64decode(value["floats"]), dtype="<f4").copy()
            )
        if isinstance(value, dict) and "data" in value:
            sizes = (value["channels"], value["height"], value["width"])
            return self._read(value["data"]).view(sizes)
        if isinstance(value, dict):
            return {key: self._read(inner) for key, inner in value.items()}
        return value


@pytest.fixture(scope="module")
def engine(chromium: Browser) -> Iterator[Engine]:
    page = chromium.new_page()
    yield Engine(page)
    page.close()


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def assert_close(found: Tensor, wanted: Tensor) -> None:
    wanted = wanted.detach()
    assert found.shape == wanted.shape
    unit = wanted[wanted.isfinite()].abs().max().clamp(min=1e-6)
    torch.testing.assert_close(found / unit, wanted / unit, atol=CLOSE, rtol=0, equal_nan=True)


# ---- pooling -------------------------------------------------------------------------------------

WINDOWS = [
    (kernel, stride, padding, ceil, count)
    for kernel, stride, padding in itertools.product((1, 2, 3, 5), (1, 2, 3, 4), (0, 1, 2))
    for ceil, count in itertools.product((False, True), repeat=2)
    if padding <= kernel // 2
]


def test_every_window_gives_the_maps_of_pytorch(engine: Engine) -> None:
    maps = [draw(2, 9, 7), draw(1, 5, 8, seed=1).relu(), torch.full((1, 6, 6), 0.7)]
    for (kernel, stride, padding, ceil, count), given in itertools.product(WINDOWS, maps):
        window = {"kernel": kernel, "stride": stride, "padding": padding}
        found = engine("poolBoth", given, window | {"ceilMode": ceil, "countPad": count})
        wanted = {
            "maximum": F.max_pool2d(given[None], kernel, stride, padding, ceil_mode=ceil)[0],
            "average": F.avg_pool2d(given[None], kernel, stride, padding, ceil, count)[0],
        }
        for name, pooled in wanted.items():
            assert_close(found[name], pooled)


def test_what_is_no_number_stays_none_and_infinity_is_a_maximum(engine: Engine) -> None:
    given = draw(1, 6, 6)
    given[0, 1, 1], given[0, 4, 4], given[0, 0, 5] = torch.nan, torch.inf, -torch.inf
    found = engine("poolBoth", given, {"kernel": 2, "stride": 2})
    assert torch.equal(found["maximum"].isnan(), F.max_pool2d(given[None], 2)[0].isnan())
    assert found["maximum"][0, 2, 2] == torch.inf
    assert found["average"][0, 0, 2] == -torch.inf
    relu = engine("relu", given)
    assert torch.equal(relu.isnan(), given.relu().isnan())


@pytest.mark.parametrize("weights", [[0.3], [0.1, 0.9]])
def test_the_blend_is_that_of_the_formula(engine: Engine, weights: list[float]) -> None:
    given, weight = draw(2, 8, 8), torch.tensor(weights)
    pooled = engine("poolBoth", given, {"kernel": 2, "stride": 2})
    maximum, average = F.max_pool2d(given[None], 2)[0], F.avg_pool2d(given[None], 2)[0]
    shaped = weight.view(-1, 1, 1)
    assert_close(engine("blendMaps", pooled, weight), shaped * maximum + (1 - shaped) * average)


def test_the_attention_is_that_of_the_layer(engine: Engine) -> None:
    layer = HybridPoolingWithAttention(8)
    for number, parameter in enumerate(layer.parameters()):
        parameter.data.copy_(draw(*parameter.shape, seed=number))
    inner, outer = layer.fc[0], layer.fc[2]
    given = draw(8, 6, 6, seed=9)
    told = {
        **{"inner": inner.weight, "innerBias": inner.bias},
        **{"outer": outer.weight, "outerBias": outer.bias},
    }
    assert_close(engine("attention", given, told), layer.attention(given))


# ---- what a network is made of -------------------------------------------------------------------


@pytest.mark.parametrize("kernel", [1, 2, 3, 5, 7])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_a_convolution_is_that_of_pytorch(engine: Engine, kernel: int, stride: int) -> None:
    given, weight, bias = draw(3, 11, 9), draw(4, 3, kernel, kernel, seed=1), draw(4, seed=2)
    for padding, edge, biased in itertools.product((0, 1, 3), (False, True), (False, True)):
        settings = {"kernel": kernel, "stride": stride, "padding": padding, "edge": edge, "out": 4}
        found = engine(
            "convolve", given, {**settings, "weight": weight, "bias": bias if biased else None}
        )
        padded = F.pad(given[None], (padding,) * 4, mode="replicate" if edge else "constant")
        assert_close(found, F.conv2d(padded, weight, bias if biased else None, stride)[0])


def test_only_the_channels_that_are_asked_for_are_computed(engine: Engine) -> None:
    given, weight = draw(3, 8, 8), draw(4, 3, 3, 3, seed=1)
    found = engine("convolve", given, {"kernel": 3, "out": 4, "weight": weight, "only": [2]})
    assert_close(found[2], F.conv2d(given[None], weight)[0, 2])
    assert found[[0, 1, 3]].abs().max() == 0


def test_activations_linear_layer_and_softmax_are_those_of_pytorch(engine: Engine) -> None:
    given = draw(2, 7, 7) * 4
    assert_close(engine("relu", given), given.relu())
    assert_close(engine("gelu", given), F.gelu(given))
    values, weight, bias = draw(6), draw(5, 6, seed=1), draw(5, seed=2)
    assert_close(engine("linear", values, weight, bias), F.linear(values, weight, bias))
    for scores in (draw(10), draw(10) * 200, torch.zeros(3)):
        found = engine("softmax", scores)
        torch.testing.assert_close(found, scores.softmax(0), atol=1e-6, rtol=0)
    assert_close(engine("channelMeans", given), given.mean((1, 2)))


@pytest.mark.parametrize("key", OURS)
def test_every_stem_gives_the_map_of_pytorch(engine: Engine, key: str) -> None:
    stem = load_stem(key).eval()
    image = torch.rand(3, 33, 29, generator=torch.Generator().manual_seed(0))
    kernel, stride, padding = stem.receptive_field
    weight, bias = stem.folded()
    found = engine(
        "convolve",
        (image - stem.mean) / stem.std,
        {
            **{"kernel": kernel, "stride": stride, "padding": padding, "out": stem.channels},
            **{"edge": stem.conv.padding_mode == "replicate", "weight": weight, "bias": bias},
        },
    )
    with torch.no_grad():
        assert_close(engine("relu", found), stem(image))
