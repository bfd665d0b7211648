"""One ONNX file for the tasks of one language."""

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from polytag.errors import PolytagError
from polytag.files import atomic_write
from polytag.tagger.tagging import Tagger, as_tagger

if TYPE_CHECKING:
    import onnx

    from polytag.exporting.graph import Graph

MISSING = "onnx is not installed, expected it for an export: pip install 'polytag[onnx]'"
LARGEST = 2_000_000_000  # bytes of a file: protobuf holds two gibibytes


@dataclass(frozen=True)
class Export:
    """What was written."""

    path: Path
    tasks: tuple[str, ...]
    bytes: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def export(
    model: Tagger | str | PathLike[str],
    path: str | PathLike[str],
    *,
    tasks: Sequence[str] | None = None,
    constrained: bool | None = None,
) -> Export:
    """Write a graph from characters and words to emissions and decoded tags, in float32.

    Args:
        model: whose network is written: a tagger, in whatever precision, a model directory or a packed file.
        path: the file, which appears when it is whole and the ONNX checker has passed it.
        tasks: of one language; all of the model's unless given.
        constrained: decode valid tag sequences only; as the plan says unless given.

    Raises:
        PolytagError: onnx is not installed, a task is unknown, several languages are named or none of several, the
            graph is larger than 2 GB, or the file cannot be written.
    """
    tagger = as_tagger(model)
    chosen = choose(tagger, tasks)
    written = build(tagger, chosen, constrained=constrained)
    content = written.SerializeToString()
    with atomic_write(path, "wb") as file:
        file.write(content)
    inputs, outputs = ([value.name for value in values] for values in (written.graph.input, written.graph.output))
    return Export(Path(path), tuple(chosen), len(content), tuple(inputs), tuple(outputs))


def choose(tagger: Tagger, tasks: Sequence[str] | None) -> list[str]:
    """Tasks of one language; raises PolytagError as `export` does."""
    chosen = tagger.choose(tasks)
    languages = {tagger.plan.tasks[task].words: task for task in chosen}
    if len(languages) > 1:
        raise PolytagError(
            f"the tasks {' and '.join(languages.values())} read words.{' and words.'.join(languages)}, expected tasks "
            "of one language: export each into a file of its own"
        )
    return chosen


def build(tagger: Tagger, tasks: Sequence[str], *, constrained: bool | None = None) -> "onnx.ModelProto":
    """The checked model of tasks of one language; raises PolytagError as `export` does."""
    try:
        import onnx
    except ImportError as error:
        raise PolytagError(MISSING) from error
    from polytag.exporting.description import KEY, describe
    from polytag.exporting.graph import IR_VERSION, OPSET

    graph = _graph(tagger, tasks, constrained=constrained)
    description = describe(tagger, tasks)
    if graph.bytes + len(description) > LARGEST:
        raise PolytagError(
            f"the weights take {graph.bytes:,} bytes, expected at most {LARGEST:,} in an ONNX file: train with "
            "fewer or narrower word vectors"
        )
    model = onnx.helper.make_model(
        graph.proto("polytag"), opset_imports=[onnx.helper.make_opsetid("", OPSET)], producer_name="polytag"
    )
    model.ir_version = IR_VERSION
    onnx.helper.set_model_props(model, {KEY: description})
    onnx.checker.check_model(model, full_check=True)
    return model


def _graph(tagger: Tagger, tasks: Sequence[str], *, constrained: bool | None) -> "Graph":
    from onnx import TensorProto

    from polytag.exporting import decoder, encoders
    from polytag.exporting.graph import Graph

    graph, plan, model = Graph(), tagger.plan, tagger.model
    settings = plan.tasks[tasks[0]]
    chars = settings.chars and (model.part(f"chars.{settings.chars}"), plan.chars[settings.chars])
    words = model.part(f"words.{settings.words}")
    contexts = encoders.contexts(
        graph, words, plan.words[settings.words], encoders.distinct_words(graph, chars or None, words),
        layers=max(map(plan.layer_of, tasks)),
    )  # fmt: skip
    at = decoder.places(graph)
    clusters = tagger.engine.language(tasks[0]).inputs.words.cluster_sets
    for task in tasks:
        part = tagger.engine.part(task)
        projection = model.part(f"tags.{part.name}")["projection"]
        context = contexts[plan.layer_of(task) - 1]
        scores = decoder.emissions(graph, part, projection, context, at, clusters=clusters)
        valid_only = part.constrained if constrained is None else constrained
        path = decoder.best_path(graph, part, task, scores, at, constrained=valid_only)
        written = decoder.as_written(graph, path, at, tagger.engine.rewritings[task].tables)
        sentences_first = graph.node("Transpose", scores, perm=[1, 0, 2])
        graph.output(f"emissions.{task}", sentences_first, ["B", "T", len(part)], TensorProto.FLOAT)
        graph.output(f"tags.{task}", graph.node("Transpose", written, perm=[1, 0]), ["B", "T"], TensorProto.INT64)
    return graph
