"""What each pooling costs: counted, and measured on the machine at hand."""

from hybridpool.cost.counts import Counts, count_cost
from hybridpool.cost.networks import (
    IN_NETWORKS,
    NETWORKS,
    SIDES,
    NetworkCost,
    NetworkCosts,
    NetworkSettings,
    count_networks,
    measure_networks,
)
from hybridpool.cost.settings import (
    COMPILED,
    CONTESTANTS,
    DTYPES,
    MAX_BATCH,
    MAX_CHANNELS,
    MAX_SIDE,
    MEMORY_FORMATS,
    CostSettings,
    Machine,
    measured_devices,
    this_machine,
)
from hybridpool.cost.timing import (
    CannotCompileError,
    Kept,
    PoolingCost,
    PoolingCosts,
    Turns,
    measure_poolings,
)

__all__ = [
    "COMPILED",
    "CONTESTANTS",
    "DTYPES",
    "IN_NETWORKS",
    "MAX_BATCH",
    "MAX_CHANNELS",
    "MAX_SIDE",
    "MEMORY_FORMATS",
    "NETWORKS",
    "SIDES",
    "CannotCompileError",
    "CostSettings",
    "Counts",
    "Kept",
    "Machine",
    "NetworkCost",
    "NetworkCosts",
    "NetworkSettings",
    "PoolingCost",
    "PoolingCosts",
    "Turns",
    "count_cost",
    "count_networks",
    "measure_networks",
    "measure_poolings",
    "measured_devices",
    "this_machine",
]
