"""Table 1: tokens counted from the files, and what was tried to explain the paper's Spanish row."""

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from experiments.tables import MINUS, markdown
from polytag.corpus.documents import read
from polytag.corpus.sentence import Sentence
from polytag.files import atomic_write

FILE = "tokens.csv"
SPLITS = ("train", "dev", "test")
TAG = "tag"

Files = tuple[str | None, str | None, str | None]
Counts = tuple[int | None, int | None, int | None]

CORPORA: Mapping[str, tuple[Files, Counts]] = {  # files, and the paper's figures
    "PTB POS": (
        ("ptb/wsj#sections=0-18", "ptb/wsj#sections=19-21", "ptb/wsj#sections=22-24"),
        (912_344, 131_768, 129_654),
    ),
    "CoNLL-2000 chunking": (("conll2000/train.txt", None, "conll2000/test.txt"), (211_727, None, 47_377)),
    "CoNLL-2003 English NER": (
        ("conll2003/eng.train", "conll2003/eng.testa", "conll2003/eng.testb"),
        (204_567, 51_578, 46_666),
    ),
    "CoNLL-2002 Dutch NER": (
        ("conll2002/ned.train", "conll2002/ned.testa", "conll2002/ned.testb"),
        (202_931, 37_761, 68_994),
    ),
    "CoNLL-2002 Spanish NER": (
        ("conll2002/esp.train", "conll2002/esp.testa", "conll2002/esp.testb"),
        (207_484, 51_645, 52_098),
    ),
}
SPANISH = "CoNLL-2002 Spanish NER"

Count = Callable[[Sequence[Sentence]], int]


def tokens(sentences: Sequence[Sentence]) -> int:
    """All tokens."""
    return sum(map(len, sentences))


def _once(sentences: Sequence[Sentence]) -> list[Sentence]:
    return list({sentence.words: sentence for sentence in sentences}.values())


def _with_span(sentences: Sequence[Sentence]) -> list[Sentence]:
    return [sentence for sentence in sentences if set(sentence.tags[TAG]) != {"O"}]


def _up_to(longest: int) -> Count:
    return lambda sentences: tokens([sentence for sentence in sentences if len(sentence) <= longest])


def _cut_at(longest: int) -> Count:
    return lambda sentences: sum(min(len(sentence), longest) for sentence in sentences)


def _matching(pattern: str) -> Count:
    compiled = re.compile(pattern)
    return lambda sentences: sum(bool(compiled.search(word)) for sentence in sentences for word in sentence.words)


def _pieces(pattern: str) -> Count:
    compiled = re.compile(pattern)
    return lambda sentences: sum(len(compiled.findall(word)) for sentence in sentences for word in sentence.words)


TRIED: Mapping[str, Count] = {
    "the released files, every token": tokens,
    "without repeated sentences": lambda s: tokens(_once(s)),
    "without sentences that hold no entity": lambda s: tokens(_with_span(s)),
    "without either": lambda s: tokens(_with_span(_once(s))),
    "without sentences of one token": lambda s: tokens([x for x in s if len(x) > 1]),
    "without punctuation": _matching(r"\w"),
    "without punctuation and repeated sentences": lambda s: _matching(r"\w")(_once(s)),
    "without digits": _matching(r"^[^0-9]+$"),
    "letters only": _matching(r"^[^\W\d_]+$"),
    "sentences of at most 50 tokens": _up_to(50),
    "sentences of at most 60 tokens": _up_to(60),
    "sentences of at most 80 tokens": _up_to(80),
    "sentences cut at 35 tokens": _cut_at(35),
    "sentences cut at 50 tokens": _cut_at(50),
    "sentences cut at 60 tokens": _cut_at(60),
    "lines, with the empty one behind each sentence": lambda s: tokens(s) + len(s),
    "the same, without repeated sentences": lambda s: tokens(_once(s)) + len(_once(s)),
    "words split at hyphens and slashes": _pieces(r"[^-/]+|^[-/]+$"),
    "words split into letters and single marks": _pieces(r"\w+|[^\w\s]"),
}


def count(data: Path) -> dict[str, list[int | None]]:
    """Tokens of each split of each corpus, -DOCSTART- lines counted; None where a file is not there."""
    return {name: [_count(data, file) for file in files] for name, (files, _) in CORPORA.items()}


def attempts(data: Path) -> dict[str, list[int]]:
    """Tokens of the three Spanish splits under each way of counting; empty where the files are not there."""
    files = [data / str(file) for file in CORPORA[SPANISH][0]]
    if not all(file.exists() for file in files):
        return {}
    splits = [list(read(file, tags={TAG: -1})) for file in files]
    return {name: [way(split) for split in splits] for name, way in TRIED.items()}


def update(folder: Path, data: Path | None) -> None:
    """Count again where there is data; without it, what was counted stands."""
    if data is None:
        return
    rows = [("corpus", name, counted) for name, counted in count(data).items()]
    rows += [("spanish", name, list(counted)) for name, counted in attempts(data).items()]
    if any(value is not None for _, _, counted in rows for value in counted):
        with atomic_write(folder / FILE) as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("kind", "name", *SPLITS))
            writer.writerows((kind, name, *counted) for kind, name, counted in rows)


def tables(folder: Path) -> str:
    """Both tables, as tokens.csv has them."""
    counted = {(kind, name): values for kind, name, values in _read(folder / FILE)}
    head = ["corpus", *(f"{split}: {who}" for split in SPLITS for who in ("paper", "counted"))]
    body = []
    for name, (_, paper) in CORPORA.items():
        ours = counted.get(("corpus", name), (None, None, None))
        cells = [text for pair in zip(paper, ours, strict=True) for text in map(_number, pair)]
        body.append([name, *cells])
    tried = [
        [name, *(_with_distance(value, paper) for value, paper in zip(values, CORPORA[SPANISH][1], strict=True))]
        for (kind, name), values in counted.items()
        if kind == "spanish"
    ]
    return markdown(head, body) + "\n" + _about_spanish() + "\n" + markdown(["counted how", *SPLITS], tried)


def _about_spanish() -> str:
    paper = " / ".join(f"{value:,}" for value in CORPORA[SPANISH][1] if value is not None)
    return _SPANISH.format(paper=paper)


_SPANISH = """\
-DOCSTART- lines are counted. An empty cell: the file is not at hand, or there is no such split.

## The Spanish row

The paper prints {paper}. The released files hold other numbers in every split, while all other rows
agree to the token. Below are ways of counting that were tried, with the distance to the paper's figure.

None gives the paper's numbers, and none that leaves something out can: the paper's test set is larger than the
released one (by 565 tokens), its training set far smaller (by 57,231). Nor are they the released splits under each
other's names, and no sentence of the training file ends at token 207,484, so it is no first part of the file either.
What is left is another edition or another tokenisation of the Spanish files, or a slip in the table. The experiments
here use the released files.
"""


def _count(data: Path, file: str | None) -> int | None:
    if file is None or not (data / file.partition("#")[0]).exists():
        return None
    tags: Mapping[str, int | str] = {TAG: "pos"} if "#" in file else {TAG: -1}
    return tokens(list(read(data / file, tags=tags, docstart=True)))


def _read(path: Path) -> Iterator[tuple[str, str, list[int | None]]]:
    if path.exists():
        with path.open(encoding="utf-8", newline="") as file:
            for line in csv.DictReader(file):
                yield line["kind"], line["name"], [int(line[s]) if line[s] else None for s in SPLITS]


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _with_distance(value: int | None, paper: int | None) -> str:
    return "" if value is None or paper is None else f"{value:,} ({value - paper:+,})".replace("-", MINUS)
