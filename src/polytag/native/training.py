"""The recurrence and the loss of a CRF while training, with gradients, by the native core, on arrays of the caller's.

`polytag.training.ops` has their reference and gives them to PyTorch. The package says what the letters mean; the
leading 2 is the direction.
"""

import ctypes
import os
import sys
from contextlib import suppress
from typing import Any

import numpy as np

from polytag.native.checks import FLOAT32, INT64, Array, Floats, Sizes, address, check, conclude, place, rows
from polytag.native.loader import PRECISIONS, Crf, Precision, Product, Scan, available, library


def use_openmp() -> None:
    """Share work with the threads that GCC's OpenMP keeps waiting, where this process has loaded it (PyTorch on Linux).

    Elsewhere each layer starts threads of its own, which takes a tenth to a quarter longer.
    """
    if sys.platform == "linux" and available():
        with suppress(OSError):  # it is not loaded
            openmp = ctypes.CDLL("libgomp.so.1", mode=os.RTLD_NOLOAD)
            library().polytag_use_openmp(ctypes.cast(openmp.GOMP_parallel, ctypes.c_void_p))


def forward(
    weights: Floats, gates: Floats, sizes: Sizes, *, reset_after: bool, precision: Precision, threads: int,
    states: Floats, previous: Floats, reset: Floats,
) -> None:  # fmt: skip
    """Both directions of a layer, forward through time.

    Args:
        weights: ``[2, H, 3H]`` recurrent weights.
        gates: ``[2, N, 3H]`` the input side of the gates; what the gates r, z, c were is left there.
        sizes: of the steps.
        reset_after: the reset gate acts after the recurrent product.
        precision: of products.
        threads: one or two.
        states: ``[N, 2H]`` is written, as the following.
        previous: ``[2, N, H]`` the state that entered each step.
        reset: ``[2, N, H]`` r times that, or with ``reset_after`` the recurrent product of the candidate.
    """
    _scan(
        library().polytag_forward, weights, {"states": states}, sizes, reset_after, precision, threads,
        gates=gates, previous=previous, reset=reset,
    )  # fmt: skip


def backward(
    weights: Floats, gates: Floats, sizes: Sizes, *, reset_after: bool, precision: Precision, threads: int,
    d_states: Floats, previous: Floats, reset: Floats, d_gates: Floats, d_reset: Floats | None,
) -> None:  # fmt: skip
    """Both directions of a layer, backward through time, from what `forward` left and the gradient of the states.

    ``d_states`` is [N, 2H]. Writes ``d_gates`` [2, N, 3H], the gradient of the input side of the gates, and with
    ``reset_after`` ``d_reset`` [2, N, H], that of the candidate's recurrent product.
    """
    assert reset_after == (d_reset is not None)
    first = min(max(int(sizes[0]), 0), rows(d_states)) if rows(sizes) else 0
    _scan(
        library().polytag_backward, weights, {"d_states": d_states}, sizes, reset_after, precision, threads,
        gates=gates, previous=previous, reset=reset, d_gates=d_gates, d_reset=d_reset,
        scratch=np.empty((2, first, weights.shape[1]), np.float32),
    )  # fmt: skip


def multiply(
    a: Floats,
    b: Floats,
    *,
    out: Floats,
    bias: Floats | None = None,
    adds: bool = False,
    precision: Precision,
    threads: int,
) -> None:
    """out [m, n] = a [m, k] b [k, n] + bias [n], or ``out`` plus the product where ``adds``, all float32.

    Elements of ``out`` must be neighbours in a row, those of ``a`` and ``b`` in a row or in a column.

    Raises:
        ValueError: they are not, or have other types or shapes.
    """
    (m, k), n = a.shape, b.shape[-1]
    a_down, a_right = _strides("a", a, (m, k))
    b_down, b_right = _strides("b", b, (k, n))
    stride, right = _strides("out", out, (m, n))
    if right != 1 and out.size and n > 1:
        raise ValueError("elements of out are not neighbours in a row, expected that they are")
    bias_at = None if bias is None else address("bias", bias, FLOAT32, (n,))
    product = Product(
        m=m, k=k, n=n, a=place(a), a_down=a_down, a_right=a_right, b=place(b), b_down=b_down, b_right=b_right,
        bias=bias_at, out=place(out), stride=stride, adds=adds,
    )  # fmt: skip
    outcome = library().polytag_multiply(PRECISIONS.index(precision), ctypes.byref(product), threads)
    conclude(outcome, sizes=np.empty(0, np.int64), count=m)


def crf_width() -> int:
    """What the rows of a CRF's tables are filled up to a multiple of."""
    return int(library().polytag_width())


def crf_forward(
    emissions: Floats, gold: Array, transitions: Floats, start: Floats, sizes: Sizes, *, margin: float,
    factors: Floats, local: Floats, prefixes: Floats, scales: Floats,
) -> Array:  # fmt: skip
    """The softmax-margin loss of each sequence, float64 [B].

    Args:
        emissions: ``[N, K]`` of packed rows.
        gold: ``[N]`` int64, the tag that each should have.
        transitions: ``[K, K]`` from row to column.
        start: ``[K]``.
        sizes: of the steps.
        margin: what each wrong tag costs.
        factors: ``[2, K, W]`` exponentials of the transitions and their transpose; W is K filled up with zeros.
        local: ``[N, W]`` is written for `crf_backward`, as the following.
        prefixes: ``[N, W]``.
        scales: ``[N]``.
    """
    losses = np.empty(min(max(int(sizes[0]), 0), len(emissions)) if rows(sizes) else 0, np.float64)
    loss = _crf(emissions, gold, transitions, start, sizes, margin, factors, local, prefixes, scales)
    loss.losses = place(losses)
    outcome = library().polytag_crf_forward(ctypes.byref(loss))
    conclude(outcome, sizes=sizes, count=len(emissions), numbers=gold, end=len(start))
    return losses


def crf_backward(
    *, weights: Floats, d_emissions: Floats, d_transitions: Floats, d_start: Floats, **forward: Any
) -> None:
    """Gradients of the sum of the losses times ``weights`` [B], from all that `crf_forward` took, and left in it.

    ``d_emissions`` [N, K] is written, ``d_transitions`` [K, K] and ``d_start`` [K] are added to.
    """
    loss, sizes, gold = _crf(**forward), forward["sizes"], forward["gold"]
    count, tags = forward["emissions"].shape
    loss.weights = address("weights", weights, FLOAT32, (int(sizes[0]) if len(sizes) else 0,))
    loss.d_emissions = address("d_emissions", d_emissions, FLOAT32, (count, tags))
    loss.d_transitions = address("d_transitions", d_transitions, FLOAT32, (tags, tags))
    loss.d_start = address("d_start", d_start, FLOAT32, (tags,))
    conclude(library().polytag_crf_backward(ctypes.byref(loss)), sizes=sizes, count=count, numbers=gold, end=tags)


def _crf(
    emissions: Floats, gold: Array, transitions: Floats, start: Floats, sizes: Sizes, margin: float,
    factors: Floats, local: Floats, prefixes: Floats, scales: Floats,
) -> Crf:  # fmt: skip
    count, tags, width = rows(emissions), rows(start), -(-rows(start) // crf_width()) * crf_width()
    factors_at = address("factors", factors, FLOAT32, (2, tags, width))
    return Crf(
        tags=tags, rows=count, steps=len(sizes), margin=margin,
        sizes=address("sizes", sizes, INT64, (rows(sizes),)),
        emissions=address("emissions", emissions, FLOAT32, (count, tags)),
        gold=address("gold", gold, INT64, (count,)),
        transitions=address("transitions", transitions, FLOAT32, (tags, tags)),
        factors=factors_at, backward_factors=factors_at + factors.strides[0],
        start=address("start", start, FLOAT32, (tags,)),
        local=address("local", local, FLOAT32, (count, width)),
        prefixes=address("prefixes", prefixes, FLOAT32, (count, width)),
        scales=address("scales", scales, FLOAT32, (count,)),
    )  # fmt: skip


def _scan(
    function: Any, weights: Floats, states: dict[str, Floats], sizes: Sizes, reset_after: bool, precision: Precision,
    threads: int, *, scratch: Floats | None = None, **arrays: Floats | None,
) -> None:  # fmt: skip
    """Walk through both directions: ``states`` [N, 2H], by its name, is of both, the others [2, N, ...] of one each."""
    ((name, rows_of_both),) = states.items()
    count, units = rows(rows_of_both), weights.shape[1]
    shared = {
        "units": units, "rows": count, "steps": rows(sizes), "reset_after": reset_after, "stride": 2 * units,
        "sizes": address("sizes", sizes, INT64, (rows(sizes),)),
    }  # fmt: skip
    states_at = address(name, rows_of_both, FLOAT32, (count, 2 * units))
    places = {"states": (states_at, 4 * units)}
    for name, array in arrays.items():
        if array is not None:
            columns = 3 * units if name.endswith("gates") else units
            places[name] = address(name, array, FLOAT32, (2, count, columns)), 4 * count * columns
    if scratch is not None:
        places["scratch"] = place(scratch), scratch.strides[0]
    scans = (Scan * 2)()
    for direction, scan in enumerate(scans):
        each = {name: first + direction * bytes_on for name, (first, bytes_on) in places.items()}
        for field, value in {**shared, **each, "backward": direction}.items():
            setattr(scan, field, value)
    weights_at = address("weights", weights, FLOAT32, (2, units, 3 * units))
    conclude(function(PRECISIONS.index(precision), weights_at, scans, threads), sizes=sizes, count=count)


def _strides(name: str, array: Floats, shape: tuple[int, int]) -> tuple[int, int]:
    """In elements: from a value to that below it and to the next one."""
    if array.dtype != FLOAT32 or array.shape != shape:
        check(name, array, FLOAT32, shape)
    down, right = array.strides[0] // 4, array.strides[1] // 4
    if array.size and 1 not in (down, right):
        raise ValueError(f"values of {name} are neighbours neither in a row nor in a column, expected one of them")
    return down, right
