"""What a worker does, wherever it runs: load the model once, then parse, tag and render piece after piece."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from polytag.bulk.pieces import Piece
from polytag.corpus.conllu import REPLACED
from polytag.corpus.documents import FORMATS
from polytag.corpus.text import Layout


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A model and what to say with it: all that a worker has to know besides the text.

    ``threads`` of PyTorch are those of each worker; the other fields are the arguments of `Tagger.load` and
    `Tagger.tag_blocks`, and the column of the words (conll).
    """

    model: str
    tasks: Sequence[str] = ()
    word: int = 0
    confidence: bool = False
    constrained: bool | None = None
    best_for: str | None = None
    precision: str = "auto"
    device: str = "cpu"
    threads: int | None = None


class Worker:
    """A loaded model that answers one request.

    Raises:
        ModelError: the model cannot be loaded.
        PolytagError: it has no such task, or none is named where it holds several languages.
    """

    def __init__(self, request: Request) -> None:
        import torch

        from polytag.tagging import Tagger

        if request.threads:
            torch.set_num_threads(request.threads)
        self.request = request
        self.tagger = Tagger.load(
            request.model, best_for=request.best_for, precision=request.precision, device=request.device
        )
        self.tasks = self.tagger.choose(request.tasks)
        self.columns = _columns(self.tagger.plan.tasks, self.tasks)

    def render(self, piece: Piece) -> bytes:
        """The piece with its tags, as UTF-8.

        Raises:
            CorpusError: a line is not in the format; holds the line's number in the whole text.
        """
        make = FORMATS[piece.format].blocks
        assert make is not None, "a piece is cut from texts that can be tagged only"
        blocks = make(piece.lines(), Layout(piece.source, self.request.word, columns=self.columns))
        request = self.request
        tagged = self.tagger.tag_blocks(
            blocks, tasks=self.tasks, confidence=request.confidence, constrained=request.constrained
        )
        return "".join(tagged).encode("utf-8")


def _columns(settings: Mapping[str, Any], tasks: Sequence[str]) -> dict[str, str]:
    """The columns of CoNLL-U that tasks fill because they were trained on them."""
    places = {task: settings[task].columns.tag for task in tasks}
    return {task: place for task, place in places.items() if place in REPLACED}
