"""Penn Treebank trees: the words of each tree with their parts of speech; traces (-NONE-) are no words."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from polytag.corpus.formats.format import Format
from polytag.corpus.notes import Notes
from polytag.corpus.sentence import Sentence
from polytag.corpus.text import Layout, Line, existing
from polytag.errors import CorpusError, nearest

POS = "pos"  # where tags are: trees have one kind
SECTIONS = "#sections="  # DIRECTORY#sections=0-18 names some sections of a treebank
TRACE = "-NONE-"

_TOKEN = re.compile(r"[()]|[^ \t()]+")
_TREE = re.compile(r"[ \t]*\([ \t]*\([A-Z]")
_SECTION = re.compile(r"wsj_([0-9]{2})[0-9]{2}\b")


@dataclass(slots=True)
class _Open:
    """A parenthesis that is not yet closed: its line, and what stood in it so far."""

    line: int
    atoms: list[str] = field(default_factory=list)
    constituents: bool = False


def sentences(lines: Iterable[Line], layout: Layout) -> Iterator[Sentence]:
    """One sentence per tree that has words, which stay as they are: -LRB- and the like too.

    Raises:
        CorpusError: tags other than 'pos' are wanted; while reading: parentheses do not match, or hold no tree.
    """
    for task, place in layout.tags.items():
        if place != POS:
            known = nearest(str(place), [POS])
            raise CorpusError(f"tags of '{task}' are '{place}', which trees do not have{known}", path=layout.source)
    return _sentences(lines, layout)


def wsj_sections(directory: str | Path, sections: range) -> list[Path]:
    """The files of some sections of a treebank, in order: ``SS/*.mrg``, or files named ``wsj_SSNN.mrg`` anywhere.

    The standard split for tagging is sections 0-18 to train on, 19-21 for development and 22-24 for the test.

    Raises:
        CorpusError: no file belongs to these sections.
    """
    files = [file for file in mrg_files(directory) if _section(file) in sections]
    if not files:
        wanted = f"{sections.start}-{sections.stop - 1}"
        message = f"no file of sections {wanted}, expected wsj_SSNN.mrg or SS/*.mrg"
        raise CorpusError(message, path=directory)
    return files


def files_of(path: str, notes: Notes) -> list[Path]:  # noqa: ARG001
    """The trees that a path stands for: a file, all of a directory, or ``DIRECTORY#sections=0-18``.

    Raises:
        CorpusError: it does not exist, holds no trees, or has no such sections.
    """
    directory, _, sections = path.partition(SECTIONS)
    if sections and not Path(path).exists():
        return wsj_sections(existing(directory), _range(sections, path))
    file = existing(path)
    return mrg_files(file) if file.is_dir() else [file]


def mrg_files(directory: str | Path) -> list[Path]:
    """All trees below a directory, in the order of their names.

    Raises:
        CorpusError: there are none.
    """
    files = sorted(file for pattern in ("*.mrg", "*.mrg.gz") for file in Path(directory).rglob(pattern))
    if not files:
        raise CorpusError("a directory without *.mrg files, expected a treebank", path=directory)
    return files


def _range(text: str, path: str) -> range:
    """``0-18`` as 0, 1, ..., 18; ``23`` as 23 alone."""
    first, _, last = text.partition("-")
    try:
        found = range(int(first), int(last or first) + 1)
    except ValueError:
        found = range(0)
    if not found:
        raise CorpusError(f"sections '{text}', expected FIRST-LAST such as 0-18", path=path)
    return found


def _section(file: Path) -> int:
    """The section that a file belongs to, or -1; the name says it, else the folder."""
    if match := _SECTION.match(file.name):
        return int(match[1])
    folder = file.parent.name
    return int(folder) if len(folder) == 2 and folder.isascii() and folder.isdecimal() else -1


def _sentences(lines: Iterable[Line], layout: Layout) -> Iterator[Sentence]:
    stack: list[_Open] = []
    leaves: list[tuple[str, str, int]] = []
    for line in lines:
        for token in _TOKEN.findall(line.text):
            if problem := _step(token, line.number, stack, leaves):
                raise CorpusError(problem, path=layout.source, line=line.number)
            if not stack and leaves:
                yield _sentence(leaves, layout)
                leaves = []
    if stack:
        raise CorpusError("'(' is never closed, expected ')'", path=layout.source, line=stack[-1].line)


def _step(token: str, line: int, stack: list[_Open], leaves: list[tuple[str, str, int]]) -> str:
    """Take one token; a closed word goes to the leaves. Returns what is wrong, or nothing."""
    if token == "(":
        if stack and len(stack[-1].atoms) > 1:
            return f"'(' after the word '{stack[-1].atoms[1]}', expected ')'"
        if stack:
            stack[-1].constituents = True
        stack.append(_Open(line))
        return ""
    if not stack:
        return f"'{token}' outside a tree, expected '('"
    if token != ")":
        stack[-1].atoms.append(token)
        surplus = stack[-1].constituents or len(stack[-1].atoms) > 2
        return f"'{token}' where a tree has no word, expected '(' or ')'" if surplus else ""
    return _close(stack.pop(), leaves)


def _close(node: _Open, leaves: list[tuple[str, str, int]]) -> str:
    if node.constituents:
        return ""
    if len(node.atoms) != 2:
        return f"'({' '.join(node.atoms)})', expected a label and a word, or constituents"
    label, word = node.atoms
    if label != TRACE:
        leaves.append((word, label, node.line))
    return ""


def _sentence(leaves: list[tuple[str, str, int]], layout: Layout) -> Sentence:
    words, labels, numbers = zip(*leaves, strict=True)
    return Sentence(words, dict.fromkeys(layout.tags, labels), numbers, layout.source)


FORMAT = Format(
    "treebank",
    sentences,
    suffixes=(".mrg",),
    columns=lambda *_: [POS],
    files=files_of,
    recognises=lambda first: bool(_TREE.match(next((text for text in first if text.strip()), ""))),
    claims=lambda path: SECTIONS in path or (Path(path).is_dir() and any(Path(path).rglob("*.mrg*"))),
)
