"""Fixtures of the native core's tests; nothing here or beside it needs PyTorch."""

from collections.abc import Iterator

import pytest

from polytag import native
from polytag.native import Precision

EVERY = native.instructions()
SKIPPED = [pytest.param("", marks=pytest.mark.skip("the native core was not built (is there a C++ compiler?)"))]


def pairs() -> Iterator[tuple[str, Precision]]:
    """Each instruction set of the core and this processor with each precision that it has."""
    for name in EVERY:
        native.select(name)
        yield from ((name, precision) for precision in native.PRECISIONS if native.supports(precision))


PAIRS = list(pairs())


@pytest.fixture(params=EVERY or SKIPPED)
def instructions(request: pytest.FixtureRequest) -> Iterator[str]:
    """The native core confined to each instruction set that it and this processor have."""
    native.select(request.param)
    yield request.param
    native.select(EVERY[-1])


@pytest.fixture(params=PAIRS or SKIPPED, ids="-".join)
def precision(request: pytest.FixtureRequest) -> Iterator[Precision]:
    """The same, with each precision that these instructions have."""
    name, precision = request.param
    native.select(name)
    yield precision
    native.select(EVERY[-1])
