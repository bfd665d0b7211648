"""The encoders of a network as nodes: characters -> word vectors -> context. Steps come first, as ONNX's GRU has it."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from onnx import TensorProto

from polytag.export.graph import Graph
from polytag.plan import Chars, Words

Floats = npt.NDArray[np.float32]
Weights = Mapping[str, Floats]  # of a part, by their names in it


def distinct_words(graph: Graph, chars: tuple[Weights, Chars] | None, words: Weights) -> str:
    """What the word GRU reads of each distinct word, [U, D]."""
    parts = []
    if chars is not None:
        parts.append(_characters(graph, *chars))
    if "embedding.weight" in words:
        table = graph.constant(words["embedding.weight"], "words.embedding")
        parts.append(graph.node("Gather", table, graph.input("words", ["U"])))
    return graph.node("Concat", *parts, axis=1)


def context(graph: Graph, words: Weights, settings: Words, distinct: str) -> str:
    """What the word GRU makes of each word in its sentence, [T, B, 2H]."""
    places = graph.node("Transpose", graph.input("sentences", ["B", "T"]), perm=[1, 0])
    inputs = graph.node("Gather", distinct, places)
    states, _ = _stack(graph, words, settings, inputs, graph.input("lengths", ["B"]), "words.gru")
    return _side_by_side(graph, states)


def _characters(graph: Graph, chars: Weights, settings: Chars) -> str:
    """The character vector of each distinct word, [U, C]."""
    steps = graph.node("Transpose", graph.input("characters", ["U", "S"]), perm=[1, 0])
    table = graph.constant(chars["embedding.weight"], "chars.embedding")
    inputs = graph.node("Gather", table, steps)  # S U D
    _, last = _stack(graph, chars, settings, inputs, graph.input("character_lengths", ["U"]), "chars.gru")
    by_word = graph.node("Transpose", last, perm=[1, 0, 2])  # the last state of either direction, U 2 H
    return graph.node("Reshape", by_word, graph.constant(np.array([0, -1])))


def _stack(graph: Graph, weights: Weights, settings: Chars | Words, x: str, lengths: str, name: str) -> tuple[str, str]:
    """All states of the top layer, [steps, 2, batch, H], and the last of each direction, [2, batch, H]."""
    running = graph.node("Cast", lengths, to=TensorProto.INT32)
    last = ""
    for layer in range(settings.layers):
        if layer:
            x = _side_by_side(graph, x)
        bias = ""
        if settings.bias:
            given = _gates(weights[f"gru.bias.{layer}"])
            bias = graph.constant(np.concatenate([given, np.zeros_like(given)], axis=1), f"{name}.{layer}.bias")
        x, last = graph.nodes(
            "GRU",
            x,
            graph.constant(_transposed(weights[f"gru.input_weight.{layer}"]), f"{name}.{layer}.input"),
            graph.constant(_transposed(weights[f"gru.recurrent_weight.{layer}"]), f"{name}.{layer}.recurrent"),
            bias,
            running,
            results=2,
            hidden_size=settings.hidden,
            direction="bidirectional",
            linear_before_reset=int(settings.cell == "reset_after"),
        )
    return x, last


def _side_by_side(graph: Graph, states: str) -> str:
    """[steps, 2, batch, H] -> [steps, batch, 2H]."""
    swapped = graph.node("Transpose", states, perm=[0, 2, 1, 3])
    return graph.node("Reshape", swapped, graph.constant(np.array([0, 0, -1])))


def _transposed(weight: Floats) -> Floats:
    """[2, D, 3H] as polytag keeps it -> [2, 3H, D] with ONNX's order of gates."""
    return np.ascontiguousarray(_gates(weight).transpose(0, 2, 1))


def _gates(columns: Floats) -> Floats:
    """Reset, update, candidate -> update, reset, candidate, along the last axis."""
    r, z, c = np.split(columns, 3, axis=-1)
    return np.concatenate([z, r, c], axis=-1)
