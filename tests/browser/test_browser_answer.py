"""The page "The answer" in a real Chromium: rows that follow the hand, and what Python hears."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from hybridpool.answer import ARMS_SHOWN, answers, as_seen, dialled, open_stage
from hybridpool.pictures.gallery import gallery_image
from hybridpool.pictures.perturb import FILLS, NOISES
from hybridpool.ui.answer.state import STATE
from hybridpool.viz.palette import ARM_COLOURS
from tests.made_up_networks import a_folder, a_network
from tests.pages import PHONE, OpenTab, TheAnswer, expect
from tests.shown import find_map

pytestmark = pytest.mark.browser

#: What the page promises of every probability.
CLOSE = 1e-4
SEEDS = 3


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder: Path = tmp_path_factory.mktemp("networks")
    return {
        "HYBRIDPOOL_NETWORKS": str(a_folder(folder, seeds=SEEDS)),
        "HYBRIDPOOL_DATA": str(folder / "no data"),
    }


class AnswerPage(TheAnswer):
    """The page with a cup of coffee through made-up networks."""

    usual: ClassVar[dict[str, Any]] = {"lang": "en", "picture": "coffee"}

    def find(self, selector: str) -> Any:
        return self.page.locator(f".answer {selector}")

    def checked(self) -> float:
        """How far the browser lies from PyTorch, once it knows."""
        expect(self.find(".checked")).to_contain_text("against PyTorch")
        return float(self.page.locator(".answer").get_attribute("data-apart") or "nan")

    def shares(self, arm: str) -> list[tuple[str, int, int]]:
        """Class, clean and changed share of the lines of a row, in per cent."""
        found = []
        for line in self.find(f"[data-row={arm}] .line").all():
            shares = line.locator(".share").all_inner_texts()
            clean, changed = (int(text.removesuffix(" %")) for text in shares)
            found.append((line.locator(".class").inner_text(), clean, changed))
        return found

    def dots(self, arm: str) -> list[str | None]:
        buttons = self.find(f"[data-row={arm}] .dots button").all()
        return [button.get_attribute("data-same") for button in buttons]

    def await_dots(self) -> None:
        self.await_true(
            "(root) => [...root.querySelectorAll('.dots button')].every(one => one.dataset.same)",
            self.page.locator(".answer").element_handle(),
        )


@pytest.fixture
def page(tab: OpenTab) -> AnswerPage:
    return tab(AnswerPage)


def seen() -> Tensor:
    return as_seen(gallery_image("coffee"))


def wanted(arm: str, link: dict[str, str], seed: int = 0) -> tuple[Tensor, Tensor]:
    """The probabilities of the clean and of the changed picture, by PyTorch."""
    weight = float(link["weight"]) if "weight" in link else None
    network = dialled(a_network(arm, seed), weight)
    clean, changed = answers(network, torch.stack([seen(), STATE.read(link).change.apply(seen())]))
    return clean, changed


def assert_rows(page: AnswerPage, link: dict[str, str], seed: int = 0) -> None:
    """Every row shows what PyTorch says, in the order of the clean answer."""
    page.await_dots()
    classes = page.find("[data-row=max] .class").count()
    assert classes == 3
    for arm in ARMS_SHOWN:
        clean, changed = wanted(arm, link, seed)
        order = clean.argsort(descending=True, stable=True)[:3]
        names = a_network(arm).info.classes
        for (name, before, after), at in zip(page.shares(arm), order.tolist(), strict=True):
            assert name == names[at]
            assert before == pytest.approx(100 * clean[at].item(), abs=0.51)
            assert after == pytest.approx(100 * changed[at].item(), abs=0.51)
        same = [
            "yes" if a.argmax() == b.argmax() else "no"
            for a, b in (wanted(arm, link, each) for each in range(SEEDS))
        ]
        assert page.dots(arm) == same


LINKS = [
    *({"noise": noise, "noise-seed": "3"} for noise in NOISES),
    *(
        {"show": "occlusion", "fill": fill, "shape": shape, "occluder": "100-200-500-300"}
        for fill, shape in zip(FILLS, ["disc", "rectangle"] * 3, strict=False)
    ),
    {"show": "shift", "down": "-3", "right": "5"},
    {"show": "shift", "weight": "1"},
]


@pytest.mark.parametrize("link", LINKS, ids=lambda link: "-".join(link.values()))
def test_every_row_says_what_pytorch_says(page: AnswerPage, link: dict[str, str]) -> None:
    page.open(**link)
    assert page.checked() < CLOSE
    assert_rows(page, page.link())


#: A browser that no network reaches.
NO_NETWORKS = """
  Object.defineProperty(globalThis, "hybridpoolNetworks", {
    value: { has: () => true, get: () => undefined },
  });
"""


def test_the_first_answers_are_those_of_pytorch_and_wait_for_no_network(page: AnswerPage) -> None:
    page.page.add_init_script(NO_NETWORKS)
    page.open(level="0.1")
    expect(page.find(".checked")).to_contain_text("Computed by PyTorch; your browser")
    assert_rows(page, page.link())
    slider = page.find(".level input")
    slider.focus()
    slider.press("End")
    page.await_link(level="0.5")
    page.settled()
    assert_rows(page, page.link())


def test_the_level_moves_every_row_without_a_message(page: AnswerPage) -> None:
    page.open(level="0.1")
    page.checked()
    slider = page.find(".level input")
    before = page.shares("max")
    page.move_over(slider, 0.2)
    page.page.mouse.down()
    sent = len(page.sent)
    for share in (0.4, 0.6, 0.8, 0.9):
        page.move_over(slider, share)
        page.next_frame()
    page.next_frame()
    assert page.shares("max") != before
    expect(page.find(".checked")).to_contain_text("while the hand moves")
    assert len(page.sent) == sent, "Python hears the release, and nothing before"
    page.page.mouse.up()
    page.page.wait_for_url(lambda url: float(page.link(url)["level"]) > 0.4)
    page.settled()
    assert page.checked() < CLOSE
    assert_rows(page, page.link())


def test_the_occluder_is_dragged_and_every_row_follows(page: AnswerPage) -> None:
    page.open(show="occlusion", occluder="100-100-300-300", fill="black")
    page.checked()
    before = page.shares("max")
    stage = page.find("[data-side=changed] .stage")
    page.move_over(stage, 0.25, 0.25)
    page.page.mouse.down()
    sent = len(page.sent)
    page.move_over(stage, 0.7, 0.5)
    page.next_frame()
    page.next_frame()
    assert page.shares("max") != before
    assert len(page.sent) == sent
    page.page.mouse.up()
    page.page.wait_for_url(lambda url: page.link(url)["occluder"] != "100-100-300-300")
    page.settled()
    assert page.checked() < CLOSE
    assert_rows(page, page.link())


def test_the_picture_is_shifted_by_buttons_and_by_keys(page: AnswerPage) -> None:
    page.open(show="shift", right="0")
    page.find("[data-step='0,1']").click()
    page.find("[data-side=changed] .stage").focus()
    page.page.keyboard.press("ArrowUp")
    page.await_link(down="-1", right="1")
    page.settled()
    assert page.checked() < CLOSE
    assert_rows(page, page.link())


def test_the_dial_is_laid_over_the_trained_blends_and_back(page: AnswerPage) -> None:
    page.open(show="shift", right="2")
    page.checked()
    own = page.shares("hybrid")
    page.find(".dial [data-weight='1']").click()
    page.await_link(weight="1")
    page.settled()
    assert page.checked() < CLOSE
    assert_rows(page, page.link())
    expect(page.find(".dial-note")).to_contain_text("not trained so")
    page.find(".dial .restart").click()
    page.await_link(weight=None)
    page.settled()
    page.checked()
    assert page.shares("hybrid") == own


def test_a_dot_shows_the_bars_of_its_network(page: AnswerPage) -> None:
    page.open(show="shift", right="2")
    page.find("[data-row=max] .dots button").nth(1).click()
    page.await_link(network="2")
    page.settled()
    page.checked()
    assert_rows(page, page.link(), seed=1)


def test_controls_and_language_change_the_rows(page: AnswerPage) -> None:
    page.open()
    page.page.get_by_role("radio", name="Occlusion").click()
    page.await_link(show="occlusion")
    page.settled()
    expect(page.find(".patch")).to_be_visible()
    page.page.get_by_role("radio", name="中文").click()
    page.await_link(lang="zh")
    expect(page.find("[data-row=max] .name")).to_contain_text("最大")


def test_a_phone_shows_everything_in_one_column(tab: OpenTab) -> None:
    page = tab(AnswerPage, viewport=PHONE, has_touch=True).open(show="occlusion")
    page.assert_no_wider_than_the_screen()
    assert_rows(page, page.link())


def test_all_rows_stand_on_the_first_screen(tab: OpenTab) -> None:
    page = tab(AnswerPage, viewport={"width": 1280, "height": 720}).open()
    last = page.find(f"[data-row={ARMS_SHOWN[-1]}]").bounding_box()
    assert last["y"] + last["height"] <= 720


def opened(page: AnswerPage) -> Any:
    stage = page.page.locator(".stage-view[data-painted]")
    stage.wait_for()
    return stage


def test_a_map_of_the_walk_opens_with_its_window_and_formula(page: AnswerPage) -> None:
    page.open()
    button = page.page.locator(".walk button[data-row=hybrid][data-pooling='1']").first
    channel = int(button.get_attribute("data-channel"))
    button.click()
    stage = opened(page)
    page.await_link(stage=f"hybrid.2.{channel + 1}")
    page.settled()
    expect(button).to_have_attribute("aria-pressed", "true")
    wanted = open_stage(a_network("hybrid", 0), seen(), 1)
    contrast = wanted.maximum[channel] - wanted.average[channel]
    row, column = divmod(int(contrast.argmax()), contrast.shape[1])
    window = wanted.feature_map[channel, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
    cells = [float(text.replace("\u2212", "-")) for text in stage.locator("td").all_inner_texts()]
    assert cells == pytest.approx(window.flatten().tolist(), abs=5.1e-4)

    def result(name: str) -> float:
        text = stage.locator(f"[data-formula={name}] strong").inner_text()
        return float(text.replace("\u2212", "-"))

    assert result("hybrid") == pytest.approx(wanted.pooled[channel, row, column].item(), abs=6e-4)
    sent = len(page.sent)
    dial = stage.locator("#dial")
    dial.evaluate("(dial) => { dial.value = 1; dial.dispatchEvent(new Event('input')); }")
    page.next_frame()
    page.next_frame()
    assert result("hybrid") == result("max")
    assert len(page.sent) == sent
    stage.locator(".stage").nth(2).focus()
    page.page.keyboard.press("ArrowRight" if column < 3 else "ArrowLeft")
    moved = column + 2 if column < 3 else column
    expect(stage.locator(".card-title")).to_contain_text(f"column {moved}")
    stage.locator("button.close").click()
    expect(page.page.locator(".stage-view")).to_have_count(0)
    assert "stage" not in page.link()


def test_an_opened_pooling_fits_a_phone_and_speaks_chinese(tab: OpenTab) -> None:
    page = tab(AnswerPage, viewport=PHONE, has_touch=True).open(stage="blur.3.1", lang="zh")
    stage = opened(page)
    expect(stage.locator("[data-panel=own] .note")).to_have_text("按混合以外的规则")
    page.assert_no_wider_than_the_screen()


@pytest.mark.parametrize("link", [{"weight": "0.25"}, {"lang": "zh", "show": "occlusion"}])
def test_the_comparison_is_saved_as_a_png(
    page: AnswerPage, tmp_path: Path, link: dict[str, str]
) -> None:
    page.open(**link)
    page.await_dots()
    with page.page.expect_download() as waiting:
        page.find(".save").click()
    assert waiting.value.suggested_filename == "answers.png"
    waiting.value.save_as(path := tmp_path / "answers.png")
    with Image.open(path) as file:
        assert file.format == "PNG"
        picture = np.array(file.convert("RGB"))
    for side in ("clean", "changed"):
        shown = page.pixels(page.find(f"[data-side={side}] canvas"))
        assert find_map(picture, shown, 224 / 32), side
    colours = {tuple(colour) for colour in picture.reshape(-1, 3)}
    for arm in ARMS_SHOWN:
        assert tuple(bytes.fromhex(ARM_COLOURS[arm][1:])) in colours, arm
