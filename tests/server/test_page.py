"""The page in a real browser: by keyboard, on a phone, with text that would like to be a script."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from polytag.corpus import read
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
    for _ in range(14):
        page.keyboard.press("Tab")
        seen.append(
            page.evaluate(
                "document.activeElement.id || document.activeElement.value || document.activeElement.textContent"
            )
        )
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", seen
    expected = ["language", "tokenised", "example", "tag", "en-ner", "en-pos", "copy-conll", "copy-jsonl", "save"]
    assert seen == [*expected, "editing", "LOC 1", "PER 2", "none 0", seen[-1]]
    assert seen[-1].startswith("Ann")
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


def test_results_are_copied_as_conll_and_jsonl(page: Any) -> None:
    reply = tag(page, TEXT)
    page.click("#copy-conll")
    page.wait_for_selector("#status:text-is('Copied as CoNLL.')")
    lines = page.evaluate("navigator.clipboard.readText()").splitlines()
    first = reply["sentences"][0]
    assert lines[0] == "\t".join([first["words"][0], first["tags"]["en-ner"][0], first["tags"]["en-pos"][0]])
    assert lines.count("") == len(reply["sentences"])
    page.click("#copy-jsonl")
    page.wait_for_selector("#status:text-is('Copied as JSONL.')")
    records = [json.loads(line) for line in page.evaluate("navigator.clipboard.readText()").splitlines()]
    assert records == [{"words": s["words"], "tags": s["tags"]} for s in reply["sentences"]]


def test_a_tag_is_corrected_by_keys_and_saved_as_training_reads_it(page: Any, tmp_path: Path) -> None:
    tag(page, "Zoe Quist saw Acme Ltd\nAnn left")
    page.focus(".word")
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("2")  # the second type
    assert page.text_content("#status") == "Zoe Quist: PER of en-ner."
    assert page.evaluate("document.activeElement.dataset.at") == "1"
    for _ in range(3):
        page.keyboard.press("ArrowRight")
        page.keyboard.press("0")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("0")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("t")
    page.keyboard.press("3")
    with page.expect_download() as saved:
        page.click("#save")
    saved.value.save_as(tmp_path / saved.value.suggested_filename)
    first, second = read(tmp_path / "corrected.jsonl", tags={"ner": "en-ner", "pos": "en-pos"})
    assert first.words == ("Zoe", "Quist", "saw", "Acme", "Ltd")
    assert first.tags["ner"] == ("B-PER", "I-PER", "O", "O", "O")
    assert second.tags["ner"][0] == "O"
    assert second.tags["pos"][1] == "VERB"
    assert page.locator("mark.entity .label").first.text_content() == "PER ✓"


def test_a_tag_is_corrected_by_a_click(page: Any) -> None:
    tag(page, "Ann saw Lima")
    page.click("#types .type:has-text('LOC')")
    assert "Choose a word first" in page.text_content("#status")
    page.click(".word:has-text('Lima')")
    page.click("#types .type:has-text('LOC')")
    assert page.text_content("#status") == "Lima: LOC of en-ner."
    assert page.locator("mark.entity:has-text('Lima') .label").text_content() == "LOC ✓"
    assert page.get_attribute(".word:has-text('Lima')", "aria-pressed") == "true"


def test_what_is_not_sure_is_marked_counted_and_gone_to(page: Any) -> None:
    reply = tag(page, TEXT)
    unsure = {
        (number, at)
        for number, s in enumerate(reply["sentences"])
        for at in [
            *(span["start"] for span in s["predicted_spans"]["en-ner"] if span["probability"] < 0.7),
            *(at for at, p in enumerate(s["confidence"]["en-pos"]) if p < 0.7),
        ]
    }
    assert unsure
    assert f"{len(unsure)} not sure." in page.text_content("#status")
    page.focus(".word")
    seen = set()
    for _ in range(len(unsure) + 1):
        page.keyboard.press("u")
        place = page.evaluate("[document.activeElement.dataset.sentence, document.activeElement.dataset.at]")
        seen.add(tuple(map(int, place)))
    assert seen == unsure
    assert page.locator(".tag.unsure small:has-text('?')").count() == page.locator(".tag.unsure").count() > 0


def test_the_example_is_of_the_words_that_the_model_learnt_from(page: Any) -> None:
    page.click("#example")
    page.wait_for_selector(".sentence")
    assert page.input_value("#text").startswith("the a mayor of lima oslo saw ann lee")


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
