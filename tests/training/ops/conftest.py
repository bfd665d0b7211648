"""Fixtures for the kernels."""

from collections.abc import Iterator

import pytest
import torch

from polytag import native

INSTRUCTIONS = [name for name in native.instructions() if "(VNNI)" not in name]  # as without it, but for int8


@pytest.fixture(autouse=True, scope="package")
def one_thread() -> Iterator[None]:
    """Tensors this small only wait for a second thread: twice the time on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def uninitialised_is_nan() -> Iterator[None]:
    """`torch.empty` gives NaN (and the largest integer), so that reading before writing shows."""
    torch.use_deterministic_algorithms(True)
    assert torch.empty(3).isnan().all()
    yield
    torch.use_deterministic_algorithms(False)


@pytest.fixture(params=INSTRUCTIONS)
def instructions(request: pytest.FixtureRequest) -> Iterator[str]:
    """The native core confined to each instruction set that it and this processor have."""
    native.select(request.param)
    yield request.param
    native.select(INSTRUCTIONS[-1])
