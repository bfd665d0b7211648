"""A tagger that the tests of requests share, in memory and as a directory."""

from pathlib import Path

import pytest

from polytag.model import save_model
from polytag.tagger.tagging import Tagger
from tests import tiny


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return tiny.tagger({"ner": "iob2", "pos": "plain"})


@pytest.fixture(scope="module")
def model(tagger: Tagger, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("tagger") / "model"
    save_model(tagger.model, directory)
    return directory
