"""Hybrid pooling: a learned blend of max and average pooling."""

from hybridpool.blocks import HybridResNetBlock, hybrid_resnet18, parameter_groups
from hybridpool.functional import hybrid_pool2d
from hybridpool.layers import POOLINGS, HybridPooling, HybridPoolingWithAttention
from hybridpool.surgery import replace_pooling

__all__ = [
    "POOLINGS",
    "HybridPooling",
    "HybridPoolingWithAttention",
    "HybridResNetBlock",
    "hybrid_pool2d",
    "hybrid_resnet18",
    "parameter_groups",
    "replace_pooling",
]
__version__ = "0.2.0"
