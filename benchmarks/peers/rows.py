"""Who is compared, on what: the two tables that all else goes by."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Corpus:
    """Files under the data directory, and the column that is learned."""

    title: str
    train: str
    test: str
    dev: str | None
    column: int
    spans: bool  # scored by spans as conlleval counts; else by accuracy


@dataclass(frozen=True)
class Row:
    """One contender on one corpus; ``limit`` is how long it trains, in units of its own, unless told otherwise."""

    tool: str
    title: str
    corpus: str
    script: Path
    limit: int
    unit: str
    requirements: Path | None = None  # None: the environment that runs the driver
    vectors: str | None = None  # word vectors under the data directory; polytag's are those of its model's plan
    sources: Path | None = None  # what a user installs to run it: requirements, or the folder of a project

    @property
    def name(self) -> str:
        """What the user calls it: ``polytag-pos``."""
        return f"{self.tool}-{self.corpus}"


CORPORA = {
    "ner": Corpus(
        "CoNLL-2003 English, entities",
        train="conll2003/eng.train", dev="conll2003/eng.testa", test="conll2003/eng.testb", column=3, spans=True,
    ),
    "es": Corpus(
        "CoNLL-2002 Spanish, entities",
        train="conll2002/esp.train", dev="conll2002/esp.testa", test="conll2002/esp.testb", column=2, spans=True,
    ),
    "nl": Corpus(
        "CoNLL-2002 Dutch, entities",
        train="conll2002/ned.train", dev="conll2002/ned.testa", test="conll2002/ned.testb", column=2, spans=True,
    ),
    "chunking": Corpus(
        "CoNLL-2000, chunks",
        train="conll2000/train.txt", dev=None, test="conll2000/test.txt", column=2, spans=True,
    ),
    "pos": Corpus(
        "CoNLL-2000, the column of parts of speech",
        train="conll2000/train.txt", dev=None, test="conll2000/test.txt", column=1, spans=False,
    ),
}  # fmt: skip


def _row(tool: str, title: str, corpus: str, script: str, limit: int, unit: str, vectors: str | None = None) -> Row:
    requirements = None if tool == "polytag" else HERE / "requirements" / f"{tool.partition('-')[0]}.txt"
    sources = requirements or HERE.parents[1]
    return Row(tool, title, corpus, HERE / "contenders" / script, limit, unit, requirements, vectors, sources)


ROWS = (
    _row("crfsuite", "CRFsuite, hand features", "ner", "crfsuite_ner.py", 100, "iterations"),
    _row("spacy", "spaCy `ner`", "ner", "spacy_ner.py", 2_000, "steps"),
    _row("spacy-glove", "spaCy `ner`, GloVe", "ner", "spacy_ner.py", 2_000, "steps", "vectors/glove.en.100d.vec.gz"),
    _row("flair", "flair, LSTM-CRF", "ner", "flair_ner.py", 1, "epochs"),
    _row("polytag", "polytag", "ner", "polytag_tags.py", 1, "epochs"),
    *(
        row
        for corpus in ("es", "nl", "chunking")
        for row in (
            _row("crfsuite", "CRFsuite, hand features", corpus, "crfsuite_ner.py", 100, "iterations"),
            _row("polytag", "polytag", corpus, "polytag_tags.py", 1, "epochs"),
        )
    ),
    _row("nltk", "NLTK perceptron", "pos", "nltk_pos.py", 5, "iterations"),
    _row("polytag", "polytag", "pos", "polytag_tags.py", 1, "epochs"),
)


def chosen(names: Sequence[str], rows: Sequence[Row] = ROWS) -> list[Row]:
    """The rows of these tools, or with these names; all of them without any.

    Raises:
        ValueError: a name is neither.
    """
    known = {row.tool for row in rows} | {row.name for row in rows}
    for name in names:
        if name not in known:
            raise ValueError(f"there is no contender '{name}', expected some of {', '.join(sorted(known))}")
    return [row for row in rows if not names or row.tool in names or row.name in names]
