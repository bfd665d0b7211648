"""There and back: what `suggest` writes for each annotation tool, and what that tool exports once people annotated it.

The files in ``exports`` are in the tools' own shapes. Those of Label Studio were recorded: version 1.23.2 imported
``label-studio.import.json``, its tasks were annotated by its API, and it wrote both exports. In each tool the third
sentence was corrected; in those that know such a thing the fourth was skipped, and nobody opened the fifth.
"""

import json
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from polytag.corpus import check, read
from polytag.corpus.documents import files_of, format_of
from polytag.corpus.notes import Notes
from polytag.corpus.offsets import located
from polytag.corpus.sentence import Sentence, Span
from polytag.errors import CorpusError, PolytagError
from polytag.splits import split_sentences
from polytag.suggesting import FORMATS, Suggestion, written
from polytag.suggesting.reading import Candidate
from polytag.training import prepare
from tests import tiny
from tests.cli.conftest import run
from tests.training import toy

EXPORTS = Path(__file__).parent / "exports"
Words = list[tuple[str, str]]

# A text as it was written, and words that no tokeniser cuts so: each with its words and spans, as the model has them.
WENT_OUT: list[tuple[str, str, list[Span]]] = [
    ("🏆 Ajax won in São Tomé.", "🏆 Ajax won in São Tomé .", [Span("ORG", 1, 2, 0.9), Span("LOC", 4, 6, 0.6)]),
    ("F.A.O.-led aid reached U.N. 's men", "F.A.O.-led aid reached U.N. 's men", [Span("ORG", 3, 4, 0.75)]),
    ("Olga Berg didn't fly.", "Olga Berg did n't fly .", [Span("ORG", 1, 2, 0.4)]),
    ("Rain fell.", "Rain fell .", [Span("LOC", 0, 1, 0.2)]),
    ("Snow lay.", "Snow lay .", []),
    ("Nobody was hurt.", "Nobody was hurt .", []),
]
CORRECTED = {2: [Span("PER", 0, 2)], 3: []}


def suggestions(task: str = "ner") -> list[Suggestion]:
    return [_suggestion(number, *row, task) for number, row in enumerate(WENT_OUT)]


def _suggestion(number: int, text: str, words: str, spans: Sequence[Span], task: str) -> Suggestion:
    sentence = Sentence(tuple(words.split()), {}, (number + 1,) * len(words.split()), "texts.jsonl")
    tagged = Sentence(
        sentence.words,
        {task: _tags(sentence.words, spans)},
        confidence={task: (0.5,) * len(sentence)},
        predicted_spans={task: tuple(spans)},
    )
    return Suggestion(Candidate(sentence, text, tuple(located(text, sentence.words))), tagged, 0.25)


def _tags(words: Sequence[str], spans: Sequence[Span]) -> tuple[str, ...]:
    tags = ["O"] * len(words)
    for span in spans:
        tags[span.start : span.end] = [f"B-{span.type}", *[f"I-{span.type}"] * (span.end - span.start - 1)]
    return tuple(tags)


def came_back(*, without: Sequence[int] = ()) -> list[Words]:
    """The words and tags of what people annotated."""
    found = []
    for number, (_, words, spans) in enumerate(WENT_OUT):
        if number not in without:
            found.append(list(zip(words.split(), _tags(words.split(), CORRECTED.get(number, spans)), strict=True)))
    return found


def pairs(sentences: Sequence[Sentence], task: str = "ner") -> list[Words]:
    return [list(zip(sentence.words, sentence.tags[task], strict=True)) for sentence in sentences]


TOOLS = {  # the export of each, the sentences that are not in it, and what is told of these
    "label-studio.json": (
        [3, 4],
        ["task 4: an annotation that was cancelled is left out", "task 4: has no annotation"],
    ),
    "label-studio-min.json": ([3, 4], ["task 5: has no annotation and is left out"]),
    "doccano.jsonl": ([3, 4], ["record 6: has no span: doccano exports texts so that nobody annotated"]),
    "prodigy.jsonl": ([3, 4], ['a record with the answer "ignore" is left out', 'a record with the answer "reject"']),
    "brat.ann": ([], []),
    "inception.xmi": ([], []),
}


@pytest.mark.parametrize("export", TOOLS)
def test_what_comes_back_is_trained_on_as_it_was_corrected(export: str, tmp_path: Path) -> None:
    left_out, said = TOOLS[export]
    toy.write(tmp_path / "en.train", 9, seed=1)
    tables = toy.tables("ner", search=tmp_path)
    columns = {"tag": "spans"}
    tables["tasks"]["ner"] |= {"train": str(EXPORTS / export), "columns": columns, "dev": "none", "test": "none"}
    plan, notes = toy.make_plan(tables), Notes()
    back = list(split_sentences(plan, "ner", "train", notes=notes))
    expected = came_back(without=left_out)
    if export == "brat.ann":  # which has no place for words: they are those of the tokeniser
        back, expected = [*back[:1], *back[2:]], [*expected[:1], *expected[2:]]
    assert pairs(back) == expected
    told = [note.text for note in notes]
    assert len(told) == len(said)
    assert all(text.startswith(start) for text, start in zip(told, said, strict=True))
    assert prepare(plan)
    assert check(EXPORTS / export).problems == []


def test_label_studio_and_prodigy_give_back_what_was_written_for_them() -> None:
    """Text, words and offsets of what went out are in the exports, so that the tests above are of these files."""
    known = json.loads(written(suggestions(), format="label-studio", tasks=["ner"]))
    assert known == json.loads((EXPORTS / "label-studio.import.json").read_text("utf-8"))
    exported = json.loads((EXPORTS / "label-studio.json").read_text("utf-8"))
    assert [task["data"] for task in exported] == [task["data"] for task in known]
    for tool in ("prodigy", "doccano"):
        lines = written(suggestions(), format=tool, tasks=["ner"]).splitlines()
        known = {record["text"]: record for record in map(json.loads, lines)}
        for record in map(json.loads, (EXPORTS / f"{tool}.jsonl").read_text("utf-8").splitlines()):
            for key in {"text", "tokens", "words", "meta"} & known[record["text"]].keys():
                assert record[key] == known[record["text"]][key]


@pytest.mark.parametrize("tool", FORMATS)
def test_what_is_accepted_as_it_is_comes_back_as_it_went_out(tool: str, tmp_path: Path) -> None:
    suffix = {"brat": ".ann", "inception": ".xmi", "label-studio": ".json", "conll": ".conll"}.get(tool, ".jsonl")
    path, text = tmp_path / f"out{suffix}", written(suggestions(), format=tool, tasks=["ner"])
    if tool == "label-studio":
        text = json.dumps([{**task, "annotations": task["predictions"]} for task in json.loads(text)])
    path.write_bytes(text.encode())
    if beside := FORMATS[tool].beside:
        path.with_suffix(beside[0]).write_bytes(beside[1](suggestions()).encode())
    tags = {"ner": {"conll": 1, "jsonl": "ner"}.get(tool, "spans")}
    expected = [list(zip(words.split(), _tags(words.split(), spans), strict=True)) for _, words, spans in WENT_OUT]
    back = pairs(list(read(path, tags=tags)))
    assert [back[0], *back[2:]] == [expected[0], *expected[2:]]
    assert back[1] == expected[1] or tool == "brat"


def test_a_label_for_each_word_goes_to_inception_as_part_of_speech(tmp_path: Path) -> None:
    (tagged,) = tiny.tagger({"pos": "plain"}).tag_all([Sentence(("Ann", "ran"))])
    pos = Suggestion(
        Candidate(Sentence(("Ann", "ran")), "Ann ran", tuple(located("Ann ran", ["Ann", "ran"]))),
        Sentence(tagged.words, tagged.tags, confidence={"pos": (0.9, 0.8)}),
        0.1,
    )
    path = tmp_path / "pos.xmi"
    path.write_text(written([pos], format="inception", tasks=["pos"]), "utf-8")
    assert "PosValue" in path.read_text("utf-8")
    (back,) = read(path, tags={"pos": "spans"})
    assert back.tags["pos"] == tuple(f"B-{tag}" for tag in tagged.tags["pos"])


@pytest.mark.filterwarnings("ignore:the model is of int8")  # where a processor has no instructions for it
def test_brat_is_two_files_and_its_types_have_no_blanks(tmp_path: Path) -> None:
    text = tmp_path / "texts.txt"
    text.write_text("Ann Lee saw Lima.\n")
    model = Path(__file__).parents[1] / "examples" / "news" / "demo.polytag"
    line = f"suggest {model} {text} --task en-ner --to brat"
    done = run(f"{line} -o {tmp_path / 'out.ann'}")
    assert done.code == 0, done.err
    assert (tmp_path / "out.txt").read_text() == "Ann Lee saw Lima.\n"
    assert [s.words for s in read(tmp_path / "out.ann", tags={"ner": "spans"})] == [("Ann", "Lee", "saw", "Lima", ".")]
    for output, found in (("", "stdout"), (f" -o {tmp_path / 'out.txt'}", str(tmp_path / "out.txt"))):
        done = run(line + output)
        said = f"polytag: {found}: brat is two files, expected --output NAME.ann, with a text beside it\n"
        assert (done.code, done.out, done.err.endswith(said)) == (1, "", True), done.err
    odd = _suggestion(0, "Ann", "Ann", [Span("a b", 0, 1, 1.0)], "ner")
    with pytest.raises(PolytagError, match="brat has no types with blanks, found 'a b'"):
        written([odd], format="brat", tasks=["ner"])


def test_a_line_end_within_a_sentence_is_a_blank_to_tools_that_know_lines() -> None:
    one = _suggestion(0, "Ann\nLee", "Ann Lee", [Span("PER", 0, 2, 1.0)], "ner")
    assert written([one, one], format="brat", tasks=["ner"]) == "T1\tPER 0 7\tAnn Lee\nT2\tPER 9 16\tAnn Lee\n"


class TestInception:
    """UIMA CAS XMI, as a file, an archive, and the export of a project."""

    def archive(self, path: Path, *names: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w") as archive:
            for name in names or ("inception.xmi", "TypeSystem.xml"):
                archive.write(EXPORTS / name, name)
        return path

    def test_an_archive_is_read_as_the_file_in_it(self, tmp_path: Path) -> None:
        path = self.archive(tmp_path / "ann.zip")
        assert format_of(path) == "inception"
        assert pairs(list(read(path, tags={"ner": "spans"}))) == came_back()

    def test_a_project_is_read_without_what_nobody_annotated(self, tmp_path: Path) -> None:
        initial = self.archive(tmp_path / "p" / "annotation" / "a.txt" / "INITIAL_CAS.zip")
        ann = self.archive(initial.with_name("ann.zip"))
        notes = Notes()
        assert format_of(tmp_path / "p") == "inception"
        assert files_of(tmp_path / "p", "inception", notes) == [ann]
        (note,) = notes
        assert note.text == "1 files INITIAL_CAS, which nobody annotated, are left out"
        self.archive(initial.with_name("bo.zip"))
        with pytest.raises(
            CorpusError, match=r"a\.txt: ann and bo annotated it, expected one of them, or what curation"
        ):
            read(tmp_path / "p", tags={"ner": "spans"})
        assert files_of(ann, "inception") == [ann]
        (tmp_path / "empty").mkdir()
        with pytest.raises(CorpusError, match="a directory without"):
            files_of(tmp_path / "empty", "inception")

    def test_of_several_layers_one_is_named(self, tmp_path: Path) -> None:
        text = (EXPORTS / "inception.xmi").read_text("utf-8")
        begin = text.index("<type4:NamedEntity")
        more = '<pos:POS xmi:id="900" sofa="1" begin="0" end="2" PosValue="X"/>\n    ' \
            '<type4:NamedEntity xmi:id="901" sofa="1" begin="8" end="11" identifier="Q1"/>\n    ' \
            '<type4:NamedEntity xmi:id="902" sofa="1" begin="12" end="14"/>\n    '  # fmt: skip
        path = tmp_path / "a.xmi"
        (tmp_path / "TypeSystem.xml").write_bytes((EXPORTS / "TypeSystem.xml").read_bytes())
        path.write_text(text[:begin] + more + text[begin:].replace('members="', 'members="900 901 902 '), "utf-8")
        with pytest.raises(CorpusError, match=r"3 layers have spans, .*: spans\.POS or spans\.NamedEntity"):
            list(read(path, tags={"ner": "spans"}))
        assert {column.name for column in check(path).columns} == {
            "spans.POS", "spans.NamedEntity", "spans.NamedEntity.identifier",
        }  # fmt: skip
        notes = Notes()
        first = next(iter(read(path, tags={"ner": "spans.NamedEntity", "pos": "spans.POS"}, notes=notes)))
        assert first.tags["ner"] == ("O", "B-ORG", "O", "?", "B-LOC", "I-LOC", "O")
        assert first.tags["pos"][:2] == ("B-X", "O")
        assert [note.text for note in notes] == [
            "a span of NamedEntity, [11, 13], has no label; its words are unknown (?)"
        ]

    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("TypeSystem.xml", r"0 \.xmi files in the archive, expected one"),
            (
                "inception.xmi",
                r"no UIMA CAS XMI that can be read \(.*DocumentMetaData.*\), or no TypeSystem\.xml of it",
            ),
        ],
    )
    def test_archives_that_lack_something_are_told(self, tmp_path: Path, name: str, said: str) -> None:
        path = self.archive(tmp_path / "a.zip", name)
        with pytest.raises(CorpusError, match=said):
            list(read(path, tags={"ner": "spans"}, format="inception"))

    @pytest.mark.parametrize(
        "text",
        [
            "", "no XML", "<a/>", '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]><a>&b;</a>',
            '<a:XMI xmlns:a="http://www.omg.org/XMI" xmlns:x="http:///no/such.ecore"><x:Type a:id="1"/></a:XMI>',
        ],
    )  # fmt: skip
    def test_what_is_no_document_is_told(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "a.xmi"
        path.write_text(text)
        with pytest.raises(CorpusError, match=r"no UIMA CAS XMI that .* read|a document type .* in it"):
            list(read(path, tags={"ner": "spans"}))

    def test_offsets_outside_the_text_are_refused(self, tmp_path: Path) -> None:
        text = (EXPORTS / "inception.xmi").read_text("utf-8")
        assert 'sofaString="' in text
        (tmp_path / "TypeSystem.xml").write_bytes((EXPORTS / "TypeSystem.xml").read_bytes())
        (tmp_path / "a.xmi").write_text(re.sub('sofaString="[^"]*"', 'sofaString="Ann left."', text), "utf-8")
        with pytest.raises(CorpusError, match=r"no UIMA CAS XMI that can be read \(Not mapping external offset"):
            list(read(tmp_path / "a.xmi", tags={"ner": "spans"}))

    def test_what_xml_cannot_hold_is_refused(self) -> None:
        odd = _suggestion(0, "a\x01b", "a\x01b", [], "ner")
        with pytest.raises(PolytagError, match="XML cannot hold it"):
            written([odd], format="inception", tasks=["ner"])

    def test_without_the_library_it_is_told_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(__import__("sys").modules, "cassis", None)
        for act in (
            lambda: list(read(EXPORTS / "inception.xmi", tags={"ner": "spans"})),
            lambda: written(suggestions(), format="inception", tasks=["ner"]),
        ):
            with pytest.raises(
                PolytagError, match=r"dkpro-cassis, which is not installed: pip install 'polytag\[incep"
            ):
                act()
