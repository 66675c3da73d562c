"""The script that a person takes home from the page "By hand"."""

from __future__ import annotations

from hybridpool.ui.by_hand.state import Task, View, cell_text

_TEMPLATE = '''\
"""Pooling by hand, as shown in the Hybrid Pooling Explorer."""

import torch

from hybridpool import hybrid_pool2d

grid = torch.tensor(
    [
{lines}
    ],
    dtype=torch.float64,
    requires_grad=True,
)
window = {{
    "kernel_size": ({height}, {width}),
    "stride": {stride},
    "padding": {padding},
    "ceil_mode": {ceil_mode},
    "count_include_pad": {count_include_pad},
}}


def pool(blend_weight):
    return hybrid_pool2d(grid[None], blend_weight, **window)[0]


print("max", pool(1.0).tolist())
print("average", pool(0.0).tolist())
hybrid = pool({weight:g})
print("hybrid", hybrid.tolist())
{back}.backward()
print("gradient", grid.grad.tolist())
'''


def by_hand_script(task: Task, seen: View) -> str:
    """A script that prints the pooled values on the page and the gradient through hybrid pooling.

    Args:
        task: The numbers and the window.
        seen: The dial, and the output cell whose gradient is taken.
    """
    options = task.options
    down, across = task.window.axes(task.rows, task.columns)
    row, column = min(seen.row, down.count - 1), min(seen.column, across.count - 1)
    return _TEMPLATE.format(
        lines="\n".join(
            f"        [{', '.join(map(cell_text, line))}]," for line in task.grid().tolist()
        ),
        height=options.height,
        width=options.width,
        stride=options.stride,
        padding=options.padding,
        ceil_mode=options.ceil_mode,
        count_include_pad=options.count_include_pad,
        weight=seen.weight,
        back="hybrid.sum()" if seen.back == "sum" else f"hybrid[{row}, {column}]",
    )
