"""The error browser in a real browser: filters, order and "show more" do what they say, with keys alone too."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from polytag.reports import report_page
from tests.reports.helpers import case, cases

pytest.importorskip("jinja2")
playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright and a Chromium")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A report on 60 sentences: every third misses a place, the others take a person for an organisation."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine")
    found = cases(*(
        case(f"word{n} Ann b", "O B-LOC O", "O O O", line=n + 1, sure=0.5) if n % 3 == 0
        else case(f"word{n} Ann b", "O B-PER O", "O B-ORG O", line=n + 1, sure=n / 100)
        for n in range(60)
    ))  # fmt: skip
    path = tmp_path_factory.mktemp("page") / "report.html"
    Path(path).write_text(report_page({"ner": found}, title="model"), encoding="utf-8")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        opened = browser.new_page()
        problems: list[str] = []
        opened.on("console", lambda message: problems.append(message.text))
        opened.on("pageerror", lambda error: problems.append(str(error)))
        opened.goto(path.as_uri())
        yield opened
        assert problems == []
        browser.close()


def count(page: Any) -> str:
    return str(page.locator(".count").inner_text())


def test_filters_order_and_more(page: Any) -> None:
    assert count(page) == "60 errors in 60 sentences, 40 shown"
    page.get_by_text("Show more sentences").click()
    assert count(page) == "60 errors in 60 sentences, 60 shown"
    page.select_option("select[data-filter=kind]", "missed")
    assert count(page) == "20 errors in 20 sentences, 20 shown"
    page.select_option("select[data-filter=kind]", "wrong type")
    page.select_option("select[data-filter=gold]", "LOC")
    assert count(page) == "0 errors in 0 sentences, 0 shown"
    page.get_by_text("Show all").click()
    page.wait_for_function("document.querySelector('.count').textContent.startsWith('60')")
    page.fill("input[type=search]", "WORD11")
    assert count(page) == "1 error in 1 sentence, 1 shown"
    page.fill("input[type=search]", "")
    page.select_option("select[name=sort]", "sure")
    assert "word59" in page.locator(".card:visible").first.inner_text()


def test_keys_alone_reach_everything(page: Any) -> None:
    page.reload()
    names = []
    for _ in range(5):
        page.keyboard.press("Tab")
        names.append(page.evaluate("document.activeElement.dataset.filter || document.activeElement.name"))
    assert {"kind", "gold", "found"} <= set(names)
