"""The page "The answer": every control, the link, what is sent, and sentences from the numbers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pytest
import streamlit as st
import torch
from numpy.typing import NDArray
from streamlit.runtime.caching import cache_utils
from streamlit.runtime.caching.cache_resource_api import _resource_caches
from streamlit.runtime.state.session_state import SessionState

from hybridpool.answer import (
    ARMS_SHOWN,
    IMAGENET_SIDE,
    Answer,
    Change,
    Places,
    answer_curve,
    answers,
    as_seen,
    dialled,
    imagenet_answers,
    imagenet_network,
    kind_of,
    measured,
    middle_square,
    network_files,
    open_stage,
    program_of,
    read_fit_network,
)
from hybridpool.pictures.corruptions import CIFAR10C_STYLE
from hybridpool.pictures.gallery import gallery_image
from hybridpool.pictures.image import image_digest
from hybridpool.pictures.perturb import FILLS, NOISES, SHAPES
from hybridpool.sensitivity import Perturbation
from hybridpool.stem import files as stem_files
from hybridpool.training.data import CIFAR10_CLASSES, DataUnavailable
from hybridpool.training.records import Occlusion, Run
from hybridpool.ui import compute, phrases, words
from hybridpool.ui.answer import own, sentences
from hybridpool.ui.answer import rows as answer_rows
from hybridpool.ui.answer import state as answer_state
from hybridpool.ui.answer import words as answer_words
from hybridpool.ui.answer.curves import go_to, present_level
from hybridpool.ui.answer.downloads import probabilities
from hybridpool.ui.answer.many import runs_of, sentence
from hybridpool.ui.answer.places import said as places_said
from hybridpool.ui.answer.rows import Row, packed_networks, rows_of
from hybridpool.ui.answer.script import reproduction_script
from hybridpool.ui.answer.state import STATE, Chosen, Opened
from hybridpool.ui.compute import trained
from tests.apps import Visit
from tests.made_up_networks import a_file, a_folder, a_network, a_resnet18_file
from tests.made_up_runs import a_run
from tests.shown import parts_of

ROOT = Path(__file__).resolve().parents[2]
PAGE = "pages/7_The_answer.py"
NAMES = {"max": "Max", "average": "Average", "hybrid": "Hybrid"}


@pytest.fixture
def networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page with made-up networks and no test pictures."""
    monkeypatch.setattr(answer_state, "NETWORKS", tmp_path / "networks")
    monkeypatch.setattr(answer_state, "DATA", tmp_path / "data")
    st.cache_resource.clear()
    return a_folder(tmp_path / "networks", seeds=2)


@pytest.fixture
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (sentences, phrases):
        monkeypatch.setattr(module, "_", lambda message: message)


def told(visit: Visit, name: str = "answer") -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """What the page sends to a component."""
    return parts_of(visit.component(name).bytes)


def settled(**values: object) -> dict[str, Any]:
    plain = {"level": 0.1, "rows": 0, "columns": 1, "weight": None, "shown": 0}
    box = {"top": 4, "left": 8, "height": 16, "width": 2}
    return plain | box | values | {"told": 1_000.0}


# ---- the link ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "chosen",
    [
        Chosen(),
        Chosen(Change("shift", rows=-3, columns=8), test=17, shown=2, imagenet=True),
        Chosen(opened=Opened("hybrid", 2, 14)),
        Chosen(Change("noise", Perturbation(noise="salt", level=0.2, draw=9))),
        Chosen(Change("occlusion", Perturbation(kind="occlusion", shape="disc", fill="noise"))),
    ],
)
def test_a_link_restores_what_it_was_made_from(chosen: Chosen) -> None:
    assert STATE.read(STATE.query(chosen)) == chosen.clamped()


@pytest.mark.parametrize(
    "link",
    [
        {"show": "fog", "noise": "fog", "level": "nan", "test": "cat", "network": "-"},
        {"down": "1e99", "right": "x", "network": "x", "test": "1.5"},
    ],
)
def test_a_link_that_cannot_be_is_read_as_far_as_it_can(link: dict[str, str]) -> None:
    found = STATE.read(link)
    assert found == found.clamped()
    assert (found.test, found.shown, found.change.action) == (None, 0, "noise")


def test_names_mean_what_they_mean_on_the_other_pages() -> None:
    from hybridpool.ui.noise.state import STATE as NOISE
    from hybridpool.ui.shift.state import STATE as SHIFT

    link = {"noise": "speckle", "level": "0.4", "noise-seed": "5", "occluder": "200-100-300-300"}
    link |= {"shape": "disc", "fill": "mean", "show": "occlusion", "down": "2", "right": "-1"}
    ours, theirs = STATE.read(link).change, NOISE.read(link)
    assert ours.done == theirs
    assert (ours.rows, ours.columns) == (SHIFT.read(link).rows, SHIFT.read(link).columns)


def maps_link(visit: Visit) -> tuple[str, dict[str, str]]:
    """Where the way to the maps leads."""
    said = " ".join(part.value for part in visit.app.main.markdown)
    ((page, query),) = re.findall(r"\[How far does it move the maps\?\]\((\w+)\?(.*?)\)", said)
    return page, dict(parse_qsl(query))


@pytest.mark.parametrize(
    "link",
    [
        {"noise": "speckle", "level": "0.4", "noise-seed": "5", "picture": "coffee"},
        {"show": "occlusion", "shape": "disc", "fill": "mean", "occluder": "250-500-250-125"},
    ],
)
def test_the_maps_are_one_link_away_at_the_same_settings_and_back(
    networks: Path, link: dict[str, str]
) -> None:
    from hybridpool.ui.noise.state import STATE as NOISE

    visit = Visit(PAGE, lang="en", weight="0.25", stem="filters", **link).run()
    page, query = maps_link(visit)
    assert page == "Noise_and_occlusion"
    assert not {"test", "network", "imagenet", "down", "right"} & query.keys()
    assert {name: query[name] for name in ("picture", "weight", "stem", "lang")} == {
        **{"picture": visit.link["picture"], "weight": "0.25", "stem": "filters", "lang": "en"}
    }
    there = NOISE.read(query)
    noise = Visit("pages/2_Noise_and_occlusion.py", **query).run()
    said = " ".join(part.value for part in noise.app.main.markdown)
    ((back),) = re.findall(r"\]\(The_answer\?(.*?)\)", said)
    here = STATE.read(dict(parse_qsl(back))).change
    before = STATE.read(link).change
    places = {"top": 0, "left": 0, "height": 1, "width": 1}
    assert replace(here.done, **places) == replace(before.done, **places)
    assert here.done.box((32, 32)) == before.done.box((32, 32))
    assert (there.kind, there.fill, there.shape) == (
        here.done.kind,
        here.done.fill,
        here.done.shape,
    )


def test_a_shift_leads_to_the_maps_of_the_same_shift(networks: Path) -> None:
    from hybridpool.ui.shift.state import STATE as SHIFT

    page, query = maps_link(Visit(PAGE, lang="en", show="shift", down="-3", right="5").run())
    study = SHIFT.read(query)
    assert (page, study.rows, study.columns, study.mode) == (
        *("Shift_and_frequency", -3, 5, "circular"),
    )


# ---- every control -----------------------------------------------------------------------------


def test_without_networks_the_page_says_so_and_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer_state, "NETWORKS", tmp_path)
    visit = Visit(PAGE, lang="en").run()
    (said,) = [each.value for each in visit.app.info]
    assert "There are no trained networks" in said
    assert "python -m hybridpool.training networks" in said


def test_the_rows_are_sent_in_order_with_what_pytorch_says(networks: Path) -> None:
    visit = Visit(PAGE, lang="en", picture="coffee", show="shift", right="3").run()
    header, arrays = told(visit)
    assert [row["key"] for row in header["rows"]] == list(ARMS_SHOWN)
    assert all(len(row["chosen"]) == 2 for row in header["rows"])
    seen = as_seen(gallery_image("coffee"))
    sent = torch.from_numpy(arrays["picture"].copy()).view(3, 32, 32)
    assert torch.equal(sent, seen)
    pictures = torch.stack([seen, seen.roll(3, -1)])
    for row in header["rows"]:
        for seed, key in enumerate(row["chosen"]):
            wanted = answers(a_network(row["key"], seed), pictures)
            torch.testing.assert_close(
                torch.tensor(header["judged"][key]), wanted, atol=2e-5, rtol=0
            )


def test_the_networks_travel_beside_the_rows_the_first_of_each_together(networks: Path) -> None:
    visit = Visit(PAGE, lang="en").run()
    rows = told(visit)[0]["rows"]
    sent = [
        element.proto
        for element in visit.app.get("bidi_component")
        if element.proto.component_name == "hybridpool_carrier"
    ]
    for place, proto in enumerate(sent):
        keys = [network["key"] for network in parts_of(proto.bytes)[0]["networks"]]
        assert keys == [row["chosen"][place] for row in rows]
    before = [proto.bytes for proto in sent]
    visit.set_main("selectbox", "answer_noise", "salt")
    after = [
        element.proto.bytes
        for element in visit.app.get("bidi_component")
        if element.proto.component_name == "hybridpool_carrier"
    ]
    assert before == after, "they travel once"


def test_numbers_of_a_network_are_sent_as_they_are() -> None:
    network = a_network("attention")
    header, arrays = parts_of(packed_networks((network,)))
    (sent,) = header["networks"]
    for name, values in zip(sent["chosen"], program_of(network.model).arrays, strict=True):
        assert np.array_equal(arrays[name], values.flatten().numpy())


def test_the_hand_lets_go_and_the_link_knows(networks: Path) -> None:
    visit = Visit(PAGE, lang="en", show="occlusion").run()
    place = visit.component("answer").id
    visit.tell(place, "json_value", {"settled": settled(weight=0.25, shown=1, rows=2)})
    assert visit.link["occluder"] == "125-250-500-62"
    assert (visit.link["weight"], visit.link["network"]) == ("0.25", "2")
    header, _ = told(visit)
    assert header["view"]["box"] == {"top": 4, "left": 8, "height": 16, "width": 2}
    assert header["view"]["weight"] == 0.25
    assert header["told"] == 1_000.0


@pytest.mark.parametrize(
    "wrong",
    [{"level": "much"}, {"rows": 99}, {"top": -1}, {"weight": "max"}, {"shown": None}],
)
def test_what_cannot_be_is_not_taken(networks: Path, wrong: dict[str, object]) -> None:
    visit = Visit(PAGE, lang="en").run()
    before = dict(visit.link)
    visit.tell(visit.component("answer").id, "json_value", {"settled": settled(**wrong)})
    assert dict(visit.link) == before


@pytest.mark.parametrize("noise", NOISES)
def test_every_noise_is_sent_so_that_the_browser_can_scale_it(networks: Path, noise: str) -> None:
    link = {"noise": noise, "noise-seed": "4", "picture": "coffee"}
    visit = Visit(PAGE, lang="en", **link).run()
    header, arrays = told(visit)
    level = header["view"]["level"]
    seen = as_seen(gallery_image("coffee"))
    draw = torch.from_numpy(arrays["draw"].copy()).view(3, 32, 32)
    changed = {
        "gaussian": (seen + level * draw).clamp(0, 1),
        "speckle": (seen + seen * level * draw).clamp(0, 1),
        "salt": seen.masked_fill(draw < level, 1),
        "pepper": seen.masked_fill(draw < level, 0),
        "salt_and_pepper": seen.masked_fill(draw < level / 2, 0).masked_fill(
            draw >= 1 - level / 2, 1
        ),
        "poisson": draw,
    }[noise]
    wanted = Change("noise", Perturbation(noise=noise, level=level, draw=4)).apply(seen)
    torch.testing.assert_close(changed, wanted, atol=1e-6, rtol=0)


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_occluder_is_judged_by_pytorch(networks: Path, shape: str, fill: str) -> None:
    link = {"shape": shape, "fill": fill, "show": "occlusion", "picture": "coffee"}
    visit = Visit(PAGE, lang="en", **link).run()
    header, arrays = told(visit)
    assert ("draw" in arrays) == (fill == "noise")
    assert (header["view"]["shape"], header["view"]["fill"]) == (shape, fill)
    (key, *_rest) = header["rows"][0]["chosen"]
    changed = STATE.read(link).change.apply(as_seen(gallery_image("coffee")))
    wanted = answers(a_network("max", 0), changed[None])[0]
    found = torch.tensor(header["judged"][key][1])
    torch.testing.assert_close(found, wanted, atol=2e-5, rtol=0)


def test_who_comes_first_sees_a_picture_that_the_networks_can_know(networks: Path) -> None:
    visit = Visit(PAGE, lang="en").run()
    assert visit.link["picture"] == "horse"
    assert told(visit)[0]["known"] == CIFAR10_CLASSES.index("horse")
    asked = Visit(PAGE, lang="en", picture="astronaut").run()
    assert asked.link["picture"] == "astronaut"
    assert told(asked)[0]["known"] is None
    assert any("shows none of them" in each.value for each in asked.app.main.markdown)


def test_a_picture_that_was_picked_stays_also_if_it_is_the_one_of_the_beginning(
    networks: Path,
) -> None:
    visit = Visit(picture="coffee").run()
    pick = {"pick": {"key": "astronaut", "told": 1}}
    visit.tell(visit.component("gallery").id, "json_value", pick)
    visit.app.switch_page(PAGE)
    visit.app.query_params.clear()
    assert visit.run().link["picture"] == "astronaut"


def test_every_control_moves_the_page(networks: Path) -> None:
    visit = Visit(PAGE, lang="en").run()
    visit.set_main("button_group", "answer_action", "shift")
    assert visit.link["show"] == "shift"
    visit.set_main("button_group", "answer_action", "occlusion")
    visit.set_main("button_group", "answer_shape", "disc")
    visit.set_main("selectbox", "answer_fill", "black")
    assert (visit.link["shape"], visit.link["fill"]) == ("disc", "black")
    visit.set_main("button_group", "answer_action", "noise")
    visit.set_main("selectbox", "answer_noise", "salt")
    assert (visit.link["noise"], visit.link["level"]) == ("salt", "0.05")
    visit.set_main("number_input", "answer_draw", 7)
    assert visit.link["noise-seed"] == "7"
    visit.app.button(key="answer_again").click()
    visit.run()
    assert visit.link["noise-seed"] == "8"


def test_a_test_picture_that_is_not_here_becomes_a_sentence(networks: Path) -> None:
    visit = Visit(PAGE, lang="en", test="6").run()
    assert "not on the machine" in visit.app.info[0].value
    assert told(visit)[0]["known"] == CIFAR10_CLASSES.index("horse")


def test_a_test_picture_is_shown_where_a_newer_run_breaks_its_callback_off(
    networks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words, "language", lambda: "en")
    offered = torch.rand(3, 3, 32, 32), (0, 3, 3), (5, 9, 17)
    monkeypatch.setattr(compute, "test_set", lambda _folder: offered)
    visit = Visit(PAGE, lang="en").run()
    with monkeypatch.context() as patch:
        patch.setattr(SessionState, "_call_callbacks", lambda self, **_: None)
        visit.set("selectbox", "answer_test", 9)
    assert visit.link["test"] == "9"
    visit.set("selectbox", "answer_test", visit.app.selectbox(key="answer_test").options[0])
    assert "test" not in visit.link


def test_a_copy_of_the_test_set_that_comes_later_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(compute.test_set(tmp_path), DataUnavailable)
    offered = torch.rand(1, 3, 32, 32), (0,), (5,)
    monkeypatch.setattr(trained, "test_pictures", lambda _folder: offered)
    assert isinstance(compute.test_set(tmp_path), DataUnavailable)
    for kept in (
        each for some in _resource_caches._function_caches.values() for each in some.values()
    ):
        if "test_set" in kept.display_name:
            kept._mem_cache.expire(cache_utils.TTLCACHE_TIMER() + 61)
    assert compute.test_set(tmp_path) == offered


def test_networks_are_named_by_every_byte_of_their_files(tmp_path: Path) -> None:
    data = a_file(tmp_path, a_network("max", kind="small")).read_bytes()
    assert own.read("mine.safetensors", data).key == f"mine-{image_digest(data)}"


def test_some_arms_and_one_seed_are_enough(networks: Path) -> None:
    for path in networks.glob("*"):
        if "-max-" not in path.name or "seed1" in path.name:
            path.unlink()
    visit = Visit(PAGE, lang="en").run()
    header, _ = told(visit)
    assert [(row["key"], len(row["chosen"])) for row in header["rows"]] == [("max", 1)]
    assert header["start"] is None, "there is no blend to turn"


# ---- sentences ---------------------------------------------------------------------------------

SAME, OTHER = Answer((0.8, 0.2), (0.7, 0.3)), Answer((0.8, 0.2), (0.3, 0.7))


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"max": [SAME, SAME], "average": [SAME]}, "All 3 networks still give the same answer"),
        ({"max": [OTHER], "average": [OTHER]}, "All 2 networks give another answer now."),
        ({"max": [SAME]}, "The only network still gives its answer."),
        ({"max": [OTHER]}, "The only network gives another answer now."),
        (
            {"max": [SAME, OTHER], "average": [SAME, OTHER], "hybrid": [SAME, SAME]},
            "Still the same answer: **Hybrid** in 2 of 2 networks and **Max and Average** in 1 of "
            "2 networks.",
        ),
        (
            {"max": [SAME], "average": [OTHER]},
            "Still the same answer: **Max** and not **Average**.",
        ),
    ],
)
@pytest.mark.usefixtures("english")
def test_who_still_says_the_same_is_counted_and_ties_stand_together(
    found: dict[str, list[Answer]], said: str
) -> None:
    assert sentences.steadiness(found, NAMES).startswith(said)


@pytest.mark.usefixtures("english")
def test_right_and_wrong_are_counted_where_the_class_is_known() -> None:
    found = {"max": [SAME, OTHER]}
    said = sentences.rightness(found, 0, "", "cat")
    assert "Right on the clean picture: 2 of 2 networks; right on the changed one: 1." in said
    assert sentences.rightness(found, None, "nothing known", "") == "nothing known"


def test_every_pooling_and_class_has_a_name() -> None:
    assert list(answer_words.arm_names()) == list(ARMS_SHOWN)
    assert answer_words.class_names(("yeti", "cat")) == ["yeti", "cat"]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            {"max": [], "average": []},
            "At every level at least half of the networks and draws keep their answer.",
        ),
        (
            {"max": [-1.0], "average": [1.0]},
            "Most networks lose their answer equally far from the start with every pooling: **Max "
            "and Average** at \u22121 and 1.",
        ),
        (
            {"max": [0.2], "average": [0.1], "hybrid": [0.2]},
            "Most networks have lost their answer with **Average** at 0.1 and **Max and Hybrid** "
            "at 0.2.",
        ),
        (
            {"max": [0.2], "average": []},
            "Most networks have lost their answer with **Max** at 0.2 and **Average** at none.",
        ),
        (
            {"max": [-2.0, 3.0], "average": []},
            "Most networks have lost their answer with **Max** at \u22122 and **Average** at none.",
        ),
        (
            {"max": [0.2], "average": [0.2]},
            "Most networks lose their answer at the same level with every pooling: **Max and "
            "Average** at 0.2.",
        ),
    ],
)
@pytest.mark.usefixtures("english")
def test_where_the_answer_is_lost_is_said_with_ties(
    found: dict[str, list[float]], said: str
) -> None:
    assert sentences.flips(found, NAMES, 0.0) == said


# ---- curves ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("link", "levels"),
    [
        ({"noise": "poisson"}, 8),
        ({"show": "occlusion"}, 8),
        ({"show": "shift", "down": "3", "right": "0"}, 17),
    ],
)
def test_curves_are_drawn_for_every_kind_of_change(
    networks: Path, link: dict[str, str], levels: int
) -> None:
    visit = Visit(PAGE, lang="en", **link).run()
    charts = [json.loads(chart.proto.spec) for chart in visit.app.get("plotly_chart")]
    assert len(charts) == 3, "two curves, and the places of the answer"
    for chart in charts[:2]:
        named = [line for line in chart["data"] if line.get("showlegend") is not False]
        assert len(named) == len(ARMS_SHOWN)
    change = STATE.read(link).change
    at = chart["layout"]["shapes"][0]["x0"]
    assert at == pytest.approx(present_level(change))
    assert len(named[0]["x"]) == levels


@pytest.mark.parametrize(
    ("link", "level"),
    [
        ({"noise": "salt"}, 0.3),
        ({"show": "occlusion", "occluder": "250-250-250-250"}, 16.0),
        ({"show": "shift", "right": "1"}, -4.0),
        ({"show": "shift", "down": "2", "right": "0"}, 7.0),
    ],
)
def test_a_click_on_a_point_goes_there(link: dict[str, str], level: float) -> None:
    change = STATE.read(link).change
    there = STATE._changed(STATE.read(link), go_to(change, level)).change
    assert present_level(there) == pytest.approx(level)
    assert kind_of(there) == kind_of(change)


# ---- layer by layer ----------------------------------------------------------------------------


def clicked(visit: Visit, row: str, pooling: int, channel: int, moment: float = 1_000.0) -> None:
    opened = {"row": row, "pooling": pooling, "channel": channel, "told": moment}
    visit.tell(visit.component("walk").id, "json_value", {"opened": opened})


def is_open(visit: Visit) -> bool:
    names = [element.proto.component_name for element in visit.app.get("bidi_component")]
    return "hybridpool_stage" in names


def test_a_click_on_a_map_opens_its_pooling_with_pytorch_s_numbers(networks: Path) -> None:
    visit = Visit(PAGE, lang="en", picture="coffee", network="2").run()
    assert not is_open(visit)
    walk, _ = told(visit, "walk")
    assert [row["key"] for row in walk["rows"]] == list(ARMS_SHOWN)
    attention = walk["rows"][list(ARMS_SHOWN).index("attention")]
    first = attention["poolings"][1]["maps"][0]
    clicked(visit, "attention", 1, first["channel"])
    assert visit.link["stage"] == f"attention.2.{first['channel'] + 1}"
    header, arrays = told(visit, "stage")
    wanted = open_stage(a_network("attention", 1), as_seen(gallery_image("coffee")), 1)
    for name, values in (
        ("feature_map", wanted.feature_map),
        *(("max", wanted.maximum), ("average", wanted.average), ("own", wanted.pooled)),
    ):
        sent = torch.from_numpy(arrays[name].copy()).view(values.shape)
        torch.testing.assert_close(sent, values, atol=1e-5, rtol=1e-5)
    assert wanted.blend is not None
    torch.testing.assert_close(torch.tensor(header["start"]), wanted.blend, atol=1e-5, rtol=0)
    assert header["view"]["channel"] == first["channel"]
    assert header["names"][first["channel"]] == first["lines"][1]
    assert told(visit, "walk")[0]["look"] == {
        **{"row": "attention", "pooling": 1, "channel": first["channel"]}
    }


def test_an_opened_pooling_is_in_the_link_changes_its_channel_and_closes(networks: Path) -> None:
    visit = Visit(PAGE, lang="en", stage="blur.3.2").run()
    header, _ = told(visit, "stage")
    assert (header["title"], header["view"]["channel"]) == ("Max, then blur: pooling 3", 1)
    assert not header["blended"]
    place = visit.component("stage").id
    before = visit.component("stage").bytes
    visit.tell(place, "json_value", {"view": {"channel": 7, "told": 1_000.0}})
    assert visit.link["stage"] == "blur.3.8"
    assert visit.component("stage").bytes == before, "the browser keeps its view"
    visit.tell(place, "json_value", {"view": {"channel": -1, "told": 2_000.0}})
    assert visit.link["stage"] == "blur.3.8"
    visit.tell(place, "json_value", {"closed": {"told": 3_000.0}})
    assert "stage" not in visit.link
    assert not is_open(visit)


@pytest.mark.parametrize("stage", ["nobody.1.1", "max", "max.x.1", "..", "max.1.1e9"])
def test_a_link_to_a_pooling_that_is_not_there_opens_none(networks: Path, stage: str) -> None:
    assert not is_open(Visit(PAGE, lang="en", stage=stage).run())


def test_a_link_to_a_pooling_and_channel_too_far_opens_the_last(networks: Path) -> None:
    header, _ = told(Visit(PAGE, lang="en", stage="max.99.9999").run(), "stage")
    assert header["title"] == "Max: pooling 3"
    assert header["view"]["channel"] == header["input_shape"][0] - 1


@pytest.mark.parametrize(
    "wrong", [{"row": 1}, {"pooling": -1}, {"channel": "1"}, {"pooling": None}]
)
def test_a_click_that_cannot_be_opens_nothing(networks: Path, wrong: dict[str, object]) -> None:
    visit = Visit(PAGE, lang="en").run()
    opened = {"row": "max", "pooling": 0, "channel": 0, "told": 1_000.0} | wrong
    visit.tell(visit.component("walk").id, "json_value", {"opened": opened})
    assert "stage" not in visit.link


# ---- networks of one's own, downloads, and the experiment --------------------------------------


@pytest.fixture
def uploaded(networks: Path, monkeypatch: pytest.MonkeyPatch) -> Visit:
    # AppTest formats the options of a select box outside the session, where no language is known.
    monkeypatch.setattr(words, "language", lambda: "en")
    return Visit(PAGE, lang="en", show="shift", right="2", picture="coffee").run()


def offer(visit: Visit, name: str, data: bytes) -> Visit:
    (uploader,) = (
        each for each in visit.app.sidebar.file_uploader if each.label.startswith("A network")
    )
    uploader.set_value((name, data, "application/octet-stream"))
    return visit.run()


def test_a_network_of_one_s_own_joins_the_rows_and_can_be_forgotten(
    uploaded: Visit, tmp_path: Path
) -> None:
    network = a_network("gated", kind="small", classes=("yes", "no"))
    data = a_file(tmp_path / "own", network).read_bytes()
    visit = offer(uploaded, "mine.safetensors", data)
    assert not visit.app.error
    header, _ = told(visit)
    row = header["rows"][-1]
    assert (row["name"], row["classes"]) == ("Yours: mine", ["yes", "no"])
    pictures = torch.stack([seen := as_seen(gallery_image("coffee")), seen.roll(2, -1)])
    found = torch.tensor(header["judged"][row["chosen"][0]])
    torch.testing.assert_close(found, answers(network, pictures), atol=2e-5, rtol=0)
    visit.app.button(key="forget_networks").click()
    visit.run()
    assert [row["key"] for row in told(visit)[0]["rows"]] == list(ARMS_SHOWN)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"\x80\x04pickle", "mine.safetensors holds no network of this program"),
        (None, "choose one of small, air for pictures of 32 × 32."),
    ],
)
def test_anything_else_is_refused_in_a_sentence_and_the_rows_stay(
    uploaded: Visit, tmp_path: Path, data: bytes | None, problem: str
) -> None:
    other = a_network("max", kind="resnet18")
    data = a_file(tmp_path / "own", other).read_bytes() if data is None else data
    visit = offer(uploaded, "mine.safetensors", data)
    assert problem in visit.app.error[0].value
    assert [row["key"] for row in told(visit)[0]["rows"]] == list(ARMS_SHOWN)


def test_a_network_of_one_s_own_is_taken_where_a_newer_run_breaks_its_callback_off(
    uploaded: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = a_file(tmp_path / "own", a_network("gated", kind="small")).read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(SessionState, "_call_callbacks", lambda self, **_: None)
        offer(uploaded, "mine.safetensors", data)
    assert told(uploaded)[0]["rows"][-1]["name"] == "Yours: mine"


def test_the_name_of_a_network_of_one_s_own_is_never_markup(
    uploaded: Visit, tmp_path: Path
) -> None:
    name, marked = "*x* $y$ [z](u)", "\\*x\\* \\$y\\$ \\[z\\](u)"
    data = a_file(tmp_path / "own", a_network("gated", kind="small")).read_bytes()
    visit = offer(uploaded, f"{name}.safetensors", data)
    assert told(visit)[0]["rows"][-1]["name"] == f"Yours: {name}"
    texts = [each.value for each in visit.app.main.markdown]
    assert any(marked in text for text in texts)
    assert not any(name in text for text in texts)
    visit = offer(visit, f"{name}.safetensors", b"no network")
    assert visit.app.error[0].value.startswith(marked)


@pytest.mark.parametrize("weight", [None, 0.25])
def test_the_script_prints_the_probabilities_of_the_page(
    networks: Path, weight: float | None
) -> None:
    link = {"noise": "speckle", "level": "0.4", "noise-seed": "3", "picture": "coffee"}
    change = STATE.read(link).change
    script = reproduction_script(change, weight, str(networks), picture="coffee")
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    printed = [line.split() for line in done.stdout.splitlines()]
    seen = as_seen(gallery_image("coffee"))
    pictures = torch.stack([seen, change.apply(seen)])
    for place, path in enumerate(network_files(networks)):
        wanted = answers(dialled(read_fit_network(path), weight), pictures)
        lines = printed[10 * place : 10 * place + 10]
        assert [line[:2] for line in lines] == [[path.stem, name] for name in CIFAR10_CLASSES]
        numbers = torch.tensor([[float(text) for text in line[2:]] for line in lines]).T
        torch.testing.assert_close(numbers, wanted, atol=2e-5, rtol=0)
    assert len(printed) == 140


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"file": "my'pic.png"}, 'read_image(Path("my\'pic.png")'),
        ({"test": ("data", 7)}, "places.index(7)"),
        ({"picture": "coffee", "own": ("mine.safetensors",)}, "['mine.safetensors']"),
    ],
)
def test_the_script_names_what_the_page_shows(given: dict[str, Any], line: str) -> None:
    script = reproduction_script(Change(), None, "assets/networks", **given)
    compile(script, "answers.py", "exec")
    assert line in script


def test_the_table_holds_every_probability(networks: Path) -> None:
    shown = rows_of([read_fit_network(path) for path in network_files(networks)], ())
    found = {each.key: Answer((0.1,) * 10, (0.2,) * 10) for row in shown for each in row.networks}
    lines = probabilities(shown, found).splitlines()
    assert lines[0] == "pooling,network,class,clean,changed"
    assert len(lines) == 1 + 14 * 10
    assert lines[1].endswith("airplane,0.100000,0.200000")


@pytest.mark.parametrize(
    ("link", "said"),
    [
        (
            {"noise": "salt", "noise-seed": "3"},
            "{title} · Noise: Salt, seed 3 · Share of the values that are hit: {level}",
        ),
        (
            {"show": "occlusion", "shape": "disc", "fill": "black"},
            "{title} · Disc, Black · {height} × {width} pixels from row {row}, column {column} on",
        ),
        ({"show": "shift"}, "{title} · shifted by {down} down and {right} to the right"),
    ],
)
def test_a_saved_picture_says_what_it_shows(
    networks: Path, link: dict[str, str], said: str
) -> None:
    header, _ = told(Visit(PAGE, lang="en", picture="coffee", **link).run())
    assert (header["saved"], header["title"]) == (said, "Cup of coffee")


def run_of(arm: str, seed: int, share: float) -> Run:
    """A run that was right on so many pictures, whatever was done to them."""
    run = a_run(arm, seed)
    corruptions = dict.fromkeys(CIFAR10C_STYLE, (share,) * 5)
    occlusions = tuple(
        Occlusion("block", fill, (4, 8), (share, share / 2), (share, share), (None, None))
        for fill in ("grey", "noise")
    )
    measures = replace(
        run.measures,
        pictures=2000,
        corruptions=corruptions,
        occlusions=occlusions,
        shift_consistency=share,
    )
    return replace(run, measures=measures)


@pytest.mark.parametrize(
    ("change", "what", "at", "share"),
    [
        (Change("noise", Perturbation(level=0.079)), "gaussian_noise", 0.08, 0.5),
        (Change("noise", Perturbation(noise="poisson", level=5)), "shot_noise", 50, 0.5),
        (
            Change("occlusion", Perturbation("occlusion", height=125, width=125)),
            "block grey",
            4,
            0.5,
        ),
        (
            Change("occlusion", Perturbation("occlusion", height=999, width=999, fill="noise")),
            *("block noise", 8, 0.25),
        ),
        (Change("shift"), "shift", None, 0.5),
    ],
)
def test_the_nearest_setting_of_the_experiment_is_named(
    change: Change, what: str, at: float | None, share: float
) -> None:
    runs = {"max": [run_of("max", 0, 0.4), run_of("max", 1, 0.6)], "blur": [run_of("blur", 0, 0.7)]}
    found = measured(runs, change)
    assert found is not None
    assert (found.what, found.pictures) == (what, 2000)
    assert found.at == at
    assert found.shares["max"].mean == pytest.approx(share)
    said = sentence(found, {"max": "Max", "blur": "Blur"})
    assert "2,000 test pictures" in said
    assert "one network alone" in said


@pytest.mark.usefixtures("english")
def test_where_the_dial_is_turned_the_experiment_is_said_to_be_without_it() -> None:
    found = measured({"max": [run_of("max", 0, 0.4)]}, Change("shift", rows=1))
    assert found is not None
    assert "not that of the dial" not in sentence(found, {"max": "Max"})
    assert "not that of the dial" in sentence(found, {"max": "Max"}, turned=True)


def test_nothing_is_said_of_what_was_not_measured() -> None:
    salt = Change("noise", Perturbation(noise="salt"))
    assert measured({"max": [run_of("max", 0, 0.4)]}, salt) is None
    assert measured({}, Change()) is None


def test_only_noises_that_the_page_can_draw_are_offered(networks: Path) -> None:
    visit = Visit(PAGE, lang="en").run()
    (offered,) = [each for each in visit.app.main.selectbox if each.key == "answer_noise"]
    assert len(offered.options) == len(NOISES)


def test_networks_are_packed_once_and_not_with_every_move(
    networks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed: list[int] = []
    made = answer_rows.packed_networks
    monkeypatch.setattr(
        answer_rows, "packed_networks", lambda some: packed.append(len(some)) or made(some)
    )
    visit = Visit(PAGE, lang="en").run()
    first = list(packed)
    assert first
    visit.set_main("selectbox", "answer_noise", "salt")
    assert packed == first


def test_an_unchanged_picture_is_called_so_and_compared_with_nothing() -> None:
    visit = Visit(PAGE, lang="en", show="noise", noise="speckle", level="0").run()
    said = " ".join(part.value for part in visit.app.main.markdown)
    assert "The picture is unchanged." in said
    assert "same answer as before" not in said
    still = Change("shift", rows=0, columns=0)
    assert measured({"max": [run_of("max", 0, 0.4)]}, still) is None


def test_a_patch_that_costs_nothing_costs_it_nowhere() -> None:
    flat = Places(0, torch.full((2, 2), 0.4), torch.zeros(2, 2), (0, 3), 0.4, torch.zeros(1, 1))
    deep = replace(flat, sure=torch.tensor([[0.4, 0.4], [0.1, 0.4]]))
    said = places_said({"max": flat, "average": deep}, NAMES, dict.fromkeys(NAMES, ("cat",)))
    assert "**Max** (cat): nowhere by as much as one point" in said
    assert "**Average** (cat): down to 10 % at row 4, column 1" in said


def test_what_a_patch_costs_is_measured_from_the_whole_picture() -> None:
    # Everywhere the same loss, and nowhere one, although the places differ.
    even = Places(0, torch.full((2, 2), 0.4), torch.zeros(2, 2), (0, 3), 0.9, torch.zeros(1, 1))
    gain = replace(even, sure=torch.tensor([[0.9, 0.99], [0.95, 0.97]]))
    said = places_said({"max": even, "average": gain}, NAMES, dict.fromkeys(NAMES, ("cat",)))
    assert "**Max** (cat): down to 40 % at 4 places" in said
    assert "**Average** (cat): nowhere by as much as one point" in said


# ---- ResNet-18 ---------------------------------------------------------------------------------


@pytest.fixture
def no_imagenet(networks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))


@pytest.fixture
def imagenet(networks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights that nothing has trained in the place of torchvision's."""
    path, _network = a_resnet18_file(tmp_path / "hub" / "checkpoints")
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    monkeypatch.setattr(stem_files, "resnet18_url", lambda: f"http://127.0.0.1:9/{path.name}")


def imagenet_part(visit: Visit) -> str:
    return "".join(part.body for part in visit.app.get("html") if "imagenet" in part.body)


@pytest.mark.usefixtures("no_imagenet")
def test_nobody_waits_for_resnet_18_who_has_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "asked_imagenet", None)
    visit = Visit(PAGE, lang="en").run()
    assert not visit.app.toggle(key="answer_imagenet").value
    assert imagenet_part(visit) == ""
    assert "imagenet" not in visit.link


@pytest.mark.usefixtures("no_imagenet")
def test_resnet_18_that_cannot_be_had_is_a_sentence_and_the_rest_stays() -> None:
    visit = Visit(PAGE, lang="en").run()
    visit.set_main("toggle", "answer_imagenet", True)
    assert visit.link["imagenet"] == "1"
    (said,) = [each.value for each in visit.app.info]
    assert said.startswith("The ImageNet weights of ResNet-18 are not on this machine")
    assert len(told(visit)[0]["rows"]) == len(ARMS_SHOWN)


@pytest.mark.usefixtures("imagenet")
@pytest.mark.parametrize("weight", ["0.25", "1"])
def test_resnet_18_is_asked_with_max_and_with_the_dial(weight: str) -> None:
    link = {"imagenet": "1", "weight": weight, "picture": "coffee", "noise": "salt"}
    visit = Visit(PAGE, lang="en", level="0.2", **link).run()
    image = middle_square(gallery_image("coffee"), IMAGENET_SIDE)
    changed = STATE.read(visit.link).change.apply(image)
    weights = (1.0, float(weight))
    network = imagenet_network()
    found = imagenet_answers(network, torch.stack([image, changed]), weights, torch.device("cpu"))
    html = imagenet_part(visit)
    parts = html.split("<section")[1:]
    assert ("Max pooling, as it learned" in parts[0], "Blend weight" in parts[1]) == (True, True)
    for part, (clean, after) in zip(parts, found, strict=True):
        names = re.findall(r'<th scope="row">(.*?)</th>', part)
        order = clean.argsort(descending=True, stable=True)[:5].tolist()
        assert names == [network.classes[at] for at in order]
        shares = [int(text) for text in re.findall(r"</i>(\d+) %", part)]
        wanted = [round(100 * each[at].item()) for at in order for each in (clean, after)]
        assert shares == wanted
    said = " ".join(part.value for part in visit.app.main.markdown)
    same = "The dial stands at max pooling, so both are the same network."
    assert (same in said) == (weight == "1")
    assert ("With a blend weight of 0.25 in the place of its max pooling" in said) == (
        weight != "1"
    )


@pytest.mark.usefixtures("english")
def test_what_the_blend_turns_is_said_of_each_picture() -> None:
    said = sentences.blended(SAME, OTHER, 0.5, ("cat", "dog"), changed=True)
    assert said.startswith(
        "With a blend weight of 0.50 in the place of its max pooling, of the clean picture it "
        "still says **cat** (80 %, blended 80 %) and of the changed one it says **cat** (70 %), "
        "blended **dog** (70 %)."
    )
    still = sentences.blended(SAME, OTHER, 0.5, ("cat", "dog"), changed=False)
    assert "changed one" not in still


# ---- several networks a pooling ----------------------------------------------------------------


@pytest.fixture
def unequal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three networks of each pooling, but two of attention."""
    monkeypatch.setattr(answer_state, "NETWORKS", tmp_path / "networks")
    monkeypatch.setattr(answer_state, "DATA", tmp_path / "data")
    st.cache_resource.clear()
    folder = a_folder(tmp_path / "networks", seeds=3)
    next(folder.glob("*-attention-seed2*")).unlink()
    return folder


def test_three_networks_a_pooling_are_counted_and_unequal_numbers_are_said(unequal: Path) -> None:
    visit = Visit(PAGE, lang="en", show="shift", right="4", network="3", picture="coffee").run()
    header, _ = told(visit)
    counts = {row["key"]: len(row["chosen"]) for row in header["rows"]}
    assert counts == {arm: 2 if arm == "attention" else 3 for arm in ARMS_SHOWN}
    assert len(header["judged"]) == 20
    said = " ".join(part.value for part in visit.app.main.markdown)
    pictures = torch.stack([seen := as_seen(gallery_image("coffee")), seen.roll(4, -1)])
    same = {
        arm: sum(
            bool(clean.argmax() == changed.argmax())
            for clean, changed in (
                answers(a_network(arm, seed), pictures) for seed in range(counts[arm])
            )
        )
        for arm in ("max", "attention")
    }
    for arm in same:
        row = f"in {same[arm]} of {counts[arm]} networks"
        assert row in said, (arm, said)
    names = "**Max, Average, Fixed half, Hybrid, Hybrid by channel and Max, then blur**"
    assert f"(3 of {names} and 2 of **Attention**)" in said
    assert "cannot be ranked" in said
    walk, _ = told(visit, "walk")
    assert len(walk["rows"]) == len(ARMS_SHOWN), "the third of attention is its second"


def test_curves_are_over_every_network_and_draw(unequal: Path) -> None:
    visit = Visit(PAGE, lang="en", picture="coffee").run()
    spec = json.loads(visit.app.get("plotly_chart")[0].proto.spec)
    lines = [line for line in spec["data"] if line.get("showlegend") is not False]
    seen, kind = as_seen(gallery_image("coffee")), kind_of(Change())
    networks = {"max": [a_network("max", seed) for seed in range(3)]}
    networks["attention"] = [a_network("attention", seed) for seed in range(2)]
    *_, curve = answer_curve(networks, seen, kind)
    for arm in networks:
        (line,) = [line for line in lines if line["name"] == answer_words.arm_names()[arm]]
        wanted = [100 * sum(values) / len(values) for values in curve.sure[arm]]
        assert [len(values) for values in curve.sure[arm]] == [4 * len(networks[arm])] * 8
        assert line["y"] == pytest.approx(wanted, abs=0.01)


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"max": 1, "average": 1}, "One picture and one network a pooling: an example"),
        ({"max": 3, "average": 3}, "One picture and 3 networks a pooling: an example"),
        ({"max": 3, "average": 1}, "few networks (3 of **Max** and 1 of **Average**): an example"),
    ],
)
@pytest.mark.usefixtures("english")
def test_what_one_picture_is_worth_follows_the_numbers_of_networks(
    counts: dict[str, int], said: str
) -> None:
    assert said in sentences.caution(counts, NAMES)


def test_a_run_whose_network_lies_there_twice_counts_once() -> None:
    runs = [run_of("max", seed, 0.4) for seed in range(2)]
    of_runs = [
        replace(network, info=replace(network.info, name=run.settings.name))
        for network, run in zip([a_network("max", seed) for seed in range(2)], runs, strict=True)
    ]
    row = Row("max", "Max", (*of_runs, replace(of_runs[0], key="copied")))
    own = Row("own-max", "Yours", (of_runs[0],))
    known = {run.settings.name: run for run in runs}
    assert runs_of([row, own], known) == {"max": runs}
    assert runs_of([row], {}) == {"max": []}
