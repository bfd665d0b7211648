"""Fixtures of the native core's tests; nothing here or beside it needs PyTorch."""

from collections.abc import Iterator

import pytest

from polytag import native
from polytag.native import Precision

EVERY = native.instructions()


@pytest.fixture(params=EVERY or ["none"])
def instructions(request: pytest.FixtureRequest) -> Iterator[str]:
    """The native core confined to each instruction set that it and this processor have."""
    if not EVERY:
        pytest.skip("the native core was not built (is there a C++ compiler?)")
    native.select(request.param)
    yield request.param
    native.select(EVERY[-1])


@pytest.fixture(params=native.PRECISIONS)
def precision(request: pytest.FixtureRequest, instructions: str) -> Precision:
    """Each precision that these instructions have."""
    name: Precision = request.param
    if not native.supports(name):
        pytest.skip(f"{instructions} has no {name}")
    return name
