"""The encoders of a network as nodes: characters -> word vectors -> context. Steps come first, as ONNX has it."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from onnx import TensorProto

from polytag.exporting.graph import Graph
from polytag.model.shapes import GATES, recurrence
from polytag.plan.parts import Chars, Words

Floats = npt.NDArray[np.float32]
Weights = Mapping[str, Floats]  # of a part, by their names in it
_ORDER = {"gru": (1, 0, 2), "lstm": (0, 2, 1, 3)}  # ONNX's gates, z r c and i o f c, among ours


def distinct_words(graph: Graph, chars: tuple[Weights, Chars] | None, words: Weights) -> str:
    """What the word GRU reads of each distinct word, [U, D]."""
    parts = []
    if chars is not None:
        parts.append(_characters(graph, *chars))
    if "embedding.weight" in words:
        table = graph.constant(words["embedding.weight"], "words.embedding")
        parts.append(graph.node("Gather", table, graph.input("words", ["U"])))
    return graph.node("Concat", *parts, axis=1)


def contexts(graph: Graph, words: Weights, settings: Words, distinct: str, *, layers: int) -> list[str]:
    """What each of the lowest ``layers`` of the word GRU makes of each word in its sentence, [T, B, 2H]."""
    places = graph.node("Transpose", graph.input("sentences", ["B", "T"]), perm=[1, 0])
    inputs = graph.node("Gather", distinct, places)
    of_layers = settings.model_copy(update={"layers": layers})
    return _stack(graph, words, of_layers, inputs, graph.input("lengths", ["B"]), "words")[0]


def _characters(graph: Graph, chars: Weights, settings: Chars) -> str:
    """The character vector of each distinct word, [U, C]."""
    steps = graph.node("Transpose", graph.input("characters", ["U", "S"]), perm=[1, 0])
    table = graph.constant(chars["embedding.weight"], "chars.embedding")
    inputs = graph.node("Gather", table, steps)  # S U D
    _, last = _stack(graph, chars, settings, inputs, graph.input("character_lengths", ["U"]), "chars")
    by_word = graph.node("Transpose", last, perm=[1, 0, 2])  # the last state of either direction, U 2 H
    return graph.node("Reshape", by_word, graph.constant(np.array([0, -1])))


def _stack(
    graph: Graph, weights: Weights, settings: Chars | Words, x: str, lengths: str, name: str
) -> tuple[list[str], str]:
    """All states of each layer, [steps, batch, 2H], and the last of the top one by direction, [2, batch, H]."""
    running = graph.node("Cast", lengths, to=TensorProto.INT32)
    kind, last, states = recurrence(settings), "", list[str]()
    name = f"{name}.{kind}"
    variant = {} if kind == "lstm" else {"linear_before_reset": int(settings.cell == "reset_after")}
    for layer in range(settings.layers):
        bias = ""
        if settings.bias:
            given = _gates(weights[f"{kind}.bias.{layer}"], kind)
            bias = graph.constant(np.concatenate([given, np.zeros_like(given)], axis=1), f"{name}.{layer}.bias")
        found, last = graph.nodes(
            kind.upper(),
            x,
            graph.constant(_transposed(weights[f"{kind}.input_weight.{layer}"], kind), f"{name}.{layer}.input"),
            graph.constant(_transposed(weights[f"{kind}.recurrent_weight.{layer}"], kind), f"{name}.{layer}.recurrent"),
            bias,
            running,
            results=2,
            hidden_size=settings.hidden,
            direction="bidirectional",
            **variant,
        )
        x = _side_by_side(graph, found)
        states.append(x)
    return states, last


def _side_by_side(graph: Graph, states: str) -> str:
    """[steps, 2, batch, H] -> [steps, batch, 2H]."""
    swapped = graph.node("Transpose", states, perm=[0, 2, 1, 3])
    return graph.node("Reshape", swapped, graph.constant(np.array([0, 0, -1])))


def _transposed(weight: Floats, kind: str) -> Floats:
    """[2, D, 3H] of a GRU as polytag keeps it -> [2, 3H, D] with ONNX's order of gates; 4H of an LSTM."""
    return np.ascontiguousarray(_gates(weight, kind).transpose(0, 2, 1))


def _gates(columns: Floats, kind: str) -> Floats:
    """The gates in ONNX's order, along the last axis."""
    gates = np.split(columns, GATES[kind], axis=-1)
    return np.concatenate([gates[number] for number in _ORDER[kind]], axis=-1)
