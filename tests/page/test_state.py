"""The session's settings and view, and the link that carries both."""

from collections.abc import Callable
from dataclasses import fields

import pytest
import streamlit
from hypothesis import example, given
from hypothesis import strategies as st

from hybridpool.layers import POOLINGS
from hybridpool.pictures.gallery import GALLERY
from hybridpool.stem import STEMS, trained_stems
from hybridpool.trace import CHANNELS, DEVICES, IMAGE_SIZES, MAX_KERNEL, MAX_SEED, Settings
from hybridpool.ui.page_state import mirror_in_link
from hybridpool.ui.settings import (
    DEFAULT,
    SHARED,
    Shared,
    Upload,
    View,
    accept_upload,
    begin,
    upload,
)

NAMES = [
    *SHARED.query(
        Shared(DEFAULT, View(0.5, 0, 0, 0, True, "all", left="max", right="max", beside="moon"))
    ),
    "lang",
    "large",
    "anything",
]


def possible_settings() -> st.SearchStrategy[Settings]:
    return st.integers(1, MAX_KERNEL).flatmap(
        lambda kernel: st.builds(
            Settings,
            picture=st.sampled_from(list(GALLERY)),
            image_size=st.sampled_from(IMAGE_SIZES),
            stem=st.sampled_from(list(STEMS)),
            channels=st.sampled_from(CHANNELS),
            seed=st.integers(0, MAX_SEED),
            kernel_size=st.just(kernel),
            stride=st.integers(1, MAX_KERNEL),
            padding=st.integers(0, kernel // 2),
            ceil_mode=st.booleans(),
            blend_weight=st.floats(0, 1),
            device=st.sampled_from(DEVICES),
        )
    )


weights = st.none() | st.floats(0, 1)
channels = st.none() | st.integers(0, 63)
scopes = st.sampled_from(["channel", "all"])
pinned_views = st.builds(
    View,
    weight=weights,
    channel=channels,
    row=st.integers(0, 111),
    column=st.integers(0, 111),
    pinned=st.just(True),
    scope=scopes,
)
free_views = st.builds(View, weight=weights, channel=channels, scope=scopes)
swiped_views = st.builds(
    View,
    left=st.sampled_from(list(POOLINGS)),
    right=st.sampled_from(list(POOLINGS)),
    divider=st.integers(0, 100),
    beside=st.sampled_from(["", *GALLERY]),
)

odd_text = st.one_of(
    st.text(),
    st.integers().map(str),
    st.floats().map(str),
    st.sampled_from(
        [
            "",
            "nan",
            "inf",
            "-1",
            "1e999",
            "0x10",
            "1_0",
            "٣",
            "true",
            "1-2",
            "-",
            "all",
            "max-max-1e9",
        ]
    ),
    st.just("9" * 5000),
)


# ---- the link ----------------------------------------------------------------------------------


@given(possible_settings(), pinned_views | free_views | swiped_views)
@example(Settings(blend_weight=0.1 + 0.2), View(weight=1 / 3))
def test_a_link_restores_settings_and_view(chosen: Settings, seen: View) -> None:
    link = SHARED.query(Shared(chosen, seen))
    assert all(isinstance(text, str) for text in link.values())
    assert SHARED.read(link).settings == chosen
    assert SHARED.read(link).view == seen


@given(st.dictionaries(st.sampled_from(NAMES), odd_text))
def test_any_link_gives_settings_and_a_view_that_can_be_shown(parameters: dict[str, str]) -> None:
    found = SHARED.read(parameters).settings
    assert found == found.clamped()
    assert found.picture in GALLERY
    assert found.stem in STEMS | trained_stems()
    for field in fields(Settings):
        assert type(getattr(found, field.name)) is type(getattr(DEFAULT, field.name))

    seen = SHARED.read(parameters).view
    assert seen.weight is None or 0 <= seen.weight <= 1
    for number in (seen.channel, seen.row, seen.column):
        assert number is None or (isinstance(number, int) and number >= 0)
    assert seen.pinned == (seen.row is not None) == (seen.column is not None)
    assert seen.scope in ("channel", "all")


@given(st.dictionaries(st.sampled_from(NAMES), odd_text))
@example({"start": "0.123456789", "weight": "0.987654321"})
def test_what_a_link_gives_is_written_back_as_a_link_that_gives_the_same(
    parameters: dict[str, str],
) -> None:
    once = SHARED.read(parameters)
    assert SHARED.read(SHARED.query(once)) == once


@pytest.mark.parametrize(
    ("parameters", "field", "value"),
    [
        ({"kernel": "1", "padding": "3"}, "padding", 0),
        ({"kernel": "4", "padding": "3"}, "padding", 2),
        ({"kernel": "many"}, "kernel_size", DEFAULT.kernel_size),
        ({"size": "100"}, "image_size", 96),
        ({"picture": "upload"}, "picture", DEFAULT.picture),
        ({"picture": "../etc"}, "picture", DEFAULT.picture),
        ({"stem": "vgg"}, "stem", DEFAULT.stem),
        ({"ceil": "yes"}, "ceil_mode", False),
        ({"ceil": "1"}, "ceil_mode", True),
        ({"start": "nan"}, "blend_weight", DEFAULT.blend_weight),
        ({"start": "-3"}, "blend_weight", 0.0),
        ({"device": "tpu"}, "device", "auto"),
        ({"seed": "123456"}, "seed", MAX_SEED),
    ],
)
def test_nonsense_in_a_link_is_moved_to_what_can_be_shown(
    parameters: dict[str, str], field: str, value: object
) -> None:
    assert getattr(SHARED.read(parameters).settings, field) == value


def test_a_link_counts_channels_and_cells_from_one_as_the_page_does() -> None:
    link = SHARED.query(Shared(DEFAULT, View(channel=0, row=4, column=6, pinned=True)))
    assert (link["channel"], link["cell"]) == ("1", "5-7")


def test_a_cell_that_is_not_pinned_stays_out_of_the_link() -> None:
    assert "cell" not in SHARED.query(Shared(DEFAULT, View(row=4, column=6)))


def test_every_setting_that_a_person_can_choose_is_in_the_link() -> None:
    """`count_include_pad` alone has no control on this page."""
    in_link = SHARED.query(Shared(DEFAULT, View()))
    assert len(in_link) == len(fields(Settings)) - 1


# ---- the session -------------------------------------------------------------------------------


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, object]]:
    """Begins a session of its own, opened by a link."""

    class Link(dict[str, str]):
        def to_dict(self) -> dict[str, str]:
            return dict(self)

        def from_dict(self, wanted: dict[str, str]) -> None:
            self.clear()
            self.update(wanted)

    def begin(**parameters: str) -> dict[str, object]:
        values: dict[str, object] = {}
        monkeypatch.setattr(streamlit, "session_state", values)
        monkeypatch.setattr(streamlit, "query_params", Link(parameters))
        return values

    begin()
    return begin


def test_a_session_begins_with_its_link_and_then_goes_its_own_way(
    session: Callable[..., dict[str, object]],
) -> None:
    session(kernel="3", stride="1", channel="5", weight="0.25")
    assert (SHARED.chosen().settings.kernel_size, SHARED.chosen().settings.stride) == (3, 1)
    assert SHARED.chosen().view == View(weight=0.25, channel=4)
    streamlit.query_params["kernel"] = "7"
    assert SHARED.chosen().settings.kernel_size == 3


def test_a_smaller_kernel_takes_the_padding_with_it(
    session: Callable[..., dict[str, object]],
) -> None:
    session(kernel="5", padding="2")
    SHARED.choose(kernel_size=3)
    assert SHARED.chosen().settings.padding == 1
    SHARED.choose(kernel_size=1)
    assert SHARED.chosen().settings.padding == 0


def test_a_new_start_takes_the_dial_with_it_and_nothing_else_does(
    session: Callable[..., dict[str, object]],
) -> None:
    session(weight="0.9", channel="3")
    SHARED.choose(kernel_size=4)
    assert SHARED.chosen().view.weight == 0.9
    SHARED.choose(blend_weight=0.2)
    assert SHARED.chosen().view == View(weight=None, channel=2)


def test_an_upload_is_looked_at_afresh(session: Callable[..., dict[str, object]]) -> None:
    session(channel="3", cell="2-2", weight="0.7", range="all")
    picture = Upload(b"data", "digest", "mine.png")
    accept_upload(picture)
    assert upload() is picture
    assert SHARED.chosen().settings.picture == "upload"
    assert SHARED.chosen().view == View(weight=0.7, scope="all")


def test_the_address_bar_follows_the_session(session: Callable[..., dict[str, object]]) -> None:
    session(kernel="3")
    SHARED.choose(stride=4)
    SHARED.choose(weight=0.35, channel=7)
    mirror_in_link(SHARED.query())
    written = streamlit.query_params.to_dict()
    assert SHARED.read(written).settings == SHARED.chosen().settings
    assert SHARED.read(written).view == SHARED.chosen().view
    assert written["lang"] == "en"


def test_a_link_made_with_somebodys_own_picture_is_noticed(
    session: Callable[..., dict[str, object]],
) -> None:
    values = session(picture="upload")
    begin(streamlit.query_params.to_dict())
    assert SHARED.chosen().settings.picture == DEFAULT.picture
    assert values["link_had_upload"] is True
