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
    from polytag.auditing import audit as audit
    from polytag.corpus.convert import convert as convert
    from polytag.corpus.frames import to_frame as to_frame
    from polytag.corpus.sentence import Sentence as Sentence
    from polytag.corpus.sentence import Span as Span
    from polytag.distilling import distill as distill
    from polytag.errors import CorpusError as CorpusError
    from polytag.errors import ModelError as ModelError
    from polytag.errors import PlanError as PlanError
    from polytag.errors import PolytagWarning as PolytagWarning
    from polytag.errors import VectorsError as VectorsError
    from polytag.exporting.onnx_file import export as export
    from polytag.model.packing import pack as pack
    from polytag.plan import Plan as Plan
    from polytag.plan_file import load_plan as load_plan
    from polytag.raw_text import vectors as vectors
    from polytag.reports.two_models import compare as compare
    from polytag.runs.repeats import repeat as repeat
    from polytag.runs.tune import tune as tune
    from polytag.suggesting.choice import suggest as suggest
    from polytag.tagger.calibration import calibrate as calibrate
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
    "audit": "auditing",
    "calibrate": "tagger.calibration",
    "compare": "reports.two_models",
    "convert": "corpus.convert",
    "distill": "distilling",
    "evaluate": "tagger.evaluation",
    "export": "exporting.onnx_file",
    "load": "tagger.tagging",
    "load_plan": "plan_file",
    "pack": "model.packing",
    "repeat": "runs.repeats",
    "suggest": "suggesting.choice",
    "to_frame": "corpus.frames",
    "train": "training",
    "train_events": "training",
    "tune": "runs.tune",
    "vectors": "raw_text",
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
