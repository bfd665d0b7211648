"""flair from scratch: one-hot words (300), characters (LSTM, 2 x 25), one LSTM (2 x 256) and a CRF; no downloads."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import flair
import torch
from flair.data import Corpus as FlairCorpus
from flair.data import Dictionary, Sentence
from flair.datasets import FlairDatapointDataset
from flair.embeddings import CharacterEmbeddings, OneHotEmbeddings, StackedEmbeddings
from flair.models import SequenceTagger
from flair.trainers import ModelTrainer
from flair.trainers.plugins import TrainerPlugin, TrainingInterrupt
from protocol import Clock, Corpus, Tag, TagAll, Trained, Training, Words, iob2, run, spans

BATCH = 32  # sentences, both in training and in tagging; flair's own defaults


class Budget(TrainerPlugin):
    """Counts the words of each batch and ends the training when the budget is spent."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock, self.words = clock, 0

    @TrainerPlugin.hook
    def before_training_batch(self, batch: Sequence[Sentence], **_: Any) -> None:
        self.words += sum(map(len, batch))

    @TrainerPlugin.hook
    def after_training_batch(self, **_: Any) -> None:
        if self.clock.is_over:
            raise TrainingInterrupt("the budget is spent")


def train(request: Training, directory: Path) -> Trained:
    torch.set_num_threads(1)
    flair.set_seed(request.seed)
    corpus = FlairCorpus(train=_dataset(request.train), dev=_dataset(request.dev), sample_missing_splits=False)
    tagger = _tagger(corpus, request.train)
    clock = Clock(request.seconds)
    tagger.evaluate = clock.wrap(tagger.evaluate)
    budget = Budget(clock)
    ModelTrainer(tagger, corpus).train(
        directory.parent / "training",
        learning_rate=0.1,
        mini_batch_size=BATCH,
        max_epochs=150 if request.full else request.limit,  # 150 is what flair's tutorial trains for
        embeddings_storage_mode="none",
        create_file_logs=False,
        plugins=[budget],
    )
    name = next(n for n in ("best-model.pt", "final-model.pt") if (directory.parent / "training" / n).exists())
    (directory.parent / "training" / name).rename(directory / "model.pt")
    epochs = f"{budget.words / sum(map(len, corpus.train)):.3g} epochs"
    return Trained(budget.words, f"one-hot 300 + character LSTM 25, LSTM 256, CRF, {epochs}", clock.spent)


def _tagger(corpus: FlairCorpus, train: Corpus) -> SequenceTagger:
    characters = Dictionary()  # flair's own list of characters would be downloaded
    for character in sorted({character for words, _ in train for word in words for character in word}):
        characters.add_item(character)
    # Characters first: flair 0.15.1 joins embeddings by the order of their names, and the one-hot ones lose the "0-" or
    # "1-" that a stack prefixes when the model is saved. Second, they stay so; first, a loaded model reads nonsense.
    embeddings = StackedEmbeddings([CharacterEmbeddings(characters), OneHotEmbeddings.from_corpus(corpus)])
    return SequenceTagger(
        hidden_size=256,
        embeddings=embeddings,
        tag_dictionary=corpus.make_label_dictionary("ner", add_unk=False),
        tag_type="ner",
        use_crf=True,
    )


def _dataset(corpus: Corpus) -> FlairDatapointDataset[Sentence]:
    return FlairDatapointDataset([_annotated(*sentence) for sentence in corpus])


def _annotated(words: Words, tags: Sequence[str]) -> Sentence:
    sentence = Sentence(list(words))
    for start, end, kind in spans(tags):
        sentence[start:end].add_label("ner", kind)
    return sentence


def load(directory: Path) -> tuple[TagAll, Tag]:
    torch.set_num_threads(1)
    tagger = SequenceTagger.load(directory / "model.pt")

    def tag_all(sentences: Sequence[Words]) -> list[list[str]]:
        wrapped = [Sentence(list(words)) for words in sentences]
        tagger.predict(wrapped, mini_batch_size=BATCH)
        return [_tags(sentence) for sentence in wrapped]

    return tag_all, lambda words: tag_all([words])[0]


def _tags(sentence: Sentence) -> list[str]:
    found = [(span.tokens[0].idx - 1, span.tokens[-1].idx, span.tag) for span in sentence.get_spans("ner")]
    return iob2(len(sentence), found)


if __name__ == "__main__":
    run(train, load, packages=["flair", "torch", "numpy"])
