"""Kernels of training, as far as numpy can tell: `tests/ops` compares them with their reference, gradients included."""

import numpy as np
import pytest

from polytag import native
from polytag.native import Precision, reference, training
from polytag.native.checks import Array, Floats, Sizes
from tests.native.ragged import Batch, Draw, batch_of

TOLERANCES: dict[Precision, float] = {"float32": 5e-6, "bfloat16": 0.03}
BATCH = batch_of((5, 3, 3, 1))


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("reset_after", [False, True], ids=["reset_before", "reset_after"])
def test_states_are_those_of_tagging(precision: Precision, reset_after: bool, threads: int) -> None:
    if precision not in TOLERANCES:
        pytest.skip("nothing is trained in int8")
    n, d, h = BATCH.n, 7, 37
    weights, x = Draw(0).layer(d, h), Draw(1).floats(n, d)
    layer = reference.Layer(**weights, reset_after=reset_after)
    gates = np.ascontiguousarray(layer.gates(x).reshape(n, 2, 3 * h).swapaxes(0, 1))
    states, (previous, reset) = np.empty((n, 2 * h), np.float32), np.empty((2, 2, n, h), np.float32)
    training.forward(
        weights["recurrent_weight"], gates, BATCH.sizes, reset_after=reset_after, precision=precision, threads=threads,
        states=states, previous=previous, reset=reset,
    )  # fmt: skip
    expected = layer.states(x, BATCH.sizes)
    np.testing.assert_allclose(states, expected, rtol=0, atol=TOLERANCES[precision])
    later = BATCH.sizes[0]
    entered = np.concatenate([states[rows[:-1], :h] for rows in BATCH.rows])
    np.testing.assert_array_equal(previous[0][np.concatenate([rows[1:] for rows in BATCH.rows])], entered)
    assert not previous[0][:later].any()


@pytest.mark.usefixtures("instructions")
class TestLoss:
    def arrays(self, *, tags: int = 4) -> dict[str, Array]:
        draw, n, width = Draw(0), BATCH.n, -(-tags // training.crf_width()) * training.crf_width()
        given = {
            "emissions": draw.floats(n, tags), "gold": draw.numbers(n, end=tags).astype(np.int64),
            "transitions": draw.floats(tags, tags), "start": draw.floats(tags), "sizes": BATCH.sizes,
            "factors": np.zeros((2, tags, width), np.float32),
            "local": np.zeros((n, width), np.float32), "prefixes": np.zeros((n, width), np.float32),
            "scales": np.zeros(n, np.float32),
        }  # fmt: skip
        given["factors"][:, :, :tags] = np.exp(given["transitions"]), np.exp(given["transitions"].T)
        return given

    @pytest.mark.parametrize("tags", [1, 4, 20])
    def test_loss_and_gradient(self, tags: int) -> None:
        given, weights = self.arrays(tags=tags), np.array([1, 0.5, 2, -1], np.float32)
        losses = training.crf_forward(**given, margin=2.0)
        names = ("emissions", "transitions", "start")
        exact = [given[name].astype(float) for name in names]
        np.testing.assert_allclose(losses, loss_of(*exact, given["gold"], BATCH, margin=2.0), rtol=1e-5, atol=1e-5)
        gradients = {f"d_{name}": np.zeros_like(given[name]) for name in names}
        training.crf_backward(**given, margin=2.0, weights=weights, **gradients)
        for index, name in enumerate(names):
            for place in list(np.ndindex(exact[index].shape))[::3]:
                sides = []
                for step in (1e-5, -1e-5):
                    moved = [array.copy() for array in exact]
                    moved[index][place] += step
                    sides.append(weights @ loss_of(*moved, given["gold"], BATCH, margin=2.0))
                assert gradients[f"d_{name}"][place] == pytest.approx((sides[0] - sides[1]) / 2e-5, abs=1e-4)

    @pytest.mark.parametrize("tag", [-1, 4, 2**40])
    def test_tags_out_of_range(self, tag: int) -> None:
        given = self.arrays()
        given["gold"][5] = tag
        with pytest.raises(ValueError, match=f"number {tag} at row 5, expected 0 to 3"):
            training.crf_forward(**given, margin=0.0)

    @pytest.mark.parametrize("sizes", [[], [3], [4, 4, 5], [3, 9], [10**15]], ids=str)
    def test_sizes_of_other_rows(self, sizes: list[int]) -> None:
        with pytest.raises(ValueError, match="sizes of steps"):
            training.crf_forward(**self.arrays() | {"sizes": np.array(sizes, np.int64)}, margin=0.0)

    @pytest.mark.parametrize(
        "name", ["emissions", "gold", "transitions", "start", "factors", "local", "prefixes", "scales"]
    )
    def test_other_types_and_shapes(self, name: str) -> None:
        given = self.arrays()
        with pytest.raises(ValueError, match=f"{name} is float16"):
            training.crf_forward(**given | {name: given[name].astype(np.float16)}, margin=0.0)
        with pytest.raises(ValueError, match="expected"):
            training.crf_forward(**given | {name: given[name][..., 1:].copy()}, margin=0.0)


def loss_of(emissions: Array, transitions: Array, start: Array, gold: Array, batch: Batch, *, margin: float) -> Array:
    """Softmax-margin loss of each sequence by a plain forward recursion, in float64."""
    losses = []
    for rows in batch.rows:
        costed = emissions[rows] + margin
        costed[np.arange(len(rows)), gold[rows]] -= margin
        scores = start + costed[0]
        for emission in costed[1:]:
            scores = np.logaddexp.reduce(scores[:, None] + transitions, axis=0) + emission
        path = emissions[rows, gold[rows]].sum() + transitions[gold[rows[:-1]], gold[rows[1:]]].sum()
        losses.append(np.logaddexp.reduce(scores) - start[gold[rows[0]]] - path)
    return np.array(losses)


@pytest.mark.usefixtures("instructions")
class TestRefusals:
    def scan(self, **other: Floats | Sizes) -> None:
        n, h = BATCH.n, 3
        given = {
            "weights": np.zeros((2, h, 3 * h), np.float32), "gates": np.zeros((2, n, 3 * h), np.float32),
            "sizes": BATCH.sizes, "states": np.empty((n, 2 * h), np.float32),
            "previous": np.empty((2, n, h), np.float32), "reset": np.empty((2, n, h), np.float32),
        }  # fmt: skip
        training.forward(**given | other, reset_after=False, precision="float32", threads=1)  # type: ignore[arg-type]

    def test_what_fits_is_taken(self) -> None:
        self.scan()

    @pytest.mark.parametrize("name", ["weights", "gates", "states", "previous", "reset"])
    def test_other_types_and_shapes(self, name: str) -> None:
        with pytest.raises(ValueError, match=f"{name} is float64"):
            self.scan(**{name: np.zeros((2, 3, 9))})
        with pytest.raises(ValueError, match="expected float32"):
            self.scan(**{name: np.zeros((2, 3, 8), np.float32)})

    @pytest.mark.parametrize("sizes", [[], [3], [4, 4, 5], [3, 9]], ids=str)
    def test_sizes_of_other_rows(self, sizes: list[int]) -> None:
        with pytest.raises(ValueError, match="sizes of steps"):
            self.scan(sizes=np.array(sizes, np.int64))

    def test_products_of_other_shapes(self) -> None:
        if not native.supports("bfloat16"):
            pytest.skip("no bfloat16 here")
        a, b, out = (np.zeros(shape, np.float32) for shape in ((3, 4), (4, 5), (3, 5)))
        for bad in (
            {"a": a[:, :3]}, {"b": b.astype(float)}, {"out": out[:2]}, {"out": np.zeros((5, 3), np.float32).T},
            {"a": np.zeros((6, 8), np.float32)[::2, ::2]}, {"bias": np.zeros(4, np.float32)},
        ):  # fmt: skip
            with pytest.raises(ValueError, match="expected"):
                training.multiply(**{"a": a, "b": b, "out": out} | bad, precision="bfloat16", threads=1)
