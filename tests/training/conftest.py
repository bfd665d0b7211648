"""Corpora that all tests of training read."""

from pathlib import Path

import pytest

from tests.training import toy


@pytest.fixture(scope="session")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the toy corpora."""
    return toy.write_all(tmp_path_factory.mktemp("corpora"))
