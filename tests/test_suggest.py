"""What is suggested for annotation: the least sure sentences, not all alike, in formats that read back."""

import json
import random
from collections.abc import Iterator
from io import BytesIO
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from polytag.corpus import read
from polytag.corpus.notes import Notes
from polytag.corpus.recognition import recognised
from polytag.corpus.sentence import Sentence
from polytag.corpus.text import Lines
from polytag.errors import CorpusError, PolytagError
from polytag.splits import split_sentences
from polytag.suggesting import FORMATS, MEASURES, Suggested, candidates, suggest, written
from polytag.suggesting.diverse import choose
from polytag.suggesting.pool import Pool
from polytag.suggesting.reading import Candidate
from polytag.tagger.request import Request
from polytag.tagger.tagging import Tagger
from polytag.training import prepare, train_events
from tests import tiny
from tests.cli.conftest import run
from tests.training import toy

SURE = Request(min_probability=0.9)


def placed(sentence: Sentence) -> Candidate:
    text = "\n".join(sentence.words) + "\n"
    return next(candidates(BytesIO(text.encode()), format="conll"))


def stream(count: int, *, seed: int = 0) -> list[Candidate]:
    return [placed(sentence) for sentence in tiny.texts(count, seed=seed)]


def words_of(found: Suggested) -> list[tuple[str, ...]]:
    return [one.tagged.words for one in found.suggestions]


class TestPool:
    @staticmethod
    def candidate(*words: str) -> Candidate:
        return Candidate(Sentence(words), " ".join(words), ())

    def test_it_keeps_the_highest_and_of_ties_the_first(self) -> None:
        scores = random.Random(1).choices(range(20), k=200)
        pool = Pool(7)
        for order, score in enumerate(scores):
            pool.offer(score, self.candidate(str(order)), np.zeros(1), order=order)
            assert len(pool) <= 7
        expected = sorted(range(200), key=lambda order: (-scores[order], order))[:7]
        assert [candidate.text for _, candidate, _ in pool.ranked()] == [str(order) for order in expected]

    def test_the_same_words_come_once(self) -> None:
        pool = Pool(3)
        for order, word in enumerate("aabab"):
            pool.offer(1.0, self.candidate(word), np.zeros(1), order=order)
        assert [candidate.text for _, candidate, _ in pool.ranked()] == ["a", "b"]


class TestDiversity:
    vectors = np.array([[1.0, 0], [1.0, 0.01], [0, 1.0], [-1, -1]])
    scores = np.array([1.0, 0.9, 0.5, 0.0])

    def test_none_of_it_takes_the_highest_scores(self) -> None:
        assert choose(self.scores, self.vectors, 3, diversity=0.0) == [0, 1, 2]

    def test_some_of_it_passes_over_what_is_nearly_the_same(self) -> None:
        assert choose(self.scores, self.vectors, 2, diversity=0.5) == [0, 2]

    def test_as_many_as_there_are(self) -> None:
        for diversity in (0.0, 0.3, 1.0):
            assert sorted(choose(self.scores, self.vectors, 9, diversity=diversity)) == [0, 1, 2, 3]

    def test_items_that_do_not_differ_come_in_order(self) -> None:
        assert choose(np.ones(3), np.ones((3, 2)), 2, diversity=0.5) == [0, 1]


def test_sentences_and_files_are_chosen_from_as_they_are(tmp_path: Path) -> None:
    tagger, given = tiny.tagger({"ner": "iob2"}), tiny.texts(30)
    text = tmp_path / "raw.conll"
    text.write_text("".join("\n".join(sentence.words) + "\n\n" for sentence in given), encoding="utf-8")
    expected = words_of(suggest(tagger, map(placed, given), count=5))
    assert words_of(suggest(tagger, given, count=5)) == expected
    assert words_of(suggest(tagger, text, count=5)) == expected


class TestUncertainty:
    @pytest.mark.parametrize("by", MEASURES)
    @pytest.mark.parametrize("per_word", [True, False])
    def test_without_diversity_the_least_sure_are_chosen(self, by: str, per_word: bool) -> None:
        """The oracle scores each sentence alone."""
        tagger, stream_ = tiny.tagger(), stream(60)
        scores = {}
        for candidate in stream_:
            found = suggest(tagger, [candidate], count=1, by=by, per_word=per_word)
            scores[candidate.sentence.words] = found.suggestions[0].score
        found = suggest(tagger, stream_, count=10, by=by, per_word=per_word, diversity=0.0)
        expected = sorted(scores.values(), reverse=True)[:10]
        assert [one.score for one in found.suggestions] == pytest.approx(expected, abs=1e-5)
        assert found.read == 60
        assert found.mean_score == pytest.approx(np.mean([scores[c.sentence.words] for c in stream_]), abs=1e-5)

    @pytest.mark.parametrize("by", MEASURES)
    def test_every_measure_lies_between_certainty_and_its_opposite(self, by: str) -> None:
        for per_word in (True, False):
            found = suggest(tiny.tagger(), stream(40), count=40, by=by, per_word=per_word)
            for one in found.suggestions:
                most = len(one.tagged) if by == "entropy" and not per_word else 1
                assert -1e-9 <= one.score <= most + 1e-9

    def test_least_confidence_is_what_the_best_sequence_lacks(self) -> None:
        tagger = tiny.tagger({"pos": "plain"})  # labels are the same in the network and in the data
        for one in suggest(tagger, stream(20), count=20, by="least-confidence", per_word=False).suggestions:
            best, second = tagger.tag(one.tagged.words, nbest=2).alternatives["pos"]
            assert one.score == pytest.approx(1 - best.probability, abs=1e-5)
            margin = suggest(tagger, [one.candidate], count=1, by="margin", per_word=False).suggestions[0].score
            assert margin == pytest.approx(1 - best.probability + second.probability, abs=1e-5)

    def test_several_tasks_count_by_their_mean_in_one_language_or_several(self) -> None:
        for languages in ({}, {"b": "xx"}):
            tagger = tiny.tagger({"a": "iob2", "b": "plain"}, languages=languages)
            for candidate in stream(5):
                both, *single = (
                    suggest(tagger, [candidate], count=1, tasks=tasks).suggestions[0].score
                    for tasks in (["a", "b"], ["a"], ["b"])
                )
                assert both == pytest.approx(sum(single) / 2, abs=1e-5)

    def test_a_trained_model_is_less_sure_of_names_it_has_not_seen(self, model: Path) -> None:
        known = ["the Anna sees Bob in", "Bob goes the"]
        found = suggest(
            Tagger.load(model),
            candidates(BytesIO("\n".join([*known, "Zork Wuxtry Qapla"]).encode()), format="tokenised"),
            count=1, tasks=["ner"],
        )  # fmt: skip
        assert words_of(found) == [("Zork", "Wuxtry", "Qapla")]


class TestChoice:
    def test_the_same_call_suggests_the_same(self) -> None:
        tagger = tiny.tagger()
        first, second = (suggest(tagger, stream(80), count=9) for _ in range(2))
        assert first.suggestions == second.suggestions

    def test_sentences_may_come_without_end_of_the_memory(self) -> None:
        """All that is held of the stream is the pool: what was read is let go."""
        seen = 0

        def many() -> Iterator[Candidate]:
            nonlocal seen
            for sentence in tiny.endless():
                seen += 1
                yield Candidate(sentence, " ".join(sentence.words), ())
                if seen == 1_500:
                    return

        assert len(suggest(tiny.tagger(), many(), count=2).suggestions) == 2
        assert seen == 1_500

    def test_short_sentences_can_be_left_out(self) -> None:
        found = suggest(tiny.tagger(), stream(60), count=60, min_words=4)
        assert min(map(len, words_of(found))) == 4
        assert found.read < 60

    def test_fewer_where_there_are_fewer(self) -> None:
        twice = stream(5) * 2
        assert len(suggest(tiny.tagger(), twice, count=100).suggestions) == len({c.sentence.words for c in twice})

    @pytest.mark.parametrize("change", [{"by": "entrophy"}, {"count": 0}, {"diversity": 1.5}, {"min_words": 99}])
    def test_what_cannot_be_is_refused(self, change: dict[str, object]) -> None:
        with pytest.raises(PolytagError, match=r"expected|did you mean 'entropy'"):
            suggest(tiny.tagger(), stream(3), **change)  # type: ignore[arg-type]


class TestReading:
    def test_a_txt_file_is_text_or_columns(self, tmp_path: Path) -> None:
        columns, text = tmp_path / "a.txt", tmp_path / "b.txt"
        columns.write_text("Ann X\nsaw X\n\nLima X\n")
        text.write_text("Ann saw Lima .\nOslo .\n")
        assert [c.sentence.words for c in candidates(columns)] == [("Ann", "saw"), ("Lima",)]
        assert list(chain.from_iterable(c.sentence.words for c in candidates(text)))[:4] == ["Ann", "saw", "Lima", "."]

    @pytest.mark.parametrize(
        ("text", "format"),
        [
            ("Dr. E. Smith isn't here. He left.\n", "text"),
            ("He left\nShe stayed\n", "text"),
            ("Dear Ann\n\nBest wishes\n", "text"),
            ("Ann saw Lima .\nOslo .\n", "text"),
            ("".join(f"First{n} Last{n}\n" for n in range(30)), "text"),
            ("Ann X\nsaw X\n\nLima X\n", "conll"),
            ("-DOCSTART-\n\nAnn X\nsaw X\n\nLima X", "conll"),
            ("Ann B-PER\nsaw O\n", "conll"),
            ("Ann\nsaw\n", "conll"),
            ("# a comment of ours\nAnn O\nsaw O\n", "conll"),
            ("".join(f"word{n} {'NV'[n % 2]}\n" for n in range(30)), "conll"),
        ],
    )
    def test_columns_are_told_from_text(self, tmp_path: Path, text: str, format: str) -> None:
        path = tmp_path / "a.txt"
        path.write_text(text)
        assert recognised(path) == (path, format)
        found = recognised(BytesIO(text.encode()))
        assert found.format == format
        assert "".join(line.text + line.end for line in Lines(found.source)) == text
        assert recognised(path, format="jsonl").format == "jsonl"
        assert recognised(path.rename(tmp_path / "a.bio")).format == "conll"

    def test_texts_in_columns_are_told(self, tmp_path: Path) -> None:
        path = tmp_path / "a.tsv"
        path.write_text("1\tAnn saw Lima .\n2\tHe left .\n")
        notes, none = Notes(), Notes()
        assert recognised(path, notes=notes).format == "conll"
        (note,) = map(str, notes)
        assert note.startswith(f"{path}:1: column 1 holds texts, such as 'Ann saw Lima .', expected a word")
        path.write_text("New York City\tLOC\nis\tO\nbig\tO\n\nLima\tLOC\n")
        recognised(path, notes=none)
        assert not list(none)

    def test_a_stream_that_was_looked_into_is_whole(self) -> None:
        text = "".join(f"wörd{n} O\n" for n in range(20_000))
        assert "".join(line.text + line.end for line in Lines(recognised(BytesIO(text.encode())).source)) == text

    @pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe\x00"])
    def test_nothing_is_guessed_of_what_is_empty_or_no_text(self, content: bytes) -> None:
        assert recognised(BytesIO(content)).format == "conll"

    @pytest.mark.parametrize("format", ["conll", "conllu", "jsonl", "tokenised"])
    def test_words_are_where_their_offsets_say(self, tmp_path: Path, format: str) -> None:
        lines = {
            "conll": "Ann\nsaw\n\nLima\n",
            "conllu": "1\tAnn\t_\t_\t_\t_\t_\t_\t_\t_\n\n",
            "jsonl": '{"text": "  Ann  saw Lima."}\n{"words": ["Ann", "Lima"]}\n["Ann saw", {}]\n'
            '{"text": "none of them", "words": ["Ann"]}\n',
            "tokenised": "  Ann\t saw Lima \n\nOslo\n",
        }
        path = tmp_path / "file"
        path.write_text(lines[format])
        found = list(candidates(path, format=format))
        assert found
        for candidate in found:
            assert tuple(candidate.text[a:b] for a, b in candidate.offsets) == candidate.sentence.words

    def test_text_stays_as_it_was(self) -> None:
        source = BytesIO(b'{"text": "  Ann  saw Lima."}\n')
        assert next(candidates(source, format="jsonl")).text == "  Ann  saw Lima."


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the toy language that knows names by now, but not for sure."""
    directory = tmp_path_factory.mktemp("suggest")
    toy.write(directory / "en.train", 60, seed=1)
    toy.write(directory / "en.dev", 9, seed=2)
    toy.write(directory / "en.test", 9, seed=3)
    for _ in train_events(toy.plan(directory, "ner", "pos", epochs=3, learning_rate=0.1), output=directory / "model"):
        pass
    return directory / "model"


@pytest.fixture
def found(model: Path) -> Suggested:
    text = "\n\n".join("\n".join(s.words) for s in toy.sentences(40, seed=9))
    return suggest(Tagger.load(model), candidates(BytesIO(text.encode()), format="conll"), count=12)


class TestFormats:
    @pytest.mark.parametrize(("format", "key"), [("prodigy", "spans"), ("doccano", "spans")])
    def test_spans_of_characters_read_back_as_the_predicted_tags(
        self, found: Suggested, tmp_path: Path, format: str, key: str
    ) -> None:
        path = tmp_path / "out.jsonl"
        path.write_text(written(found.suggestions, format=format, tasks=["ner"]))
        back = list(read(path, tags={"ner": key}))
        assert [s.words for s in back] == words_of(found)
        assert [s.tags["ner"] for s in back] == [one.tagged.tags["ner"] for one in found.suggestions]
        assert any(s.spans("ner") for s in back)

    @pytest.mark.parametrize("format", ["jsonl", "conll"])
    def test_tags_read_back_and_those_less_probable_are_unknown(
        self, found: Suggested, tmp_path: Path, format: str
    ) -> None:
        path, tasks = tmp_path / f"out.{format}", found.tasks
        for least in (0.0, 0.9):
            path.write_text(
                written(found.suggestions, format=format, tasks=tasks, request=Request(min_probability=least))
            )
            places = {"ner": "ner", "pos": "pos"} if format == "jsonl" else {"ner": 1, "pos": 2}
            for sentence, one in zip(read(path, tags=places), found.suggestions, strict=True):
                for task in tasks:
                    pairs = zip(one.tagged.tags[task], one.tagged.confidence[task], strict=True)
                    assert sentence.tags[task] == tuple(tag if p >= least else "?" for tag, p in pairs)
        assert "?" in path.read_text()

    def test_jsonl_has_the_shape_of_all_json(self, found: Suggested) -> None:
        lines = written(found.suggestions, format="jsonl", tasks=["ner"], request=SURE).splitlines()
        for line, one in zip(lines, found.suggestions, strict=True):
            record = json.loads(line)
            answer = ["words", "offsets", "tags", "confidence", "predicted_spans"]
            assert list(record) == ["text", *answer, "score", "source"]
            assert [record["text"][a:b] for a, b in record["offsets"]] == record["words"]
            assert record["confidence"] == {"ner": [round(p, 6) for p in one.tagged.confidence["ner"]]}
            spans = [span for span in one.tagged.spans("ner") if span.probability and span.probability >= 0.9]
            told = record["predicted_spans"]["ner"]
            assert [(s["start"], s["end"]) for s in told] == [(span.start, span.end) for span in spans]

    def test_prodigy_s_fields(self, found: Suggested) -> None:
        for line, one in zip(
            written(found.suggestions, format="prodigy", tasks=["ner"]).splitlines(), found.suggestions, strict=True
        ):
            record = json.loads(line)
            assert set(record) == {"text", "tokens", "spans", "meta"}
            assert [token["id"] for token in record["tokens"]] == list(range(len(one.tagged)))
            for token in record["tokens"]:
                assert record["text"][token["start"] : token["end"]] == token["text"]
            for span in record["spans"]:
                first, last = record["tokens"][span["token_start"]], record["tokens"][span["token_end"]]
                assert (first["start"], last["end"]) == (span["start"], span["end"])
                assert span["label"] in toy.NAMES
            assert record["meta"]["score"] == round(one.score, 6)
            assert record["meta"]["source"].startswith("<stdin>:")

    def test_label_studio_s_fields(self, found: Suggested) -> None:
        tasks = json.loads(written(found.suggestions, format="label-studio", tasks=["ner"]))
        assert len(tasks) == len(found.suggestions)
        for task, one in zip(tasks, found.suggestions, strict=True):
            (prediction,) = task["predictions"]
            sure = one.tagged.confidence["ner"]
            assert prediction["score"] == round(sum(sure) / len(sure), 6)  # the tool puts the least sure first
            for region in prediction["result"]:
                value = region["value"]
                assert task["data"]["text"][value["start"] : value["end"]] == value["text"]
                assert value["labels"][0] in toy.NAMES

    def test_a_plain_task_has_a_span_for_each_word(self, found: Suggested) -> None:
        first = json.loads(written(found.suggestions, format="doccano", tasks=["pos"]).splitlines()[0])
        assert [first["text"][start:end] for start, end, _ in first["label"]] == list(words_of(found)[0])

    def test_spans_less_probable_are_left_out(self, found: Suggested) -> None:
        for format in ("prodigy", "doccano", "label-studio"):
            everything, few = (
                written(found.suggestions, format=format, tasks=["ner"], request=Request(min_probability=p))
                for p in (0.0, 0.9)
            )
            assert len(few) < len(everything)

    def test_each_type_has_a_probability_of_its_own(self, found: Suggested) -> None:
        of_type = Request(min_probability={"PER": 1.0})
        for format in ("doccano", "conll"):
            whole, most = (written(found.suggestions, format=format, tasks=["ner"], request=of) for of in (
                Request(), of_type))  # fmt: skip
            assert whole.count("LOC") == most.count("LOC") > 0
            assert whole.count("PER") > most.count("PER")

    def test_what_a_format_cannot_hold_is_refused(self, found: Suggested) -> None:
        for name, row in FORMATS.items():
            if row.holds_one_task:
                with pytest.raises(PolytagError, match=f"{name} holds the tags of one task, so name it: ner, pos"):
                    written(found.suggestions, format=name, tasks=found.tasks)
        with pytest.raises(PolytagError, match="did you mean 'prodigy'"):
            written([], format="prodigi", tasks=["ner"])
        blank = suggest(tiny.tagger(), candidates(BytesIO(b'{"words": ["New York"]}\n'), format="jsonl"))
        with pytest.raises(CorpusError, match=r"<stdin>:1: 'New York' is empty or holds"):
            written(blank.suggestions, format="conll", tasks=["ner"])


def test_what_is_suggested_can_be_trained_on(found: Suggested, model: Path) -> None:
    """With the unsure tags unknown, as partial training takes them."""
    directory = model.parent
    text = written(found.suggestions, format="conll", tasks=["pos", "ner"], request=SURE)
    (directory / "more.train").write_text(text)
    assert "?" in text
    tables = toy.tables("ner", search=directory)
    tables["tasks"]["ner"]["train"] = ["en.train", "more.train"]
    assert any("unknown, and summed over" in note for note in prepare(toy.make_plan(tables)).notes)


class TestCommand:
    def test_from_a_text_to_prodigy(self, model: Path, tmp_path: Path) -> None:
        text, output = tmp_path / "unlabelled.txt", tmp_path / "out.jsonl"
        text.write_text("\n".join(" ".join(s.words) for s in toy.sentences(30, seed=5)))
        done = run(f"suggest {model} {text} --from tokenised --task ner -n 5 --min-words 1 -o {output}")
        assert (done.code, done.out) == (0, "")
        assert done.err.startswith("5 of 30 sentences; uncertainty (entropy per word): mean ")
        assert len(output.read_text().splitlines()) == 5

    def test_to_stdout_in_every_format(self, model: Path, tmp_path: Path) -> None:
        text = tmp_path / "a.conll"
        text.write_text("\n\n".join("\n".join(s.words) for s in toy.sentences(9, seed=5)))
        for format in FORMATS:
            output = f" -o {tmp_path / 'out.ann'}" if FORMATS[format].beside else ""
            done = run(f"suggest {model} {text} {text} --task ner -n 3 --to {format} --by margin --total{output}")
            assert done.code == 0
            assert done.out or (tmp_path / "out.ann").read_text()

    def test_what_nothing_tells_is_guessed_alike_and_told(self, model: Path, tmp_path: Path) -> None:
        columns = "\n\n".join("\n".join(s.words) for s in toy.sentences(9, seed=5))
        done = run(f"suggest {model} --task ner -n 2", stdin=columns)
        assert (done.code, done.err.startswith("2 of ")) == (0, True)
        path = tmp_path / "letter.mail"
        path.write_text("Anna sees Bob here today.\n")
        raw = path.read_bytes()
        for name, stdin, of in ((str(path), None, str(path)), ("", raw, "<stdin>")):
            told = f"{of}: looks like raw text and is read so; --from names another\n"
            done = run(f"suggest {model} {name} --task ner", stdin=stdin)
            assert json.loads(done.out)["text"] == "Anna sees Bob here today."
            assert done.err.startswith(f"{told}1 of 1 ")
            done = run(f"tag {model} {name}", stdin=stdin)
            assert (done.out, done.err) == (run(f"tag {model} {path} --from text").out, told)

    def test_texts_in_a_column_are_no_words(self, model: Path, tmp_path: Path) -> None:
        path = tmp_path / "t.csv"
        for header, before in (("text,label", ""), ("id,text", "1,")):
            after = ",x" if not before else ""
            path.write_text(f'{header}\n{before}"Anna sees Bob here today."{after}\n{before}Bob goes away{after}\n')
            for command in (f"tag {model} {path}", f"suggest {model} {path} --task ner"):
                done = run(command)
                assert (done.code, done.sentence.partition(", expected a word in each row")[0]) == (
                    1, f"{path}:2: column 'text' holds 'Anna sees Bob here today.'",
                )  # fmt: skip
        path.write_text('word,comment\nAnna,"said to be a name"\nsees,"at times a verb"\n')
        assert run(f"tag {model} {path}").code == 0

    def test_mistakes_are_one_sentence(self, model: Path, tmp_path: Path) -> None:
        text = tmp_path / "a.conll"
        text.write_text("Ann\n")
        for line, sentence in {
            f"suggest {model} {text}": "prodigy holds the tags of one task, so say --task ner or --task pos, or "
            "--to jsonl or conll",
            f"suggest {model} {text} --task nerr": "the model has no task 'nerr'; did you mean 'ner'?",
            f"suggest {model} {text} --task ner --min-words 5": "there is no sentence to suggest, expected some of 5 "
            "words or more",
            f"suggest {model} none.conll --task ner": "none.conll: no such file, expected a corpus",
        }.items():
            done = run(line)
            assert (done.code, done.out, done.err) == (1, "", f"polytag: {sentence}\n")


def test_labels_of_single_words_come_back_as_labels(found: Suggested, model: Path) -> None:
    directory = model.parent
    (directory / "pos.jsonl").write_text(written(found.suggestions, format="doccano", tasks=["pos"]))
    tables = toy.tables("pos", search=directory)
    columns = {"tag": "spans"}
    tables["tasks"]["pos"] |= {"train": "pos.jsonl", "columns": columns, "dev": "none", "test": "none"}
    tables["tasks"]["pos"]["scheme"] = "plain"
    plan = toy.make_plan(tables)
    assert prepare(plan)
    back = [sentence.tags["pos"] for sentence in split_sentences(plan, "pos", "train")]
    assert back == [one.tagged.tags["pos"] for one in found.suggestions]
