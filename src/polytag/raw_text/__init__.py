"""Word vectors from text without labels. Needs scipy, the extra ``polytag[raw]``.

Words are cut as a plan's words are, near ones are counted (`counting`), and the counts become vectors (`factorising`).
"""

import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib.util import find_spec
from os import PathLike

from polytag.corpus.notes import Notes
from polytag.corpus.raw_lines import Source
from polytag.errors import CorpusError, PolytagError, counted
from polytag.files import atomic_write
from polytag.raw_text.counting import Lexicon, Read, count_pairs, read_words
from polytag.raw_text.factorising import leading_vectors, ppmi
from polytag.raw_text.reading import names_of, raw_sentences, sources_of
from polytag.tokenisers import UNICODE
from polytag.vocabulary.vectors import Vectors
from polytag.vocabulary.vocabularies import normaliser

MISSING = "scipy is not installed, expected it for word vectors: pip install 'polytag[raw]'"
DIMENSION, WINDOW, MIN_COUNT = 100, 5, 5
MOST_VECTORS = 200_000

Progress = Callable[[str, int, int | None], None]  # what is done, words so far, words in all where known


def vectors(
    texts: Source | Iterable[Source],
    *,
    output: str | PathLike[str] | None = None,
    dimension: int = DIMENSION,
    window: int = WINDOW,
    min_count: int = MIN_COUNT,
    lowercase: bool = True,
    tokeniser: str = UNICODE,
    encoding: str = "auto",
    progress: Progress | None = None,
    notes: Notes | None = None,
) -> Vectors:
    """Make word vectors of text without labels, for ``words.NAME.vectors`` of a plan.

    Digits become 0, as word parts look words up. Sentences that come again are left out. The same text gives the same
    vectors. Memory is bounded: of more than 2 million different words, or 40 million pairs, the rarest are forgotten.

    Args:
        texts: a file, folder or open stream, or several: raw text, plain or packed with gzip or xz.
        output: a file to write the vectors to, in word2vec's text format; packed if its name ends in .gz.
        dimension: how many values each vector has.
        window: words at most so many places apart, in one sentence, are near each other.
        min_count: rarer words get no vector; of the others the 200,000 most frequent do.
        lowercase: read all words in lower case, as a word part looks them up unless its plan says otherwise.
        tokeniser: what cuts text into words: that of the word part.
        encoding: a codec; "auto" is UTF-8, or latin-1 where a text can be nothing else.
        progress: is told what is done, and how many words of how many.
        notes: takes what is odd in the texts but can be read.

    Returns:
        The vectors, float32 [V, D], the most frequent word first.

    Raises:
        CorpusError: a text cannot be read, with its line.
        PolytagError: scipy is not installed, a number is not positive, there is too little text for so many dimensions,
            or the output cannot be written.
        PlanError: there is no such tokeniser.
    """
    check_scipy()
    for name, value in {"dimension": dimension, "window": window, "min_count": min_count}.items():
        if value < 1:
            raise PolytagError(f"{name} is {value}, expected at least 1")
    tell, notes = progress or (lambda *_: None), Notes() if notes is None else notes
    sources = sources_of(texts)
    names = names_of(sources)
    lexicon = Lexicon(normaliser(lowercase=lowercase, zero_digits=True))
    with tempfile.TemporaryFile(buffering=0) as file:
        sentences = raw_sentences(sources, tokeniser=tokeniser, encoding=encoding, notes=notes)
        read = read_words(sentences, lexicon, file, lambda done: tell("reading", done, None))
        if read.repeated:
            notes.tell("repeated", _repeated(read), path=names)
        words, rows = lexicon.frequent(min_count, MOST_VECTORS)
        _check_enough(len(words), dimension, min_count, read, names)
        near = count_pairs(
            file, rows, words=len(words), window=window, progress=lambda done: tell("counting", done, read.words)
        )
    tell("factorising", read.words, read.words)
    information = ppmi(near)
    if not information.nnz:
        raise CorpusError("no words stand near each other more often than by chance, expected sentences", path=names)
    made = Vectors(words, leading_vectors(information, dimension), names, "word2vec")
    if output is not None:
        write_vectors(made, output)
    return made


def check_scipy() -> None:
    """See to it that scipy is there.

    Raises:
        PolytagError: it is not.
    """
    with suppress(ValueError):  # of a module that is None
        if find_spec("scipy") is not None:
            return
    raise PolytagError(MISSING)


def write_vectors(vectors: Vectors, path: str | PathLike[str]) -> None:
    """Write vectors in word2vec's text format, five digits each; gzip if the name ends in .gz.

    Raises:
        PolytagError: the file cannot be written.
    """
    with atomic_write(path) as file:
        file.write(f"{len(vectors)} {vectors.dimension}\n")
        form = " ".join(["%.5g"] * vectors.dimension)
        for word, row in zip(vectors.words, vectors.matrix, strict=True):
            file.write(f"{word} {form % tuple(row.tolist())}\n")


def _repeated(read: Read) -> str:
    share = f"{100 * read.repeated / read.sentences:.1f} %"
    return f"{counted(read.repeated, 'sentence')} of {read.sentences:,} ({share}) had come before, left out"


def _check_enough(words: int, dimension: int, min_count: int, read: Read, names: str) -> None:
    if words <= dimension:
        found = f"{counted(words, 'word')} that occur {min_count:,} times or more in {counted(read.words, 'word')}"
        more = "more text, or a smaller dimension or min_count"
        more += f"; {_repeated(read)}" if read.repeated else ""
        raise CorpusError(f"found {found}, expected more of them than dimensions, {dimension:,}: {more}", path=names)
