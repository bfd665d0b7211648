"""Why a request is refused: a status and one sentence, which is all that a client is told."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from pydantic import ValidationError

from polytag.errors import PolytagError, nearest
from polytag.server.schemas import TagRequest

RETRY = {"retry-after": "1"}
_KINDS = {"extra_forbidden": "there is no such key", "json_type": "not JSON"}


class RefusedError(PolytagError):
    """A request that is not answered, as `status` and a sentence."""

    def __init__(self, status: HTTPStatus, sentence: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status, self.headers = status, dict(headers or {})


def too_large(sentence: str) -> RefusedError:
    """413."""
    return RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, sentence)


def unusable(sentence: str) -> RefusedError:
    """422: it is JSON, but cannot be tagged."""
    return RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, sentence)


def busy(sentence: str) -> RefusedError:
    """503, and when to come back."""
    return RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, sentence, RETRY)


def of_validation(error: ValidationError) -> RefusedError:
    """The first thing wrong with a body: 400 where it is no JSON, 422 where it is another JSON than expected."""
    first = error.errors(include_url=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return RefusedError(HTTPStatus.BAD_REQUEST, f"the body is not JSON in UTF-8: {first['ctx']['error']}")
    return unusable(f"{_place(first['loc'])}{_message(first)}")


def _place(location: tuple[Any, ...]) -> str:
    if not location:
        return "the body: "
    steps = (f"[{part}]" if isinstance(part, int) else f".{part!s:.60}" for part in location)
    return "".join(steps).removeprefix(".") + ": "


def _message(first: Any) -> str:
    if first["type"] == "extra_forbidden":
        return f"there is no such key{nearest(str(first['loc'][-1])[:60], TagRequest.model_fields)}"
    message: str = first["msg"].removeprefix("Value error, ")
    return f"{message[:1].lower()}{message[1:]}"
