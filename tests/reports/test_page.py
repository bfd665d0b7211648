"""The pages: self-contained, bounded, and text stays text whatever stands in it."""

import re
from html.parser import HTMLParser

import pytest

pytest.importorskip("jinja2")
pytest.importorskip("matplotlib")

from polytag.reports import Case, Cases, comparison_page, report_page
from polytag.reports.browser import LONGEST, browser
from polytag.reports.comparison import compare_cases
from polytag.reports.confusion import all_outcomes
from polytag.reports.training_curves import curves
from tests.reports.helpers import case, cases, plain_case

HOSTILE = ("<script>alert(1)</script>", '"onmouseover="x"', "</style>", "&amp;", "{{7*7}}", "javascript:x", "</svg>")


class Tags(HTMLParser):
    """Counts what is markup."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def parsed(page: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Tags()
    parser.feed(page)
    return parser.found


def hostile_case(gold: str, found: str) -> Case:
    return case(" ".join(HOSTILE), gold, found, line=3, sure=0.9)


def hostile() -> Cases:
    evil = "B-<img/src=x> I-<img/src=x> O O O O O"
    return cases(hostile_case(evil, "O O O O B-'><b> O O"))


def test_hostile_words_and_types_stay_text() -> None:
    page = report_page({"ner": hostile()}, title="<b>bold</b>")
    tags = parsed(page)
    assert sum(tag == "script" for tag, _ in tags) == 1  # ours
    assert not {"img", "b><", "iframe"} & {tag for tag, _ in tags}
    assert not any(name.startswith("on") for _, attributes in tags for name in attributes)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "{{7*7}}" in page
    assert "<b>bold" not in page
    other = cases(hostile_case("B-<img/src=x> I-<img/src=x> O O O O O", "O O O O O O O"))
    both = comparison_page(compare_cases(hostile(), other), names=("<i>a</i>", "b"))
    assert sum(tag == "script" for tag, _ in parsed(both)) == 1
    assert not {"img", "i><"} & {tag for tag, _ in parsed(both)}
    assert "<i>a" not in both


def test_nothing_is_loaded_from_anywhere() -> None:
    page = report_page({"ner": cases(case("a b", "B-PER O", "O O", sure=0.9))}, title="model", curves="<svg></svg>")
    for tag, attributes in parsed(page):
        assert "src" not in attributes, tag
        assert tag not in ("link", "iframe", "object", "embed", "base")
        assert (attributes.get("href") or "#").startswith("#")
    assert re.search(r"url\((?!#)|@import|fetch\(|XMLHttpRequest", page) is None
    assert "default-src 'none'" in page


def test_the_policy_admits_the_script_and_no_other() -> None:
    import base64
    import hashlib

    page = report_page({"ner": cases(case("a b", "B-PER O", "O O"))}, title="model")
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page
    assert "innerHTML" not in script


def test_charts_share_no_id() -> None:
    found = {task: cases(case("a b", "B-PER O", "O O", sure=0.9), task=task) for task in ("ner", "other")}
    history = [{"epoch": 1, "loss": {"ner": 1.0}, "dev": {"ner": 50.0}, "test": {}, "is_best": True}]
    page = report_page(found, title="model", curves=curves(history))
    assert page.count('class="chart"') == 3
    ids = [attributes["id"] for _, attributes in parsed(page) if "id" in attributes]
    assert len(ids) == len(set(ids)) > 5
    assert set(re.findall(r'(?:xlink:href="|url\()#([^")]+)', page)) <= set(ids)


def test_several_tasks_are_several_sections() -> None:
    page = report_page(
        {
            "ner": cases(case("a b", "B-PER O", "O O", line=7)),
            "pos": cases(plain_case("a", "X", "Y"), plain=True, task="pos"),
        },
        title="model",
    )
    ids = [attributes.get("id") for tag, attributes in parsed(page) if tag == "section"]
    assert ids == ["task-ner", "task-pos"]
    assert "news.conll:7" in page
    assert "wrong tag" in page


def test_a_model_without_errors_has_a_page() -> None:
    page = report_page({"ner": cases(case("a b", "B-PER O", "B-PER O"))}, title="model")
    assert "There is no error." in page


def test_a_large_file_is_cut_to_the_surest_errors_and_says_so() -> None:
    found = cases(*(case("a b", "B-PER O", "B-LOC O", line=n + 1, sure=n / 100) for n in range(50)))
    shown = browser(found, all_outcomes(found), most=10)
    assert (len(shown.cards), shown.sentences, shown.is_cut) == (10, 50, True)
    assert [card.number for card in shown.cards] == list(range(41, 51))
    page = report_page({"ner": found}, title="model", sentences_shown=10)
    assert "This page shows 10 of 50 sentences with errors" in page
    assert page.count('<li class="card"') == 10


def test_of_a_long_sentence_only_the_error_is_shown() -> None:
    length = 10 * LONGEST
    tags = ["O"] * length
    tags[length // 2] = "B-PER"
    words = [f"w{n}" for n in range(length)]
    found = cases(case(" ".join(words), " ".join(tags), " ".join(["O"] * length)))
    (card,) = browser(found, all_outcomes(found), most=10).cards
    for _, segments in card.rows:
        text = " ".join(segment.text for segment in segments)
        assert text.startswith("… ")
        assert text.endswith(" …")
        assert f"w{length // 2}" in text
        assert len(text.split()) < LONGEST


def test_filters_offer_what_is_there() -> None:
    page = report_page({"ner": cases(case("a b c", "B-PER O B-LOC", "B-ORG O O"))}, title="model")
    assert re.findall(r'<option value="([^"]+)">', page)[:5] == ["missed", "wrong type", "LOC", "PER", "ORG"]
    entries = [attributes for tag, attributes in parsed(page) if tag == "li" and "data-kind" in attributes]
    assert [(e["data-kind"], e["data-gold"], e["data-found"]) for e in entries] == [
        ("wrong type", "PER", "ORG"), ("missed", "LOC", ""),
    ]  # fmt: skip


def test_without_jinja_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from polytag.errors import PolytagError

    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(PolytagError, match=r"pip install 'polytag\[reports\]'"):
        report_page({"ner": cases(case("a", "O", "O"))}, title="model")
