"""The convolutional stem: one convolution stage, and the sets of weights that it can carry."""

from hybridpool.stem.conv import ConvStem, StemInfo
from hybridpool.stem.files import StemUnavailable
from hybridpool.stem.filters import ChannelName, channel_name
from hybridpool.stem.sets import (
    STEM_FOLDER,
    STEMS,
    default_stem,
    load_stem,
    stem_info,
    stem_on_disk,
    trained_stems,
)

__all__ = [
    "STEMS",
    "STEM_FOLDER",
    "ChannelName",
    "ConvStem",
    "StemInfo",
    "StemUnavailable",
    "channel_name",
    "default_stem",
    "load_stem",
    "stem_info",
    "stem_on_disk",
    "trained_stems",
]
