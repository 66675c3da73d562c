"""Every word a person can see is marked, extracted and translated."""

from __future__ import annotations

import ast
import re
import string
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

from hybridpool.ui import words

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [ROOT / "app.py", *(ROOT / "pages").glob("*.py"), *(ROOT / "hybridpool").rglob("*.py")]
CATALOGUES = sorted((ROOT / "assets" / "locale").glob("*.po"))

#: Call -> positions of the arguments that a person reads.
KEYWORDS = {
    "_": (1,),
    "ngettext": (1, 2),
    "ImageError": (1,),
    "StemUnavailable": (1,),
    "ResultsError": (1,),
    "NetworkFileError": (1,),
    "UnfitNetworkError": (1,),
    "stem_title": (1,),
    "channel_name": (1,),
    "ChannelName": (1,),
    "StemInfo": (2, 3),
    "Picture": (2, 3),
}
#: Attributes whose words were marked where they were written, and are translated where shown.
DEFERRED = {"title", "words", "template", "data", "licence"}


def calls(tree: ast.AST) -> Iterator[tuple[ast.Call, list[ast.expr]]]:
    """Calls that mark words, with the arguments that hold them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            positions = KEYWORDS.get(node.func.id, ())
            if positions:
                yield node, [node.args[at - 1] for at in positions if at <= len(node.args)]


def literal(node: ast.expr) -> str | None:
    """The text of a plain string."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def marked(source: str) -> set[str]:
    """Every message that is marked in a source text."""
    found = (literal(word) for _, held in calls(ast.parse(source)) for word in held)
    return {message for message in found if message is not None}


MESSAGES = sorted(set().union(*(marked(path.read_text("utf-8")) for path in SOURCES)))


def catalogue(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=path.stem)


def pairs(path: Path) -> Iterator[tuple[str, str]]:
    """Each message of a catalogue with its translation; a plural form is a message of its own."""
    for entry in catalogue(path):
        if entry.id:
            forms = [entry.id] if isinstance(entry.id, str) else list(entry.id)
            said = [entry.string] if isinstance(entry.string, str) else list(entry.string)
            for place, form in enumerate(forms):
                yield form, str(said[min(place, len(said) - 1)])


def fields(template: str) -> list[tuple[str, str, str]]:
    """Placeholders of a template with their formats, in no particular order."""
    parsed = string.Formatter().parse(template)
    return sorted(
        (name, form or "", how or "") for _, name, form, how in parsed if name is not None
    )


# ---- the catalogues ---------------------------------------------------------------------------


def test_there_are_messages_and_a_catalogue_for_every_language() -> None:
    assert len(MESSAGES) > 150
    assert {path.stem for path in CATALOGUES} == set(words.LANGUAGES) - {"en"}


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_every_message_is_translated_and_nothing_else(path: Path) -> None:
    entries = dict(pairs(path))
    assert sorted(set(MESSAGES) - entries.keys()) == [], "not in the catalogue"
    assert sorted(entries.keys() - set(MESSAGES)) == [], "no longer in the tree"
    assert list(catalogue(path).obsolete) == []
    assert [message for message, said in entries.items() if not said.strip()] == []
    assert [entry.id for entry in catalogue(path) if entry.id and entry.fuzzy] == []


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_placeholders_survive_translation(path: Path) -> None:
    for message, said in pairs(path):
        assert fields(said) == fields(message), message


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_markdown_survives_translation(path: Path) -> None:
    for message, said in pairs(path):
        for mark in ("**", "*", "`", "["):
            assert said.count(mark) == message.count(mark), message
        assert broken_emphasis(said) == [], message


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_catalogues_can_be_compared_line_by_line(path: Path) -> None:
    text = path.read_text("utf-8")
    ids = [entry.id if isinstance(entry.id, str) else entry.id[0] for entry in catalogue(path)][1:]
    assert ids == sorted(ids)
    assert not re.search(r"^#:.*:\d", text, re.MULTILINE), "line numbers change with every edit"
    assert str(ROOT) not in text


def test_a_sentence_comes_whole_in_chinese() -> None:
    for message, text in pairs(ROOT / "assets" / "locale" / "zh.po"):
        if re.search(r"[.!?]$", message):
            assert re.search(r"[。！？.!?]$", text), f"{message!r} is cut to {text!r}"


def test_chinese_is_set_as_chinese() -> None:
    wide = r"，。：；！？（）、“”"
    for _message, text in pairs(ROOT / "assets" / "locale" / "zh.po"):
        # Placeholders stand for numbers or Latin names, and these also for Chinese words.
        plain = re.sub(r"\{(name|arm|left|right|still|what|complex|clauses)\}", "甲", text)
        plain = re.sub(r"\{\w*[^}]*\}", "8", plain).replace("*", "")
        assert not re.search(r"[㐀-鿿][,.:;!?()\"]|[,:;!?(\"][㐀-鿿]", plain), text
        assert not re.search(rf" [{wide}]|[{wide}] ", plain), text
        assert not re.search(r"[㐀-鿿][A-Za-z0-9]|[A-Za-z0-9%][㐀-鿿]", plain), text


def broken_emphasis(text: str) -> list[str]:
    """The ``*`` and ``**`` that CommonMark would show as asterisks.

    A run opens emphasis only if what follows hugs it, and closes only if what precedes does: next
    to punctuation it needs punctuation or a space on its other side too.
    """

    def loose(character: str) -> bool:
        return character.isspace()

    def punctuation(character: str) -> bool:
        return unicodedata.category(character)[0] in "PS"

    broken, open_runs = [], []
    for run in re.finditer(r"\*+", text):
        before = text[run.start() - 1] if run.start() else " "
        after = text[run.end()] if run.end() < len(text) else " "
        opens = not loose(after) and (
            not punctuation(after) or loose(before) or punctuation(before)
        )
        closes = not loose(before) and (
            not punctuation(before) or loose(after) or punctuation(after)
        )
        if open_runs and open_runs[-1] == run[0] and closes:
            open_runs.pop()
        elif opens:
            open_runs.append(run[0])
        else:
            broken.append(text[max(run.start() - 8, 0) : run.end() + 8])
    return broken + open_runs


@pytest.mark.parametrize("text", ["**混合**池化", "权重 *s* 可学习", "（**一个**）", "**甲：** 乙"])
def test_emphasis_that_renders(text: str) -> None:
    assert broken_emphasis(text) == []


@pytest.mark.parametrize("text", ["**甲：**乙", "甲**（乙）**丙", "** 甲**", "**甲"])
def test_emphasis_that_does_not_render(text: str) -> None:
    assert broken_emphasis(text)


# ---- the marks in the code --------------------------------------------------------------------


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_words_are_marked_as_whole_sentences(path: Path) -> None:
    assert bad_marks(path.read_text("utf-8")) == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_words_wait_for_the_person_who_reads_them(path: Path) -> None:
    if "ui" in path.parts:
        assert translated_at_import(path.read_text("utf-8")) == []


def bad_marks(source: str) -> list[str]:
    """Marked calls whose words cannot be looked up in a catalogue."""
    bad = []
    for call, held in calls(ast.parse(source)):
        keyword = call.func.id  # type: ignore[attr-defined]
        one_argument = len(call.args) == 1 and not call.keywords
        fits = len(held) == len(KEYWORDS[keyword]) and (keyword != "_" or one_argument)
        fits &= keyword != "ngettext" or len(call.args) == 3
        if not fits or not all(_is_words(word, keyword) for word in held):
            bad.append(f"line {call.lineno}: {ast.unparse(call)}")
    return bad


def _is_words(node: ast.expr, keyword: str) -> bool:
    if keyword == "_" and isinstance(node, ast.Attribute):
        return node.attr in DEFERRED
    if keyword == "ChannelName" and isinstance(node, ast.Name):
        return True  # marked by channel_name() where it was written
    if keyword == "StemInfo" and ast.unparse(node) in ("title", "metadata['title']"):
        return True  # written by the person who trained it
    return bool((literal(node) or "").strip())


def translated_at_import(source: str) -> list[str]:
    """Calls of ``_`` that run before anybody's language is known, or that no longer translate."""
    tree, bad = ast.parse(source), []
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.Lambda)]
    inside = set()
    for function in functions:
        body = function.body if isinstance(function.body, list) else [function.body]
        nodes = [node for part in body for node in ast.walk(part)]
        inside.update(map(id, nodes))
        names = [n for n in nodes if isinstance(n, ast.Name) and n.id == "_"]
        if {type(n.ctx) for n in names} == {ast.Load, ast.Store}:
            bad.append(f"line {function.lineno}: assigns to _ and calls it")
    for call, _held in calls(tree):
        if call.func.id in ("_", "ngettext") and id(call) not in inside:  # type: ignore[attr-defined]
            bad.append(f"line {call.lineno}: {ast.unparse(call)}")
    return bad


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_shown_unmarked(path: Path) -> None:
    assert unmarked(path.read_text("utf-8")) == []


#: Arguments of Streamlit's functions that a person reads, besides the first one of each.
SHOWN = {"label", "body", "help", "placeholder", "alt", "caption", "text", "page_title"}
WIDGET = re.compile(r"st\.(?!session_state|query_params|components|html|page_link|switch_page)")


def unmarked(source: str) -> list[str]:
    """Words written straight into a Streamlit call."""
    bad = []
    for call in ast.walk(ast.parse(source)):
        if isinstance(call, ast.Call) and WIDGET.match(ast.unparse(call.func)):
            shown = [*call.args[:1], *(k.value for k in call.keywords if k.arg in SHOWN)]
            found = filter(None, map(_own_words, shown))
            bad += [f"line {call.lineno}: {text}" for text in found]
    return bad


def _own_words(node: ast.AST) -> str | None:
    """The first text with letters in an expression, outside the calls in it."""
    if isinstance(node, ast.Call):
        return None
    if isinstance(node, ast.FormattedValue):
        return _own_words(node.value)
    if isinstance(node, ast.Constant):
        text = str(node.value) if isinstance(node.value, str) else ""
        return text if any(map(str.isalpha, re.sub(r"&\w+;", "", text))) else None
    return next(filter(None, map(_own_words, ast.iter_child_nodes(node))), None)


@pytest.mark.parametrize(
    "source",
    [
        'st.caption("Done")',
        'st.error(f"No {name}")',
        'st.sidebar.markdown("**" + name + "** is here")',
        'st.toggle(_("Camera"), help="Click")',
        'st.info("yes" if ok else _("No"))',
    ],
)
def test_an_unmarked_word_is_found(source: str) -> None:
    assert unmarked(source)


@pytest.mark.parametrize(
    "source",
    [
        '_("a")',
        "st.markdown(f\"### {_('Title')}\")",
        'st.markdown("**" + _("a") + f":** {name:>9s}")',
    ],
)
def test_marked_words_pass(source: str) -> None:
    assert unmarked(source) == []


BADLY_MARKED = """
_(f"{name} is here")
_("a" + "b")
_("{x}".format(x=1))
_(message)
_(problem.args)
_("")
_("a", "b")
ngettext("{count} cell", "{count} cells")
ngettext("one", many, count)
ImageError(f"{size} MB")
StemUnavailable("no " + key)
StemInfo("key", "Title")
Picture("key", title, "Words")
"""


@pytest.mark.parametrize("source", BADLY_MARKED.strip().splitlines())
def test_a_bad_mark_is_found(source: str) -> None:
    assert bad_marks(source)


@pytest.mark.parametrize(
    "source", ['TITLE = _("Title")', 'def f(x=_("x")): ...', 'def f():\n    a, _ = b\n    _("x")']
)
def test_a_word_translated_too_early_is_found(source: str) -> None:
    assert translated_at_import(source)


def test_babel_extracts_what_is_marked_and_nothing_else() -> None:
    # Babel takes two positions for singular and plural, so each position is a pass of its own.
    found = set()
    for path in SOURCES:
        for at in (1, 2, 3):
            keywords = {name: (at,) for name, positions in KEYWORDS.items() if at in positions}
            found |= {entry[1] for entry in extract_from_file("python", path, keywords=keywords)}
    assert sorted(found ^ set(MESSAGES)) == []
