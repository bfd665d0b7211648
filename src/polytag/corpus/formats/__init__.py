"""The formats of corpora and texts: one file each, one `Format` each, one table of them."""

from collections.abc import Callable, Mapping, Sequence

from polytag.corpus.formats.brat import BRAT
from polytag.corpus.formats.conll import CONLL
from polytag.corpus.formats.conllu import CONLLU
from polytag.corpus.formats.csv_table import CSV
from polytag.corpus.formats.format import Cut as Cut
from polytag.corpus.formats.format import FlatText as FlatText
from polytag.corpus.formats.format import Format as Format
from polytag.corpus.formats.jsonl import JSONL
from polytag.corpus.formats.label_studio import LABEL_STUDIO
from polytag.corpus.formats.ontonotes import ONTONOTES
from polytag.corpus.formats.parquet import PARQUET
from polytag.corpus.formats.text import TEXT
from polytag.corpus.formats.tokenised import TOKENISED
from polytag.corpus.formats.treebank import TREEBANK

FORMATS: Mapping[str, Format] = {
    row.name: row
    for row in (CONLL, CONLLU, ONTONOTES, CSV, TREEBANK, JSONL, LABEL_STUDIO, BRAT, PARQUET, TEXT, TOKENISED)
}
RECOGNISED = sorted(FORMATS, key=lambda name: name == CONLL.name)  # columns last: others have columns too
WRITERS: Mapping[str, Callable[..., str]] = {
    name: writer for row in FORMATS.values() for name, writer in row.writers.items()
}


def looks_like(first: Sequence[str]) -> str:
    """The format that the first lines of a text look like: raw text where they look like no other."""
    return next((name for name in RECOGNISED if FORMATS[name].recognises(first)), TEXT.name)
