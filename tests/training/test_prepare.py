"""From a plan to sentences, vocabularies and fresh weights."""

from pathlib import Path
from typing import Any

import pytest
import torch

from polytag.corpus import check
from polytag.errors import CorpusError, PlanError
from polytag.training import Prepared, prepare
from tests.training import toy


def prepared(corpora: Path, task: str = "ner", training: dict[str, Any] | None = None, **settings: Any) -> Prepared:
    tables = toy.tables(task, search=corpora, **(training or {}))
    tables["tasks"][task] |= settings
    return prepare(toy.make_plan(tables))


def train_words(found: Prepared, task: str = "ner") -> list[tuple[int, tuple[str, ...]]]:
    return [(sentence.lines[0], sentence.words) for sentence in found.sentences[task]["train"]]


def test_labeling_rates_are_nested(corpora: Path) -> None:
    drawn = [set(train_words(prepared(corpora, rate=rate))) for rate in (0.1, 0.3, 0.7, 1.0)]
    assert [len(d) for d in drawn] == [2, 5, 12, 17]
    assert drawn[0] < drawn[1] < drawn[2] < drawn[3]


def test_the_authors_draw_has_repeats_and_its_own_seed(corpora: Path) -> None:
    first, again, other = (
        train_words(prepared(corpora, rate=0.9, rate_draw="replacement", rate_seed=seed)) for seed in (13, 13, 14)
    )
    assert first == again != other
    assert len(first) == 15 > len(set(first))


def test_the_draw_does_not_depend_on_the_training_s_seed(corpora: Path) -> None:
    draws = [train_words(prepared(corpora, training={"seed": seed}, rate=0.5)) for seed in (1, 2)]
    assert draws[0] == draws[1]


def test_a_held_out_part_is_the_development_set(corpora: Path) -> None:
    tables = toy.tables("ner", search=corpora)
    del tables["tasks"]["ner"]["dev"]
    everything = set(train_words(prepare(toy.make_plan(tables))))
    tables["tasks"]["ner"]["holdout"] = 0.25
    found = prepare(toy.make_plan(tables))
    dev = {(s.lines[0], s.words) for s in found.sentences["ner"]["dev"]}
    assert len(dev) == 4
    assert not dev & set(train_words(found))
    assert dev | set(train_words(found)) == everything
    tables["tasks"]["ner"]["rate"] = 0.5  # of what is left: the held-out part stays the same
    at_rate = prepare(toy.make_plan(tables))
    assert {(s.lines[0], s.words) for s in at_rate.sentences["ner"]["dev"]} == dev
    assert set(train_words(at_rate)) < set(train_words(found))


def test_what_is_said_of_a_file_is_what_check_says_once_for_train_and_its_held_out_part(tmp_path: Path) -> None:
    train = tmp_path / "train.conll"
    train.write_text("Ann\tB-PER\nran\tO\n\nin\u200b\tO\tx\nLima\tB-LOC\n\n" * 9, encoding="utf-8")
    settings = {"train": str(train), "columns": {"tag": 1}, "dev": None, "test": None}
    found = prepared(tmp_path, **settings, holdout=0.5)
    told = [note.removeprefix("ner: ") for note in found.notes if str(train) in note]
    assert told == list(map(str, check(train).notes))
    assert told == [
        f"{train}:4: 3 columns, where the first line of words has 2 (and 8 more like this)",
        rf"{train}:4: word 'in\u200b' holds the unseen character U+200B (and 8 more like this)",
    ]


def test_schemes_are_detected_written_down_and_checked(corpora: Path) -> None:
    found = prepared(corpora)
    assert found.plan.tasks["ner"].scheme == "iob2"
    assert any(note.startswith("ner: tag scheme IOB2") for note in found.notes)
    assert prepared(corpora, "pos").plan.tasks["pos"].scheme == "plain"
    assert prepared(corpora, scheme="iob2").plan.tasks["ner"].scheme == "iob2"
    for wrong in ("bioes", "plain"):
        with pytest.raises(
            PlanError, match=rf"tasks\.ner\.scheme: '{wrong}' does not fit the training files: found IOB2"
        ):
            prepared(corpora, scheme=wrong)


def test_a_language_s_words_come_from_all_its_tasks_and_no_other(corpora: Path) -> None:
    vocabularies = prepare(toy.plan(corpora, "ner", "pos", "xx")).vocabularies
    assert not any(word.startswith("x") for word in vocabularies.words["en"].words)
    assert all(word.startswith("x") for word in vocabularies.words["xx"].words)
    assert "x" in vocabularies.chars["all"].alphabet  # characters are shared by both
    assert vocabularies.tags["pos"].tags == ("NAME", "WORD")
    assert vocabularies.tags["ner"].tags[0] == "O"


def test_only_on_request_the_vocabulary_sees_other_splits(tmp_path: Path) -> None:
    toy.write_all(tmp_path)
    (tmp_path / "en.dev").write_text("Zyx NAME B-PER\n")
    for vocabulary, index_known in (("train", False), ("all", True)):
        tables = toy.tables("ner", search=tmp_path)
        tables["words"]["en"]["vocabulary"] = vocabulary
        found = prepare(toy.make_plan(tables)).vocabularies
        assert (found.words["en"].index("Zyx") > 0) is index_known
        assert not found.words["en"].seen_in_training("Zyx")
        assert ("Z" in found.chars["all"].alphabet) is index_known


def test_vectors_fill_the_rows_of_their_words(tmp_path: Path) -> None:
    toy.write_all(tmp_path)
    (tmp_path / "vectors.txt").write_text("lima 1 2 3\nsees -1 0 1\nelsewhere 4 4 4\nLima 9 9 9\n")
    tables = toy.tables("ner", search=tmp_path)
    del tables["words"]["en"]["dimension"]
    tables["words"]["en"]["vectors"] = "vectors.txt"
    values = torch.tensor([[1.0, 2, 3], [-1, 0, 1], [4, 4, 4], [9, 9, 9]])
    for std in (0.5, None):
        tables["words"]["en"]["vector_std"] = std
        found = prepare(toy.make_plan(tables))
        assert found.plan.words["en"].dimension == 3
        weight = found.network.get_parameter("words.en.embedding.weight").detach()
        vocabulary = found.vocabularies.words["en"]
        scale = 1.0 if std is None else std / float(values.std(unbiased=False))
        rows = weight[[vocabulary.index(w) for w in ("LIMA", "sees", "elsewhere")]]
        torch.testing.assert_close(rows, values[:3] * scale, rtol=1e-4, atol=1e-6)
        assert float(weight[vocabulary.index("the")].abs().max()) < 0.1
        assert any("vectors of 3 dimensions from vectors.txt" in note for note in found.notes)
    (tmp_path / "vectors.txt").write_text("4 3\nlima 1 2 3\nsees -1 0 1\nlima 4 4 4\n")
    notes = [note.replace(str(tmp_path), "") for note in prepare(toy.make_plan(tables)).notes]
    assert "words.en: /vectors.txt:1: 3 rows, but the header promises 4" in notes
    assert "words.en: /vectors.txt: left out rows of words that had come before, such as 'lima': 1" in notes
    tables["words"]["en"]["dimension"] = 4
    with pytest.raises(PlanError, match=r"words\.en\.dimension is 4, but vectors\.txt has 3 dimensions"):
        prepare(toy.make_plan(tables))


def test_a_word_with_its_case_starts_from_the_vector_of_its_lower_case(tmp_path: Path) -> None:
    toy.write_all(tmp_path)
    (tmp_path / "vectors.txt").write_text("lima 1 2 3\noslo 4 5 6\nOslo 7 8 9\n")
    tables = toy.tables("ner", search=tmp_path)
    del tables["words"]["en"]["dimension"]
    tables["words"]["en"] |= {"vectors": "vectors.txt", "vector_std": None, "lowercase": False}
    found = prepare(toy.make_plan(tables))
    weight = found.network.get_parameter("words.en.embedding.weight").detach()
    words = found.vocabularies.words["en"]
    assert words.seen_in_training("Lima")
    assert words.index("Lima") != words.index("lima")
    rows = weight[[words.index(word) for word in ("Lima", "lima", "Oslo", "OSLO")]]
    assert rows.tolist() == [[1, 2, 3], [1, 2, 3], [7, 8, 9], [4, 5, 6]]


def test_checksums_tell_files_apart_by_content(tmp_path: Path) -> None:
    toy.write_all(tmp_path)
    first = prepared(tmp_path).checksums
    assert set(first) == {"en.train", "en.dev", "en.test"}
    toy.write(tmp_path / "en.test", 8, seed=77)
    second = prepared(tmp_path).checksums
    assert {name for name in first if first[name] != second[name]} == {"en.test"}


def test_the_seed_decides_the_weights_and_the_caller_s_random_state_stays(corpora: Path) -> None:
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first, again, other = (prepared(corpora, training={"seed": seed}).network.state_dict() for seed in (3, 3, 4))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not any(torch.equal(first[name], other[name]) for name in first)


def test_empty_files_are_refused(tmp_path: Path) -> None:
    toy.write_all(tmp_path)
    (tmp_path / "en.train").write_text("\n\n")
    with pytest.raises(CorpusError, match=r"en\.train"):
        prepared(tmp_path)


def test_a_column_out_of_reach_names_file_and_line(corpora: Path) -> None:
    with pytest.raises(CorpusError, match=r"en\.train:1: "):
        prepared(corpora, columns={"tag": 7})


def test_plain_tags_and_spans_do_not_share_a_tag_part(corpora: Path) -> None:
    tables = toy.tables("ner", "pos", search=corpora)
    for task in tables["tasks"].values():
        task["tags"] = "labels"
    tables["tags"] = {"labels": {}}
    with pytest.raises(PlanError, match=r"tags\.labels: its tasks mix plain tags and spans \(ner, pos\)"):
        prepare(toy.make_plan(tables))


def test_a_shared_tag_part_needs_word_grus_of_one_width(corpora: Path) -> None:
    tables = toy.tables("ner", "xx", search=corpora)
    for task in tables["tasks"].values():
        task["tags"] = "labels"
    tables["tags"] = {"labels": {}}
    tables["words"]["xx"]["hidden"] = 7
    with pytest.raises(PlanError, match=r"tags\.labels: its tasks ner and xx have word GRUs of different widths"):
        prepare(toy.make_plan(tables))


def test_a_part_cannot_have_a_name_that_torch_keeps_for_itself(corpora: Path) -> None:
    tables = toy.tables("ner", search=corpora)
    tables["words"] = {"type": tables["words"]["en"]}
    tables["tasks"]["ner"]["words"] = "type"
    with pytest.raises(PlanError, match="words: attribute 'type' already exists in PyTorch, expected another name"):
        prepare(toy.make_plan(tables))


def rewritten(corpora: Path, directory: Path, name: str, **changes: str) -> str:
    """A file of the toy corpora with other tags; its new path."""
    lines = (corpora / name).read_text(encoding="utf-8").splitlines()
    fields = [line.split() for line in lines]
    text = "\n".join(" ".join([*row[:-1], changes.get(row[-1], row[-1])]) if row else "" for row in fields)
    path = directory / name
    path.write_text(text + "\n", encoding="utf-8")
    return str(path)


def test_an_outside_tag_that_is_not_o_is_told_and_read_where_it_is_named(corpora: Path, tmp_path: Path) -> None:
    files = {split: rewritten(corpora, tmp_path, toy.TASKS["ner"][split], O="0") for split in ("train", "dev", "test")}
    told = prepared(corpora, **files)
    assert told.plan.tasks["ner"].scheme == "plain"
    (note,) = [note for note in told.notes if "outside" in note]
    assert note.startswith("tasks.ner: ")
    assert note.endswith("if it means O, set outside = '0'")
    read, expected = prepared(corpora, **files, outside="0"), prepared(corpora)
    assert [s.tags for s in read.sentences["ner"]["train"]] == [s.tags for s in expected.sentences["ner"]["train"]]
    assert read.vocabularies.tags == expected.vocabularies.tags
    assert not any("outside" in note for note in read.notes)


def test_an_outside_tag_that_cannot_be_meant(corpora: Path, tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"tasks\.pos\.outside: '0' is for tags that mark spans, found plain ones"):
        prepared(corpora, "pos", outside="0")
    train = rewritten(corpora, tmp_path, toy.TASKS["ner"]["train"], O="0")
    with pytest.raises(PlanError, match=r"'iob2' does not fit .* if it means O, set outside = '0'"):
        prepared(corpora, train=train, scheme="iob2")
    all_spans = tmp_path / "spans.conll"
    all_spans.write_text("Ann X B-PER\nLee X I-PER\n")
    notes = prepared(corpora, train=str(all_spans), outside="0").notes
    assert "tasks.ner.outside: no word of the training files has the tag '0'" in notes


def test_types_and_tags_that_training_lacks_are_told_with_their_counts(corpora: Path, tmp_path: Path) -> None:
    test = tmp_path / "test.conll"
    test.write_text("Ann X B-LAW\nLee X I-LAW\nran Y O\nit Y B-LAW\nup Z B-ACT\n")
    told = "so that they are never found: {}; --map (in a plan: map) reads labels as those that it has: {}"
    assert "ner: test: types that training lacks, " + told.format("LAW 2, ACT 1 (3 spans)", "LOC, PER") in (
        prepared(corpora, test=str(test)).notes
    )
    assert "pos: test: tags that training lacks, " + told.format("X 2, Y 2, Z 1 (5 words)", "NAME, WORD") in (
        prepared(corpora, "pos", test=str(test), columns={"tag": 1}).notes
    )
    assert not any("lacks" in note for note in prepared(corpora).notes)


def conll(path: Path, *tagged: str) -> str:
    path.write_text("".join(f"{' '.join(item.rsplit('/', 1))}\n" for item in tagged) + "\n")
    return str(path)


def test_files_of_one_task_are_each_read_in_their_own_way(corpora: Path, tmp_path: Path) -> None:
    columns = conll(tmp_path / "a.conll", "Ann/I-PER", "Lee/I-PER", "met/O", "Bo/I-PER", "Oslo/I-city")
    records = tmp_path / "b.jsonl"
    records.write_text('{"text": "Jo saw Rome.", "spans": [[0, 2, "Human"], [7, 11, "Place"]]}\n')
    own = {"file": str(records), "columns": {"tag": "spans"}, "map": {"Human": "PER", "Place": "LOC"}}
    found = prepared(corpora, train=[columns, own], columns={"tag": 1}, map={"city": "LOC"}, dev=[own], test=own)
    assert [s.tags["ner"] for s in found.sentences["ner"]["train"]] == [
        ("B-PER", "I-PER", "O", "B-PER", "B-LOC"),  # rewritten: the other file has IOB2
        ("B-PER", "O", "B-LOC", "O"),
    ]
    assert [s.tags["ner"] for split in ("dev", "test") for s in found.sentences["ner"][split]] == [
        ("B-PER", "O", "B-LOC", "O")
    ] * 2
    assert found.plan.tasks["ner"].scheme == "iob2"
    (told,) = [note for note in found.notes if note.endswith("rewritten in IOB2")]
    assert told.startswith(f"ner: {columns}: tag scheme IOB1: 3 spans")
    assert set(found.checksums) == {columns, str(records)}


def test_training_files_whose_labels_have_nothing_in_common_are_told(corpora: Path, tmp_path: Path) -> None:
    first = conll(tmp_path / "a.conll", "Ann/B-PER", "met/O", "Lima/B-LOC")
    second = conll(tmp_path / "b.conll", "Bo/B-person", "left/O")
    told = f"ner: {second}: none of its labels (person) is one of {first} (LOC, PER); where some mean the same, a map"
    alone = {"columns": {"tag": 1}, "dev": "none", "test": "none"}
    assert any(note.startswith(told) for note in prepared(corpora, train=[first, second], **alone).notes)
    mapped = {"file": second, "map": {"person": "PER"}}
    assert not any("none of its labels" in note for note in prepared(corpora, train=[first, mapped], **alone).notes)


@pytest.mark.parametrize(("tag", "scheme"), [("O", "auto"), ("N", "iob2"), ("N", "plain")])
def test_files_that_teach_one_tag_are_told(corpora: Path, tmp_path: Path, tag: str, scheme: str) -> None:
    train = conll(tmp_path / "a.conll", f"Ann/{tag}", f"met/{tag}")
    outside = {"outside": "N"} if scheme == "iob2" else {}
    alone = {"train": train, "dev": "none", "test": "none", "columns": {"tag": 1}, "scheme": scheme}
    told = f"ner: every word of the training files has the tag {tag}: a model learns no other from them"
    assert told in prepared(corpora, **alone, **outside).notes
    assert not any("no other" in note for note in prepared(corpora).notes)


def test_a_file_that_is_held_out_from_is_told_of_once(corpora: Path, tmp_path: Path) -> None:
    train = tmp_path / "a.conll"
    train.write_text("Ann B-PER\n\n" * 4)
    files = {"train": str(train), "dev": "none", "test": "none", "holdout": 0.5}
    found = prepared(corpora, **files, columns={"tag": 1}, map={"per": "X"})
    assert [note for note in found.notes if "map" in note] == [
        f"ner: {train}: nothing that the map names stands in it (per), expected some of PER 4; did you mean 'PER'?",
    ]


IDLE: dict[str, tuple[str, dict[str, Any], str]] = {
    "unknown words without embeddings": (
        "words.en", {"embedding": False, "unknown": 0.5},
        "words.en.unknown = 0.5 does nothing: it has no word embeddings",
    ),
    "dropout of no gazetteer": (
        "tags.ner", {"gazetteer_dropout": 0.3}, "tags.ner.gazetteer_dropout = 0.3 does nothing: it has no gazetteer",
    ),
    "patience without scores": (
        "tasks.ner", {"dev": "none"}, "training.patience = 99 does nothing: no task has dev files or a holdout",
    ),
    "a rate that rises": (
        "training", {"learning_rate": 1e-5, "final_learning_rate": 0.001},
        "training.learning_rate = 1e-05 rises to final_learning_rate = 0.001, expected one that falls",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("place", "settings", "note"), IDLE.values(), ids=IDLE)
def test_settings_that_do_nothing_or_the_reverse_are_told(
    corpora: Path, place: str, settings: dict[str, Any], note: str
) -> None:
    tables = toy.tables("ner", search=corpora, features=True)
    kind, _, name = place.partition(".")
    (tables[kind][name] if name else tables[kind]).update(settings)
    assert note in prepare(toy.make_plan(tables)).notes


def test_what_a_recipe_sets_for_all_plans_is_not_told(corpora: Path) -> None:
    tables = toy.tables("ner", search=corpora, recipe="best")
    tables["words"]["en"]["embedding"] = False
    del tables["tasks"]["ner"]["dev"], tables["training"]["patience"]
    assert not any("does nothing" in note for note in prepare(toy.make_plan(tables)).notes)
