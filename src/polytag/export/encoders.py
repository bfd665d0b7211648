"""The encoders of a network as nodes: characters -> word vectors -> context. Steps come first, as ONNX's GRU has it."""

import numpy as np
import numpy.typing as npt
from onnx import TensorProto

from polytag.export.graph import Graph
from polytag.model.char_encoder import CharEncoder
from polytag.model.gru_stack import GruStack
from polytag.model.word_encoder import WordEncoder

Floats = npt.NDArray[np.float32]


def distinct_words(graph: Graph, chars: CharEncoder | None, words: WordEncoder) -> str:
    """What the word GRU reads of each distinct word, [U, D]."""
    parts = []
    if chars is not None:
        parts.append(_characters(graph, chars))
    if words.embedding is not None:
        table = graph.constant(words.embedding.weight.detach().cpu().numpy(), "words.embedding")
        parts.append(graph.node("Gather", table, graph.input("words", ["U"])))
    return graph.node("Concat", *parts, axis=1)


def context(graph: Graph, words: WordEncoder, distinct: str) -> str:
    """What the word GRU makes of each word in its sentence, [T, B, 2H]."""
    places = graph.node("Transpose", graph.input("sentences", ["B", "T"]), perm=[1, 0])
    inputs = graph.node("Gather", distinct, places)
    states, _ = _stack(graph, words.gru, inputs, graph.input("lengths", ["B"]), "words.gru")
    return _side_by_side(graph, states)


def _characters(graph: Graph, chars: CharEncoder) -> str:
    """The character vector of each distinct word, [U, C]."""
    steps = graph.node("Transpose", graph.input("characters", ["U", "S"]), perm=[1, 0])
    table = graph.constant(chars.embedding.weight.detach().cpu().numpy(), "chars.embedding")
    inputs = graph.node("Gather", table, steps)  # S U D
    _, last = _stack(graph, chars.gru, inputs, graph.input("character_lengths", ["U"]), "chars.gru")
    by_word = graph.node("Transpose", last, perm=[1, 0, 2])  # the last state of either direction, U 2 H
    return graph.node("Reshape", by_word, graph.constant(np.array([0, -1])))


def _stack(graph: Graph, gru: GruStack, x: str, lengths: str, name: str) -> tuple[str, str]:
    """All states of the top layer, [steps, 2, batch, H], and the last of each direction, [2, batch, H]."""
    running = graph.node("Cast", lengths, to=TensorProto.INT32)
    last = ""
    for layer, (w, u) in enumerate(zip(gru.input_weight, gru.recurrent_weight, strict=True)):
        if layer:
            x = _side_by_side(graph, x)
        bias = ""
        if len(gru.bias):
            given = _gates(gru.bias[layer].detach().cpu().numpy())
            bias = graph.constant(np.concatenate([given, np.zeros_like(given)], axis=1), f"{name}.{layer}.bias")
        x, last = graph.nodes(
            "GRU",
            x,
            graph.constant(_transposed(w.detach().cpu().numpy()), f"{name}.{layer}.input"),
            graph.constant(_transposed(u.detach().cpu().numpy()), f"{name}.{layer}.recurrent"),
            bias,
            running,
            results=2,
            hidden_size=gru.hidden,
            direction="bidirectional",
            linear_before_reset=int(gru.reset_after),
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
