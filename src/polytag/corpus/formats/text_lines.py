"""Raw text with a document on each line."""

from polytag.corpus.formats.format import Cut
from polytag.corpus.formats.text import raw

FORMAT = raw("lines", lambda lines: ([line] for line in lines), Cut(False, 1 << 16))
