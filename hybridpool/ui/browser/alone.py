"""A component in an HTML file of its own, which asks nobody for anything."""

from __future__ import annotations

import hashlib
import html
import re
import tomllib
import zlib
from base64 import b64encode
from collections.abc import Iterable, Mapping
from functools import cache

from hybridpool.ui.browser.component import ASSETS, texts

#: What the site and a saved page share.
ALONE = ("site/alone.js",)
_COLOURS = {
    "primaryColor": "primary-color",
    "backgroundColor": "background-color",
    "secondaryBackgroundColor": "secondary-background-color",
    "textColor": "text-color",
    "borderColor": "border-color",
}


def document(
    *,
    language: str,
    title: str,
    body: str,
    folder: str,
    scripts: Iterable[str],
    style: str = "",
    files: bool = False,
) -> str:
    """An HTML file around a component.

    Args:
        language: The language of its words.
        title: What the browser calls it.
        body: What stands in it besides; `COMPONENT` stands where the component belongs.
        folder: The component's folder below ``assets``.
        scripts: Its scripts below ``assets``, and last the one that begins.
        style: More style for the component itself.
        files: Whether scripts may also be loaded from beside the file.
    """
    markup, sheet, script = texts(folder, *scripts, style=style)
    # What Streamlit calls has nobody to call it here.
    script = re.sub(r"^export default .*$", "", script, flags=re.MULTILINE)
    script = f'(() => {{\n"use strict";\n{script}\n}})();'
    digest = b64encode(hashlib.sha256(script.encode()).digest()).decode()
    # A file that is opened from a disk has no origin, so that 'self' does not name its folder.
    beside = " 'self' file:" if files else ""
    policy = (
        f"default-src 'none'; script-src 'sha256-{digest}'{beside}; style-src 'unsafe-inline'; "
        "img-src data: blob:; media-src blob:; base-uri 'none'; form-action 'none'"
    )
    shadow = f'<template shadowrootmode="open"><style>{sheet}</style>{markup}</template>'
    inside = body.replace("COMPONENT", f'<div id="inspector">{shadow}</div>')
    page = (ASSETS / "site" / "site.css").read_text("utf-8")
    return (
        f'<!doctype html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{html.escape(title)}</title>\n<style>{theme()}\n{page}</style>\n</head>\n"
        f"<body>\n{inside}\n<script>{script}</script>\n</body>\n</html>\n"
    )


def deflated(data: bytes) -> str:
    """Bytes as text, packed small; ``inflated`` in ``assets/site/alone.js`` is the way back."""
    return b64encode(zlib.compress(data, 9)).decode()


@cache
def theme() -> str:
    """Streamlit's variables of colours and fonts, from the settings that it takes them from."""
    path = ASSETS.parent / ".streamlit" / "config.toml"
    found: Mapping[str, Mapping[str, str]] = tomllib.loads(path.read_text("utf-8"))["theme"]
    light, dark = found["light"], found["dark"]
    lines = [
        f"--st-{name}: light-dark({light[key]}, {dark[key]});" for key, name in _COLOURS.items()
    ]
    return ":root { " + " ".join([*lines, f"--st-font: {found['font']};"]) + " }"
