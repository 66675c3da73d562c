"""What `torch.jit.trace` writes down of a layer holds for maps of every size."""

import pytest
import torch

from tests.draws import draw
from tests.library.test_every_layer import CHANNELS, every_layer

pytestmark = pytest.mark.filterwarnings("ignore")


@every_layer
@pytest.mark.parametrize("window", [(2, 2), (3, 2, 1)], ids=["tiles", "overlap"])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    ("example", "other"),
    [((1, CHANNELS, 8, 8), (3, CHANNELS, 11, 14)), ((CHANNELS, 8, 8), (CHANNELS, 11, 14))],
    ids=["batch", "one map"],
)
def test_a_trace_takes_maps_of_other_sizes(make, window, training, example, other):
    layer, image = make(*window).train(training), draw(*other)
    traced = torch.jit.trace(layer, draw(*example), check_trace=False)
    found = []
    for pool in (traced, layer):
        torch.manual_seed(1)  # for the layer that draws
        found.append(pool(image))
    torch.testing.assert_close(*found)
