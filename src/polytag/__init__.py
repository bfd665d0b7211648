"""polytag: train sequence taggers from scratch.

    import polytag
    tagger = polytag.train("plan.toml", output="model")        # or polytag.load("model")
    tagger.tag(["Angela", "Merkel", "visited", "Lima", "."])

Names are resolved when they are first used: ``--help`` loads next to nothing, and what runs a model no PyTorch.
"""

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

from polytag.errors import PolytagError as PolytagError

if TYPE_CHECKING:
    from polytag.corpus.sentence import Sentence as Sentence
    from polytag.corpus.sentence import Span as Span
    from polytag.distilling import distill as distill
    from polytag.errors import CorpusError as CorpusError
    from polytag.errors import ModelError as ModelError
    from polytag.errors import PlanError as PlanError
    from polytag.errors import PolytagWarning as PolytagWarning
    from polytag.errors import VectorsError as VectorsError
    from polytag.plan import Plan as Plan
    from polytag.plan_file import load_plan as load_plan
    from polytag.raw_text import make_vectors as make_vectors
    from polytag.tagger.evaluation import evaluate as evaluate
    from polytag.tagger.request import Request as Request
    from polytag.tagger.tagging import Tagger as Tagger
    from polytag.tagger.tagging import load as load
    from polytag.training import train as train
    from polytag.training import train_events as train_events

_HOMES = {
    "CorpusError": "errors",
    "ModelError": "errors",
    "Plan": "plan",
    "PlanError": "errors",
    "PolytagError": "errors",
    "PolytagWarning": "errors",
    "Request": "tagger.request",
    "Sentence": "corpus.sentence",
    "Span": "corpus.sentence",
    "Tagger": "tagger.tagging",
    "VectorsError": "errors",
    "distill": "distilling",
    "evaluate": "tagger.evaluation",
    "load": "tagger.tagging",
    "load_plan": "plan_file",
    "make_vectors": "raw_text",
    "train": "training",
    "train_events": "training",
}

__all__ = sorted(_HOMES)
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'polytag' has no attribute '{name}'")
    try:
        return getattr(import_module(f"polytag.{_HOMES[name]}"), name)
    except PolytagError as error:  # PyTorch is not installed: told by who calls, not by who looks at what is there
        return _refusal(str(error))


def _refusal(sentence: str) -> Callable[..., NoReturn]:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise PolytagError(sentence)

    return refuse


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
