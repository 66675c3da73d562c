"""The person's own picture on the page: a queue that says so, what is cropped, what is refused."""

import io
import threading
from contextlib import ExitStack

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from hybridpool.ui import compute
from tests.page.test_explore import Session, picture_file


def wide_file(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).save(file, "PNG")
    return file.getvalue()


def cropped(session: Session) -> list[str]:
    words = ("twice as long as wide", "两倍")
    found = [note.value for note in session.app.sidebar.caption]
    return [note for note in found if any(word in note for word in words)]


@pytest.mark.parametrize(("size", "share"), [((600, 40), "13 %"), ((40, 600), "13 %")])
def test_a_picture_that_is_cropped_says_how_much_of_it_is_used(
    size: tuple[int, int], share: str
) -> None:
    session = Session(size="64").upload(wide_file(*size))
    (note,) = cropped(session)
    assert share in note
    session.pick("coffee")
    assert not cropped(session)
    session.upload(wide_file(80, 40))
    assert not cropped(session)


def test_pictures_of_the_gallery_say_it_too() -> None:
    (note,) = cropped(Session(size="64", picture="text", lang="zh"))
    assert "77 %" in note
    assert not cropped(Session(size="64", picture="coins"))


@pytest.mark.parametrize(
    ("before", "language", "sentence"),
    [
        (2, "en", "1 picture of somebody else is read first, then yours."),
        (3, "en", "2 pictures of other people are read first, then yours."),
        (3, "zh", "前面还有 2 张别人的图片要读取，然后才轮到您的图片。"),
    ],
)
def test_a_picture_that_waits_for_others_says_so_and_is_shown_in_the_end(
    before: int, language: str, sentence: str
) -> None:
    session = Session(size="64", lang=language)
    compute._kept_picture.clear()
    turns, ready, leave = compute._decoding(), threading.Semaphore(0), threading.Event()

    def somebody() -> None:
        with turns.turn(lambda _: ready.release()):
            ready.release()
            leave.wait(60)

    with ExitStack() as stack:
        for _ in range(before):
            thread = threading.Thread(target=somebody)
            thread.start()
            stack.callback(thread.join)
            ready.acquire(timeout=20)
        stack.callback(leave.set)
        threading.Timer(2, leave.set).start()
        session.upload(picture_file(7))
    assert [note.value for note in session.app.toast][:1] == [sentence]
    assert session.link["picture"] == "upload"
    assert not session.app.error


def test_the_name_of_a_picture_is_never_markup() -> None:
    session = Session(size="64").upload(picture_file(7), "![x](y) *z*.png")
    session.pick("coffee")
    back = session.app.sidebar.button(key="back_to_upload")
    assert back.proto.help == "!\\[x\\](y) \\*z\\*.png"


def test_a_picture_that_is_refused_is_not_kept() -> None:
    session = Session(size="64").upload(picture_file(7)[:-200], "half.png")
    problem = session.app.session_state["upload_problem"]
    assert problem.__cause__ is problem.__context__ is problem.__traceback__ is None


@pytest.mark.parametrize("page", ["app.py", "pages/7_The_answer.py"])
def test_while_a_picture_is_replaced_the_page_stays_as_it_is(
    page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The browser deletes the old file first, and a run may come before the new one."""
    session = Session(size="64").upload(picture_file(7))
    session.app.switch_page(page)
    session.run()
    states = session.app._tree.get_widget_states()
    monkeypatch.setattr(AppTest, "_register_uploaded_files", lambda self, runner: None)
    for _ in range(2):
        session.app._run(states)
        assert session.checked().link["picture"] == "upload"
