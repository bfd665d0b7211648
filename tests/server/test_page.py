"""The page in a real browser: by keyboard, on a phone, with text that would like to be a script."""

import json
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.server.conftest import Running

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
TEXT = "the mayor of Lima saw Ann Lee 🏆 and 7 hills\nAnn saw Oslo"
ATTACK = "<img src=x onerror=alert(1)> <script>alert(2)</script> <b>Ann</b> &lt; javascript:alert(3) \"'>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, driven by playwright."""
    playwright = pytest.importorskip("playwright.sync_api")
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"no browser is installed: none of {', '.join(NAMES)}")
    with playwright.sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Any, server: Running) -> Iterator[Any]:
    """The page of a fresh visitor; whatever the browser complains about fails the test."""
    yield from opened(browser, server, viewport={"width": 1000, "height": 700})


@pytest.fixture
def phone(browser: Any, server: Running) -> Iterator[Any]:
    """The page on a narrow screen."""
    yield from opened(browser, server, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)


def opened(browser: Any, server: Running, **options: Any) -> Iterator[Any]:
    complaints: list[str] = []
    origin = f"http://127.0.0.1:{server.port}"
    context = browser.new_context(**options)
    context.set_default_timeout(20_000)
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=origin)
    made = context.new_page()
    made.on("console", lambda message: complaints.append(message.text))
    made.on("pageerror", lambda error: complaints.append(str(error)))
    made.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
    made.on("request", lambda request: None if request.url.startswith(origin) else complaints.append(request.url))
    made.goto(origin)
    made.wait_for_selector("#model:not(:empty)")
    yield made
    context.close()
    assert complaints == []


def tag(page: Any, text: str, *, tokenised: bool = True) -> Any:
    """Tag a text and give what the server said."""
    page.fill("#text", text)
    page.set_checked("#tokenised", tokenised)
    with page.expect_response("**/tag") as reply:
        page.click("#tag")
    page.wait_for_selector("#sentences .word")
    return reply.value.json()


def test_a_text_is_shown_with_its_spans_tags_and_probabilities(page: Any) -> None:
    reply = tag(page, TEXT + ".", tokenised=False)
    assert page.locator(".sentence").count() == len(reply["sentences"])
    expected = [(s, span) for s in reply["sentences"] for span in s["predicted_spans"]["en-ner"]]
    assert expected
    marks = page.locator("mark.entity")
    assert marks.count() == len(expected)
    for mark, (sentence, span) in zip(marks.all(), expected, strict=True):
        assert mark.locator(".form").all_text_contents() == sentence["words"][span["start"] : span["end"]]
        assert mark.locator(".label").text_content().startswith(f"{span['type']} ")
        assert f"{span['probability']:.4f}" in mark.get_attribute("title")
    tags = [t for s in reply["sentences"] for t in s["tags"]["en-pos"]]
    assert [t.split()[0] for t in page.locator(".tag").all_text_contents()] == tags
    # A blank is shown after a word where the text has one, also behind an emoji.
    blank = [word.text_content() for word in page.locator(".word.blank > .form").all()]
    assert "🏆" in blank
    assert "Oslo" not in blank


def test_it_is_usable_by_keyboard_alone(page: Any) -> None:
    assert page.evaluate("document.activeElement.id") == "text"
    page.keyboard.type("Ann saw Lima")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".sentence")
    seen = []
    for _ in range(8):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.id || document.activeElement.value"))
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", seen
    expected = ["language", "tokenised", "example", "tag", "en-ner", "en-pos", "copy-conll", "copy-json"]
    assert seen == expected
    page.focus("input[value=en-ner]")
    page.keyboard.press("Space")
    assert page.locator("mark.entity").count() == 0
    assert page.locator(".tag").count() == 3


def test_it_fits_a_phone(phone: Any) -> None:
    for text in (TEXT, "x" * 400 + " " + "Lima " * 60, "Ann\n" * 30):
        tag(phone, text)
        assert phone.evaluate("document.documentElement.scrollWidth") <= 360
        for element in phone.locator("button:visible, select:visible").all():
            assert element.bounding_box()["height"] >= 40


def test_text_is_never_read_as_html(page: Any) -> None:
    reply = tag(page, ATTACK)
    assert page.locator(".form").all_text_contents() == reply["sentences"][0]["words"] == ATTACK.split()
    assert page.locator("#sentences img, #sentences script, #sentences b").count() == 0
    page.select_option("#language", "es")
    page.wait_for_selector("#key:has-text('es-ner')")
    page.wait_for_timeout(100)  # a script would have run by then, and `opened` would know


def test_languages_can_be_switched(page: Any) -> None:
    assert tag(page, "Ann saw Lima")["tasks"] == ["en-ner", "en-pos"]
    with page.expect_response("**/tag") as reply:
        page.select_option("#language", "es")
    assert reply.value.json()["tasks"] == ["es-ner"]
    page.wait_for_selector("#key:has-text('es-ner')")
    assert page.locator(".tag").count() == 0


def test_results_are_copied_as_conll_and_json(page: Any) -> None:
    reply = tag(page, TEXT)
    page.click("#copy-conll")
    page.wait_for_selector("#status:text-is('Copied as CoNLL.')")
    lines = page.evaluate("navigator.clipboard.readText()").splitlines()
    first = reply["sentences"][0]
    assert lines[0] == "\t".join([first["words"][0], first["tags"]["en-ner"][0], first["tags"]["en-pos"][0]])
    assert lines.count("") == len(reply["sentences"])
    page.click("#copy-json")
    page.wait_for_selector("#status:text-is('Copied as JSON.')")
    assert json.loads(page.evaluate("navigator.clipboard.readText()")) == reply


def test_many_sentences_are_shown_bit_by_bit(page: Any) -> None:
    tag(page, "Ann saw Lima\n" * 150)
    assert page.locator(".sentence").count() == 100
    page.click("#more")
    assert page.locator(".sentence").count() == 150
    assert page.locator("#more").is_hidden()


def test_an_error_is_said_and_the_page_goes_on(browser: Any, server: Running) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{server.port}")
    page.wait_for_selector("#model:not(:empty)")
    page.click("#tag")
    assert page.text_content("#status") == "Type or paste a text first."
    page.fill("#text", "Ann " * 1_600)
    page.check("#tokenised")
    page.click("#tag")
    page.wait_for_selector("#status:has-text('at most 1,500')")
    assert page.get_attribute("#status", "role") == "status"
    tag(page, "Ann \ud800 saw")
    context.close()


def test_the_api_is_described_on_a_page_of_its_own(page: Any) -> None:
    page.click("text=API")
    page.wait_for_selector("h2:has-text('POST /tag')")
    assert page.locator("th:text-is('tokenised')").count() == 1
