"""A tag part as nodes: context -> emissions -> the best tags, as the CRF decodes and as the user's data is written."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from onnx import TensorProto

from polytag.corpus.rewriting import Tables
from polytag.exporting.graph import Graph
from polytag.model.shapes import PLACES
from polytag.tagger.parts import TagPart
from polytag.vocabulary.features import AROUND, NONE, OWN, REACH

FLOAT, INT, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL


Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Places:
    """What all tasks of a graph need to know of its sentences."""

    running: str  # [T, B] whether a sentence has this word
    goes_on: str  # [T, B] whether it has another one after it


def places(graph: Graph) -> Places:
    """Where the sentences of the inputs are and where is padding."""
    longest = graph.node("Shape", graph.input("sentences", ["B", "T"]), start=1)
    zero, one = graph.constant(np.array(0)), graph.constant(np.array(1))
    steps = graph.node("Range", zero, graph.node("Squeeze", longest), one)
    column = graph.node("Unsqueeze", steps, graph.constant(np.array([1])))
    lengths = graph.input("lengths", ["B"])
    next_ = graph.node("Add", column, one)
    return Places(graph.node("Less", column, lengths), graph.node("Less", next_, lengths))


def emissions(graph: Graph, part: TagPart, projection: Floats, context: str, at: Places, *, clusters: int) -> str:
    """Scores of each tag at each word, [T, B, K]; ``clusters``: in how many sets of them a word is."""
    scores = graph.node("MatMul", context, graph.constant(projection, f"tags.{part.name}.w"))
    if part.gazetteer is not None:
        rows = graph.constant(part.gazetteer, f"tags.{part.name}.gazetteer")
        columns = graph.node("Transpose", graph.input(f"gazetteer.{part.name}", ["B", "T"]), perm=[1, 0])
        scores = graph.node("Add", scores, graph.node("Gather", rows, columns))
    if part.features:
        scores = graph.node("Add", scores, _of_features(graph, part, at, AROUND + clusters))
    return scores


def _of_features(graph: Graph, part: TagPart, at: Places, seen_around: int) -> str:
    """What features add to the scores at each word, [T, B, K]."""
    given, tags = graph.input(f"features.{part.name}", ["U", OWN + seen_around]), len(part)
    own = _summed(graph, part.own, _columns(graph, given, 0, OWN), f"tags.{part.name}.own")
    around = _summed(graph, part.around, _columns(graph, given, OWN, OWN + seen_around), f"tags.{part.name}.around")
    edge = graph.constant(part.edge.reshape(1, -1))
    seen = graph.node("Concat", around, edge, axis=0)  # what beside a sentence is, as one word more: U
    number = graph.node("Shape", given, end=1)
    words = graph.node("Transpose", graph.input("sentences", ["B", "T"]), perm=[1, 0])
    known = graph.node("Where", at.running, words, number)
    margins = graph.constant(np.array([REACH, 0, REACH, 0]))
    wide = graph.node("Pad", known, margins, graph.node("Squeeze", number))
    scores = graph.node("Gather", own, words)
    for place in range(PLACES):
        end = place - 2 * REACH or np.iinfo(np.int64).max
        rows = graph.node("Slice", wide, *(graph.constant(np.array([n])) for n in (place, end, 0)))
        scores_there = graph.node("Gather", _columns(graph, seen, place * tags, (place + 1) * tags), rows)
        scores = graph.node("Add", scores, scores_there)
    return scores


def _columns(graph: Graph, x: str, start: int, end: int) -> str:
    return graph.node("Slice", x, *(graph.constant(np.array([n])) for n in (start, end, 1)))


def _summed(graph: Graph, weights: Floats, features: str, name: str) -> str:
    """The sum of the weights of each word's features, [U, K]; one that training did not see has none."""
    seen = weights.copy()
    seen[NONE] = 0.0
    return graph.node(
        "ReduceSum",
        graph.node("Gather", graph.constant(seen, name), features),
        graph.constant(np.array([1])),
        keepdims=0,
    )


def best_path(graph: Graph, part: TagPart, task: str, scores: str, at: Places, *, constrained: bool) -> str:
    """The best tags of the network's scheme, [T, B]; beside a sentence stands its last tag."""
    steps, start = part.moves(constrained=constrained)
    first = graph.node("Gather", scores, graph.constant(np.array(0)), axis=0)  # B K
    beginning = graph.node("Add", first, graph.constant(start))
    # One step more than there is, in which no sentence goes on: a Scan over nothing is not for every runtime.
    later = _shifted(graph, scores, pads=[0, 0, 0, 1, 0, 0])  # emissions of the next word
    last, pointers = graph.nodes(
        "Scan", beginning, later, at.goes_on, results=2, num_scan_inputs=2,
        body=_forward(graph.constant(steps), f"{task}.forward.", len(start)),
    )  # fmt: skip
    if constrained:
        last = graph.node("Add", last, graph.constant(part.valid_end))
    final = graph.node("ArgMax", last, axis=1, keepdims=0)  # B
    _, path = graph.nodes(
        "Scan", final, pointers, at.goes_on, results=2, num_scan_inputs=2,
        body=_backward(f"{task}.backward."), scan_input_directions=[1, 1], scan_output_directions=[1],
    )  # fmt: skip
    return path


def as_written(graph: Graph, path: str, at: Places, tables: Tables | None) -> str:
    """The tags [T, B] as the user's data is written; -1 beside the sentences."""
    if tables is not None:
        k = graph.constant(np.array(len(tables.left)))
        edge = graph.node("Expand", k, graph.node("Shape", path))
        following = graph.node("Where", at.goes_on, _shifted(graph, path, pads=[0, 0, 1, 0]), edge)
        row = graph.node("Slice", edge, *(graph.constant(np.array([n])) for n in (0, 1, 0)))
        before = _crop(graph, graph.node("Concat", row, path, axis=0))
        left = _looked_up(graph, tables.left, path, before)
        right = _looked_up(graph, tables.right, path, following)
        path = _looked_up(graph, tables.result, path, left, right)
    return graph.node("Where", at.running, path, graph.constant(np.array(-1)))


def _looked_up(graph: Graph, table: npt.NDArray[np.int64], *indices: str) -> str:
    """``table[indices]`` at each place."""
    axis = graph.constant(np.array([-1]))
    together = graph.node("Concat", *(graph.node("Unsqueeze", index, axis) for index in indices), axis=-1)
    return graph.node("GatherND", graph.constant(table), together)


def _shifted(graph: Graph, x: str, *, pads: list[int]) -> str:
    """The rows of ``x`` from the second on, padded to as many as before with zeros."""
    padded = graph.node("Pad", x, graph.constant(np.array(pads)))
    end = graph.constant(np.array([np.iinfo(np.int64).max]))
    return graph.node("Slice", padded, graph.constant(np.array([1])), end, graph.constant(np.array([0])))


def _crop(graph: Graph, x: str) -> str:
    """All rows but the last."""
    return graph.node("Slice", x, *(graph.constant(np.array([n])) for n in (0, -1, 0)))


def _forward(steps: str, prefix: str, tags: int) -> object:
    """One word on: scores of the best prefixes [B, K] -> those of the next word, and where each came from."""
    body = Graph(prefix)
    before = body.input(f"{prefix}before", ["B", tags], FLOAT)
    emission = body.input(f"{prefix}emission", ["B", tags], FLOAT)
    goes_on = body.input(f"{prefix}goes_on", ["B"], BOOL)
    paths = body.node("Add", body.node("Unsqueeze", before, body.constant(np.array([2]))), steps)  # B from to
    best = body.node("Add", body.node("ReduceMax", paths, axes=[1], keepdims=0), emission)
    moved = body.node("Where", body.node("Unsqueeze", goes_on, body.constant(np.array([1]))), best, before)
    body.output(f"{prefix}after", moved, ["B", tags], FLOAT)
    body.output(f"{prefix}pointers", body.node("ArgMax", paths, axis=1, keepdims=0), ["B", tags], INT)
    return body.proto(f"{prefix}body")


def _backward(prefix: str) -> object:
    """One word back: the tag of the word after [B] and where it came from -> the tag of this word."""
    body = Graph(prefix)
    after = body.input(f"{prefix}after", ["B"], INT)
    pointers = body.input(f"{prefix}pointers", ["B", "K"], INT)
    goes_on = body.input(f"{prefix}goes_on", ["B"], BOOL)
    axis = body.constant(np.array([1]))
    came = body.node("GatherElements", pointers, body.node("Unsqueeze", after, axis), axis=1)
    tag = body.node("Where", goes_on, body.node("Squeeze", came, axis), after)
    body.output(f"{prefix}before", tag, ["B"], INT)
    body.output(f"{prefix}tag", tag, ["B"], INT)
    return body.proto(f"{prefix}body")
