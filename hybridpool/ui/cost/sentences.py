"""Sentences about the costs, composed from the numbers."""

from __future__ import annotations

from hybridpool.cost import NetworkCost, NetworkCosts, PoolingCosts, longer_step
from hybridpool.ui.cost import words as cost_words
from hybridpool.ui.cost.words import data_size
from hybridpool.ui.phrases import joined, paragraph, percent, significant
from hybridpool.ui.words import _

#: Below the first share of a step a price is called small, from the second on it is not.
SMALL, LARGE = 0.02, 0.05
#: From how many copies on a max pooling in NCHW is called slow.
_SLOW = 5


def times(costs: PoolingCosts) -> str:
    """How long hybrid pooling takes, against max alone, a plain copy and the others."""
    said = [
        _against_max(costs),
        _others(costs),
        _slow_layout(costs),
        _compiled(costs),
        _memory(costs),
        stopped(costs),
    ]
    return paragraph(said)


def networks(costs: NetworkCosts) -> str:
    """The share of the poolings in a step of each network, and whether to stay with max there."""
    said = [_network(costs, name) for name in cost_words.network_names()]
    return "\n\n".join(filter(None, [*said, stopped(costs)]))


def stopped(costs: PoolingCosts | NetworkCosts) -> str:
    """After how many rounds the measurement was stopped; nothing where it is whole."""
    if costs.turns >= costs.settings.turns:
        return ""
    return _(
        "Stopped after {count} of {total} rounds: too few to say how far they differ by chance."
    ).format(count=costs.turns, total=costs.settings.turns)


def _against_max(costs: PoolingCosts) -> str:
    hybrid, maximum, copy = (costs.cost(name).whole for name in ("hybrid", "max", "copy"))
    ratio = hybrid.over(maximum)
    if stopped(costs):
        return _(
            "**Hybrid** takes **{ratio} ×** the time of max alone here, and {copies} × that of a "
            "plain copy."
        ).format(ratio=significant(ratio.median), copies=significant(hybrid.over(copy).median))
    low, high = ratio.quartiles
    said = _(
        "**Hybrid** takes **{ratio} ×** the time of max alone here (quartiles {low} to {high}), "
        "and {copies} × that of a plain copy."
    ).format(
        ratio=significant(ratio.median),
        low=significant(low),
        high=significant(high),
        copies=significant(hybrid.over(copy).median),
    )
    if low <= 1 <= high:
        tie = _("The quartiles enclose 1, so the two can hardly be told apart.")
        return paragraph([said, tie])
    return said


def _others(costs: PoolingCosts) -> str:
    maximum, names = costs.cost("max").whole, cost_words.names()
    parts = [
        f"{names[name]} {significant(costs.cost(name).whole.over(maximum).median)}"
        for name in ("average", "article", "hybrid_channel", "attention", "blur")
    ]
    return _("The others, in multiples of max alone: {list}.").format(list=joined(parts))


def _slow_layout(costs: PoolingCosts) -> str:
    if costs.settings.memory_format != "contiguous" or costs.settings.device != "cpu":
        return ""
    copies = costs.cost("max").whole.over(costs.cost("copy").whole).median
    if copies < _SLOW:
        return ""
    return _(
        "Max alone takes {copies} × a plain copy: in NCHW PyTorch's own poolings are slow on a "
        "CPU, and hybrid pooling rearranges large maps first. Compare with channels_last."
    ).format(copies=significant(copies))


def _compiled(costs: PoolingCosts) -> str:
    if not costs.settings.compiled:
        return ""
    eager = costs.cost("hybrid").whole
    hybrid, maximum = (costs.cost(name, compiled=True).whole for name in ("hybrid", "max"))
    return _(
        "**Compiled**, hybrid takes {eager} × its eager time, and {ratio} × max alone compiled."
    ).format(
        eager=significant(hybrid.over(eager).median), ratio=significant(hybrid.over(maximum).median)
    )


def _memory(costs: PoolingCosts) -> str:
    hybrid, maximum = costs.cost("hybrid").kept, costs.cost("max").kept
    if hybrid is None or maximum is None:
        return ""
    said = _(
        "Until the backward pass, hybrid keeps {hybrid} besides the input, and max alone keeps "
        "{max}."
    ).format(hybrid=data_size(hybrid.bytes), max=data_size(maximum.bytes))
    if maximum.keeps_input and not hybrid.keeps_input:
        return paragraph([said, _("Max needs the input itself too; hybrid does not.")])
    return said


def _network(costs: NetworkCosts, network: str) -> str:
    maximum, hybrid, attention = (
        costs.cost(network, pooling) for pooling in ("max", "hybrid", "attention")
    )
    said = [
        _(
            "In the **{network}** the pooling layers take {max} of a step with max, **{hybrid}** "
            "with hybrid and {attention} with attention."
        ).format(
            network=cost_words.network_names()[network],
            max=percent(maximum.typical[2], most=4),
            hybrid=percent(hybrid.typical[2], most=4),
            attention=percent(attention.typical[2], most=4),
        ),
    ]
    if stopped(costs):
        return paragraph(said)
    said.append(_price(maximum, hybrid))
    low, high = hybrid.step.over(maximum.step).quartiles
    if low <= 1 <= high:
        said.append(_("In the times of whole steps, the spread hides the difference."))
    return paragraph(said)


def _price(maximum: NetworkCost, hybrid: NetworkCost) -> str:
    """How much longer hybrid pooling makes a step than max, and the advice if there is any."""
    of_max, of_hybrid = maximum.shares, hybrid.shares
    if of_hybrid.overlaps(of_max):
        return _(
            "The middle halves of the rounds overlap, so the two cannot be told apart here, and "
            "the page gives no advice."
        )
    price = longer_step(hybrid.typical[2], maximum.typical[2])
    if price <= 0:
        return _("Hybrid costs no more than max here.")
    low = longer_step(of_hybrid.quartiles[0], of_max.quartiles[1])
    high = longer_step(of_hybrid.quartiles[1], of_max.quartiles[0])
    if high < SMALL:
        words = _("A step takes {price} longer with hybrid than with max: little.")
    elif low < LARGE:
        words = _(
            "A step takes {price} longer with hybrid than with max: weigh it against what it gains."
        )
    else:
        words = _(
            "A step takes {price} longer with hybrid than with max: **stay with plain pooling "
            "here**, unless accuracy pays for it."
        )
    return words.format(price=percent(price, most=4))
