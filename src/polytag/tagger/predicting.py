"""From words to what is said of them: batch by batch through the engine, on as many threads as are worth it."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from polytag.corpus.sentence import Sentence
from polytag.tagger.batches import Batch, Scratch, chunks, flat
from polytag.tagger.consistency import Agreement
from polytag.tagger.decoding import Predictions
from polytag.tagger.engine import Engine
from polytag.tagger.lattice import Lattice, View
from polytag.tagger.packing import Ints
from polytag.tagger.request import Request
from polytag.tagger.words import Floats

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
    agreement = Agreement(engine, request.tasks if request.consistent else ())
    for tasks in engine.by_language(request.tasks):

        def answer(batch: Batch, tasks: Sequence[str] = tasks) -> None:
            scratch = scratches.pop()
            contexts = engine.contexts(batch, tasks, scratch)
            lattices = engine.lattices(contexts, batch, tasks, constrained=request.constrained)
            scratches.append(scratch)
            for task, lattice in lattices.items():
                if not agreement.keeps(task, batch, lattice):
                    found[task].take(lattice, indices=batch.indices, places=batch.places)

        _on_threads(answer, engine.batches(words, lengths, tasks, at_least=threads), threads)
    for task, batch, lattice in agreement.reached(words):
        found[task].take(lattice, indices=batch.indices, places=batch.places)
    return found


def lattices_of(
    engine: Engine, sentences: Sequence[Sentence], tasks: Sequence[str], *, constrained: bool | None, consistent: bool
) -> Iterator[tuple[str, Batch, Lattice]]:
    """What decoding sees of some sentences: of each task batch by batch."""
    words, lengths = flat(sentences)
    agreement = Agreement(engine, tasks if consistent else ())
    for batch, _, of_tasks in _computed(engine, words, lengths, tasks, constrained):
        for task, lattice in of_tasks.items():
            if not agreement.keeps(task, batch, lattice):
                yield task, batch, lattice
    yield from agreement.reached(words)


def views(
    engine: Engine, sentences: Iterable[Sentence], tasks: Sequence[str], *, constrained: bool | None
) -> Iterator[View]:
    """What the network makes of sentences, as `Tagger.views` has it."""
    done = 0
    for chunk in chunks(sentences):
        for batch, context, of_tasks in _computed(engine, *flat(chunk), tasks, constrained):
            yield View([done + index for index in batch.indices.tolist()], batch.packing, context, of_tasks)
        done += len(chunk)


def _computed(
    engine: Engine, words: Sequence[str], lengths: Ints, tasks: Sequence[str], constrained: bool | None
) -> Iterator[tuple[Batch, Floats, dict[str, Lattice]]]:
    """Batch by batch and language by language: the context of the highest layer, and the lattice of each task."""
    for group in engine.by_language(tasks):
        for batch in engine.batches(words, lengths, group):
            contexts = engine.contexts(batch, group, Scratch())
            yield batch, contexts[-1], engine.lattices(contexts, batch, group, constrained=constrained)


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
