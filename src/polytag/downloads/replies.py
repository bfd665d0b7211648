"""What a server's reply means: the file, a part of it, none, a refusal, or a request to come again."""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from polytag.errors import PolytagError

if TYPE_CHECKING:
    import httpx

TRY_AGAIN = {408, 425, 429, 500, 502, 503, 504}
ABSENT = {404, 410}


class AbsentError(PolytagError):
    """The server has no such file."""


class AgainError(Exception):
    """It may work later, after ``pause`` seconds where the server says so."""

    def __init__(self, sentence: str, pause: float = 0.0) -> None:
        self.pause = pause
        super().__init__(sentence)


def require_file(response: "httpx.Response", address: str) -> None:
    """Go on only with the file itself, whole or a part.

    Raises:
        AbsentError: there is none.
        AgainError: the server asks to come back later.
        PolytagError: it refuses, or what it sends cannot be used.
    """
    status = f"HTTP {response.status_code} {response.reason_phrase}".rstrip()
    if response.status_code in ABSENT:
        raise AbsentError(f"{address}: {status}: the file is not there (any more)")
    if response.status_code in TRY_AGAIN:
        after = response.headers.get("Retry-After", "")
        raise AgainError(status, float(after) if after.isdigit() else 0.0)
    if response.status_code not in (200, 206):
        raise PolytagError(f"{address}: {status}, expected the file")
    if urlsplit(address).scheme == "https" and response.url.scheme != "https":
        raise PolytagError(f"{address}: leads to {response.url}, which is not encrypted, expected https")
    packed = response.headers.get("Content-Encoding", "identity")
    if packed != "identity" and not address.endswith(("gz", "bz2")):  # of those, some servers say what they are
        raise PolytagError(f"{address}: came packed as {packed}, expected the file as it is")


def bytes_in_all(response: "httpx.Response", *, start: int, address: str) -> int | None:
    """The bytes of the whole file, where the server says so.

    Raises:
        PolytagError: a part came that does not begin at byte ``start``.
    """
    if response.status_code != 206:
        length = response.headers.get("Content-Length", "")
        return int(length) if length.isdigit() else None
    unit, _, numbers = response.headers.get("Content-Range", "").partition(" ")
    span, _, total = numbers.partition("/")
    if unit != "bytes" or not span.startswith(f"{start}-"):
        raise PolytagError(f"{address}: bytes {span or '?'} came, expected those from {start} on")
    return int(total) if total.isdigit() else None


def reason(error: Exception) -> str:
    """What went wrong on the way, in words."""
    import httpx

    kinds: dict[type[Exception], str] = {
        httpx.ProxyError: "the proxy refused",
        httpx.ConnectTimeout: "no connection within the time limit",
        httpx.ConnectError: "no connection",
        httpx.TimeoutException: "the server fell silent",
        httpx.TransportError: "the connection broke",
    }
    kind = next((text for type_, text in kinds.items() if isinstance(error, type_)), "")
    return ": ".join(filter(None, (kind, str(error))))
