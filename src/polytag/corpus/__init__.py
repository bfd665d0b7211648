"""Files to sentences and back: the formats, the tag schemes and the choice of sentences. Strings only, no tensors."""

from polytag.corpus.check import Column as Column
from polytag.corpus.check import Report as Report
from polytag.corpus.check import check as check
from polytag.corpus.convert import convert as convert
from polytag.corpus.documents import blocks as blocks
from polytag.corpus.documents import format_of as format_of
from polytag.corpus.documents import read as read
from polytag.corpus.formats import FORMATS as FORMATS
from polytag.corpus.formats import Format as Format
from polytag.corpus.formats.treebank import wsj_sections as wsj_sections
from polytag.corpus.sentence import Sentence as Sentence
from polytag.corpus.sentence import Span as Span
from polytag.corpus.text import Block as Block
