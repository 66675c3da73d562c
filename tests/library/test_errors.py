"""Errors that a person reads as one sentence."""

import copy
import pickle

import pytest

from hybridpool.errors import SentenceError
from hybridpool.pictures import ImageError
from hybridpool.stem import StemUnavailable
from hybridpool.training.network_files import NetworkFileError
from hybridpool.training.results import ResultsError


@pytest.mark.parametrize(
    ("kind", "base"),
    [
        (ImageError, ValueError),
        (StemUnavailable, RuntimeError),
        (ResultsError, ValueError),
        (NetworkFileError, ValueError),
    ],
)
def test_an_error_keeps_its_template_and_its_values_also_when_it_is_copied(
    kind: type[SentenceError], base: type[Exception]
) -> None:
    error = kind("{left} and {right}.", left="a {brace}", right="{left}")
    assert isinstance(error, base)
    for each in (error, copy.deepcopy(error), pickle.loads(pickle.dumps(error))):
        assert str(each) == "a {brace} and {left}."
        assert each.template == "{left} and {right}."
        assert each.values == {"left": "a {brace}", "right": "{left}"}
