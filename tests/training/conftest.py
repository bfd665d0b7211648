"""Corpora that all tests of training read."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.training import toy


@pytest.fixture(scope="session")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the toy corpora."""
    return toy.write_all(tmp_path_factory.mktemp("corpora"))


@pytest.fixture(scope="module", autouse=True)
def no_curves(request: pytest.FixtureRequest) -> Iterator[None]:
    """Hundreds of small trainings spend a quarter of their time on pictures that nobody looks at."""
    with pytest.MonkeyPatch.context() as patch:
        if not getattr(request.module, "LOOKS_AT_CURVES", False):
            patch.setattr("polytag.training.write_curves", lambda *_: None)
        yield
