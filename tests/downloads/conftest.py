"""A site on the loopback, and a fetcher that asks it for everything and does not wait."""

from collections.abc import Iterator

import pytest

from polytag.downloads import Fetcher
from tests.downloads import server


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever proxy the machine has, the loopback is asked directly."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def site() -> Iterator[server.Site]:
    pytest.importorskip("httpx", reason="httpx, the extra polytag[download], is not installed")
    with server.serving() as site:
        yield site


@pytest.fixture
def fetcher(site: server.Site) -> Fetcher:
    return Fetcher(mirror=site.url, attempts=3, pause=0.0, timeout=5.0)


@pytest.fixture
def catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    """The catalogue without sizes and checksums of the real archives: those of the tests are others."""
    from polytag.downloads import catalogue

    blank = {"size": None, "md5": catalogue.NONE, "sha256": catalogue.NONE}
    rows = {
        name: row.model_copy(update={"files": tuple(file.model_copy(update=blank) for file in row.files)})
        for name, row in catalogue._rows().items()
    }
    monkeypatch.setattr(catalogue, "_rows", lambda: rows)
