"""Fixtures for the kernels."""

from collections.abc import Iterator

import pytest
import torch

from polytag.native import core

INSTRUCTIONS = {"avx2": 1, "avx512": 2, "amx": 3}


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
    """The native core confined to each instruction set that this processor has."""
    library = core()
    if library is None:
        pytest.skip("the native core was not built (is there a C++ compiler?)")
    if not library.polytag_select(INSTRUCTIONS[request.param]):
        pytest.skip(f"this processor has no {request.param}")
    yield request.param
    assert library.polytag_select(max(level for level in INSTRUCTIONS.values() if library.polytag_select(level)))
