"""A tagger over HTTP: JSON for programs, one page for people. Needs FastAPI and uvicorn.

A request on its way: uvicorn (bytes) -> boundary (memory, headers) -> app (routes, errors) -> batcher (a
queue, one thread) -> work (split, tag, answer).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from polytag.errors import PolytagError

if TYPE_CHECKING:
    from polytag.server.app import create_app as create_app
    from polytag.server.limits import Limits as Limits
    from polytag.server.process import serve as serve

MISSING = "{name} is not installed, expected it for this command: pip install 'polytag[serve]'"
NEEDED = ("fastapi", "uvicorn", "h11")
_HOMES = {"Limits": "limits", "create_app": "app", "serve": "process"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'polytag.server' has no attribute '{name}'")
    try:
        return getattr(import_module(f"polytag.server.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name not in NEEDED:
            raise
        raise PolytagError(MISSING.format(name=error.name)) from error
