"""Whole networks in the browser against PyTorch: every pooling, every file that we ship."""

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

from hybridpool.answer import answers, dialled, network_files, program_of, read_fit_network
from hybridpool.answer.networks import Network
from hybridpool.training.arms import ARMS
from tests.draws import photo
from tests.made_up_networks import a_network

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "assets" / "networks"
#: What the page promises of every probability.
CLOSE = 1e-4

_LOAD = """
([name, mean, std, steps, arrays]) => {
  const read = ({ dtype, text }) =>
    numbers(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)), dtype);
  window.networks ??= {};
  window.networks[name] = { mean, std, steps: prepared(steps, arrays.map(read)) };
}
"""
_ASK = """
([name, values, dial]) => {
  const picture = { data: Float32Array.from(values), channels: 3, height: 32, width: 32 };
  const { probabilities, stages } = ask(window.networks[name], picture, dial);
  return { probabilities: [...probabilities], stages: stages.map(({ pooled, weights }) => ({
    shape: [pooled.channels, pooled.height, pooled.width], pooled: [...pooled.data],
    weights: weights ? [...weights] : null })) };
}
"""


class Engine:
    """Networks in a page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.set_content("<p>engine</p>")
        texts = [
            (ROOT / "assets" / name).read_text("utf-8")
            for name in ("common/engine.js", "answer/network.js")
        ]
        page.add_script_tag(content="\n".join(texts))

    def load(self, network: Network) -> None:
        program = program_of(network.model)
        arrays = [
            {
                "dtype": str(values.dtype).removeprefix("torch."),
                "text": base64.b64encode(np.ascontiguousarray(values.numpy()).tobytes()).decode(),
            }
            for values in program.arrays
        ]
        told = [network.key, network.info.mean, network.info.std, list(program.steps), arrays]
        self.page.evaluate(_LOAD, told)

    def ask(self, network: Network, picture: Tensor, dial: float | None = None) -> Any:
        return self.page.evaluate(_ASK, [network.key, picture.flatten().tolist(), dial])


@pytest.fixture(scope="module")
def engine(chromium: Browser) -> Iterator[Engine]:
    page = chromium.new_page()
    yield Engine(page)
    page.close()


def assert_alike(engine: Engine, network: Network, dial: float | None = None) -> None:
    engine.load(network)
    pictures = torch.stack([photo(seed=1), torch.rand(3, 32, 32, generator=torch.Generator())])
    wanted = answers(dialled(network, dial), pictures)
    for picture, probabilities in zip(pictures, wanted, strict=True):
        found = torch.tensor(engine.ask(network, picture, dial)["probabilities"])
        assert found.shape == probabilities.shape
        assert (found - probabilities).abs().max() < CLOSE


@pytest.mark.parametrize("arm", ARMS)
@pytest.mark.parametrize("kind", ["small", "air"])
def test_every_pooling_gives_the_probabilities_of_pytorch(
    engine: Engine, kind: str, arm: str
) -> None:
    network = a_network(arm, kind=kind)
    spread = answers(network, torch.stack([photo(seed=1), 1 - photo(seed=1)]))
    assert (spread[0] - spread[1]).abs().max() > 20 * CLOSE, "nothing to tell apart"
    assert_alike(engine, network)


@pytest.mark.parametrize("arm", ["fixed", "hybrid", "channel", "attention", "gated", "hybrid_blur"])
@pytest.mark.parametrize("weight", [0.0, 0.37, 1.0])
def test_the_dial_turns_every_blend(engine: Engine, arm: str, weight: float) -> None:
    network = a_network(arm)
    own, turned = (answers(one, photo()[None]) for one in (network, dialled(network, weight)))
    assert (own - turned).abs().max() > CLOSE
    assert_alike(engine, network, weight)


@pytest.mark.parametrize("arm", ["max", "average", "blur", "strided"])
def test_what_does_not_blend_has_nothing_to_turn(engine: Engine, arm: str) -> None:
    network = a_network(arm)
    assert dialled(network, 0.3) is network
    assert_alike(engine, network, 0.3)


@pytest.mark.parametrize(
    "path", [*network_files(ROOT / "assets" / "networks")], ids=lambda p: p.stem
)
def test_every_network_that_is_shipped_gives_the_probabilities_of_pytorch(
    engine: Engine, path: Path
) -> None:
    network = read_fit_network(path)
    assert_alike(engine, network)
    assert_alike(engine, network, 1.0)


@pytest.mark.parametrize("arm", ["hybrid", "channel", "attention", "blur"])
def test_the_pooled_maps_are_those_of_pytorch(engine: Engine, arm: str) -> None:
    network = a_network(arm)
    engine.load(network)
    found = engine.ask(network, photo())["stages"]
    wanted: list[Tensor] = []
    hooks = [
        module.register_forward_hook(lambda _, given, out: wanted.append(out[0]))
        for name, module in network.model.named_modules()
        if name.endswith(".pool")
    ]
    answers(network, photo()[None])
    for hook in hooks:
        hook.remove()
    assert len(found) == len(wanted) == 3
    for stage, pooled in zip(found, wanted, strict=True):
        values = torch.tensor(stage["pooled"]).view(stage["shape"])
        unit = pooled.abs().max()
        torch.testing.assert_close(values / unit, pooled / unit, atol=CLOSE, rtol=0)


def test_a_stored_number_is_read_as_it_was_written(engine: Engine) -> None:
    every = torch.arange(65536).to(torch.uint16).view(torch.float16)
    finite = every[every.isfinite()]
    text = base64.b64encode(finite.numpy().tobytes()).decode()
    read = 'numbers(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)), "float16")'
    found = engine.page.evaluate(f"(text) => [...{read}]", text)
    assert torch.equal(torch.tensor(found), finite.float())
