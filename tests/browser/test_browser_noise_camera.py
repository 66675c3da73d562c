"""The live camera on "Noise and occlusion": frames are changed as the picture was, and pooled."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from playwright.sync_api import Browser
from torch import Tensor

from hybridpool.pictures.gallery import gallery_image
from hybridpool.pictures.image import fit_image
from hybridpool.sensitivity import Comparison, compare_traces
from hybridpool.stem import load_stem
from hybridpool.trace import Settings, run_poolings, run_stem
from hybridpool.ui.noise.state import STATE
from hybridpool.viz.palette import sequential
from tests.machines import Server
from tests.pages import PIXELS, Noise, expect, painted
from tests.shown import number, steps

pytestmark = pytest.mark.browser

LINK = {"picture": "coins", "stem": "filters", "size": "64", "lang": "en", "channel": "3"}
CHANNEL = 2
NOISE = {"noise": "speckle", "level": "0.4", "noise-seed": "5"}
COVERED = {"show": "occlusion", "fill": "mean", "occluder": "200-200-300-300"}
#: Everything at one moment: frames that come in between would tear pictures and maps apart.
_GRAB = """
(root, names) => {
  const [row, side] = [0, 1].map((at) => (name) => name.split(" ")[at]);
  const painted = (name) => (PIXELS)(
    root.querySelector(`[data-row=${row(name)}] .stage[data-side=${side(name)}] canvas`));
  const text = (selector) => root.querySelector(selector).textContent;
  return {
    painted: names.map(painted),
    low: text("[data-legend=values] .low"),
    high: text("[data-legend=values] .high"),
    bars: Object.fromEntries(["max", "average", "hybrid", "attention"].map((name) =>
      [name, text(`[data-bar=${name}] .value`)])),
    cells: text("[data-row=max] .effect .cells dd"),
    winners: text("[data-row=winners] .effect .main dd"),
  };
}
""".replace("PIXELS", PIXELS)
_NAMES = [f"{row} {side}" for row in ("picture", "max", "average") for side in ("clean", "changed")]


class NoisePage(Noise):
    usual: ClassVar[dict[str, str]] = LINK

    @property
    def root(self) -> Any:
        return self.page.locator(".compare")

    def grabbed(self) -> tuple[dict[str, NDArray[np.uint8]], dict[str, Any]]:
        """The painted canvases, and what is printed beside them."""
        found = self.root.evaluate(_GRAB, _NAMES)
        canvases = map(painted, found["painted"])
        return dict(zip(_NAMES, canvases, strict=True)), found


@pytest.fixture
def page(filming: Browser, server: Server) -> NoisePage:
    return NoisePage(filming.new_page(viewport={"width": 1440, "height": 1000}), server)


def compared(image: Tensor, link: dict[str, str]) -> Comparison:
    """What PyTorch says of a frame."""
    done, stem, cpu = STATE.read(link), load_stem("filters"), torch.device("cpu")
    clean, changed = (
        run_poolings(run_stem(each, stem, cpu), Settings()) for each in (image, done.apply(image))
    )
    size = (image.shape[-2], image.shape[-1])
    return compare_traces(clean, changed, done.mask(size) if done.kind == "occlusion" else None)


def assert_as_pytorch_says(
    page: NoisePage, link: dict[str, str], image: Tensor | None = None
) -> None:
    """Changed picture, maps, bars and counts are right, of a picture or of the frame shown."""
    painted, printed = page.grabbed()
    if image is None:
        image = torch.from_numpy(painted["picture clean"].copy()).permute(2, 0, 1).float() / 255
    assert image.std() > 0.05, "the camera shows something"
    found = compared(image, link)
    shown = found.after.image.permute(1, 2, 0).numpy() * 255
    assert np.abs(painted["picture changed"] - shown).max() <= 0.51
    sides = {"clean": found.before, "changed": found.after}
    both = [side.pooled[end][CHANNEL] for side in sides.values() for end in ("max", "average")]
    low, high = min(m.min().item() for m in both), max(m.max().item() for m in both)
    ends = [number(printed[end]) for end in ("low", "high")]
    assert ends == pytest.approx([low, high], abs=6e-4)
    for row in ("max", "average"):
        for name, side in sides.items():
            first, last = steps(painted[f"{row} {name}"], sequential())
            wanted = (side.pooled[row][CHANNEL].double().numpy() - low) / (high - low) * 255
            assert np.maximum(first - wanted, wanted - last).max() <= 0.52, (row, name)
    for name, change in found.relative_change(0.5).items():
        assert number(printed["bars"][name]) == pytest.approx(100 * change, abs=0.06)
    cells = found.cells["max"][CHANNEL]
    assert printed["cells"] == f"{int(cells.sum())} of {cells.numel()}"
    replaced, windows = found.winners()
    share = 100 * replaced[CHANNEL].item() / windows[CHANNEL].item()
    assert number(printed["winners"]) == pytest.approx(share, abs=0.06)


@pytest.mark.parametrize("link", [NOISE, COVERED], ids=["noise", "occlusion"])
def test_frames_are_changed_and_pooled_in_the_browser(
    page: NoisePage, link: dict[str, str]
) -> None:
    page.open(**link)
    said = len(page.sent)
    page.film()
    page.page.wait_for_timeout(500)
    assert len(page.sent) == said, "no frame leaves the browser"
    expect(page.root.locator(".filmed")).to_contain_text("Nothing is uploaded")
    assert_as_pytorch_says(page, link)
    page.assert_clean()


def test_the_level_is_moved_while_the_camera_runs(page: NoisePage) -> None:
    page.open(**NOISE)
    page.film()
    levels = page.root.locator("#level")
    levels.evaluate(
        """(input) => {
          input.value = Number(input.value) - 2;
          for (const kind of ["input", "change"]) {
            input.dispatchEvent(new Event(kind, { bubbles: true }));
          }
        }"""
    )
    page.page.wait_for_url(lambda url: page.link(url).get("level") not in (None, "0.4"))
    page.settled()
    level = page.link()["level"]
    expect(page.root.locator(".level output")).to_have_text(level)
    expect(page.root.locator(".freeze")).to_be_visible()
    page.await_true(  # a frame has come since PyTorch answered
        "([root, before]) => Number(root.dataset.painted) > before + 2",
        [page.root.element_handle(), int(page.root.get_attribute("data-painted"))],
    )
    assert_as_pytorch_says(page, NOISE | {"level": level})
    assert all(len(each) < 5_000 for each in page.sent)
    # Stopped, the rows show the picture from before at the level that is chosen now.
    page.root.locator(".film").click()
    expect(page.root.locator(".judged")).to_contain_text("PyTorch")
    expect(page.root.locator(".level output")).to_have_text(level)
    page.settled()
    coins = fit_image(gallery_image("coins"), 64)
    assert_as_pytorch_says(page, NOISE | {"level": level}, coins)
    page.assert_clean()


def test_a_frozen_frame_is_one_s_own_picture_in_the_same_shape(page: NoisePage) -> None:
    page.open(**NOISE)
    before, _printed = page.grabbed()
    page.freeze()
    expect(page.root.locator(".judged")).to_contain_text("PyTorch")
    after, _printed = page.grabbed()
    assert after["picture clean"].shape == before["picture clean"].shape
    assert after["picture clean"].std() > 5, "the camera shows something"
    assert sum(len(each) > 5_000 for each in page.sent) == 1
    page.assert_clean()


def test_what_the_server_computes_cannot_follow_a_camera(page: NoisePage) -> None:
    page.open(noise="jpeg")
    page.root.locator(".film").click()
    expect(page.root.locator(".filmed")).to_contain_text("the server computes this one")
    expect(page.root.locator(".freeze")).to_be_hidden()
    page.assert_clean()
