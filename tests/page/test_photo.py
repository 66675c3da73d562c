"""A frame of the live camera that was frozen is taken as an upload is."""

from base64 import b64encode

import pytest

from tests.page.test_explore import BROKEN, Session, assert_shows_upload, picture_file


def frozen(session: Session, data: object, told: object = None) -> Session:
    """What the inspector sends once when a frame is frozen."""
    photo = {"data": data, "told": next(session.told) if told is None else told}
    return session._trigger("inspector", "photo", photo)


def text(data: bytes) -> str:
    return b64encode(data).decode()


def test_a_frozen_frame_is_shown_and_named_as_one_s_own() -> None:
    session = Session(size="64")
    data = picture_file(1)
    frozen(session, text(data))
    assert_shows_upload(session, data, image_size=64)
    assert session.link["picture"] == "upload"
    assert "camera.png" in session.texts()


def test_a_frozen_frame_that_is_no_picture_is_refused_as_a_file_is() -> None:
    session = Session(size="64")
    before = session.bytes
    frozen(session, text(BROKEN["text"]))
    assert len(session.app.error) == 1
    assert session.bytes == before


@pytest.mark.parametrize("odd", ["%%%", "", None, 7, ["a"], {"data": ""}])
def test_what_is_no_frame_at_all_changes_nothing(odd: object) -> None:
    session = Session(size="64")
    before = session.bytes
    frozen(session, odd)
    assert session.bytes == before
    assert not session.app.error
