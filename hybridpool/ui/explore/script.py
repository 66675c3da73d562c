"""The script that a person takes home: the same numbers, from the library alone."""

from __future__ import annotations

from hybridpool.pictures.gallery import GALLERY
from hybridpool.trace import Trace
from hybridpool.ui.settings import ResolvedView

_TEMPLATE = '''\
"""Hybrid pooling of one picture, as shown in the Hybrid Pooling Explorer.

Run it in the project's folder with the project's environment.
"""

{import_path}import torch

{import_hybrid}from hybridpool.pictures import fit_image, {reader}
from hybridpool.stem import load_stem
from hybridpool.trace import Settings, run_poolings, run_stem

settings = Settings(
    image_size={image_size},
    stem={stem!r},
    channels={channels},
    seed={seed},
    kernel_size={kernel_size},
    stride={stride},
    padding={padding},
    ceil_mode={ceil_mode},
    count_include_pad={count_include_pad},
    blend_weight={weight},
)
image = {picture}
stem = load_stem(settings.stem, seed=settings.seed, channels=settings.channels)
features = run_stem(fit_image(image, settings.image_size), stem, torch.device("cpu"))
trace = run_poolings(features, settings)
{dial}
channel = {channel}
print("channel:", features.channel_names[channel])
for name, pooled in maps.items():
    values = pooled[channel]
    print(f"{{name:10}} {{values.min():.3f}} to {{values.max():.3f}}, mean {{values.mean():.3f}}")
print(f"attention value of the channel: {{trace.attention[channel]:.3f}}")
'''


_IMPORT_HYBRID = "from hybridpool import hybrid_pool2d\n"
_TURNED = """\
hybrid = hybrid_pool2d(trace.feature_map, {weight}, **settings.window)  # where the dial stands
maps = dict(trace.pooled, hybrid=hybrid)
"""


def reproduction_script(trace: Trace, seen: ResolvedView, file: str | None = None) -> str:
    """A script of a few lines that prints the numbers on the page.

    Args:
        trace: What was computed.
        seen: The dial and the channel.
        file: The name of the person's own picture file, if it is one.
    """
    settings = trace.settings
    card = file is None and GALLERY[settings.picture].kind == "card"
    card_side = f", card_side={settings.image_size}" if card else ""
    return _TEMPLATE.format(
        import_path="from pathlib import Path\n\n" if file else "",
        reader="read_image" if file else "gallery_image",
        picture=(
            f"read_image(Path({file!r}).read_bytes())"
            if file
            else f"gallery_image({settings.picture!r}{card_side})"
        ),
        image_size=settings.image_size,
        stem=settings.stem,
        channels=settings.channels,
        seed=settings.seed,
        kernel_size=settings.kernel_size,
        stride=settings.stride,
        padding=settings.padding,
        ceil_mode=settings.ceil_mode,
        count_include_pad=settings.count_include_pad,
        weight=settings.blend_weight,
        dial=_TURNED.format(weight=seen.weight) if seen.turned else "maps = trace.pooled\n",
        import_hybrid=_IMPORT_HYBRID if seen.turned else "",
        channel=seen.channel,
    )
