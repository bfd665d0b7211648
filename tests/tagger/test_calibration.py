"""Calibration: the error by hand, the temperature that made the tags found again, and what a directory keeps of it."""

import json
import math
import random
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from polytag import load
from polytag.corpus.sentence import Sentence, Span
from polytag.errors import ModelError, PolytagError
from polytag.model.checkpoint import save_weights, weights_file
from polytag.model.temperatures import CALIBRATION, load_temperatures, save_temperatures
from polytag.scoring import Calibration, Reliability
from polytag.tagger.calibration import calibrate, fit, minimum
from polytag.tagger.tagging import Tagger
from polytag.training import train
from tests import tiny
from tests.cli.conftest import run
from tests.training import toy


def reliability(*given: tuple[float, bool]) -> Reliability:
    found = Reliability()
    for probability, correct in given:
        found.add(probability, correct=correct)
    return found


class TestError:
    def test_it_is_the_mean_gap_of_the_bins(self) -> None:
        # Two bins: of 0.9 twice, one right, and of 0.1 once, wrong.
        found = reliability((0.9, True), (0.9, False), (0.1, False))
        assert found.error == pytest.approx(100 * (abs(1.8 - 1) + 0.1) / 3)
        assert found.count == 3

    def test_gaps_of_one_bin_cancel_and_those_of_two_do_not(self) -> None:
        assert reliability((1.0, True), (0.95, True), (0.95, True), (0.95, False)).error == pytest.approx(85 / 4)
        assert reliability((0.5, True), (0.5, False)).error == pytest.approx(0.0)
        assert reliability((0.0, True), (1.0, False)).error == pytest.approx(100.0)

    def test_nothing_has_no_error(self) -> None:
        assert Reliability().error == 0.0
        assert Calibration().as_dict() == {}

    def test_parts_count_as_the_whole(self) -> None:
        source = random.Random(3)
        given = [(source.random(), source.random() < 0.5) for _ in range(200)]
        whole, part = reliability(*given), reliability(*given[:70])
        part.merge(reliability(*given[70:]))
        assert part.error == pytest.approx(whole.error)
        assert [each.count for each in part.bins] == [each.count for each in whole.bins]

    def test_true_probabilities_have_next_to_none(self) -> None:
        source = random.Random(0)
        draws = [source.random() for _ in range(20_000)]
        assert reliability(*((p, source.random() < p) for p in draws)).error < 2
        assert reliability(*((p, source.random() < p**3) for p in draws)).error > 20

    def test_tags_and_spans_are_counted_apart(self) -> None:
        found = Calibration()
        found.add(("B-PER", "I-PER", "O"), ("B-PER", "O", "O"), (0.75, 0.5, 1.0), [Span("PER", 0, 1, 0.6)])
        found.add(("?",), ("NOUN",), (0.3,))
        assert found.tags.error == pytest.approx(100 * (0.25 + 0.5 + 0.0) / 3)  # the unknown tag is left out
        assert found.spans.error == pytest.approx(60)
        assert str(found) == "tags:  25.00%; spans:  60.00%"
        assert found.as_dict()["spans"]["bins"] == [
            {"from": 60.0, "to": pytest.approx(66.667, abs=1e-3), "count": 1, "probability": 60.0, "correct": 0.0}
        ]


class TestMinimum:
    @pytest.mark.parametrize("place", [-2.9, -1.0, 0.0, 0.3, 2.5])
    def test_it_is_found(self, place: float) -> None:
        assert minimum(lambda x: abs(x - place) ** 1.5, -3.0, 3.0, precision=1e-4) == pytest.approx(place, abs=1e-4)

    def test_at_an_end(self) -> None:
        assert minimum(lambda x: x, 0.0, 1.0, precision=1e-4) == pytest.approx(0.0, abs=1e-4)


def drawn(tagger: Tagger, sentences: Sequence[Sentence], task: str, *, temperature: float) -> Iterator[Sentence]:
    """The sentences with gold tags drawn from the tagger's own distribution at a temperature."""
    source, vocabulary = random.Random(0), tagger.vocabularies.tags[tagger.plan.tasks[task].tags]
    for indices, lattice in tagger.lattices(sentences, task):
        ranked = replace(lattice, temperature=temperature).nbest(3**4)
        for index, own in zip(indices, ranked, strict=True):
            (path,) = source.choices(own.tags.tolist(), own.probabilities.tolist())
            tags = vocabulary.in_scheme([vocabulary.tags[tag] for tag in path], tagger.plan.tasks[task].scheme)
            yield replace(sentences[index], tags={task: tags})


class TestFit:
    @pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
    def test_the_temperature_of_the_draw_is_found(self, temperature: float) -> None:
        tagger = tiny.tagger({"pos": "plain"})
        sentences = list(drawn(tagger, tiny.texts(1_500, longest=4), "pos", temperature=temperature))
        found = fit(tagger, sentences, "pos")
        assert found.temperature == pytest.approx(temperature, rel=0.1)
        assert found.loss[1] <= found.loss[0]
        assert found.after.tags.error < 3
        assert found.sentences == 1_500

    def test_a_few_sentences_without_an_error_do_not_make_it_certain(self) -> None:
        tagger = tiny.tagger({"ner": "iob2"}, constrained=True)
        sentences = list(tagger.tag_all(tiny.texts(4, longest=3)))
        found = fit(tagger, sentences, "ner")
        assert 0.2 < found.temperature < 1.0

    def test_no_other_temperature_makes_the_tags_more_probable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        tagger = tiny.tagger({"ner": "iob2"}, constrained=True)
        sentences = 20 * list(drawn(tagger, tiny.texts(60, longest=3), "ner", temperature=2.0))  # more than the prior
        best = fit(tagger, sentences, "ner")
        for other in (0.8 * best.temperature, 0.97 * best.temperature, 1.03 * best.temperature, 2 * best.temperature):
            monkeypatch.setattr("polytag.tagger.calibration.minimum", lambda *_, x=other, **__: math.log(x))
            assert fit(tagger, sentences, "ner").loss[1] >= best.loss[1]
        assert best.before.spans.count == best.after.spans.count > 0

    def test_the_tagger_stays_as_it_is_and_its_temperature_plays_no_part(self) -> None:
        tagger = tiny.tagger({"pos": "plain"})
        sentences = list(drawn(tagger, tiny.texts(50, longest=3), "pos", temperature=2.0))
        first = fit(tagger, sentences, "pos")
        assert tagger.model.temperatures == {}
        assert fit(Tagger(replace(tagger.model, temperatures={"pos": 9.0})), sentences, "pos") == first

    def test_sentences_that_cannot_be_scored_are_left_out(self) -> None:
        tagger = tiny.tagger({"pos": "plain"})
        sentences = list(drawn(tagger, tiny.texts(50, longest=3), "pos", temperature=2.0))
        others = [
            Sentence((), {"pos": ()}),
            Sentence(("Ann",), {"pos": ("ADVERB",)}),
            Sentence(("a",), {"pos": ("?",)}),
        ]
        assert fit(tagger, [*others, *sentences], "pos") == fit(tagger, sentences, "pos")
        with pytest.raises(PolytagError, match="none of 3 sentences has tags of 'pos' that the model knows"):
            fit(tagger, others, "pos")


class TestTagger:
    def test_a_temperature_changes_probabilities_and_no_tag(self) -> None:
        tagger, sentences = tiny.tagger({"ner": "iob2", "pos": "plain"}, constrained=True), tiny.texts(50)
        before = list(tagger.tag_all(sentences, confidence=True, nbest=3))
        tagger = Tagger(replace(tagger.model, temperatures={"ner": 4.0}))
        after = list(tagger.tag_all(sentences, confidence=True, nbest=3))
        assert [s.tags for s in before] == [s.tags for s in after]
        for old, new in zip(before, after, strict=True):
            assert old.confidence["pos"] == new.confidence["pos"]
            assert [one.tags for one in old.alternatives["ner"]] == [one.tags for one in new.alternatives["ner"]]
        assert mean(before, "ner") > mean(after, "ner") + 0.1

    def test_evaluate_counts_it_if_asked(self) -> None:
        tagger = tiny.tagger({"ner": "iob2"}, constrained=True)
        sentences = list(drawn(tagger, tiny.texts(40, longest=3), "ner", temperature=1.0))
        counts, plain = (tagger.evaluate(sentences, "ner", calibration=asked) for asked in (True, False))
        assert plain.calibration is None
        assert counts.calibration is not None
        assert counts.calibration.tags.count == sum(map(len, sentences))
        assert counts.score == plain.score
        parts = [tagger.evaluate(some, "ner", calibration=True) for some in (sentences[:15], sentences[15:])]
        parts[0].merge(parts[1])
        assert parts[0].calibration is not None
        assert parts[0].calibration.tags.error == pytest.approx(counts.calibration.tags.error)


def mean(sentences: Sequence[Sentence], task: str) -> float:
    return float(np.mean([p for s in sentences for p in s.confidence[task]]))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    corpora = toy.write_all(tmp_path_factory.mktemp("calibration"))
    train(toy.plan(corpora, "ner", "xx", best_per_task=True, epochs=3), output=corpora / "model")
    return corpora / "model"


@pytest.fixture
def model(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "model"))


def content(model: Path) -> Any:
    return json.loads((model / CALIBRATION).read_text(encoding="utf-8"))


class TestDirectory:
    def test_training_leaves_a_temperature_for_each_task_and_its_own_weights(self, model: Path) -> None:
        kept = content(model)["weights"]
        assert {name: set(entry["temperatures"]) for name, entry in kept.items()} == {
            "weights.safetensors": {"ner", "xx"},
            "best.ner.safetensors": {"ner"},
            "best.xx.safetensors": {"xx"},
        }
        for task in ("ner", "xx"):
            for best_for in (None, task):
                name = weights_file(best_for)
                assert load(model, best_for=best_for).model.temperatures[task] == kept[name]["temperatures"][task]

    def test_the_report_says_what_it_brought(self, model: Path) -> None:
        found = json.loads((model / "report.json").read_text(encoding="utf-8"))["calibration"]
        assert list(found) == ["ner", "xx"]
        for task, numbers in found.items():
            assert numbers["temperature"] == load(model).model.temperatures[task]
            assert numbers["after"]["loss"] <= numbers["before"]["loss"]
            assert {"error", "count", "bins"} == set(numbers["before"]["tags"])
            assert numbers["before"]["tags"]["count"] == numbers["after"]["tags"]["count"] > 0

    def test_a_directory_without_it_is_not_calibrated(self, model: Path) -> None:
        (model / CALIBRATION).unlink()
        assert load(model).model.temperatures == {}
        assert {lattice.temperature for _, lattice in load(model).lattices(tiny.texts(3), "ner")} == {1.0}

    def test_calibrating_on_a_file_replaces_one_temperature(self, model: Path) -> None:
        before = content(model)
        file = toy.write(model.parent / "more", 40, seed=9)
        (found,) = calibrate(model, tasks=["ner"], data_file=file).values()
        after = content(model)
        assert after["weights"]["weights.safetensors"]["temperatures"]["ner"] == found.temperature
        before["weights"]["weights.safetensors"]["temperatures"]["ner"] = found.temperature
        before["weights"]["weights.safetensors"]["texts"]["ner"] = found.text.as_dict()
        assert after == before

    def test_other_weights_are_not_taken_for_those_it_was_made_for(self, model: Path) -> None:
        save_weights(model, {name: array + 1 for name, array in load(model).model.arrays.items()})
        with pytest.raises(
            ModelError, match=r"calibration\.json: made for other weights than weights\.safetensors holds"
        ):
            load(model)

    @pytest.mark.parametrize(
        "text",
        ["", "[]", "{", '{"format": "polytag-calibration", "version": 2, "weights": {}}', "\xff",
         '{"format": "polytag-calibration", "version": 1, "weights": []}'],
    )  # fmt: skip
    def test_a_damaged_file_is_refused(self, model: Path, text: str) -> None:
        (model / CALIBRATION).write_text(text, encoding="latin-1")
        with pytest.raises(ModelError, match=r"calibration\.json: "):
            load(model)

    @pytest.mark.parametrize("value", [0, -1.0, "2", None, float("nan"), float("inf")])
    def test_a_temperature_that_is_none_is_refused(self, model: Path, value: Any) -> None:
        changed = content(model)
        changed["weights"]["weights.safetensors"]["temperatures"]["ner"] = value
        (model / CALIBRATION).write_text(json.dumps(changed))
        with pytest.raises(ModelError, match="expected a checksum and temperatures above 0"):
            load(model)

    def test_a_task_that_the_model_has_not_is_refused(self, model: Path) -> None:
        save_temperatures(model, "weights.safetensors", {"old": 2.0})
        with pytest.raises(ModelError, match="a temperature for 'old', expected tasks of the model"):
            load(model)

    def test_what_was_known_of_other_weights_is_dropped(self, model: Path) -> None:
        changed = content(model)
        changed["weights"]["weights.safetensors"]["checksum"] = "0"
        (model / CALIBRATION).write_text(json.dumps(changed))
        save_temperatures(model, "weights.safetensors", {"ner": 2.0})
        assert load_temperatures(model, "weights.safetensors", tasks=["ner", "xx"]) == {"ner": 2.0}


class TestCommands:
    def test_calibrate_prints_before_and_after(self, model: Path) -> None:
        file = toy.write(model.parent / "more", 40, seed=9)
        done = run(["calibrate", model, "--task", "ner", "--data-file", file])
        assert (done.code, done.err) == (0, "")
        head, before, after = done.out.splitlines()
        assert head == f"ner: temperature {load(model).model.temperatures['ner']:.4f} from 40 sentences"
        assert before.startswith("  calibration error before: tags: ")
        assert after.startswith("  calibration error after:  tags: ")
        scored = run(["evaluate", model, "--task", "ner", "--data-file", file, "--calibration"])
        assert scored.out.splitlines()[-1] == after.strip().replace("error after: ", "error:").partition("; loss")[0]

    def test_numbers_for_machines(self, model: Path, trained: Path) -> None:
        data = ["--data", trained.parent, "--json"]  # the model was moved away from them
        done = run(["calibrate", model, *data])
        assert done.code == 0, done.err
        assert set(json.loads(done.out)) == {"ner", "xx"}
        scored = json.loads(run(["evaluate", model, "--split", "dev", "--calibration", *data]).out)
        for task, numbers in json.loads(done.out).items():
            of_file, of_fit = scored[task]["calibration"], numbers["after"]
            for part in ("tags", "spans"):
                assert of_file[part]["error"] == pytest.approx(of_fit[part]["error"], abs=1e-3)
                assert of_file[part]["count"] == of_fit[part]["count"]
        without = json.loads(run(["evaluate", model, "--split", "dev", *data]).out)
        assert all("calibration" not in numbers for numbers in without.values())

    @pytest.mark.parametrize(
        ("options", "sentence"),
        [
            (["--task", "nre"], "the model has no task 'nre'; did you mean 'ner'?"),
            (
                ["--split", "test", "--task", "xx"],
                "the plan has no test files for xx, expected some, another split (--split) or a file (--data-file)",
            ),
            (["--data-file", "nowhere"], "a file to score holds the tags of one task, so name it: ner, xx"),
        ],
    )
    def test_what_cannot_be_is_one_sentence(self, model: Path, options: list[str], sentence: str) -> None:
        before = content(model)
        done = run(["calibrate", model, *options])
        assert (done.code, done.sentence) == (1, sentence)
        assert content(model) == before
