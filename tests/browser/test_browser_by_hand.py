"""The page "By hand" in a real Chromium: playback, typing, dial, gradients, phones and themes."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from hybridpool import hybrid_pool2d
from hybridpool.by_hand import attend_by_hand, pool_by_hand, preset_grid
from hybridpool.ui.by_hand.state import STATE
from hybridpool.viz.palette import sequential
from hybridpool.window import check_window
from tests.pages import PHONE, ByHand, OpenTab, expect
from tests.shown import number

pytestmark = pytest.mark.browser

POOLED = ("max", "average", "hybrid")
WIDE = {"width": 1440, "height": 1000}
FULL = {"numbers": "noise", "grid": "8x8", "grid-seed": "3", "window": "3x3-2-1-ceil-zeros"}


class ByHandPage(ByHand):
    """The page and the parts of its component."""

    def find(self, selector: str) -> Any:
        return self.page.locator(f".by-hand {selector}")

    def cells(self, sheet: str) -> Any:
        return self.find(f"[data-sheet={sheet}] .cell")

    def inputs(self) -> Any:
        return self.find("[data-sheet=grid] input")

    def numbers(self, sheet: str) -> list[float | None]:
        """The printed numbers of a sheet; None where a cell is empty."""
        return [number(text) if text else None for text in self.cells(sheet).all_inner_texts()]

    def formula(self, place: str, name: str) -> str:
        row = self.find(f"{place} > div").filter(has=self.page.get_by_text(name, exact=True))
        return str(row.locator("dd").inner_text())

    def turn(self, weight: float) -> None:
        self.find("#dial").fill(f"{weight:g}")


@pytest.fixture
def by_hand(tab: OpenTab) -> Callable[..., ByHandPage]:
    """Opens tabs of the page, wide and without motion unless a test says otherwise."""

    def new(**options: Any) -> ByHandPage:
        return tab(ByHandPage, **{"viewport": WIDE, "reduced_motion": "reduce"} | options)

    return new


def assert_printed(found: list[float | None], values: Tensor, decimals: int) -> None:
    assert None not in found
    printed = torch.tensor(found, dtype=torch.float64)
    torch.testing.assert_close(
        printed, values.flatten().double(), atol=0.5 * 10**-decimals + 1e-9, rtol=0
    )


# ---- playback ---------------------------------------------------------------------------------


# Notes every state of the playback as it is painted: nobody has to be fast enough to see it.
WATCH = """(() => {
  window.played = [];
  const attach = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function (options) {
    const shadow = attach.call(this, options);
    new MutationObserver(() => {
      const root = shadow.querySelector(".by-hand");
      if (!root) return;
      const parts = root.querySelectorAll(".play span, .place, [data-sheet=max] .cell");
      const state = [...parts].map((part) => part.textContent.trim());
      if (state.join() !== window.played.at(-1)?.join()) window.played.push(state);
    }).observe(shadow, { subtree: true, attributes: true, attributeFilter: ["data-painted"] });
    return shadow;
  };
})()"""
PLAYED = [
    ["Pause", "Window 1 of 4", "6", "", "", ""],
    ["Pause", "Window 2 of 4", "6", "8", "", ""],
    ["Pause", "Window 3 of 4", "6", "8", "14", ""],
    ["Play", "Window 4 of 4", "6", "8", "14", "16"],
]


def assert_played(page: ByHandPage) -> None:
    """From the first window on, one after another; a busy machine may leave out a frame."""
    seen = page.page.evaluate("() => window.played")
    assert seen == [state for state in PLAYED if state in seen]
    assert len(seen) > 1
    assert seen[-1] == PLAYED[-1]


def test_it_plays_on_opening_and_fills_the_article_s_results(by_hand: Any) -> None:
    page = by_hand(reduced_motion="no-preference")
    page.page.add_init_script(WATCH)
    page.open()
    page.find("[name=speed][value='300']").check()
    expect(page.find(".place")).to_have_text("Window 4 of 4")
    expect(page.find(".play")).to_have_text("Play")
    assert_played(page)
    assert page.numbers("average") == [3.5, 5.5, 11.5, 13.5]
    assert page.numbers("hybrid") == [4.75, 6.75, 12.75, 14.75]

    page.page.evaluate("() => { window.played = []; }")
    page.find(".play").click()
    page.await_true("() => window.played.at(-1)?.[0] === 'Play'")
    assert_played(page)


def test_steps_go_forward_and_back_and_land_in_the_link(by_hand: Any) -> None:
    page = by_hand().open(step="1", at="1-1")
    assert page.numbers("max") == [6, None, None, None]
    page.find("[data-step='1']").click()
    page.find("[data-step='1']").click()
    expect(page.find(".card-title")).to_have_text("Window of output row 2, column 1")
    assert page.numbers("max") == [6, 8, 14, None]
    page.await_link(step="3", at="2-1")
    page.find("[data-step='-1']").click()
    page.settled()
    assert page.numbers("max") == [6, 8, None, None]
    page.find(".restart-play").click()
    page.settled()
    assert page.numbers("max") == [6, None, None, None]
    assert page.find("[data-step='-1']").is_disabled()


def test_with_reduced_motion_it_starts_paused_and_complete(by_hand: Any) -> None:
    page = by_hand().open()
    expect(page.find(".play")).to_have_text("Play")
    expect(page.find(".place")).to_have_text("Window 1 of 4")
    assert page.numbers("max") == [6, 8, 14, 16]


def test_pointing_at_an_output_cell_takes_over(by_hand: Any) -> None:
    page = by_hand(reduced_motion="no-preference").open(grid="8x8", window="2x2-1-0")
    page.cells("average").nth(9).hover()
    expect(page.find(".play")).to_have_text("Play")
    expect(page.find(".card-title")).to_have_text("Window of output row 2, column 3")
    assert page.formula(".pooled", "Max") == "max(11, 12, 19, 20) = 20"
    assert page.formula(".pooled", "Average") == "(11 + 12 + 19 + 20) / 4 = 15.5"
    assert page.formula(".pooled", "Hybrid") == "0.50 × 20 + 0.50 × 15.5 = 17.75"
    ringed = page.find("[data-sheet=grid] .cell.winner")
    assert ringed.count() == 1
    assert ringed.locator("input").input_value() == "20"


def test_the_outputs_are_worked_by_keys(by_hand: Any) -> None:
    page = by_hand().open()
    page.cells("hybrid").first.focus()
    page.page.keyboard.press("ArrowDown")
    page.page.keyboard.press("ArrowRight")
    expect(page.find(".card-title")).to_have_text("Window of output row 2, column 2")
    expect(page.find(".spoken")).to_contain_text("Max 16, Average 13.5, Hybrid 14.75")
    page.page.keyboard.press(",")
    expect(page.find(".place")).to_have_text("Window 3 of 4")
    page.page.keyboard.press(" ")
    expect(page.find(".place")).to_have_text("Window 4 of 4")


# ---- typing -----------------------------------------------------------------------------------


def test_a_number_is_typed_in_place_and_everything_follows(by_hand: Any) -> None:
    page = by_hand().open()
    page.inputs().nth(0).click()
    page.page.keyboard.type("-2,5")
    page.page.keyboard.press("Enter")
    expect(page.inputs().nth(4)).to_be_focused()
    page.page.keyboard.type("90.25")
    page.page.keyboard.press("ArrowRight")  # moves within the number that is being changed
    page.page.keyboard.press("ArrowUp")
    expect(page.inputs().nth(0)).to_be_focused()
    page.page.keyboard.press("ArrowRight")
    expect(page.inputs().nth(1)).to_be_focused()
    page.page.keyboard.type("0")
    page.page.keyboard.press("Tab")
    page.await_link(cells="-2.5_0_3_4~90.25_6_7_8~9_10_11_12~13_14_15_16", numbers="own")
    page.settled()
    work = pool_by_hand(STATE.read(page.link()).task.grid(), check_window(2))
    assert_printed(page.numbers("max"), work.max, 2)
    assert_printed(page.numbers("average"), work.average, 2)
    assert page.formula(".pooled", "Average") == "((−2.5) + 0 + 90.25 + 6) / 4 ≈ 23.438"
    assert page.inputs().nth(0).input_value() == "−2.5"


def test_numbers_typed_faster_than_the_answers_come_are_all_kept(by_hand: Any) -> None:
    page = by_hand().open(grid="8x8")
    page.inputs().first.click()
    for row in range(8):
        page.page.keyboard.type(str(100 + row))
        page.page.keyboard.press("Enter")
    line = "{}_2_3_4_5_6_7_8".format
    page.page.wait_for_url(re.compile(re.escape(line(100)) + ".*107_58_"))
    page.settled()
    values = [number(page.inputs().nth(8 * i).input_value()) for i in range(8)]
    assert values == [100 + number for number in range(8)]
    # The link is written before the answer with the new outputs has come.
    for row in range(4):
        expect(page.cells("max").nth(4 * row)).to_have_text(str(101 + 2 * row))


def test_nonsense_gets_one_sentence_and_the_number_stays(by_hand: Any) -> None:
    page = by_hand().open()
    complaint = page.find(".complaint")
    page.inputs().first.click()
    for text, sentence in {
        "1.2.3": "“1.2.3” is no number, so the cell keeps 1: type one such as 7, −2.5 or 0.25.",
        "seven": "“seven” is no number, so the cell keeps 1: type one such as 7, −2.5 or 0.25.",
        "1e400": "“1e400” is no number, so the cell keeps 1: type one such as 7, −2.5 or 0.25.",
        "12345": "The cells hold numbers from −9999 to 9999, so this one keeps 1.",
    }.items():
        page.page.keyboard.type(text)
        page.page.keyboard.press("Enter")
        expect(complaint).to_have_text(sentence)
        assert page.inputs().first.input_value() == "1"
    page.page.keyboard.type("5")
    expect(complaint).to_have_text("")
    page.page.keyboard.press("Escape")
    assert page.inputs().first.input_value() == "1"
    assert page.link()["numbers"] == "ramp"


# ---- what is painted --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "link",
    [
        FULL,
        {"numbers": "negative", "grid": "5x7", "window": "2x3-3-1", "layer": "7-1"},
        {"numbers": "ties", "grid": "3x3", "window": "4x4-1-1"},
    ],
)
def test_every_printed_number_is_pytorch_s(by_hand: Any, link: dict[str, str]) -> None:
    page = by_hand().open(**link)
    task = STATE.read(page.link()).task
    work = pool_by_hand(task.grid(), task.window)
    typed = [number(page.inputs().nth(i).input_value()) for i in range(work.grid.numel())]
    assert typed == work.grid.flatten().tolist()
    for weight in (0.5, 0.13):
        page.turn(weight)
        page.settled()
        cells = work.grid.clone().requires_grad_()
        hybrid = hybrid_pool2d(cells[None], weight, **task.window.arguments)[0]
        (gradient,) = torch.autograd.grad(hybrid[0, 0], cells)
        assert_printed(page.numbers("max"), work.max, 2)
        assert_printed(page.numbers("average"), work.average, 2)
        assert_printed(page.numbers("hybrid"), hybrid.detach(), 2)
        assert_printed(page.numbers("max_gradient"), work.max_gradient[0], 3)
        assert_printed(page.numbers("average_gradient"), work.average_gradient[0], 3)
        assert_printed(page.numbers("hybrid_gradient"), gradient, 3)
    page.find("[name=back][value=sum]").check()
    page.settled()
    assert_printed(page.numbers("max_gradient"), work.max_gradient.sum(0), 3)
    total = 0.13 * work.max_gradient.sum(0) + 0.87 * work.average_gradient.sum(0)
    assert_printed(page.numbers("hybrid_gradient"), total, 3)
    page.await_link(back="sum", dial="0.13")

    steps = attend_by_hand(task.grid(), task.window, seed=task.seed, hidden=task.hidden)
    assert_printed(page.numbers("attention"), steps.pooled[0], 2)
    share, top, mean = (part.flatten()[0].item() for part in (steps.values, work.max, work.average))
    written = page.formula(".pooled", "Attention")
    assert number(re.split("[=≈]", written)[1]) == pytest.approx(
        share * top + (1 - share) * mean, abs=6e-4
    )
    for channel in range(4):
        for place, values in (("channels", steps.channels), ("attended", steps.pooled)):
            texts = page.find(f".{place} .sheet").nth(channel).locator(".cell").all_inner_texts()
            assert_printed(list(map(number, texts)), values[channel], 2)
    for name, weights, bias, sums, results in (
        ("first", steps.first_weight, steps.first_bias, steps.sums, steps.hidden),
        ("second", steps.second_weight, steps.second_bias, steps.logits, steps.values),
    ):
        texts = page.find(f".matrix.{name} td").all_inner_texts()
        table = torch.cat([weights, bias[:, None], sums[:, None], results[:, None]], 1)
        assert_printed(list(map(number, texts)), table, 3)


def luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


COLOURS = """(cells) => cells.map((cell) => {
  const style = getComputedStyle(cell);
  return [style.backgroundColor, style.color, parseFloat(style.fontSize)];
})"""


def test_colours_are_those_of_the_legend_and_numbers_can_be_read_on_them(by_hand: Any) -> None:
    page = by_hand().open(**FULL | {"window": "2x2-2-0"})
    grid = preset_grid("noise", 8, 8, 3)
    low, high = grid.min(), grid.max()
    assert number(page.find(".main-legend .low").inner_text()) == low
    assert number(page.find(".main-legend .high").inner_text()) == high
    found = page.cells("grid").evaluate_all(COLOURS)
    table = sequential()
    for (fill, ink, _), value in zip(found, grid.flatten(), strict=True):
        red, green, blue = table[int(((value - low) / (high - low) * 255).round())]
        assert fill == f"rgb({red}, {green}, {blue})"
        lighter, darker = sorted((luminance(fill), luminance(ink)), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_shares_of_the_gradient_can_be_read_in_both_themes(by_hand: Any, scheme: str) -> None:
    page = by_hand(color_scheme=scheme).open(back="sum", dial="1")
    for name in POOLED:
        fills = page.cells(f"{name}_gradient").evaluate_all(
            """(cells) => cells.map((cell) => {
              const canvas = document.createElement("canvas").getContext("2d");
              const read = (colour) => {
                canvas.fillStyle = colour;
                canvas.fillRect(0, 0, 1, 1);
                return "rgb(" + canvas.getImageData(0, 0, 1, 1).data.slice(0, 3).join() + ")";
              };
              const style = getComputedStyle(cell);
              return [read(style.backgroundColor), read(style.color)];
            })"""
        )
        for fill, ink in fills:
            lighter, darker = sorted((luminance(fill), luminance(ink)), reverse=True)
            assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def test_turning_the_dial_asks_the_server_nothing_until_the_hand_lets_go(by_hand: Any) -> None:
    page = by_hand().open()
    dial, mouse = page.find("#dial"), page.page.mouse
    page.move_over(dial, 0.5)
    page.sent.clear()
    mouse.down()
    for step in range(1, 6):
        page.move_over(dial, 0.5 + step / 20)
    expect(page.find(".dial-value")).not_to_have_text("0.50")
    page.next_frame()
    weight = float(page.find(".dial-value").inner_text())
    value, share = torch.tensor(
        [[weight * 6 + (1 - weight) * 3.5], [weight + (1 - weight) / 4]], dtype=torch.float64
    )
    assert_printed(page.numbers("hybrid")[:1], value, 2)
    assert_printed(page.numbers("hybrid_gradient")[5:6], share, 3)
    assert page.sent == []
    mouse.up()
    page.await_link(dial=f"{weight:g}")


def test_pointing_at_a_gradient_cell_explains_it(by_hand: Any) -> None:
    page = by_hand().open()
    assert page.find(".gradient-title").inner_text() == "What reaches row 2, column 2"
    assert page.formula(".shares", "Hybrid") == "0.50 × 1 + 0.50 × 0.25 = 0.625"
    page.cells("max_gradient").nth(1).hover()
    expect(page.find(".gradient-title")).to_have_text("What reaches row 1, column 2")
    assert page.formula(".shares", "Average") == "1 / 4 = 0.25"
    assert page.formula(".shares", "Hybrid") == "0.50 × 0 + 0.50 × 0.25 = 0.125"
    assert page.find(".to-weight").inner_text() == "6 − 3.5 = 2.5"


# ---- sizes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("window", ["2x2-2-0", "3x3-1-1-ceil-zeros", "8x8-1-4"])
def test_nothing_overflows_a_phone(by_hand: Any, scheme: str, window: str) -> None:
    page = by_hand(viewport=PHONE, color_scheme=scheme).open(
        numbers="noise", grid="8x8", window=window
    )
    page.assert_no_wider_than_the_screen()
    boxes = page.find(".sheet .box").evaluate_all(
        "(boxes) => boxes.map((box) => box.getBoundingClientRect().right)"
    )
    assert max(boxes) <= PHONE["width"]


def test_outputs_stand_beside_a_small_grid_and_formulas_beside_a_large_one(by_hand: Any) -> None:
    page = by_hand().open()
    tops = {name: top(page, name) for name in ("grid", *POOLED, "attention")}
    assert len(set(tops.values())) == 1
    page = by_hand().open(**FULL)
    card = page.find(".desk .card").bounding_box()["y"]
    assert top(page, "grid") == pytest.approx(card, abs=2)
    assert top(page, "max") > card


def top(page: ByHandPage, sheet: str) -> float:
    return round(page.find(f"[data-sheet={sheet}]").bounding_box()["y"])


@pytest.mark.parametrize("link", [{}, FULL | {"window": "2x2-2-0"}])
def test_digits_are_large_enough_to_project_and_larger_with_large_text(
    by_hand: Any, link: dict[str, str]
) -> None:
    sizes = []
    for large in ("0", "1"):
        page = by_hand().open(**link, large=large)
        found = page.find(".cell, dd, td, .place, .dial-value, .written").evaluate_all(
            "(cells) => cells.map((cell) => parseFloat(getComputedStyle(cell).fontSize))"
        )
        sizes.append(min(found))
    assert sizes[0] >= 18
    assert sizes[1] > 1.2 * sizes[0]


@pytest.mark.parametrize("large", ["0", "1"])
def test_attention_stands_in_the_upper_part_and_leads_to_its_steps(
    by_hand: Any, large: str
) -> None:
    page = by_hand(viewport={"width": 1280, "height": 720}).open(large=large)
    for place in ("[data-sheet=attention] .box", ".card .dial", ".pooled > div >> nth=3"):
        box = page.find(place).bounding_box()
        assert box["y"] + box["height"] <= 720, place
    value = number(page.find(".matrix.second .result").first.inner_text())
    expect(page.find(".whence")).to_have_text(f"Where {value:.3f} comes from")
    page.find(".whence").focus()
    page.page.keyboard.press("Enter")
    page.await_true(
        "(part) => part.getBoundingClientRect().top < 400",
        page.find("section.attention").element_handle(),
    )
    expect(page.find("section.attention h2")).to_be_focused()


def test_on_a_phone_all_outputs_of_a_small_grid_stand_in_one_row(by_hand: Any) -> None:
    page = by_hand(viewport=PHONE).open()
    assert len({top(page, name) for name in (*POOLED, "attention")}) == 1
    page = by_hand(viewport=PHONE).open(numbers="noise", grid="8x8")
    assert top(page, "max") == top(page, "average") < top(page, "hybrid")
    assert top(page, "hybrid") == top(page, "attention")


def test_every_cell_and_button_has_a_name(by_hand: Any) -> None:
    page = by_hand().open(**FULL)
    named = page.find(":is(button, input, .cell[tabindex]):not([hidden])").evaluate_all(
        "(all) => all.map((one) => one.getAttribute('aria-label') || one.textContent.trim() "
        "|| (one.labels && one.labels[0]?.textContent.trim()))"
    )
    assert named
    assert all(named)
    assert page.inputs().first.get_attribute("aria-label") == "row 1, column 1"
    assert page.cells("max").nth(1).get_attribute("aria-label") == "Max, row 1, column 2: 9.8"


def test_results_stay_hidden_until_a_class_has_said_them(
    by_hand: Callable[..., ByHandPage],
) -> None:
    page = by_hand().open(grid="4x4", step="4", at="2-2")
    page.find(".hide").click()
    for name in (*POOLED, "attention"):
        expect(page.cells(name)).to_have_text(["?"] * 4)
    assert page.formula(".pooled", "Max") == "max(11, 12, 15, 16) = ?"
    assert page.formula(".pooled", "Hybrid") == "0.50 × ? + 0.50 × ? = ?"
    expect(page.find("[data-sheet=grid] .winner")).to_have_count(0)
    page.cells("max").nth(3).click()
    expect(page.cells("max")).to_have_text(["?", "?", "?", "16"])
    page.cells("average").nth(3).focus()
    page.page.keyboard.press("Enter")
    expect(page.cells("average")).to_have_text(["?", "?", "?", "13.5"])
    assert page.formula(".pooled", "Hybrid") == "0.50 × 16 + 0.50 × 13.5 = ?"
    page.await_link(hide="1")
    page.open(**page.link())
    expect(page.cells("hybrid")).to_have_text(["?"] * 4)
    page.find(".hide").click()
    expect(page.cells("hybrid")).to_have_text(["4.75", "6.75", "12.75", "14.75"])
