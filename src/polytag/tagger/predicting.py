"""From words to what is said of them: batch by batch through the engine, on as many threads as are worth it."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from polytag.corpus.sentence import Sentence
from polytag.tagger.batches import Batch, Scratch, chunks, flat
from polytag.tagger.consistency import Mentions, types_of
from polytag.tagger.decoding import Predictions
from polytag.tagger.engine import Engine
from polytag.tagger.lattice import Lattice, View
from polytag.tagger.packing import Ints
from polytag.tagger.request import Request

THREAD_WORDS = 512  # fewer are not worth a thread


def predicted(
    engine: Engine, words: Sequence[str], lengths: Ints, request: Request, *, threads: int
) -> Mapping[str, Predictions]:
    """All tasks of one language from one pass of the network; a pass for each language."""
    found = {
        task: Predictions(engine.part(task).vocabulary, engine.rewritings[task], lengths, request)
        for task in request.tasks
    }
    # Two threads share a layer, see `native.Layer`: its weights are then read half as often as if each had a batch.
    threads = max(1, min(threads // 2, len(words) // THREAD_WORDS))
    scratches = [Scratch() for _ in range(threads)]
    agreeing = [task for task in request.tasks if request.consistent and not engine.part(task).vocabulary.plain]
    kept: dict[str, list[tuple[Batch, Lattice]]] = {task: [] for task in agreeing}
    for tasks in engine.by_language(request.tasks):

        def answer(batch: Batch, tasks: Sequence[str] = tasks) -> None:
            scratch = scratches.pop()
            contexts = engine.contexts(batch, tasks, scratch)
            lattices = engine.lattices(contexts, batch, tasks, constrained=request.constrained)
            scratches.append(scratch)
            for task, lattice in lattices.items():
                if task in kept:
                    kept[task].append((batch, lattice))
                else:
                    found[task].take(lattice, indices=batch.indices, places=batch.places)

        _on_threads(answer, engine.batches(words, lengths, tasks, at_least=threads), threads)
    mentions = Mentions(words if agreeing else ())
    for task, of_task in kept.items():
        types = types_of(engine.part(task).vocabulary.tags)
        for batch, lattice in _agreeing(of_task, mentions, types, words=len(words)):
            found[task].take(lattice, indices=batch.indices, places=batch.places)
    return found


def _agreeing(
    first: Sequence[tuple[Batch, Lattice]], mentions: Mentions, types: Ints, *, words: int
) -> Iterator[tuple[Batch, Lattice]]:
    """The lattices of all batches with what the mentions of names elsewhere in them say."""
    tags = np.zeros(words, np.int32)
    for batch, lattice in first:
        tags[batch.places] = lattice.best()
    scores = mentions.scores(tags, types)
    for batch, lattice in first:
        yield batch, replace(lattice, emissions=scores.added_to(lattice.emissions, batch.places))


def views(
    engine: Engine, sentences: Iterable[Sentence], tasks: Sequence[str], *, constrained: bool | None
) -> Iterator[View]:
    """What the network makes of sentences, as `Tagger.views` has it."""
    done = 0
    for chunk in chunks(sentences):
        words, lengths = flat(chunk)
        for group in engine.by_language(tasks):
            for batch in engine.batches(words, lengths, group):
                contexts = engine.contexts(batch, group, Scratch())
                lattices = engine.lattices(contexts, batch, group, constrained=constrained)
                yield View([done + index for index in batch.indices.tolist()], batch.packing, contexts[-1], lattices)
        done += len(chunk)


def available_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _on_threads(answer: Callable[[Batch], None], batches: Iterable[Batch], threads: int) -> None:
    """Answer batches on threads that end with the call; the kernels leave Python to others while they compute."""
    if threads == 1:
        for batch in batches:
            answer(batch)
        return
    with ThreadPoolExecutor(threads, "polytag") as pool:
        for _ in pool.map(answer, batches):
            pass
