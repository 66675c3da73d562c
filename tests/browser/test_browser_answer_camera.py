"""The live camera on "The answer": frames through every network, and none leaves the browser."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser
from torch import Tensor

from hybridpool.answer import ARMS_SHOWN, answers, dialled
from hybridpool.ui.answer.state import STATE
from tests.machines import Server
from tests.made_up_networks import a_folder, a_network
from tests.pages import TheAnswer, expect

pytestmark = pytest.mark.browser

#: Everything at one moment: frames that come in between would tear pictures and bars apart.
_GRAB = """
(root) => ({
  painted: ["clean", "changed"].map((side) => {
    const canvas = root.querySelector(`[data-side=${side}] canvas`);
    const bytes = canvas.getContext("2d").getImageData(0, 0, 32, 32).data;
    return btoa(String.fromCharCode(...bytes));
  }),
  rows: Object.fromEntries([...root.querySelectorAll(".row:not(.head)")].map((row) => [
    row.dataset.row,
    [...row.querySelectorAll(".line")].map((line) => [
      line.querySelector(".class").textContent,
      ...[...line.querySelectorAll(".share")].map((share) => parseInt(share.textContent)),
    ]),
  ])),
  known: root.querySelectorAll(".known").length,
  checked: root.querySelector(".checked").textContent,
})
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder: Path = tmp_path_factory.mktemp("networks")
    return {
        "HYBRIDPOOL_NETWORKS": str(a_folder(folder, seeds=1)),
        "HYBRIDPOOL_DATA": str(folder / "no data"),
    }


class AnswerPage(TheAnswer):
    usual: ClassVar[dict[str, str]] = {"lang": "en", "picture": "chelsea"}

    @property
    def root(self) -> Any:
        return self.page.locator(".answer")

    def grabbed(self) -> tuple[list[Tensor], dict[str, Any]]:
        """Both pictures in [0, 1], and what is printed beside them."""
        found = self.root.evaluate(_GRAB)
        pictures = []
        for text in found["painted"]:
            pixels = np.frombuffer(base64.b64decode(text), np.uint8).reshape(32, 32, 4)[..., :3]
            pictures.append(torch.from_numpy(pixels.copy()).permute(2, 0, 1).float() / 255)
        return pictures, found


@pytest.fixture
def page(filming: Browser, server: Server) -> AnswerPage:
    return AnswerPage(filming.new_page(viewport={"width": 1280, "height": 1000}), server)


@pytest.mark.parametrize(
    "link",
    [
        {"noise": "speckle", "level": "0.4", "noise-seed": "5"},
        {"show": "occlusion", "fill": "noise", "occluder": "200-200-300-300"},
        {"show": "shift", "right": "3", "weight": "0.25"},
    ],
)
def test_every_row_answers_each_frame_and_none_is_sent(
    page: AnswerPage, link: dict[str, str]
) -> None:
    page.open(**link)
    before = page.grabbed()[0][0]
    said = len(page.sent)
    page.film()
    page.page.wait_for_timeout(300)
    assert len(page.sent) == said, "no frame leaves the browser"
    (clean, changed), found = page.grabbed()
    assert clean.std() > 0.05, "the camera shows something"
    assert not torch.equal(clean, before)
    assert "frame by frame" in found["checked"]
    assert not found["known"], "nobody knows what a frame shows"
    wanted = STATE.read(link).change.apply(clean)
    torch.testing.assert_close(changed, (wanted * 255).round() / 255, atol=1.1 / 255, rtol=0)
    weight = float(link["weight"]) if "weight" in link else None
    for arm in ARMS_SHOWN:
        network = dialled(a_network(arm, 0), weight)
        probabilities = answers(network, torch.stack([clean, wanted]))
        order = probabilities[0].argsort(descending=True, stable=True)[:3].tolist()
        names = [network.info.classes[at] for at in order]
        assert [line[0] for line in found["rows"][arm]] == names
        for (_name, *shares), at in zip(found["rows"][arm], order, strict=True):
            assert shares == pytest.approx((100 * probabilities[:, at]).tolist(), abs=0.51)
    page.root.locator(".film").click()
    expect(page.root.locator(".freeze")).to_be_hidden()
    expect(page.root.locator(".checked")).to_contain_text("against PyTorch")
    assert torch.equal(page.grabbed()[0][0], before)
    page.assert_clean()
    page.page.close()


def test_a_frozen_frame_is_the_picture_and_photons_wait(page: AnswerPage) -> None:
    page.open()
    page.freeze()
    expect(page.root.locator(".checked")).to_contain_text("against PyTorch")
    page.open(noise="poisson")
    page.root.locator(".film").click()
    expect(page.root.locator(".filmed")).to_contain_text("the server computes this one")
    page.assert_clean()
    page.page.close()
