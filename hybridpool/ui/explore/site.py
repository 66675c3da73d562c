"""Explore as a folder of files that any web server or a USB stick can hand out."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from hybridpool.pictures.gallery import GALLERY, Picture, gallery_image
from hybridpool.pictures.image import fit_image
from hybridpool.stem import STEMS, StemInfo, default_stem, load_stem, trained_stems
from hybridpool.trace import IMAGE_SIZES, run_poolings, run_stem
from hybridpool.ui.browser.alone import ALONE, deflated, document
from hybridpool.ui.browser.inspector import SCRIPTS, Inspected, resolved_view, without_server
from hybridpool.ui.browser.packing import FULL, pack_message
from hybridpool.ui.browser.words import alone_words, inspector_words, view_words
from hybridpool.ui.compute import thumbnails
from hybridpool.ui.phrases import provenance
from hybridpool.ui.settings import DEFAULT, View
from hybridpool.ui.words import LANGUAGES, _, fill, speaking

_BODY = """\
<header><div class="languages"></div><h1 data-site="explore"></h1>
<p class="small" data-site="introduction"></p></header>
<p class="problem" role="alert" hidden></p>
<div class="explorer">
<section class="choices">
<div class="gallery"></div>
<p class="small provenance"></p>
<label><span data-site="own_file"></span><input type="file" id="own" accept="image/*"></label>
<label><span data-site="size"></span><select id="size"></select></label>
<label><span data-site="stem"></span><select id="stem"></select></label>
<p class="small stem-words"></p>
</section>
<main>COMPONENT</main>
</div>"""
_T = TypeVar("_T")


def build_site(folder: Path, sizes: tuple[int, ...] = IMAGE_SIZES) -> None:
    """Write the site into a folder, in the place of what it held before.

    Args:
        folder: Where; its former files are removed if a site made them.
        sizes: The longer sides of the pictures.

    Raises:
        ValueError: If the folder holds something that is no site.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / "stems").is_dir():
        raise ValueError(f"{folder} holds files that no site made: name another folder.")
    shutil.rmtree(folder, ignore_errors=True)
    for part in ("pictures", "stems"):
        (folder / part).mkdir(parents=True)
    # ResNet-18 comes from a download, and its licence is another one.
    stems = {key: info for key, info in (trained_stems() | STEMS).items() if key != "resnet18"}
    for key in stems:
        _write(folder, f"stems/{key}", _stem(key))
    for picture in GALLERY.values():
        for size in sizes:
            _write(folder, f"pictures/{picture.key}-{size}", _picture(picture, size))
    catalogue = json.dumps(_catalogue(stems, sizes), ensure_ascii=False).replace("</", "<\\/")
    text = document(
        language="en",
        title="Hybrid Pooling Explorer",
        body=f'{_BODY}\n<script type="application/json" id="site">{catalogue}</script>',
        folder="inspector",
        scripts=(*SCRIPTS, *ALONE, "site/explorer.js"),
        files=True,
    )
    (folder / "index.html").write_text(text, "utf-8")


def _write(folder: Path, name: str, message: bytes) -> None:
    text = f"hybridpool({json.dumps(name)}, {json.dumps(deflated(message))});\n"
    (folder / f"{name}.js").write_text(text, "utf-8")


def _picture(picture: Picture, size: int) -> bytes:
    """A picture in 16 bits, as it stands before the stem."""
    card = picture.kind == "card"
    image = fit_image(gallery_image(picture.key, **({"card_side": size} if card else {})), size)
    values = (image * FULL).round().to(torch.int32).numpy().astype(np.uint16)
    return pack_message({"size": list(image.shape[1:])}, {"picture": values})


def _stem(key: str) -> bytes:
    """The weights of a stem and of its attention layer, and the names of its channels."""
    chosen = replace(DEFAULT, stem=key)
    stem = load_stem(key, seed=chosen.seed, channels=chosen.channels)
    image = fit_image(gallery_image(chosen.picture), min(IMAGE_SIZES))
    trace = run_poolings(run_stem(image, stem, torch.device("cpu")), chosen)
    shown = Inspected(trace, resolved_view(trace, View()), "", {}, stem)
    header, arrays = without_server(shown)
    names = _in_all_languages(lambda: [fill(name) for name in stem.channel_names])
    kept = ("stem", "colours", "start", "device")
    del arrays["picture"]
    return pack_message({name: header[name] for name in kept} | {"names": names}, arrays)


def _catalogue(stems: dict[str, StemInfo], sizes: tuple[int, ...]) -> dict[str, Any]:
    """Everything that the page knows at once: what there is to choose, and all words."""
    small = thumbnails()
    return {
        "languages": LANGUAGES,
        "sizes": {size: f"{size} px" for size in sizes},
        "start": {
            "picture": DEFAULT.picture,
            "size": DEFAULT.image_size if DEFAULT.image_size in sizes else sizes[0],
            "stem": default_stem(),
            "view": asdict(View()),
        },
        "words": _in_all_languages(_words),
        "pictures": [_described(picture, small[picture.key]) for picture in GALLERY.values()],
        "stems": [_described_stem(info) for info in stems.values()],
    }


def _described(picture: Picture, thumbnail: str) -> dict[str, Any]:
    return {
        "key": picture.key,
        "thumbnail": thumbnail,
        "titles": _in_all_languages(lambda: _(picture.title)),
        "about": _in_all_languages(lambda: f"{_(picture.title)}: {_(picture.words)}"),
        "provenance": _in_all_languages(lambda: provenance(picture)),
    }


def _described_stem(info: StemInfo) -> dict[str, Any]:
    return {
        "key": info.key,
        "titles": _in_all_languages(lambda: _(info.title)),
        "words": _in_all_languages(lambda: _(info.words)),
        "learned": "hybrid" in info.learned,
    }


def _words() -> dict[str, str]:
    return {
        **inspector_words(learned=False),
        **alone_words(),
        "restart_learned": view_words(learned=True)["restart"],
        "product": _("Hybrid Pooling Explorer"),
        "explore": _("Explore"),
        "introduction": _(
            "Hybrid pooling blends max and average. Turn the dial, change the window and point at "
            "a map; your browser computes everything, and nothing leaves it."
        ),
        "own_file": _("Your own picture"),
        "own": _("A picture of one's own"),
        "own_stays": _("Your picture stays in this browser."),
        "size": _("Size before the stem (longer side)"),
        "stem": _("Weights of the convolution"),
        "no_picture": _("Your browser cannot read {name} as a picture."),
        "no_file": _("A file of this site is missing or cannot be read: {name}"),
    }


def _in_all_languages(make: Callable[[], _T]) -> dict[str, _T]:
    found = {}
    for code in LANGUAGES:
        with speaking(code):
            found[code] = make()
    return found
