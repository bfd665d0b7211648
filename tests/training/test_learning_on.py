"""Learning on: parts from another model, parts that stay as they are, files that mark some types only."""

from collections.abc import Mapping
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from polytag.errors import CorpusError, ModelError, PlanError
from polytag.model import Model, load_model
from polytag.plan import Plan
from polytag.reports.two_models import compare
from polytag.tagger.calibration import fit
from polytag.tagger.evaluation import evaluate
from polytag.tagger.tagging import Tagger
from polytag.training import Trainer, ops, prepare, train
from polytag.training.unknown import gold_of
from polytag.vocabulary.vocabularies import build_tags
from tests.training import toy

Tables = dict[str, Any]


@pytest.fixture(scope="module")
def old(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained model of "ner" and "pos", with features."""
    directory = tmp_path_factory.mktemp("old") / "model"
    train(toy.make_plan(toy.tables("ner", "pos", search=corpora, features=True)), output=directory)
    return directory


@pytest.fixture
def news(corpora: Path, tmp_path: Path) -> Path:
    """New files beside the old ones: other words, and a type ORG in place of LOC."""
    toy.write(tmp_path / "en.train", 20, seed=7)
    toy.write(tmp_path / "en.dev", 9, seed=8)
    for name in ("en.train", "en.dev"):
        text = (tmp_path / name).read_text(encoding="utf-8").replace("-LOC", "-ORG").replace("sees", "hears")
        (tmp_path / name).write_text(text + "\nQuéz NAME B-ORG\n\n", encoding="utf-8")
    return tmp_path


def tables(directory: Path, old: Path, *tasks: str, **initialisation: Any) -> Tables:
    found = toy.tables(*tasks, search=directory, features=True)
    for task in found["tasks"].values():
        task.pop("test", None)
    found["initialisation"] |= {"from": str(old), **initialisation}
    return found


def plan(directory: Path, old: Path, *tasks: str, **initialisation: Any) -> Plan:
    return toy.make_plan(tables(directory, old, *tasks, **initialisation))


def begun(made: Plan) -> Model:
    """The model of a plan before it trains."""
    prepared = prepare(made)
    arrays = {name: tensor.numpy() for name, tensor in prepared.network.state_dict().items()}
    return Model(prepared.plan, prepared.vocabularies, arrays)


def rows(model: Model, part: str, array: str) -> Mapping[Any, Any]:
    """The rows of an embedding by what they are for."""
    kind, name = part.split(".")
    vocabulary = getattr(model.vocabularies, kind)[name]
    labels = ["", *vocabulary.words] if kind == "words" else ["", "<", ">", *vocabulary.alphabet]
    return dict(zip(labels, model.arrays[f"{part}.{array}"], strict=True))


def test_what_both_know_keeps_its_weights(news: Path, old: Path) -> None:
    before, after = load_model(old), begun(plan(news, old, "ner", "pos"))
    for part in ("chars.all", "words.en"):
        theirs, ours = (rows(model, part, "embedding.weight") for model in (before, after))
        assert theirs.keys() < ours.keys()
        assert all(np.array_equal(ours[label], row) for label, row in theirs.items())
        for name, array in before.part(part).items():
            assert name == "embedding.weight" or np.array_equal(after.arrays[f"{part}.{name}"], array)
    assert after.vocabularies.words["en"].seen_in_training("hears")
    assert after.vocabularies.words["en"].seen_in_training("sees")


def test_tags_and_features_keep_their_weights_by_name(news: Path, old: Path) -> None:
    before, after = load_model(old), begun(plan(news, old, "ner"))
    theirs, ours = (model.vocabularies.tags["ner"] for model in (before, after))
    assert ours.types == {"PER", "LOC", "ORG"}
    at = [ours.tags.index(tag) for tag in theirs.tags]
    a, b = (model.part("tags.ner") for model in (before, after))
    assert np.array_equal(b["projection"][:, at], a["projection"])
    assert np.array_equal(b["transitions"][np.ix_(at, at)], a["transitions"])
    assert np.array_equal(b["start"][at], a["start"])
    assert theirs.features
    assert ours.features
    own = [1 + ours.features.own.index(feature) for feature in theirs.features.own]
    assert np.array_equal(b["features.own.weight"][np.ix_(own, at)], a["features.own.weight"][1:])
    around = [2 + ours.features.around.index(feature) for feature in theirs.features.around]
    places = [at_place * len(ours) + tag for at_place in range(5) for tag in at]
    assert np.array_equal(b["features.around.weight"][np.ix_(around, places)], a["features.around.weight"][2:])


def test_a_new_type_begins_as_what_it_was_before(news: Path, old: Path) -> None:
    """What files of the old types called O may be of the new one: both are as likely until something is learnt."""
    after = begun(plan(news, old, "ner"))
    tags, part = after.vocabularies.tags["ner"].tags, after.part("tags.ner")
    outside = tags.index("O")
    features = part["features.around.weight"].reshape(-1, 5, len(tags))
    for new in (place for place, tag in enumerate(tags) if tag.endswith("-ORG")):
        for by_tag in (part["projection"], part["start"], part["features.own.weight"], features):
            old_rows = by_tag[..., outside]
            assert old_rows.any()
            assert np.array_equal(by_tag[..., new], old_rows)
        assert np.array_equal(part["transitions"][new], part["transitions"][outside])


def test_a_model_that_learnt_nothing_yet_tags_as_the_old_one(corpora: Path, old: Path) -> None:
    """With the same files there is nothing new: every score is the old one."""
    before, after = load_model(old), begun(plan(corpora, old, "ner", "pos"))
    assert before.arrays.keys() == after.arrays.keys()
    assert all(np.array_equal(after.arrays[name], array) for name, array in before.arrays.items())


def test_a_part_from_one_of_another_name_and_nothing_else(corpora: Path, old: Path) -> None:
    made = plan(corpora, old, "xx", parts=["chars.all", "tags.xx = tags.ner"])
    before, after, fresh = load_model(old), begun(made), begun(toy.make_plan(toy.tables("xx", search=corpora)))
    assert np.array_equal(after.arrays["tags.xx.projection"], before.arrays["tags.ner.projection"])
    assert np.array_equal(after.arrays["chars.all.gru.input_weight.0"], before.arrays["chars.all.gru.input_weight.0"])
    assert after.arrays["words.xx.gru.input_weight.0"].shape == fresh.arrays["words.xx.gru.input_weight.0"].shape
    assert not any("words.en" in name for name in after.arrays)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ("chars", "all", "hidden", 3),
            "hidden of chars.all is 4, that of chars.all in this plan 3, expected the same",
        ),
        (("words", "en", "dimension", 9), "dimension of words.en is 5, that of words.en in this plan 9"),
        (("words", "en", "lowercase", False), "lowercase of words.en is True, that of words.en in this plan False"),
        (("tags", "ner", "scheme", "iob2"), "scheme of tags.ner is bioes, that of tags.ner in this plan iob2"),
    ],
)
def test_parts_that_do_not_fit_are_named_with_both_sizes(
    corpora: Path, old: Path, change: tuple[str, str, str, Any], message: str
) -> None:
    found = tables(corpora, old, "ner")
    kind, name, setting, value = change
    found[kind][name][setting] = value
    with pytest.raises(ModelError) as raised:
        prepare(toy.make_plan(found))
    assert message in str(raised.value)
    assert str(raised.value).startswith(str(old))


def test_a_tag_part_goes_on_from_the_layer_that_it_read(corpora: Path, tmp_path: Path) -> None:
    made = toy.tables("ner", search=corpora, epochs=1)
    made["words"]["en"]["layers"], made["tags"] = 2, {"ner": {"layer": 1}}
    train(made, output=tmp_path / "model")
    made["initialisation"] = {"from": str(tmp_path / "model")}
    prepare(toy.make_plan(made))
    made["tags"]["ner"]["layer"] = 2
    with pytest.raises(
        ModelError, match=r"tags\.ner reads layer 1 of words\.en, tags\.ner in this plan layer 2, expected"
    ):
        prepare(toy.make_plan(made))
    made["initialisation"]["parts"] = ["chars.all", "words.en"]
    prepare(toy.make_plan(made))


@pytest.mark.parametrize(
    ("initialisation", "message"),
    [
        ({"parts": ["chars.al"]}, r"initialisation.parts: there is no part chars.al; did you mean 'chars.all'\?"),
        ({"parts": ["chars.all = chars.xx"]}, r"initialisation.parts: there is no part chars.xx in .*did you mean"),
        ({"parts": ["chars.all = words.en"]}, "chars.all and words.en of .* are not parts of one kind"),
        ({"freeze": ["words.english"]}, r"initialisation.freeze: there is no part words.english; did you mean"),
        ({"freeze": ["chars.all", "words.en", "tags.ner"]}, "tasks.ner uses .*, expected one that may learn"),
        ({"from": "none", "parts": ["chars.all"]}, "initialisation.parts .* expected initialisation.from"),
        ({"from": "nowhere"}, "initialisation.from: there is no 'nowhere'"),
        ({"fron": "old"}, r"unknown key 'initialisation.fron'; did you mean 'from'\?"),
    ],
)
def test_names_of_parts_are_checked(corpora: Path, old: Path, initialisation: Tables, message: str) -> None:
    with pytest.raises(PlanError, match=message):
        prepare(plan(corpora, old, "ner", **initialisation))


def test_a_model_without_any_of_the_parts_is_refused(corpora: Path, tmp_path: Path) -> None:
    train(toy.plan(corpora, "xx", epochs=1), output=tmp_path / "model")
    found = tables(corpora, tmp_path / "model", "ner")
    found["chars"] = {"other": found["chars"]["all"]}
    found["tasks"]["ner"]["chars"] = "other"
    with pytest.raises(PlanError, match=r"has chars.all, words.xx, tags.xx, none of this plan's parts, chars.other"):
        prepare(toy.make_plan(found))


def test_plain_tags_do_not_become_spans(corpora: Path, old: Path) -> None:
    with pytest.raises(ModelError, match=r"tags\.pos has plain tags, and tags.ner in this plan spans"):
        prepare(plan(corpora, old, "ner", parts=["tags.ner=tags.pos"]))


def test_a_frozen_crf_cannot_learn_a_type(news: Path, old: Path) -> None:
    with pytest.raises(ModelError, match=r"tags\.ner does not know ORG, which the files of tags.ner have"):
        prepare(plan(news, old, "ner", freeze=["tags.ner"]))


@pytest.mark.parametrize("recipe", ["paper", "best"])
def test_frozen_parts_keep_their_weights_bit_for_bit(news: Path, old: Path, tmp_path: Path, recipe: str) -> None:
    found = tables(news, old, "ner", "pos", freeze=["chars.all", "words.en"])
    found["training"] |= {"recipe": recipe, "average": 0.5, "clip": 1.0, "accumulators": "task"}
    made = toy.make_plan(found)
    before, after = begun(made), train(made, output=tmp_path / "new").model
    for name, array in before.arrays.items():
        frozen = name.startswith(("chars.", "words."))
        assert (array.tobytes() == after.arrays[name].tobytes()) == frozen or not array.any(), name
    assert after.vocabularies.words["en"].index("hears") == 0  # a row of its own could not learn


def test_a_part_may_be_frozen_as_it_is_drawn(corpora: Path, tmp_path: Path) -> None:
    found = toy.tables("ner", search=corpora)
    found["initialisation"]["freeze"] = "words.en"
    made = toy.make_plan(found)
    before, after = begun(made), train(made, output=tmp_path / "new").model
    assert before.arrays["words.en.embedding.weight"].tobytes() == after.arrays["words.en.embedding.weight"].tobytes()
    assert before.arrays["tags.ner.projection"].tobytes() != after.arrays["tags.ner.projection"].tobytes()


def test_a_killed_training_goes_on_bit_for_bit(news: Path, old: Path, tmp_path: Path) -> None:
    found = tables(news, old, "ner", "pos", freeze=["chars.all"])
    found["tasks"]["ner"]["marks"] = ["ORG"]
    (news / "en.train").write_text((news / "en.train").read_text("utf-8").replace("B-PER", "O").replace("I-PER", "O"))
    found["training"]["average"] = 0.5
    whole = train(toy.make_plan(found), output=tmp_path / "whole").model
    trainer = Trainer(prepare(toy.make_plan(found)), tmp_path / "killed")
    from polytag.model.checkpoint import save_description
    from polytag.training.resume import save_state

    (tmp_path / "killed").mkdir()
    save_description(trainer.output or Path(), trainer.plan, trainer.vocabularies)
    for _, _ in zip(range(3), trainer.events(), strict=False):
        save_state(trainer)
    again = train(toy.make_plan(found), output=tmp_path / "killed", resume=True).model
    assert all(again.arrays[name].tobytes() == array.tobytes() for name, array in whole.arrays.items())


def test_another_model_in_its_place_is_no_resumption(corpora: Path, old: Path, tmp_path: Path) -> None:
    from polytag.model.checksums import checksums

    made = plan(corpora, old, "ner")
    assert str(old) in checksums(made, {})


def test_some_tasks_of_a_plan_take_what_is_theirs(corpora: Path, old: Path) -> None:
    made = plan(corpora, old, "ner", "pos", parts=["chars.all", "tags.pos"], freeze=["tags.pos"]).only(["ner"])
    assert made.initialisation.parts == ("chars.all",)
    assert made.initialisation.freeze is None
    assert toy.make_plan(made.to_dict()) == made


# What a file marks


def test_loss_with_marks_by_enumeration() -> None:
    """All types: that of full labels. None: that of ? everywhere. Some: a sum over all that the tags leave open."""
    generator = torch.Generator().manual_seed(1)
    vocabulary = build_tags([("B-X", "B-Y", "O")], scheme="bioes")
    tags, k = ("O", "B-X", "I-X", "O"), len(vocabulary)
    emissions = torch.randn(len(tags), k, generator=generator, dtype=torch.float64)
    transitions, start = (
        torch.randn(k, k, generator=generator, dtype=torch.float64),
        torch.randn(k, generator=generator, dtype=torch.float64),
    )

    def loss(tags: tuple[str, ...], marks: tuple[str, ...] | None) -> float:
        encoded = vocabulary.encoded(tags, scheme="iob2", marks=marks)
        gold = gold_of([encoded], k)
        scores = (transitions, start, [1] * len(tags))
        if "tags" in gold:
            return float(ops.crf.softmax_margin(emissions, torch.from_numpy(gold["tags"][0]), *scores))
        return float(ops.crf.partial_softmax_margin(emissions, torch.from_numpy(gold["allowed"][0]), *scores))

    def score(path: tuple[int, ...]) -> float:
        moves = sum(float(transitions[a, b]) for a, b in pairwise(path))
        return float(start[path[0]]) + moves + sum(float(emissions[at, tag]) for at, tag in enumerate(path))

    paths = list(product(range(k), repeat=len(tags)))
    everything = np.logaddexp.reduce([score(path) for path in paths])

    def enumerated(marks: tuple[str, ...]) -> float:
        fixed = vocabulary.encode(tags)
        unmarked = {i for i, tag in enumerate(vocabulary.tags) if tag != "O" and tag[2:] not in marks}
        left = [
            p
            for p in paths
            if all(a == b or (tags[t] == "O" and a in unmarked) for t, (a, b) in enumerate(zip(p, fixed, strict=True)))
        ]
        return float(everything - np.logaddexp.reduce([score(path) for path in left]))

    assert loss(tags, ("X", "Y")) == loss(tags, None) == pytest.approx(enumerated(("X", "Y")))
    assert loss(tags, ("X",)) == pytest.approx(enumerated(("X",)))
    assert loss(("O",) * 4, ()) == loss(("?",) * 4, None) == pytest.approx(0.0, abs=1e-9)
    assert loss(tags, ("X",)) < loss(tags, None)


def marked(directory: Path, *types: str, task: str = "ner", source: str = "en") -> Tables:
    """A plan of files in which nothing but these types is marked."""
    for split in ("train", "dev"):
        text = (directory / f"{source}.{split}").read_text(encoding="utf-8")
        for other in {"PER", "LOC", "ORG"} - set(types):
            text = text.replace(f"B-{other}", "O").replace(f"I-{other}", "O")
        (directory / f"{source}.{split}").write_text(text, encoding="utf-8")
    found = toy.tables(task, search=directory)
    found["tasks"][task].pop("test", None)
    found["tasks"][task]["marks"] = list(types)
    return found


def test_a_span_of_another_type_in_a_training_file_is_refused(news: Path) -> None:
    found = toy.tables("ner", search=news)
    found["tasks"]["ner"] |= {"marks": ["ORG"], "test": "none"}
    with pytest.raises(CorpusError, match=r"en.train:\d+: found B-PER in a file that marks other types: .* says ORG"):
        prepare(toy.make_plan(found))


def test_marks_are_for_spans_that_are_there(corpora: Path) -> None:
    found = toy.tables("pos", search=corpora)
    found["tasks"]["pos"]["marks"] = ["NAME"]
    with pytest.raises(PlanError, match=r"tasks\.pos\.marks: NAME is for tags that mark spans, found plain ones"):
        prepare(toy.make_plan(found))


def test_types_that_no_file_has_are_told(news: Path) -> None:
    found = marked(news, "ORG")
    found["tasks"]["ner"]["marks"] = ["ORG", "GPE"]
    assert any(
        "ner: marks ORG, GPE: " in note and note.endswith("no training file has GPE")
        for note in prepare(toy.make_plan(found)).notes
    )
    (news / "en.train").write_text("lima NAME O\n\n", encoding="utf-8")
    with pytest.raises((PlanError, CorpusError)):
        prepare(toy.make_plan(found))


def test_files_to_score_without_a_span_that_is_marked_are_told(news: Path) -> None:
    found = marked(news, "ORG")
    assert not any("no span" in note for note in prepare(toy.make_plan(found)).notes)
    (news / "en.dev").write_text("Anna NAME B-PER\n\n", encoding="utf-8")
    assert "ner: dev: no span of ORG, so that its F1 says nothing" in prepare(toy.make_plan(found)).notes


@pytest.fixture
def joint(news: Path, corpora: Path, old: Path) -> Plan:
    """Old files, which mark PER and LOC, and new ones, which mark ORG, teach one tag part."""
    found = marked(news, "ORG")
    found["search"] = [str(corpora)]
    more = found["tasks"]["ner"]
    for split in ("train", "dev"):
        more[split] = str(news / f"en.{split}")
    found["tasks"] = {
        "old": toy.tables("ner")["tasks"]["ner"] | {"tags": "ner", "marks": ["PER", "LOC"]},
        "new": more | {"tags": "ner"},
    }
    found["tags"] = {"ner": {"features": True}}
    found["training"] |= {"epochs": 6, "learning_rate": 0.1}
    found["initialisation"] |= {"from": str(old)}
    return toy.make_plan(found)


def test_files_with_different_marks_teach_one_part(joint: Plan, tmp_path: Path) -> None:
    tagger = train(joint, output=tmp_path / "new")
    assert tagger.vocabularies.tags["ner"].types == {"PER", "LOC", "ORG"}
    sentence = ["Anna", "sees", "Quéz", "in", "Oslo"]
    assert set(tagger.tag(sentence, tasks="new").tags["new"]) == {"O", "B-PER", "B-ORG", "B-LOC"}


def test_scores_are_of_the_types_that_files_mark(joint: Plan, tmp_path: Path) -> None:
    tagger = train(joint, output=tmp_path / "new")
    counts = {task: evaluate(tmp_path / "new", tasks=[task], split="dev")[task] for task in ("old", "new")}
    assert counts["old"].types.keys() == {"PER", "LOC"}
    assert counts["new"].types.keys() == {"ORG"}
    assert counts["new"].score > 90
    sentences = list(toy.sentences(30, seed=11))  # they have PER and LOC, which "new" leaves out
    named = [type(s)(s.words, {"new": s.tags["ner"]}) for s in sentences]
    found = tagger.evaluate(named, "new", calibration=True)
    assert found.types.keys() <= {"ORG"}


def test_a_comparison_is_of_the_types_that_the_first_model_marks(joint: Plan, old: Path, tmp_path: Path) -> None:
    train(joint, output=tmp_path / "new")
    types = {line.name for line in compare(tmp_path / "new", old, task="old:ner", split="dev").types}
    assert types == {"PER", "LOC"}
    types = {line.name for line in compare(old, tmp_path / "new", task="ner:new", split="dev").types}
    assert types >= {"PER", "LOC"}


def test_calibration_sums_over_what_marks_leave_open(joint: Plan) -> None:
    prepared = prepare(joint)
    arrays = {name: tensor.numpy() for name, tensor in prepared.network.state_dict().items()}
    tagger = Tagger(Model(prepared.plan, prepared.vocabularies, arrays))
    (sentence, *_) = prepared.sentences["new"]["dev"]
    vocabulary = prepared.vocabularies.tags["ner"]
    ((_, lattice),) = tagger.lattices([sentence], "new")
    mask = vocabulary.encoded(sentence.tags["new"], scheme="iob2", marks=["ORG"])
    k = len(vocabulary)
    paths = [p for p in product(range(k), repeat=len(sentence)) if all(mask[t, tag] for t, tag in enumerate(p))]
    each = [float(lattice.loss(np.array(path))[0]) for path in paths]
    assert float(lattice.loss(mask)[0]) == pytest.approx(-np.logaddexp.reduce([-loss for loss in each]))
    assert fit(tagger, prepared.sentences["new"]["dev"], "new").sentences == len(prepared.sentences["new"]["dev"])


def test_what_a_file_without_marks_would_unteach_is_told(news: Path, old: Path) -> None:
    notes = prepare(plan(news, old, "ner")).notes
    (told,) = [note for note in notes if "polytag compare" in note]
    assert told.startswith(f"tags.ner: LOC come from {old}, and no training file has them; where ner has other tags")
