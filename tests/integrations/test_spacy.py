"""The spaCy component, against the real library: polytag's tags in spaCy's places, pipelines that can be stored."""

import pickle
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from polytag.corpus.schemes import spans
from polytag.corpus.sentence import Sentence
from polytag.errors import ModelError, PolytagError
from polytag.model import save_model
from polytag.model.packed import save_packed
from polytag.tagger.tagging import Tagger
from tests.tiny import LABELS, SPANS, WORDS, tagger, texts

spacy = pytest.importorskip("spacy", reason="the extra spacy is not installed")

from spacy.tokens import Doc  # noqa: E402

from polytag.integrations.spacy import PolytagPipe  # noqa: E402

TASKS = {"ner": "iob1", "chunk": "bioes", "pos": "plain"}
PLACES = {"ner": "ents", "chunk": "chunks", "pos": "pos"}


def saved(source: Tagger, directory: Path) -> str:
    save_model(source.model, directory)
    return str(directory)


@pytest.fixture(scope="module")
def source() -> Tagger:
    return tagger(TASKS)


@pytest.fixture(scope="module")
def model(source: Tagger, tmp_path_factory: pytest.TempPathFactory) -> str:
    return saved(source, tmp_path_factory.mktemp("spacy") / "model")


@pytest.fixture
def nlp(model: str) -> Any:
    """A blank pipeline with the component, its tasks each in a place."""
    made = spacy.blank("en")
    made.add_pipe("polytag", config={"model": model, "tasks": PLACES})
    return made


def doc_of(nlp: Any, *sentences: Sentence) -> Doc:
    """A Doc with sentence boundaries."""
    words = [word for sentence in sentences for word in sentence.words]
    starts = [place == 0 for sentence in sentences for place in range(len(sentence))]
    return Doc(nlp.vocab, words=words, sent_starts=starts)


def tags_in(doc: Doc) -> dict[str, Any]:
    return {
        "ents": [(e.label_, e.start, e.end) for e in doc.ents],
        "chunks": [(c.label_, c.start, c.end) for c in doc.spans["chunks"]],
        "pos": [token.pos_ for token in doc],
    }


def expected(source: Tagger, sentences: list[Sentence]) -> dict[str, Any]:
    """The same from polytag."""
    out: dict[str, Any] = {"ents": [], "chunks": [], "pos": []}
    start = 0
    for sentence in source.tag_all(sentences):
        for place, task in (("ents", "ner"), ("chunks", "chunk")):
            out[place] += [(s.type, start + s.start, start + s.end) for s in spans(sentence.tags[task])]
        out["pos"] += sentence.tags["pos"]
        start += len(sentence)
    return out


def test_each_task_is_in_its_place(nlp: Any, source: Tagger) -> None:
    given = texts(20)
    found = tags_in(nlp(doc_of(nlp, *given)))
    assert found == expected(source, given)
    assert found["ents"]
    assert found["chunks"]


def test_a_stream_of_docs_is_tagged_like_each_doc_alone(nlp: Any, source: Tagger) -> None:
    given = [[], texts(1), texts(30, seed=2), [], texts(3, seed=3)]
    for size in (1, 2, 100):
        docs = list(nlp.pipe((doc_of(nlp, *sentences) for sentences in given), batch_size=size))
        assert [tags_in(doc) for doc in docs] == [expected(source, sentences) for sentences in given]


def test_without_sentences_the_whole_doc_is_one(nlp: Any, source: Tagger) -> None:
    words = tuple(WORDS * 100)
    assert tags_in(nlp(Doc(nlp.vocab, words=list(words)))) == expected(source, [Sentence(words)])


def test_sentences_of_an_earlier_component_count(model: str, source: Tagger) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("polytag", config={"model": model, "tasks": PLACES})
    found = nlp("Ann saw Lima . Lee saw Oslo .")
    given = [Sentence(("Ann", "saw", "Lima", ".")), Sentence(("Lee", "saw", "Oslo", "."))]
    assert tags_in(found) == expected(source, given)


def test_white_space_is_no_word(nlp: Any, source: Tagger) -> None:
    doc = nlp("  Ann \n\n saw   Lima\t\n")
    words = [token for token in doc if not token.is_space]
    assert len(words) == 3 < len(doc)
    (tagged,) = source.tag_all([Sentence(("Ann", "saw", "Lima"))])
    assert [token.pos_ for token in words] == list(tagged.tags["pos"])
    assert {token.pos_ for token in doc if token.is_space} == {""}
    assert [(e.label_, e.text.split()) for e in doc.ents] == [
        (s.type, list(tagged.words[s.start : s.end])) for s in tagged.spans("ner")
    ]


@pytest.mark.parametrize("text", ["", " ", "\n\n"])
def test_a_doc_without_words(nlp: Any, text: str) -> None:
    doc = nlp(text)
    assert (len(doc.ents), len(doc.spans["chunks"])) == (0, 0)


def test_probabilities_are_those_of_polytag(model: str, source: Tagger) -> None:
    nlp = spacy.blank("en")
    config = {"model": model, "tasks": PLACES, "probabilities": True}
    nlp.add_pipe("polytag", config=config)
    (given,) = texts(1, longest=9, seed=5)
    doc = nlp(doc_of(nlp, given))
    tagged = source.tag(given.words, confidence=True)
    for task in TASKS:
        assert [token._.polytag_probabilities[task] for token in doc] == pytest.approx(tagged.confidence[task])
    for place, task in ((doc.ents, "ner"), (doc.spans["chunks"], "chunk")):
        found = [span._.polytag_probabilities[task] for span in place]
        assert found == pytest.approx([span.probability for span in tagged.spans(task)])
    again = Doc(nlp.vocab).from_bytes(doc.to_bytes())
    assert again[0]._.polytag_probabilities == doc[0]._.polytag_probabilities


def test_names_are_consistent_in_each_doc(model: str, source: Tagger) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("polytag", config={"model": model, "tasks": PLACES, "consistent": True})
    given = [texts(30, seed=6), texts(30, seed=7)]
    for doc, of in zip(nlp.pipe(doc_of(nlp, *each) for each in given), given, strict=True):
        start, expected = 0, []
        for sentence in source.tag_all(of, consistent=True):
            expected += [(span.type, start + span.start, start + span.end) for span in sentence.spans("ner")]
            start += len(sentence)
        assert [(span.label_, span.start, span.end) for span in doc.ents] == expected


def test_a_second_time_replaces_what_the_first_wrote(nlp: Any) -> None:
    doc = doc_of(nlp, *texts(5))
    first = tags_in(nlp(doc))
    assert tags_in(nlp(doc)) == first


@pytest.fixture(params=["disk", "bytes", "pickle"])
def restored(request: pytest.FixtureRequest, nlp: Any, model: str, tmp_path: Path) -> Iterator[Any]:
    """The pipeline, stored and read again, while the model's own directory is away."""
    shutil.move(model, f"{model}.away")
    try:
        shutil.copytree(f"{model}.away", model)
        nlp("Ann")  # the model is read
        stored = {"disk": nlp.to_disk, "bytes": lambda _: nlp.to_bytes(), "pickle": lambda _: pickle.dumps(nlp)}
        content = stored[request.param](tmp_path / "pipeline")
        shutil.rmtree(model)
        if request.param == "disk":
            again = spacy.load(tmp_path / "pipeline")
            shutil.rmtree(tmp_path / "pipeline")
        elif request.param == "bytes":
            again = spacy.blank("en", config={}).from_config(nlp.config).from_bytes(content)
        else:
            again = pickle.loads(content)
        yield again
    finally:
        shutil.rmtree(model, ignore_errors=True)
        shutil.move(f"{model}.away", model)


def test_a_stored_pipeline_brings_its_model(restored: Any, source: Tagger, tmp_path: Path) -> None:
    given = texts(10)
    assert tags_in(restored(doc_of(restored, *given))) == expected(source, given)
    restored.to_disk(tmp_path / "once more")  # from memory: all that it was read from is gone
    assert tags_in(spacy.load(tmp_path / "once more")(doc_of(restored, *given))) == expected(source, given)


def test_storing_reads_the_model_if_nothing_has(nlp: Any, tmp_path: Path) -> None:
    nlp.to_disk(tmp_path / "pipeline")
    assert Tagger.load(tmp_path / "pipeline" / "polytag").plan.tasks.keys() == TASKS.keys()


def test_temperatures_are_stored_too(nlp: Any, tmp_path: Path) -> None:
    pipe = nlp.get_pipe("polytag")
    pipe._use(Tagger(replace(pipe.tagger.model, temperatures={"ner": 2.5})))
    nlp.to_disk(tmp_path / "pipeline")
    assert Tagger.load(tmp_path / "pipeline" / "polytag").model.temperatures == {"ner": 2.5}


@pytest.mark.filterwarnings("ignore::polytag.PolytagWarning")  # where there are no instructions for int8
def test_a_stored_component_keeps_the_precision_of_its_model(nlp: Any, tmp_path: Path) -> None:
    """In bytes and in a directory, weights are in float32 whatever they are to be computed in."""
    pipe = nlp.get_pipe("polytag")
    save_packed(tmp_path / "int8.polytag", tagger(TASKS).model, precision="int8")
    pipe.model = str(tmp_path / "int8.polytag")
    model = pipe.tagger.model
    nlp.to_disk(tmp_path / "pipeline")
    for again in (
        PolytagPipe(tasks=PLACES).from_bytes(pipe.to_bytes()),
        PolytagPipe(tasks=PLACES).from_disk(tmp_path / "pipeline" / "polytag"),
    ):
        assert again.tagger.model.precision == model.precision == "int8"
        assert tags_in(again(doc_of(nlp, *texts(10)))) == tags_in(nlp(doc_of(nlp, *texts(10))))


def test_bytes_of_something_else_are_told(nlp: Any) -> None:
    """They are no pickle: what comes from elsewhere is read, never run."""
    pipe = nlp.get_pipe("polytag")
    content = pipe.to_bytes()
    for damaged in (pickle.dumps("polytag"), content[:-9], b""):
        with pytest.raises(ModelError):
            PolytagPipe(tasks=PLACES).from_bytes(damaged)


def test_threads_share_a_pipeline(nlp: Any, source: Tagger) -> None:
    """Each with a stream of its own, and words that none has seen; the model is read by all of them at once."""
    streams = [[texts(3, seed=10 * thread + part, unknown=0.5) for part in range(10)] for thread in range(4)]

    def tagged(stream: list[list[Sentence]]) -> list[dict[str, Any]]:
        return [tags_in(doc) for doc in nlp.pipe([doc_of(nlp, *of) for of in stream], batch_size=3)]

    with ThreadPoolExecutor(len(streams)) as threads:
        found = list(threads.map(tagged, streams))
    assert found == [[expected(source, sentences) for sentences in stream] for stream in streams]


def test_labels_are_types_and_tags(nlp: Any) -> None:
    assert nlp.get_pipe("polytag").labels == ()  # not read yet
    nlp("Ann")
    assert nlp.pipe_labels["polytag"] == sorted({"PER", "LOC", *LABELS["plain"]})


USUAL: list[tuple[dict[str, str], list[str], dict[str, str]]] = [
    ({"ner": "iob2"}, SPANS, {"ner": "ents"}),
    ({"pos": "plain"}, LABELS["plain"], {"pos": "pos"}),
    ({"pos": "plain", "any": "bioes"}, LABELS["plain"], {"pos": "pos", "any": "ents"}),
]


@pytest.mark.parametrize(("tasks", "labels", "places"), USUAL)
def test_few_tasks_need_no_places(
    tasks: dict[str, str], labels: list[str], places: dict[str, str], tmp_path: Path
) -> None:
    pipe = PolytagPipe(model=saved(tagger(tasks), tmp_path / "model"))
    assert pipe.tagger
    assert pipe._targets == places


def test_fine_tags_go_to_tag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LABELS, "plain", ["NN", "VBZ", "DT"])
    source = tagger({"pos": "plain"})
    nlp = spacy.blank("en")
    nlp.add_pipe("polytag", config={"model": saved(source, tmp_path / "model")})
    (given,) = texts(1)
    doc = nlp(doc_of(nlp, given))
    assert [token.tag_ for token in doc] == list(source.tag(given.words).tags["pos"])
    to_pos = PolytagPipe(model=str(tmp_path / "model"), tasks={"pos": "pos"})
    assert {token.pos_ for token in to_pos(doc_of(nlp, given))} == {""}  # spaCy has no such parts of speech


WRONG = [
    ({"nre": "ents"}, "did you mean 'ner'?"),
    ({"ner": "tag"}, "'ner' goes to 'tag', expected 'ents' or"),
    ({"pos": "ents"}, "'pos' goes to 'ents', expected 'tag' or 'pos'"),
    ({"ner": "ents", "chunk": "ents"}, "expected a place for each"),
    (None, "several tasks go to one place"),
]


@pytest.mark.parametrize(("tasks", "message"), WRONG)
def test_mistakes_are_told(model: str, tasks: dict[str, str] | None, message: str) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("polytag", config={"model": model, "tasks": tasks})
    with pytest.raises(PolytagError, match=message):
        nlp("Ann")


@pytest.mark.parametrize(("given", "message"), [(None, "no model, expected config="), ("no/where", "no such model")])
def test_a_model_that_is_not_there(given: str | None, message: str) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("polytag", config={"model": given})
    with pytest.raises(PolytagError, match=message):
        nlp("Ann")


def test_the_pipeline_says_what_happens_to_errors(nlp: Any) -> None:
    met = []
    nlp.set_error_handler(lambda name, component, docs, error: met.append((name, len(docs), error)))
    nlp.get_pipe("polytag").model = "no/where"
    assert list(nlp.pipe(["Ann", "Lee"])) == []
    assert [(name, count) for name, count, _ in met] == [("polytag", 2)]
    assert isinstance(met[0][2], PolytagError)


def test_a_missing_spacy_is_one_sentence() -> None:
    code = "import sys; sys.modules['spacy'] = None; import polytag.integrations.spacy"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "ImportError: spaCy is not installed" in done.stderr
    assert "pip install 'polytag[spacy]'" in done.stderr


def test_pytorch_is_not_needed(model: str) -> None:
    """spaCy loads it where it is installed, so here it is not."""
    code = f"""if True:
        import sys
        sys.modules["torch"] = None
        import spacy
        nlp = spacy.blank("en")
        nlp.add_pipe("polytag", config={{"model": {model!r}, "tasks": {PLACES!r}}})
        other = spacy.blank("en").from_config(nlp.config).from_bytes(nlp.to_bytes())
        print(len(other("Ann saw Lima")))
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "3\n"), done.stderr


def test_the_entry_point_is_enough(model: str, tmp_path: Path) -> None:
    """An installed polytag is found by name; here its entry point stands in a distribution made up for the test."""
    record = tmp_path / "polytag_entry-0.dist-info"
    record.mkdir()
    (record / "METADATA").write_text("Metadata-Version: 2.1\nName: polytag-entry\nVersion: 0\n")
    (record / "entry_points.txt").write_text("[spacy_factories]\npolytag = polytag.integrations.spacy:make\n")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import spacy; nlp = spacy.blank('en')\n"
        f"nlp.add_pipe('polytag', config={{'model': {model!r}, 'tasks': {PLACES!r}}}); print(len(nlp('Ann saw Lima')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "3\n"), done.stderr


def ruled(model: str, **config: Any) -> Any:
    """A pipeline whose first component makes each Lima a CITY."""
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "CITY", "pattern": "Lima"}])
    nlp.add_pipe("polytag", config={"model": model, "tasks": PLACES, **config})
    return nlp


def test_entities_of_an_earlier_component_are_replaced_or_kept(model: str, source: Tagger) -> None:
    """Of ours, those that overlap none of them are added."""
    replaced, kept = ruled(model), ruled(model, overwrite_ents=False)
    added = dropped = 0
    for sentence in texts(40):
        words = Sentence((*sentence.words, "Lima"))
        (own,) = source.tag_all([words])
        ours = {(span.type, span.start, span.end) for span in own.spans("ner")}
        found = tags_in(replaced(doc_of(replaced, words)))["ents"]
        assert set(found) == ours
        cities = {("CITY", at, at + 1) for at, word in enumerate(words.words) if word == "Lima"}
        apart = {span for span in ours if not any(span[1] <= at < span[2] for _, at, _ in cities)}
        assert set(tags_in(kept(doc_of(kept, words)))["ents"]) == cities | apart
        added, dropped = added + len(apart), dropped + len(ours - apart)
    assert added
    assert dropped


def test_the_setting_goes_with_the_pipeline(model: str, tmp_path: Path) -> None:
    ruled(model, overwrite_ents=False).to_disk(tmp_path / "nlp")
    assert spacy.load(tmp_path / "nlp").get_pipe("polytag").overwrite_ents is False


def test_nlp_evaluate_counts_what_it_sets(nlp: Any, source: Tagger) -> None:
    from spacy.training import Example

    given = texts(30)
    examples = [Example(nlp.make_doc(""), nlp(doc_of(nlp, sentence))) for sentence in given]
    examples = [Example(doc_of(nlp, s), example.reference) for s, example in zip(given, examples, strict=True)]
    found = nlp.evaluate(examples)
    assert found["ents_f"] == found["pos_acc"] == found["spans_chunks_f"] == 1.0
    assert set(found["ents_per_type"]) <= set(nlp.get_pipe("polytag").labels)
    wrong = [example.reference.copy() for example in examples]
    for doc in wrong:
        doc.set_ents([])
    found = nlp.evaluate([Example(doc_of(nlp, s), doc) for s, doc in zip(given, wrong, strict=True)])
    assert found["ents_p"] == 0.0
    assert found["pos_acc"] == 1.0
