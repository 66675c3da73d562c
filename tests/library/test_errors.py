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
    for each in (error, copy.deepcopy(error), pickle.loads(pickle.dumps(error)), error.alone()):
        assert str(each) == "a {brace} and {left}."
        assert each.template == "{left} and {right}."
        assert each.values == {"left": "a {brace}", "right": "{left}"}


def test_an_error_alone_holds_nothing_of_what_had_been_read() -> None:
    try:
        try:
            raise LookupError("a whole file")
        except LookupError as cause:
            raise ImageError("{problem}.", problem=cause) from cause
    except ImageError as error:
        alone = error.alone()
    assert str(alone) == "a whole file."
    assert alone.values == {"problem": "a whole file"}
    assert alone.__cause__ is alone.__context__ is alone.__traceback__ is None
