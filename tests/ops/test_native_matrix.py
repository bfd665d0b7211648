"""Matrices packed for tagging: products in each precision against those in double precision of rounded values."""

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polytag import native
from polytag.native import PRECISIONS, Precision, supports
from polytag.ops import PackedMatrix, project
from tests.oracles import poisoned

pytestmark = [
    pytest.mark.skipif(native.core() is None, reason="the native core was not built (no C++ compiler?)"),
    pytest.mark.usefixtures("instructions"),
]
PRECISION = pytest.mark.parametrize("precision", PRECISIONS)


def rounded(values: torch.Tensor, precision: Precision, *, along: int) -> torch.Tensor:
    """What is left of a matrix in a precision; int8 has a scale per row (``along`` 1) or per column (0)."""
    if precision == "int8":
        unit = values.abs().amax(along, keepdim=True).clamp(min=1e-30) / 127
        return ((values / unit).round() * unit).double()
    return (values.bfloat16() if precision == "bfloat16" else values).double()


def check(rows: int, inputs: int, columns: list[int], precision: Precision, *, seed: int = 0) -> None:
    if not supports(precision):
        pytest.skip(f"this processor has no instructions for {precision}")
    torch.manual_seed(seed)
    x, weights = torch.randn(rows, inputs), [torch.randn(inputs, width) / inputs**0.5 for width in columns]
    found = project(x, [PackedMatrix(matrix, precision=precision) for matrix in weights])
    # int8 may round a value half-way between two steps to the other one: a few steps of 1/127 of what is of order 1.
    tolerance = 0.03 if precision == "int8" else 1e-5
    for product, matrix in zip(found, weights, strict=True):
        expected = rounded(x, precision, along=1) @ rounded(matrix, precision, along=0)
        torch.testing.assert_close(product.double(), expected, rtol=0, atol=tolerance)


@PRECISION
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.integers(0, 300),
    inputs=st.integers(1, 130),
    columns=st.lists(st.integers(1, 100), min_size=1, max_size=4),
    seed=st.integers(0, 1000),
)
def test_any_shape(precision: Precision, rows: int, inputs: int, columns: list[int], seed: int) -> None:
    check(rows, inputs, columns, precision, seed=seed)


@PRECISION
def test_threads_share_the_rows(precision: Precision) -> None:
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        for rows in (1, 7, 200):
            check(rows, 40, [17, 45], precision)
    finally:
        torch.set_num_threads(threads)


@PRECISION
@pytest.mark.usefixtures("uninitialised_is_nan")
def test_no_value_is_read_beside_the_rows(precision: Precision) -> None:
    if not supports(precision):
        pytest.skip(f"this processor has no instructions for {precision}")
    x, matrix = torch.randn(37, 21), PackedMatrix(torch.randn(21, 9), precision=precision)
    assert torch.equal(project(poisoned(x), [matrix])[0], project(x, [matrix])[0])
    assert project(x, [matrix])[0].isfinite().all()


def test_a_matrix_of_zeros_gives_zeros() -> None:
    for precision in PRECISIONS:
        if supports(precision):
            (product,) = project(torch.randn(5, 8), [PackedMatrix(torch.zeros(8, 3), precision=precision)])
            assert not product.any()
