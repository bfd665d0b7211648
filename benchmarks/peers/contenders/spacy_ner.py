"""spaCy's `ner`, configured as ``spacy init config --pipeline ner --optimize efficiency`` does for a CPU.

Word vectors, where they are given, are what ``spacy init vectors`` makes of them: static, by words in lower case.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import spacy
from protocol import Clock, Corpus, Tag, TagAll, Trained, Training, Words, iob2, run, spans
from spacy.cli.init_config import init_config
from spacy.language import Language
from spacy.schemas import ConfigSchemaTraining
from spacy.tokens import Doc, DocBin, Span
from spacy.training.initialize import convert_vectors, init_nlp
from spacy.training.loop import create_evaluation_callback, create_train_batches, train_while_improving
from spacy.util import fix_random_seed, registry, resolve_dot_names


def train(request: Training, directory: Path) -> Trained:
    fix_random_seed(request.seed)
    nlp = init_nlp(_config(request, directory.parent))
    clock = Clock(request.seconds)
    steps, words = 0, 0
    for batch, is_best in _steps(nlp, clock):
        steps, words = steps + 1, words + sum(len(example.reference) for example in batch)
        if is_best or steps == 1:
            nlp.to_disk(directory)
        if clock.is_over:
            break
    known = Path(request.options["vectors"] or "no vectors").name
    return Trained(words, f"efficiency configuration for CPU, {known}, {steps:,} steps, best on dev kept", clock.spent)


def _config(request: Training, directory: Path) -> Any:
    """The quickstart's configuration; only the length of the training is changed, unless it is full."""
    paths = {split: directory / f"{split}.spacy" for split in ("train", "dev")}
    _write(paths["train"], request.train)
    _write(paths["dev"], request.dev)
    config = init_config(lang="en", pipeline=["ner"], optimize="efficiency", gpu=False, silent=True)
    config["paths"] |= {split: str(path) for split, path in paths.items()}
    config["system"]["seed"] = request.seed
    if request.options["vectors"]:
        config["initialize"]["vectors"] = str(_vectors(request.options["vectors"], directory / "vectors"))
        config["components"]["tok2vec"]["model"]["embed"]["include_static_vectors"] = True
    if not request.full:
        config["training"] |= {"max_steps": request.limit, "patience": 0}
    return config


def _vectors(source: str, target: Path) -> Path:
    nlp = spacy.blank("en")
    convert_vectors(nlp, Path(source), truncate=0, prune=-1, attr="LOWER")
    nlp.to_disk(target)
    return target


def _write(path: Path, corpus: Corpus) -> None:
    vocab, documents = spacy.blank("en").vocab, DocBin()
    for words, tags in corpus:
        document = Doc(vocab, words=words)
        document.ents = [Span(document, start, end, label=kind) for start, end, kind in spans(tags)]
        documents.add(document)
    documents.to_disk(path)


def _steps(nlp: Language, clock: Clock) -> Iterator[tuple[Any, bool | None]]:
    """`spacy.training.loop.train`, which shows no steps, as a generator of them: the batch, and whether to keep it."""
    config = nlp.config.interpolate()
    settings = registry.resolve(config["training"], schema=ConfigSchemaTraining)
    corpora = resolve_dot_names(config, [settings["train_corpus"], settings["dev_corpus"]])
    names = ("dropout", "accumulate_gradient", "patience", "max_steps", "eval_frequency", "annotating_components")
    steps = train_while_improving(
        nlp,
        settings["optimizer"],
        create_train_batches(nlp, corpora[0], settings["batcher"], settings["max_epochs"]),
        clock.wrap(create_evaluation_callback(nlp, corpora[1], settings["score_weights"])),
        exclude=settings["frozen_components"],
        before_update=settings["before_update"],
        **{name: settings[name] for name in names},
    )
    for batch, _, is_best in steps:
        yield batch, is_best


def load(directory: Path) -> tuple[TagAll, Tag]:
    nlp = spacy.load(directory)

    def tag_all(sentences: Sequence[Words]) -> list[list[str]]:
        documents = nlp.pipe(Doc(nlp.vocab, words=list(words)) for words in sentences)
        return [_tags(document) for document in documents]

    return tag_all, lambda words: _tags(nlp(Doc(nlp.vocab, words=list(words))))


def _tags(document: Doc) -> list[str]:
    return iob2(len(document), [(span.start, span.end, span.label_) for span in document.ents])


if __name__ == "__main__":
    run(train, load, packages=["spacy", "thinc", "numpy"])
