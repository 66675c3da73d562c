"""PyTorch's own samples for max and average pooling, against pooling by nested loops.

The samples are those that PyTorch tests ``max_pool2d`` and ``avg_pool2d`` with. Dilation and
indices are none of hybrid pooling's options, so samples with them are left out; a divisor is taken
out of the samples for ``avg_pool2d``, which all but one have.
"""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from hybridpool import hybrid_pool2d
from tests import oracle

BLEND_WEIGHT = 0.3
OPTIONS_OF_AVERAGE = (
    "kernel_size",
    "stride",
    "padding",
    "ceil_mode",
    "count_include_pad",
    "divisor_override",
)


@pytest.fixture(scope="module")
def operators() -> dict[str, Any]:
    """PyTorch's descriptions of its operators, by name; loading them takes seconds."""
    pytest.importorskip("expecttest", reason="PyTorch's samples need the package expecttest")
    flag = "__allow_nonbracketed_mutation_flag"
    allowed = getattr(torch.backends, flag)
    from torch.testing._internal.common_methods_invocations import op_db

    # PyTorch's test tools freeze the backend flags of the whole process.
    setattr(torch.backends, flag, allowed)
    return {op.name.removeprefix("nn.functional."): op for op in op_db}


def draw(make: Callable[..., Any], **options: object) -> list[Any]:
    """PyTorch draws its samples with the global generator: leave that as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return list(make("cpu", **options))


@pytest.fixture(scope="module")
def samples_of_max(operators: dict[str, Any]) -> list[tuple[Tensor, dict[str, Any]]]:
    found = []
    for sample in draw(
        operators["max_pool2d"].sample_inputs, dtype=torch.float64, requires_grad=False
    ):
        options = dict(sample.kwargs)
        if options.pop("dilation") == 1 and not options.pop("return_indices"):
            found.append((sample.input, options))
    return found


def check(input: Tensor, options: dict[str, Any]) -> None:
    expected = oracle.pool(input, oracle.blend(BLEND_WEIGHT), **options)
    pooled = hybrid_pool2d(input, BLEND_WEIGHT, **options)
    torch.testing.assert_close(pooled, expected, msg=lambda text: f"{options}: {text}")
    if input.dim() == 4:
        last = torch.channels_last
        assert not input.is_contiguous(memory_format=last) or pooled.is_contiguous(
            memory_format=last
        )


@pytest.mark.parametrize("count_include_pad", [False, True], ids=["inside", "with-padding"])
@pytest.mark.parametrize("ceil_mode", [False, True], ids=["floor", "ceil"])
@pytest.mark.parametrize("padding", [0, 1, (1, 1)], ids=["p0", "p1", "p1x1"])
@pytest.mark.parametrize("kernel_size", [3, (3, 2)], ids=["k3", "k3x2"])
def test_samples_of_max_pool2d(samples_of_max, kernel_size, padding, ceil_mode, count_include_pad):
    chunk = [
        (input, options)
        for input, options in samples_of_max
        if (options["kernel_size"], options["padding"], options["ceil_mode"])
        == (kernel_size, padding, ceil_mode)
    ]
    assert len(chunk) == 30
    for input, options in chunk:
        check(input, {**options, "count_include_pad": count_include_pad})


def test_the_chunks_leave_no_sample_of_max_pool2d_out(samples_of_max):
    assert len(samples_of_max) == 2 * 3 * 2 * 30


def test_the_loops_agree_with_pytorch_on_its_samples_of_max_pool2d(operators, samples_of_max):
    for input, options in samples_of_max[::7]:
        expected = operators["max_pool2d"].op(input, **options)
        assert torch.equal(oracle.pool(input, oracle.largest, **options), expected)


def numbers(value: Any) -> Any:
    """PyTorch's lists of one number as that number, an empty one as None."""
    if isinstance(value, tuple) and len(value) < 2:
        return value[0] if value else None
    return value


@pytest.mark.parametrize("count_include_pad", [False, True], ids=["inside", "with-padding"])
def test_samples_of_avg_pool2d(operators, count_include_pad):
    op = operators["avg_pool2d"]
    samples = draw(op.sample_inputs, dtype=torch.float64, requires_grad=False)
    assert len(samples) == 7
    for sample in samples:
        given = dict(zip(OPTIONS_OF_AVERAGE, sample.args, strict=False)) | sample.kwargs
        given.pop("divisor_override", None)
        options = {name: numbers(value) for name, value in given.items()}
        options["count_include_pad"] = count_include_pad
        check(sample.input, options)
        expected = op.op(sample.input, **options)
        torch.testing.assert_close(oracle.pool(sample.input, oracle.mean, **options), expected)


@pytest.mark.parametrize(("name", "least"), [("max_pool2d", 6), ("avg_pool2d", 5)])
def test_what_pytorch_refuses_is_refused_in_a_sentence(operators, name, least):
    errors = draw(operators[name].error_inputs)
    assert len(errors) >= least  # PyTorch adds some from time to time
    for error in errors:
        sample = error.sample_input
        options = dict(sample.kwargs)
        options.pop("return_indices", None)
        refusal = TypeError if "divisor_override" in options else ValueError
        with pytest.raises(refusal) as raised:
            hybrid_pool2d(sample.input, BLEND_WEIGHT, *sample.args, **options)
        if refusal is ValueError:
            assert str(raised.value).endswith("."), options


def test_indices_and_dilation_are_refused_not_swallowed():
    image = torch.zeros(1, 1, 4, 4)
    for option in ({"dilation": 2}, {"return_indices": True}, {"divisor_override": 3}):
        with pytest.raises(TypeError, match=next(iter(option))):
            hybrid_pool2d(image, BLEND_WEIGHT, 2, **option)
