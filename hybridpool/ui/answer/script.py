"""The script that a person takes home: the same probabilities, from the library alone."""

from __future__ import annotations

from hybridpool.answer import Change

_TEMPLATE = '''\
"""What networks answer to a picture and to the changed one, as in the Hybrid Pooling Explorer.

Run it in the project's folder with the project's environment.
"""

from pathlib import Path

from hybridpool.answer import (
    Change,
    answer,
    as_seen,
    dialled,
    network_files,
    read_fit_network,
    test_pictures,
)
from hybridpool.pictures import gallery_image, read_image
from hybridpool.sensitivity import Perturbation

change = {change!r}
weight = {weight!r}  # a number from 0 to 1 takes the place of every blend
{picture}
files = [*network_files(Path({folder!r})), *map(Path, {own!r})]
for file in files:
    network = dialled(read_fit_network(file), weight)
    found = answer(network, image, change.apply(image))
    for name, clean, changed in zip(network.info.classes, found.clean, found.changed):
        print(f"{{file.stem}} {{name:12}} {{clean:.6f}} {{changed:.6f}}")
'''


def reproduction_script(
    change: Change,
    weight: float | None,
    folder: str,
    *,
    picture: str = "",
    file: str = "",
    test: tuple[str, int] | None = None,
    own: tuple[str, ...] = (),
) -> str:
    """A script of a few lines that prints every probability on the page.

    Args:
        change: What is done to the picture.
        weight: Where the dial stands; None is each network's own.
        folder: Where the networks lie.
        picture: Key of a gallery picture.
        file: The name of the person's own picture file, if it is one.
        test: Folder of the copy of CIFAR-10 and place in its test set, if it is a test picture.
        own: The names of files of networks of the person's own.
    """
    if test:
        lines = (
            f"pictures, _, places = test_pictures(Path({test[0]!r}))\n"
            f"image = pictures[places.index({test[1]})]\n"
        )
    elif file:
        lines = f"image = as_seen(read_image(Path({file!r}).read_bytes()))\n"
    else:
        lines = f"image = as_seen(gallery_image({picture!r}))\n"
    return _TEMPLATE.format(change=change, weight=weight, picture=lines, folder=folder, own=[*own])
