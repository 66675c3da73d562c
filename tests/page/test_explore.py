"""The Explore page through every control, without a browser."""

import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit
import torch
from PIL import Image
from streamlit.runtime.state.session_state import SessionState
from streamlit.testing.v1 import AppTest

from hybridpool.measure import distance_table, energy_kept
from hybridpool.pictures.gallery import GALLERY, gallery_image
from hybridpool.pictures.image import fit_image, image_digest, read_image
from hybridpool.stem import STEMS, load_stem, trained_stems
from hybridpool.trace import (
    IMAGE_SIZES,
    MAX_KERNEL,
    Settings,
    Trace,
    maps_at,
    run_poolings,
    run_stem,
)
from hybridpool.ui import compute, settings
from hybridpool.ui.browser.packing import pixels
from hybridpool.ui.explore.script import reproduction_script
from hybridpool.ui.settings import SHARED, ResolvedView
from hybridpool.ui.words import translation
from hybridpool.window import check_window
from tests.apps import Visit, title_of
from tests.shown import POOLED, decode_message, expected

APP = Path(__file__).resolve().parents[2] / "app.py"
CPU = torch.device("cpu")
#: What most tests here look at: filters whose channels have names, and a blend weight to be set.
DEFAULT = replace(settings.DEFAULT, stem="filters")
TITLES = {"max": "Max", "average": "Average", "hybrid": "Hybrid", "attention": "Attention"}


class Session(Visit):
    """One person at the page."""

    def __init__(self, locale: str | None = None, **link: str) -> None:
        super().__init__(**{"stem": "filters"} | link)
        self.app.context["locale"] = locale
        self.run()
        self.told_first = [note.value for note in self.app.info]
        self._trigger("later", "painted", True)

    # -- what a person does --

    def upload(self, data: bytes, name: str = "mine.png") -> "Session":
        self.app.sidebar.file_uploader(key="uploader").set_value((name, data, "image/png"))
        return self.run()

    def photograph(self, data: bytes) -> "Session":
        self.app.sidebar.camera_input(key="camera").set_value(("photo.jpg", data, "image/jpeg"))
        return self.run()

    def look(self, **view: object) -> "Session":
        """What the inspector sends when the hand lets go."""
        seen = {**self.message()[0]["view"], **view, "told": next(self.told)}
        return self.tell(self.component("inspector").id, "json_value", {"view": seen})

    def resize(self, has: str = "", **window: object) -> "Session":
        """What the inspector sends when the hand lets go of the window; it `has` a picture."""
        header = self.message()[0]
        told = {**header["view"], **header["window"], **window}
        told |= {"has": has, "told": next(self.told)}
        return self.tell(self.component("inspector").id, "json_value", {"window": told})

    def pick(self, picture: str) -> "Session":
        """What the gallery sends when a thumbnail is clicked."""
        pick = {"key": picture, "told": next(self.told)}
        return self.tell(self.component("gallery").id, "json_value", {"pick": pick})

    def _trigger(self, name: str, event: str, value: object) -> "Session":
        place = f"$$STREAMLIT_INTERNAL_KEY_{self.component(name).id}__events"
        return self.tell(place, "json_trigger_value", [{"event": event, "value": value}])

    # -- what the page shows --

    def page(self) -> dict[str, Any]:
        """What the part that holds on every page was told last."""
        return dict(json.loads(self.component("page").json))

    @property
    def bytes(self) -> bytes:
        return self.component("inspector").bytes

    def message(self) -> tuple[dict[str, Any], dict[str, Any]]:
        return decode_message(self.bytes)

    def gallery(self) -> dict[str, Any]:
        return json.loads(self.component("gallery").json)

    def caption(self) -> str:
        return self.app.main.caption[0].value

    def texts(self) -> str:
        parts = [*self.app.main, *self.app.sidebar]
        return "\n".join(str(getattr(part, "value", "")) for part in parts)

    def tables(self) -> list[dict[str, list[str]]]:
        found = []
        for text in (part.value for part in self.app.main.markdown if part.value.startswith("|")):
            rows = [
                [cell.strip().replace("\xa0", " ") for cell in line.strip("|").split("|")]
                for line in text.split("\n")
            ]
            found.append({row[0]: row[1:] for row in rows[2:]})
        return found

    def chart(self) -> dict[str, Any]:
        return json.loads(self.app.get("plotly_chart")[0].proto.spec)


def assert_shows(session: Session, found: Trace, weight: float | None = None) -> None:
    """Message, caption, table, chart and link all tell of this trace."""
    chosen = found.settings
    own = found.blend_weight
    dials = own if weight is None else torch.full_like(own, weight)
    header, arrays = session.message()
    low, high = (np.array(header[end])[:, None, None] for end in ("low", "high"))
    step = (high - low) / 65535
    shown = {"input": found.feature_map, **found.pooled}
    for name in ("input", "max", "average"):
        assert arrays[name].shape == shown[name].shape
        assert (np.abs(low + arrays[name] * step - shown[name].numpy()) <= 0.51 * step + 1e-6).all()
    np.testing.assert_allclose(header["attention"], found.attention.numpy(), atol=1e-5)
    np.testing.assert_allclose(header["start"], found.blend_weight.numpy(), atol=1e-6)
    assert arrays["image"].shape == (*found.features.image.shape[1:], 3)

    line = session.caption()
    assert line.startswith(str(found.device).upper())
    assert (STEMS | trained_stems())[chosen.stem].title in line
    learned = found.features.pooling_state
    assert (f"seed {chosen.seed} " in line) == ("attention" not in learned)
    size, stride, padding = chosen.kernel_size, chosen.stride, chosen.padding
    assert line.endswith(f"window {size} × {size}, stride {stride}, padding {padding}")

    channel = SHARED.read(session.link).view.channel
    channel = header["view"]["channel"] if channel is None else min(channel, len(low) - 1)
    maps = {name: values[channel] for name, values in found.pooled.items()}
    maps["hybrid"] = torch.lerp(maps["average"], maps["max"], dials[channel])
    numbers, distances = session.tables()
    before = found.feature_map[channel]
    for title, values in {"Feature map": before, **{TITLES[n]: maps[n] for n in POOLED}}.items():
        kept = 1.0 if values is before else energy_kept(values, before)
        texts = [f"{value:.3f}" for value in (values.min(), values.max(), values.mean())]
        assert numbers[title] == [*texts, f"{100 * kept:.1f} %"], title
    for (first, second), value in distance_table(maps).items():
        place = list(POOLED).index(second)
        assert distances[TITLES[first]][place] == f"{100 * value:.1f} %"

    bars, curve = session.chart()["data"]
    np.testing.assert_allclose(bars["y"], found.attention.numpy(), atol=1e-5)
    np.testing.assert_allclose(curve["y"], dials.numpy(), atol=1e-6)
    mark = session.chart()["layout"]["shapes"][0]
    assert (mark["x0"] + mark["x1"]) / 2 == channel + 1

    assert SHARED.read(session.link).settings == chosen


def picture_file(seed: int, format: str = "PNG", size: tuple[int, int] = (90, 60)) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format)
    return file.getvalue()


# ---- opening -----------------------------------------------------------------------------------


def test_the_first_screen_is_computed_already_with_what_a_network_has_learned() -> None:
    session = Session(stem="")
    assert title_of(session.app) == "Explore"
    found = expected(settings.DEFAULT)
    assert_shows(session, found)
    assert session.message()[0]["start"] == found.blend_weight.tolist()
    assert session.link["stem"] == settings.DEFAULT.stem
    assert not session.app.error
    assert session.link["lang"] == "en"


def test_the_first_view_shows_all_three_poolings_apart() -> None:
    header, _ = Session(stem="").message()
    found = expected(settings.DEFAULT)
    channel, row, column = (header["view"][name] for name in ("channel", "row", "column"))
    span = (found.feature_map[channel].max() - found.feature_map[channel].min()).item()
    maximum, average, hybrid = (
        found.pooled[name][channel, row, column].item() for name in ("max", "average", "hybrid")
    )
    assert maximum - hybrid >= span / 5
    assert hybrid - average >= span / 10
    assert 0.2 < header["start"][channel] < 0.8


@pytest.mark.parametrize("key", trained_stems())
def test_a_trained_stem_says_what_was_learned_and_from_what(key: str) -> None:
    session = Session(stem=key, size="64")
    found = expected(replace(settings.DEFAULT, stem=key, image_size=64))
    assert_shows(session, found)
    info = trained_stems()[key]
    assert f"Trained on {info.data}, 50,000 pictures" in session.texts()
    assert "learned afterwards, for one epoch, on the same filters" in session.texts()
    assert "The blend weight comes with the filters" in session.texts()
    assert "not learned" not in session.texts()
    assert not [slider for slider in session.app.sidebar.slider if "starts" in slider.label]
    own = found.blend_weight
    if key == "cifar10-channel":
        assert f"from {own.min():.2f} to {own.max():.2f}, above one half for" in session.texts()
    else:
        assert f"**one** blend weight for all channels: {own[0]:.2f}" in session.texts()
    assert session.message()[0]["words"]["restart"] == "Back to learned ({weight})"
    session.look(weight=0.3)
    assert "The dial is at 0.30 for **all** channels." in session.texts()


def test_other_stems_say_that_nothing_was_learned() -> None:
    said = Session(size="64").texts()
    assert "not learned: yours" in said
    assert "at its random start (seed 0)" in said


def test_a_link_opens_what_it_says() -> None:
    link = {
        "picture": "brick", "size": "96", "stem": "random", "filters": "32", "seed": "5",
        "kernel": "3", "stride": "1", "padding": "1", "ceil": "1", "start": "0.25",
        "weight": "0.9", "channel": "7", "cell": "4-5", "range": "all",
    }  # fmt: skip
    session = Session(**link)
    chosen = Settings(
        picture="brick", image_size=96, stem="random", channels=32, seed=5,
        kernel_size=3, stride=1, padding=1, ceil_mode=True, blend_weight=0.25,
    )  # fmt: skip
    assert_shows(session, expected(chosen), weight=0.9)
    assert session.message()[0]["view"] == {
        "weight": 0.9, "channel": 6, "row": 3, "column": 4, "pinned": True, "scope": "all",
        "clipped": False, "difference": False, "left": "", "right": "", "divider": 50, "beside": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    "link",
    [
        {"kernel": "99", "stride": "0", "padding": "44", "size": "1", "seed": "-3", "filters": "7"},
        {"kernel": "x", "start": "nan", "weight": "inf", "channel": "-4", "cell": "0-0"},
        {"picture": "../../etc", "stem": "vgg", "device": "tpu", "lang": "xx", "large": "yes"},
        {"stem": "random", "filters": "64", "size": "64", "channel": "999", "cell": "999-999"},
        {"kernel": "1", "padding": "3", "ceil": "maybe", "weight": "-1", "range": "sideways"},
        {"device": "mps"},
    ],
)
def test_a_link_with_nonsense_opens_the_nearest_page(link: dict[str, str]) -> None:
    session = Session(**link)
    chosen = SHARED.read({"stem": "filters"} | link).settings
    assert_shows(session, expected(chosen), weight=SHARED.read(link).view.weight)
    header, _ = session.message()
    channels, rows, columns = header["pooled_shape"]
    assert 0 <= header["view"]["channel"] < channels
    assert 0 <= header["view"]["row"] < rows
    assert 0 <= header["view"]["column"] < columns
    assert session.link["lang"] == "en"


def test_a_link_made_with_an_upload_says_that_it_carries_none() -> None:
    session = Session(picture="upload", kernel="3")
    (note,) = session.told_first
    assert "somebody's own picture" in note
    assert "choose the file again" in note
    assert_shows(session, expected(replace(DEFAULT, kernel_size=3)))
    session.resize(stride=3)
    assert not session.app.info


# ---- every control -----------------------------------------------------------------------------

CONTROLS: list[tuple[str, str, object, dict[str, object]]] = [
    ("select_slider", "control_image_size", 224, {"image_size": 224}),
    ("select_slider", "control_image_size", 64, {"image_size": 64}),
    ("selectbox", "control_stem", "random", {"stem": "random"}),
    ("number_input", "control_seed", 42, {"seed": 42}),
    ("slider", "control_blend_weight", 0.0, {"blend_weight": 0.0}),
    ("slider", "control_blend_weight", 0.85, {"blend_weight": 0.85}),
    ("slider", "control_blend_weight", 1.0, {"blend_weight": 1.0}),
    ("selectbox", "control_device", "cpu", {"device": "cpu"}),
]


def test_the_seed_is_offered_where_something_is_drawn_from_it() -> None:
    session = Session(stem="random")
    for stem, drawn in (("filters", True), ("cifar10-channel", False), ("random", True)):
        session.set("selectbox", "control_stem", stem)
        offered = "control_seed" in [each.key for each in session.app.sidebar.number_input]
        assert offered == drawn, stem
        assert ("seed" in session.caption()) == drawn, stem


@pytest.mark.parametrize(("kind", "key", "value", "changes"), CONTROLS)
def test_a_control_changes_the_numbers_everywhere(
    kind: str, key: str, value: object, changes: dict[str, Any]
) -> None:
    # An odd size, so that ceil mode makes a difference.
    session = Session(picture="coins", size="96", kernel="3")
    before = replace(DEFAULT, picture="coins", image_size=96, kernel_size=3)
    assert_shows(session, expected(before))
    bytes_before = session.bytes
    session.set(kind, key, value)
    assert_shows(session, expected(replace(before, **changes)))
    # Where it is computed changes no number, and the times in the caption may be alike.
    assert session.bytes != bytes_before or set(changes) == {"device"}
    assert getattr(session.app.sidebar, kind)(key=key).value == value


WINDOWS: list[tuple[dict[str, object], dict[str, object]]] = [
    ({"kernel": 1}, {"kernel_size": 1}),
    ({"kernel": 5}, {"kernel_size": 5}),
    ({"kernel": 8, "padding": 4}, {"kernel_size": 8, "padding": 4}),
    ({"stride": 1}, {"stride": 1}),
    ({"stride": 8}, {"stride": 8}),
    ({"padding": 1}, {"padding": 1}),
    ({"ceilMode": True}, {"ceil_mode": True}),
]


@pytest.mark.parametrize(("window", "changes"), WINDOWS)
def test_a_window_changes_the_numbers_everywhere(
    window: dict[str, object], changes: dict[str, Any]
) -> None:
    session = Session(picture="coins", size="96", kernel="3")
    before = replace(DEFAULT, picture="coins", image_size=96, kernel_size=3)
    session.resize(**window)
    assert_shows(session, expected(replace(before, **changes)))
    sliders = {widget.key for widget in session.app.sidebar.slider}
    assert sliders == {"control_blend_weight"}, "the window stands beside the dial alone"


@pytest.mark.parametrize(
    "sent",
    [{}, {"kernel": "3"}, {"kernel": 2.5}, {"stride": None}, {"padding": -1}, {"ceilMode": 1}],
)
def test_a_window_that_is_none_changes_nothing(sent: dict[str, object]) -> None:
    session = Session(size="64")
    link = dict(session.link)
    if sent:
        session.resize(**sent)
    else:
        session.tell(session.component("inspector").id, "json_value", {"window": {"told": 5}})
    assert dict(session.link) == link
    assert_shows(session, expected(replace(DEFAULT, image_size=64)))


def test_a_window_is_answered_with_its_maps_alone() -> None:
    session = Session(picture="coins", size="96")
    header, arrays = session.message()
    whole = len(session.bytes)
    session.resize(has=header["base"], kernel=3, padding=1, channel=4, row=2, column=3)
    answer, maps = decode_message(session.bytes, header)
    assert set(maps) == {"max", "average", "max_fine", "average_fine"}
    assert len(session.bytes) < whole / 3
    assert answer["base"] == header["base"]
    chosen = replace(DEFAULT, picture="coins", image_size=96, kernel_size=3, padding=1)
    low, high = (np.array(header[end])[:, None, None] for end in ("low", "high"))
    for name in ("max", "average"):
        steps = maps[name] + maps[f"{name}_fine"] / 255 - 0.5
        shown = low + steps * (high - low) / 65535
        np.testing.assert_allclose(shown, expected(chosen).pooled[name].numpy(), atol=2e-6)
    assert (session.link["kernel"], session.link["channel"]) == ("3", "5")
    assert arrays["input"].shape == tuple(header["input_shape"])


def test_a_browser_that_lost_the_picture_gets_everything_again() -> None:
    session = Session(picture="coins", size="64")
    base = session.message()[0]["base"]
    session.resize(has=base, kernel=3)
    with pytest.raises(KeyError):
        session.message()
    window = {"kernel": 3, "stride": 2, "padding": 0, "ceilMode": False}
    view = {"weight": None, "channel": 3, "row": 1, "column": 1, "pinned": False}
    view |= {"scope": "channel", "clipped": False, "difference": False}
    view |= {"left": "", "right": "", "divider": 50}
    told = {**window, **view, "has": "", "told": next(session.told)}
    session.tell(session.component("inspector").id, "json_value", {"window": told})
    assert_shows(session, expected(replace(DEFAULT, picture="coins", image_size=64, kernel_size=3)))


def test_another_picture_is_sent_whole_whatever_the_browser_held_before() -> None:
    session = Session(picture="coins", size="64")
    first = session.message()[0]["base"]
    session.resize(has=first, kernel=3)
    chosen = replace(DEFAULT, image_size=64, kernel_size=3)
    for picture in ("brick", "coins"):
        session.pick(picture)
        assert_shows(session, expected(replace(chosen, picture=picture)))
    session.resize(has="anything", stride=3)
    assert_shows(session, expected(replace(chosen, picture="coins", stride=3)))


def test_the_weights_that_travel_are_those_of_the_stem_and_of_the_attention() -> None:
    for key in ("filters", "random", *trained_stems()):
        session = Session(size="64", stem=key)
        header, arrays = session.message()
        stem = load_stem(key)
        weight, bias = stem.folded()
        np.testing.assert_array_equal(arrays["weight"], weight.flatten().numpy())
        np.testing.assert_array_equal(arrays["bias"], bias.numpy())
        assert header["stem"]["edge"] == (stem.conv.padding_mode == "replicate")
        means = expected(replace(DEFAULT, stem=key, image_size=64)).feature_map.mean((1, 2))
        inner = torch.from_numpy(arrays["inner"].reshape(-1, len(means)).copy())
        outer = torch.from_numpy(arrays["outer"].reshape(len(means), -1).copy())
        hidden = (inner @ means + torch.from_numpy(arrays["inner_bias"].copy())).relu()
        found = (outer @ hidden + torch.from_numpy(arrays["outer_bias"].copy())).sigmoid()
        np.testing.assert_allclose(found.numpy(), header["attention"], atol=1e-6)


def test_every_window_fits_the_smallest_map_that_there_is() -> None:
    """So the page needs no sentence for one that does not."""
    for key in ("filters", "random", *trained_stems()):
        narrow = torch.zeros(3, min(IMAGE_SIZES) // 2, min(IMAGE_SIZES))
        height, width = load_stem(key)(narrow).shape[1:]
        for kernel in range(1, MAX_KERNEL + 1):
            check_window(kernel, MAX_KERNEL).check_fits(height, width)


@pytest.mark.parametrize("count", [8, 32, 64])
def test_the_number_of_random_filters(count: int) -> None:
    session = Session(size="64", stem="random", seed="3")
    session.set("segmented_control", "control_channels", count)
    chosen = replace(DEFAULT, image_size=64, stem="random", seed=3, channels=count)
    assert_shows(session, expected(chosen))
    assert session.message()[0]["names"][-1] == f"Random filter {count}"


def test_the_number_of_filters_is_asked_for_random_ones_only() -> None:
    keys = {widget.key for widget in Session().app.sidebar.segmented_control}
    assert "control_channels" not in keys


@pytest.mark.parametrize("key", list(GALLERY))
def test_every_picture_of_the_gallery_can_be_picked(key: str) -> None:
    session = Session(size="64", picture="coins" if key != "coins" else "brick")
    session.pick(key)
    assert_shows(session, expected(replace(DEFAULT, image_size=64, picture=key)))
    assert session.message()[0]["about"] == f"{GALLERY[key].title}: {GALLERY[key].words}"
    assert session.gallery()["chosen"] == key


def test_the_chart_waits_until_the_browser_has_painted_the_maps() -> None:
    app = AppTest.from_file(str(APP), default_timeout=120).run()
    components = [element.proto.component_name for element in app.get("bidi_component")]
    assert set(components) == {
        *("hybridpool_inspector", "hybridpool_later"),
        *("hybridpool_gallery", "hybridpool_page", "hybridpool_share"),
    }
    assert not app.get("plotly_chart")
    session = Session()  # whose browser says that it has painted
    components = [element.proto.component_name for element in session.app.get("bidi_component")]
    lasting = ("inspector", "gallery", "page", "share")
    assert set(components) == {f"hybridpool_{name}" for name in lasting}
    assert len(session.app.get("plotly_chart")) == 1


def test_the_picture_that_is_asked_for_beside_the_maps_is_shown_everywhere() -> None:
    session = Session(size="64", picture="coins").look(channel=4)
    place = session.component("inspector").id
    session.tell(place, "json_value", {"picture": {"key": "brick", "told": 7}})
    assert_shows(session, expected(replace(DEFAULT, image_size=64, picture="brick")))
    assert session.gallery()["chosen"] == "brick"
    assert "channel" not in session.link
    session.tell(place, "json_value", {"picture": {"key": "../../etc", "told": 8}})
    assert session.link["picture"] == "brick"


def test_colours_and_differences_are_part_of_the_link() -> None:
    session = Session(size="64").look(clipped=True, difference=True)
    assert (session.link["clip"], session.link["difference"]) == ("1", "1")
    view = Session(**session.link).message()[0]["view"]
    assert view["clipped"]
    assert view["difference"]


def test_two_poolings_and_their_divider_are_part_of_the_link() -> None:
    session = Session(size="64").look(left="average", right="hybrid", divider=30)
    assert session.link["swipe"] == "average-hybrid-30"
    view = Session(**session.link).message()[0]["view"]
    assert (view["left"], view["right"], view["divider"]) == ("average", "hybrid", 30)
    session.look(left="average", right="hybrid", divider=999)
    assert session.link["swipe"] == "average-hybrid-100"
    session.look(left="nobody", right="hybrid", divider=10)
    assert session.link["swipe"] == "average-hybrid-100"
    session.look(left="", right="")
    assert "swipe" not in session.link
    assert "swipe" not in Session(size="64", swipe="max-average").link


def test_a_second_picture_travels_as_it_goes_into_the_stem() -> None:
    session = Session(size="64", picture="coins")
    header, arrays = session.message()
    assert "beside" not in header
    session.set("selectbox", "control_beside", "checks")
    assert session.link["beside"] == "checks"
    other, arrays = session.message()
    assert other["base"] != header["base"]
    image = fit_image(gallery_image("checks", card_side=64), 64)
    assert other["beside"] == {"shape": [64, 64], "title": GALLERY["checks"].title}
    assert np.array_equal(arrays["beside"].reshape(image.shape), image.numpy())
    assert Session(**session.link).message()[0]["beside"] == other["beside"]
    assert "beside" not in Session(size="64", beside="nobody").message()[0]
    session.look(beside="moon")
    assert session.link["beside"] == "checks", "the browser has no say in it"


def test_every_picture_of_the_gallery_has_a_thumbnail_and_a_name() -> None:
    shown = Session().gallery()["pictures"]
    assert [picture["key"] for picture in shown] == list(GALLERY)
    for picture in shown:
        assert picture["title"] == GALLERY[picture["key"]].title
        assert picture["thumbnail"].startswith("data:image/webp;base64,")
    assert len({picture["thumbnail"] for picture in shown}) == len(GALLERY)


def test_a_smaller_kernel_takes_the_padding_with_it() -> None:
    session = Session(size="64", kernel="5", padding="2")
    session.resize(kernel=3)
    assert_shows(session, expected(replace(DEFAULT, image_size=64, kernel_size=3, padding=1)))
    session.resize(kernel=1)
    assert_shows(session, expected(replace(DEFAULT, image_size=64, kernel_size=1)))


def test_controls_are_filled_from_the_link() -> None:
    session = Session(
        size="96", stem="random", filters="32", seed="5", kernel="6", stride="4",
        padding="3", ceil="1", start="0.35", device="cpu", large="1", lang="en",
    )  # fmt: skip
    side = session.app.sidebar
    assert side.select_slider(key="control_image_size").value == 96
    assert side.selectbox(key="control_stem").value == "random"
    assert side.segmented_control(key="control_channels").value == 32
    assert side.number_input(key="control_seed").value == 5
    assert session.message()[0]["window"] == {
        "kernel": 6, "stride": 4, "padding": 3, "ceilMode": True, "countPad": False
    }  # fmt: skip
    assert side.slider(key="control_blend_weight").value == 0.35
    assert side.selectbox(key="control_device").value == "cpu"
    assert side.toggle(key="large_choice").value is True


def test_several_controls_one_after_the_other() -> None:
    session = Session(size="64")
    session.resize(kernel=4)
    session.resize(padding=2)
    session.resize(stride=3)
    session.set("selectbox", "control_stem", "random")
    session.set("number_input", "control_seed", 9)
    session.pick("text")
    session.set("slider", "control_blend_weight", 0.3)
    chosen = Settings(
        picture="text", image_size=64, stem="random", seed=9,
        kernel_size=4, stride=3, padding=2, blend_weight=0.3,
    )  # fmt: skip
    assert_shows(session, expected(chosen))


def test_large_text_and_its_link() -> None:
    session = Session(size="64")

    def styles() -> str:
        return "".join(part.proto.body for part in session.app.get("html"))

    assert "html { font-size: 20.6px;" not in styles()
    session.set("toggle", "large_choice", True)
    assert "html { font-size: 20.6px;" in styles()
    assert session.link["large"] == "1"
    session.set("toggle", "large_choice", False)
    assert "html { font-size: 20.6px;" not in styles()
    assert "large" not in session.link


@pytest.mark.parametrize(
    ("kind", "key", "value", "says"),
    [
        ("select_slider", "control_image_size", 128, {"size": "128"}),
        ("selectbox", "control_stem", "random", {"stem": "random"}),
        ("toggle", "large_choice", True, {"large": "1"}),
    ],
)
@pytest.mark.parametrize("drawn_before", [True, False])
def test_a_move_counts_although_nobody_was_called_back(
    kind: str,
    key: str,
    value: object,
    says: dict[str, str],
    drawn_before: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As where the next run breaks the call off, or a new server hears of a move first."""
    session = Session(size="64")
    if not drawn_before:
        del session.app.session_state["filled_controls"]
    with monkeypatch.context() as deaf:
        deaf.setattr(SessionState, "_call_callbacks", lambda *_given, **_more: None)
        session.set(kind, key, value)
    assert says.items() <= session.link.items()
    assert getattr(session.app.sidebar, kind)(key=key).value == value
    session.run()
    assert says.items() <= session.link.items()


def test_the_readable_filters_are_one_click_away() -> None:
    session = Session(stem="cifar10-channel", channel="15", size="64")
    session.app.sidebar.button(key="readable_filters").click()
    session.run()
    assert session.link["stem"] == "filters"
    assert not [each for each in session.app.sidebar.button if each.key == "readable_filters"]


def test_a_file_counts_although_nobody_was_called_back(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session(size="64")
    monkeypatch.setattr(SessionState, "_call_callbacks", lambda *_given, **_more: None)
    assert session.upload(picture_file(0)).link["picture"] == "upload"


def test_only_the_pooling_runs_again_when_a_pooling_control_moves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stems, poolings = [], []

    def counted(calls: list[object], run: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *given: (calls.append(given), run(*given))[1]

    monkeypatch.setattr(compute, "run_stem", counted(stems, compute.run_stem))
    monkeypatch.setattr(compute, "run_poolings", counted(poolings, compute.run_poolings))
    compute._trace.clear()
    compute._features.clear()
    session = Session(picture="grass", size="64", seed="77")
    assert (len(stems), len(poolings)) == (1, 1)
    session.resize(kernel=7)
    session.resize(stride=7)
    session.set("slider", "control_blend_weight", 0.15)
    assert (len(stems), len(poolings)) == (1, 4)
    session.look(weight=0.6, channel=2)
    session.set("toggle", "large_choice", True)
    assert (len(stems), len(poolings)) == (1, 4)


# ---- the inspector's view ----------------------------------------------------------------------


def test_what_the_hand_lets_go_of_reaches_table_chart_and_link_but_sends_no_maps_again() -> None:
    session = Session(size="64")
    before = session.bytes
    session.look(weight=0.83, channel=9, row=2, column=3, pinned=True, scope="all")
    assert_shows(session, expected(replace(DEFAULT, image_size=64)), weight=0.83)
    assert session.bytes == before
    shown = {name: session.link[name] for name in ("weight", "channel", "cell", "range")}
    assert shown == {"weight": "0.83", "channel": "10", "cell": "3-4", "range": "all"}


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_the_ends_of_the_dial_are_max_and_average_in_the_table_too(weight: float) -> None:
    session = Session(size="64").look(weight=weight)
    numbers, distances = session.tables()
    same = "Max" if weight else "Average"
    assert numbers["Hybrid"] == numbers[same]
    assert distances["Hybrid"][list(TITLES.values()).index(same)] == "0.0 %"


def test_a_new_start_takes_the_dial_with_it() -> None:
    session = Session(size="64").look(weight=0.83)
    session.set("slider", "control_blend_weight", 0.2)
    assert_shows(session, expected(replace(DEFAULT, image_size=64, blend_weight=0.2)))
    assert session.message()[0]["view"]["weight"] is None
    assert "weight" not in session.link


def test_the_dial_keeps_its_place_when_a_window_control_moves() -> None:
    session = Session(size="64").look(weight=0.83, channel=4)
    session.resize(kernel=3, weight=0.83, channel=4)
    view = session.message()[0]["view"]
    assert (view["weight"], view["channel"]) == (0.83, 4)
    assert_shows(session, expected(replace(DEFAULT, image_size=64, kernel_size=3)), weight=0.83)


def test_a_pinned_cell_stays_with_another_picture_and_a_free_one_does_not() -> None:
    session = Session(size="64").look(channel=4, row=1, column=2, pinned=True)
    session.pick("brick")
    view = session.message()[0]["view"]
    assert (view["channel"], view["row"], view["column"]) == (4, 1, 2)
    session.look(pinned=False)
    session.pick("grass")
    assert "channel" not in session.link


def test_a_pinned_cell_outside_the_new_maps_moves_to_their_edge() -> None:
    session = Session(size="64").look(channel=0, row=9, column=15, pinned=True)
    session.resize(stride=8, channel=0, row=9, column=15, pinned=True)
    header, _ = session.message()
    _, rows, columns = header["pooled_shape"]
    assert (header["view"]["row"], header["view"]["column"]) == (rows - 1, columns - 1)


# ---- links between people ----------------------------------------------------------------------


def test_a_link_restores_the_same_bytes() -> None:
    first = Session(size="96")
    first.pick("retina")
    first.resize(kernel=3)
    first.resize(padding=1)
    first.set("slider", "control_blend_weight", 0.15)
    first.look(weight=0.7, channel=11, row=5, column=6, pinned=True, scope="all")
    second = Session(**first.link)
    assert second.link == first.link
    one, other = first.message(), second.message()
    assert other[0]["view"] == {
        "weight": 0.7, "channel": 11, "row": 5, "column": 6, "pinned": True, "scope": "all",
        "clipped": False, "difference": False, "left": "", "right": "", "divider": 50, "beside": "",
    }  # fmt: skip
    # The view is the one with which the maps were first shown; the caption says how long it took.
    for header in (one[0], other[0]):
        del header["view"], header["caption"]
    assert one[0] == other[0]
    for name, values in one[1].items():
        assert values.tobytes() == other[1][name].tobytes()
    assert first.tables() == second.tables()
    assert first.chart() == second.chart()


def test_two_sessions_do_not_disturb_each_other() -> None:
    first, second = Session(size="64"), Session("zh-CN", size="64", kernel="3")
    first.set("selectbox", "control_stem", "random")
    second.look(weight=0.9, channel=2)
    second.upload(picture_file(1))
    second.resize(stride=4)
    first.run()
    assert_shows(first, expected(replace(DEFAULT, image_size=64, stem="random")))
    assert title_of(first.app) == "Explore"
    assert first.link["lang"] == "en"
    assert second.link["lang"] == "zh"
    assert second.link["picture"] == "upload"
    kept = second.bytes
    first.pick("stars")
    second.run()
    assert second.bytes == kept


# ---- pictures of one's own ---------------------------------------------------------------------


def upload_trace(data: bytes, **changes: Any) -> Trace:
    chosen = replace(DEFAULT, picture="upload", **changes)
    image = fit_image(read_image(data), chosen.image_size)
    return run_poolings(run_stem(image, load_stem("filters"), CPU), chosen)


def assert_shows_upload(session: Session, data: bytes, **changes: Any) -> None:
    found = upload_trace(data, **changes)
    header, arrays = session.message()
    low, high = (np.array(header[end])[:, None, None] for end in ("low", "high"))
    shown = low + arrays["input"] * (high - low) / 65535
    np.testing.assert_allclose(shown, found.feature_map.numpy(), atol=1e-4)
    assert session.link["picture"] == "upload"


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF"])
def test_an_upload_is_shown(format: str) -> None:
    data = picture_file(2, format)
    session = Session(size="64").upload(data, f"mine.{format.lower()}")
    assert not session.app.error
    assert_shows_upload(session, data, image_size=64)
    assert f"mine.{format.lower()}" in "".join(part.value for part in session.app.sidebar.markdown)
    assert session.gallery()["chosen"] == "upload"


def test_a_photo_from_the_camera_is_shown() -> None:
    session = Session(size="64")
    assert not session.app.sidebar.camera_input
    session.set("toggle", "camera_on", True)
    data = picture_file(3, "JPEG")
    session.photograph(data)
    assert_shows_upload(session, data, image_size=64)


@pytest.mark.parametrize(
    ("withheld", "said"),
    [
        ({"upload": True, "camera": ""}, "stands in a frame of another site"),
        ({"upload": False, "camera": "http"}, "over http from another machine"),
        ({"upload": False, "camera": "denied"}, "keeps the camera from this page"),
    ],
)
def test_what_the_browser_withholds_is_one_sentence(withheld: dict[str, Any], said: str) -> None:
    session = Session(size="64").set("toggle", "camera_on", True)
    assert session.app.sidebar.camera_input
    assert not session.app.sidebar.warning
    place = session.component("page").id
    session.tell(place, "json_value", {"withheld": withheld})
    (warning,) = session.app.sidebar.warning
    assert said in warning.value
    assert not session.app.sidebar.camera_input
    assert bool(session.app.sidebar.file_uploader) is not withheld["upload"]
    assert session.page()["withheld"] == withheld


@pytest.mark.parametrize(
    "sent", [None, 3, {}, {"upload": "yes", "camera": ""}, {"upload": True, "camera": ["http"]}]
)
def test_nonsense_about_what_is_withheld_changes_nothing(sent: object) -> None:
    session = Session(size="64")
    session.tell(session.component("page").id, "json_value", {"withheld": sent})
    assert session.page()["withheld"] == {"upload": False, "camera": ""}
    assert not session.app.sidebar.warning


def test_a_lost_session_is_told_once() -> None:
    session = Session(size="64")
    place = session.component("page").id
    session.tell(place, "json_value", {"lost": session.page()["session"]})
    assert "The server has lost this session" in session.app.info[0].value
    assert not session.run().app.info


def test_a_second_upload_replaces_the_first_also_when_only_one_pixel_differs() -> None:
    pixels = np.full((600, 800, 3), 120, np.uint8)
    files = []
    for value in (0, 255):
        pixels[300, 400] = value
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG")
        files.append(file.getvalue())
    session = Session(size="224")
    session.upload(files[0], "one.png")
    before = session.bytes
    session.upload(files[1], "two.png")
    assert session.bytes != before
    assert_shows_upload(session, files[1], image_size=224)


BROKEN = {
    "empty": b"",
    "text": b"This is no picture at all.",
    "cut": picture_file(4)[:900],
    "tiny": picture_file(4, size=(2, 2)),
}


@pytest.mark.parametrize("kind", list(BROKEN))
def test_a_broken_upload_is_one_sentence_and_the_last_good_picture_stays(kind: str) -> None:
    session = Session(size="64", picture="coins")
    before = session.bytes
    session.upload(BROKEN[kind], "broken.png")
    (problem,) = session.app.error
    assert re.fullmatch(r"[A-Z][^\n]+\.", problem.value)
    assert session.bytes == before
    assert session.link["picture"] == "coins"

    session.pick("brick")
    assert not session.app.error
    assert_shows(session, expected(replace(DEFAULT, image_size=64, picture="brick")))


def test_a_broken_upload_leaves_a_good_upload_where_it_is() -> None:
    good = picture_file(5)
    session = Session(size="64").upload(good)
    before = session.bytes
    session.upload(BROKEN["text"], "broken.png")
    assert len(session.app.error) == 1
    assert session.bytes == before
    session.resize(kernel=3)
    assert_shows_upload(session, good, image_size=64, kernel_size=3)


def test_the_gallery_leads_away_from_an_upload_and_the_upload_can_come_back() -> None:
    data = picture_file(6)
    session = Session(size="64").upload(data)
    session.pick("coins")
    assert_shows(session, expected(replace(DEFAULT, image_size=64, picture="coins")))
    session.upload(data)
    assert_shows_upload(session, data, image_size=64)
    session.pick("coins")
    session.app.sidebar.button(key="back_to_upload").click()
    assert_shows_upload(session.run(), data, image_size=64)
    assert not [each for each in session.app.sidebar.button if each.key == "back_to_upload"]


# ---- weights that cannot be had ----------------------------------------------------------------


@pytest.fixture
def without_resnet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine that has no ImageNet weights; no test has a network."""
    compute._trace.clear()
    compute._features.clear()
    compute._attempt.clear()
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))


@pytest.mark.usefixtures("without_resnet")
def test_weights_that_cannot_be_had_are_one_sentence_and_the_last_good_picture_stays() -> None:
    session = Session(size="64", picture="coins")
    before = session.bytes
    session.set("selectbox", "control_stem", "resnet18")
    (problem,) = session.app.error
    assert problem.value.startswith("The ImageNet weights of ResNet-18 are not on this machine")
    assert session.bytes == before
    session.set("selectbox", "control_stem", "filters")
    assert not session.app.error
    assert_shows(session, expected(replace(DEFAULT, image_size=64, picture="coins")))


@pytest.mark.usefixtures("without_resnet")
def test_a_link_to_weights_that_cannot_be_had_still_opens_a_picture() -> None:
    session = Session(stem="resnet18", lang="zh")
    (problem,) = session.app.error
    said = translation("zh").gettext(
        "The ImageNet weights of ResNet-18 are not on this machine and cannot be downloaded now: "
        "connect it to the internet, or go on without them."
    )
    assert problem.value.startswith(said)
    assert "ImageNet" in problem.value
    assert session.message()[0]["input_shape"][0] == 16


@pytest.mark.usefixtures("without_resnet")
def test_weights_that_cannot_be_had_leave_the_picture_and_the_size_that_were_asked_for() -> None:
    session = Session(stem="resnet18", picture="coffee", size="64")
    found = expected(replace(settings.DEFAULT, picture="coffee", image_size=64))
    header, arrays = session.message()
    assert header["input_shape"] == list(found.feature_map.shape)
    assert np.array_equal(arrays["image"], pixels(found.features.image))
    title = trained_stems()[settings.DEFAULT.stem].title
    assert session.app.error[0].value.endswith(f"The maps come from: {title}.")
    assert title in session.caption()
    assert session.link["stem"] == "resnet18"


# ---- too little memory -------------------------------------------------------------------------


def test_too_little_memory_on_the_gpu_is_said_in_the_caption(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    original = compute.run_stem
    monkeypatch.setattr(
        compute,
        "run_stem",
        lambda *given: replace(original(*given), fell_back=True),
    )
    compute._trace.clear()
    compute._features.clear()
    session = Session(size="64", picture="gravel")
    compute._trace.clear()
    compute._features.clear()
    assert session.caption().endswith("the GPU had too little memory, so the CPU did the work")
    assert "too little memory" in session.message()[0]["caption"]


# ---- languages ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("locale", "link", "language"),
    [
        (None, {}, "en"),
        ("en-GB", {}, "en"),
        ("de-DE", {}, "en"),
        ("zh-CN", {}, "zh"),
        ("zh-Hant-TW", {}, "zh"),
        ("zh-CN", {"lang": "en"}, "en"),
        ("en-US", {"lang": "zh"}, "zh"),
        ("en-US", {"lang": "klingon"}, "en"),
    ],
)
def test_the_language_is_the_links_or_else_the_browsers(
    locale: str | None, link: dict[str, str], language: str
) -> None:
    session = Session(locale, size="64", **link)
    assert session.link["lang"] == language
    chinese = re.search("[\u4e00-\u9fff]", title_of(session.app))
    assert bool(chinese) == (language == "zh")


def test_the_language_can_be_switched_and_back() -> None:
    session = Session(size="64")
    english = session.message()
    session.set("segmented_control", "language_choice", "zh")
    assert session.link["lang"] == "zh"
    header, arrays = session.message()
    assert header["words"]["average"] == translation("zh").gettext("Average") != "Average"
    assert all(re.search("[\u4e00-\u9fff]", name) for name in header["names"])
    for name, values in arrays.items():
        assert np.array_equal(values, english[1][name])
    for widget in session.app.sidebar.slider:
        assert re.search("[\u4e00-\u9fff]", widget.label)
    assert session.gallery()["pictures"][0]["title"] == translation("zh").gettext(
        next(iter(GALLERY.values())).title
    )
    session.set("segmented_control", "language_choice", "en")
    assert session.message()[0]["words"] == english[0]["words"]
    assert session.link["lang"] == "en"


def test_the_dial_and_the_channel_survive_a_change_of_language() -> None:
    session = Session(size="64").look(weight=0.8, channel=3)
    session.set("segmented_control", "language_choice", "zh")
    view = session.message()[0]["view"]
    assert (view["weight"], view["channel"]) == (0.8, 3)


# ---- downloads ---------------------------------------------------------------------------------


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the page offers for download, by file name."""
    files: dict[str, Any] = {}
    original = streamlit.download_button

    def remembering(label: str, data: Any, file_name: str, **options: Any) -> bool:
        files[file_name] = data
        return original(label, data=data, file_name=file_name, **options)

    monkeypatch.setattr(streamlit, "download_button", remembering)
    return files


def test_the_files_on_offer_are_what_the_page_shows(offered: dict[str, Any]) -> None:
    session = Session(size="64", picture="coins", kernel="3").look(weight=0.8, channel=3)
    found = expected(replace(DEFAULT, image_size=64, picture="coins", kernel_size=3))
    maps = np.load(io.BytesIO(offered["hybrid-pooling.npz"]()))
    assert maps["blend_weight"] == np.float32(0.8)
    np.testing.assert_array_equal(maps["max"], found.pooled["max"].numpy())
    header, arrays = session.message()
    low, high = (np.array(header[end])[:, None, None] for end in ("low", "high"))
    sent = low + arrays["average"] * (high - low) / 65535
    np.testing.assert_allclose(maps["average"], sent, atol=1e-4)
    script = offered["hybrid_pooling.py"]()
    assert "gallery_image('coins')" in script
    assert "hybrid_pool2d(trace.feature_map, 0.8, **settings.window)" in script
    assert "channel = 3" in script


@pytest.mark.parametrize("stem", ["filters", *trained_stems()])
@pytest.mark.parametrize("turned", [False, True])
def test_the_script_prints_the_numbers_of_the_page(
    stem: str, turned: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = replace(settings.DEFAULT, picture="coins", image_size=64, stem=stem, device="cpu")
    found = expected(chosen)
    seen = ResolvedView(
        0.8, channel=2, row=0, column=0, pinned=False, scope="channel", turned=turned
    )
    exec(compile(reproduction_script(found, seen), "script", "exec"), {})
    said = capsys.readouterr().out
    for name, maps in maps_at(found, 0.8 if turned else None).items():
        low, high, mean = maps[2].min(), maps[2].max(), maps[2].mean()
        assert f"{name:10} {low:.3f} to {high:.3f}, mean {mean:.3f}" in said
    assert f"attention value of the channel: {found.attention[2]:.3f}" in said


def test_the_script_for_an_upload_names_the_persons_own_file(offered: dict[str, Any]) -> None:
    data = picture_file(7)
    Session(size="64").upload(data, "holiday.png")
    script = offered["hybrid_pooling.py"]()
    assert "holiday.png" in script
    assert image_digest(data) not in script
