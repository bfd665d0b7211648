"""The names of what cuts text into words; `polytag.corpus.tokenising` does it."""

import re

UNICODE = "unicode"  # where nothing names another
TOKENISERS = "'unicode', 'blanks' or 'spacy:' and the code of a language, such as 'spacy:en'"
ANY_LANGUAGE = "xx"  # the code of none in particular


def is_tokeniser(name: object) -> bool:
    """Whether it names a tokeniser; legacy:CODE is that of models from before plans named one."""
    return isinstance(name, str) and bool(re.fullmatch("unicode|blanks|(spacy|legacy):[a-z]{2,3}", name))
