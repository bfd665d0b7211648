"""Word vectors of raw text by gensim, for rows that compare methods. Runs where gensim is installed; see `__main__`.

    python -m benchmarks.raw.gensim_vectors word2vec RAW OUT.vec.gz
    python -m benchmarks.raw.gensim_vectors fasttext RAW OUT.vec.gz [--also CONLL ...] [--model OUT.bin]

Words, case, digits, dimensions, window and rarest word are those of `polytag vectors`. ``--also`` composes vectors for
the words of annotated files that have none, of their character n-grams.
"""

import argparse
import gzip
import resource
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import gensim
import numpy as np

from polytag.corpus import read
from polytag.corpus.notes import Notes
from polytag.raw_text import DIMENSION, MIN_COUNT, WINDOW
from polytag.raw_text.counting import Remembered
from polytag.raw_text.reading import raw_sentences
from polytag.tokenisers import UNICODE
from polytag.vocabulary.vocabularies import normaliser

NORMALISE = normaliser(lowercase=True, zero_digits=True)
MODELS = {"word2vec": gensim.models.Word2Vec, "fasttext": gensim.models.FastText}


class Sentences:
    """The sentences of raw text, read anew by each pass from numbers in memory's place: a file of normalised words."""

    def __init__(self, raw: Path, kept: Path) -> None:
        self.path, met = kept, Remembered()
        with kept.open("w", encoding="utf-8") as file:
            for sentence in raw_sentences([raw], tokeniser=UNICODE, encoding="auto", notes=Notes()):
                if not met.has(sentence.words):
                    file.write(" ".join(map(NORMALISE, sentence.words)) + "\n")

    def __iter__(self) -> Iterator[list[str]]:
        with self.path.open(encoding="utf-8") as file:
            for line in file:
                yield line.split()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("method", choices=MODELS)
    parser.add_argument("raw", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--also", type=Path, nargs="*", default=[])
    parser.add_argument("--model", type=Path, help="write fastText's .bin too")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args(arguments)
    began = time.perf_counter()
    sentences = Sentences(options.raw, options.output.with_suffix(".words"))
    read_in = time.perf_counter() - began
    model = MODELS[options.method](
        sentences, vector_size=DIMENSION, window=WINDOW, min_count=MIN_COUNT, sg=1, workers=options.workers, seed=1
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    spent = time.perf_counter() - began
    times = f"read in {read_in:.0f} s, {spent:.0f} s in all, {time.process_time():.0f} s of CPU"
    print(f"{options.method}: {times}, {peak:.0f} MB")
    words = list(model.wv.index_to_key)
    known = set(words)
    more = (NORMALISE(word) for path in options.also for sentence in read(path) for word in sentence.words)
    words += [word for word in dict.fromkeys(more) if word not in known and " " not in word]
    print(f"{len(known)} words, {len(words) - len(known)} composed")
    with gzip.open(options.output, "wt", encoding="utf-8", compresslevel=6) as file:
        file.write(f"{len(words)} {DIMENSION}\n")
        for word in words:
            file.write(f"{word} {' '.join(f'{value:.5g}' for value in np.asarray(model.wv[word]).tolist())}\n")
    if options.model:
        gensim.models.fasttext.save_facebook_model(model, str(options.model))


if __name__ == "__main__":
    main()
