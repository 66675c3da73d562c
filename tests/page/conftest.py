"""Words of the page as they are written in the source, without a session that has a language."""

from collections.abc import Iterator

import pytest


def one_or_many(one: str, many: str, count: int) -> str:
    return one if count == 1 else many


@pytest.fixture
def english(request: pytest.FixtureRequest) -> Iterator[None]:
    """The modules that a test file lists as `IN_ENGLISH` leave their words untranslated."""
    with pytest.MonkeyPatch.context() as patch:
        for module in request.module.IN_ENGLISH:
            patch.setattr(module, "_", lambda message: message)
            patch.setattr(module, "ngettext", one_or_many, raising=False)
        yield
