"""What reads inputs: good examples of each, what is done with a bad one, and what must hold if it is read all the same.

Formats come from the table of formats: one that is added there is fuzzed too.
"""

import gzip
import io
import json
import lzma
import pickle
import random
import shutil
import struct
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w

from polytag.bulk import Assignment, Worker, cut
from polytag.corpus import FORMATS, blocks, check, convert, read
from polytag.corpus.check import columns_of
from polytag.corpus.formats import WRITERS
from polytag.corpus.notes import Notes
from polytag.corpus.schemes import problems
from polytag.corpus.sentence import CharSpan
from polytag.corpus.text import Lines
from polytag.distilling import distill
from polytag.downloads.unpack import unpack
from polytag.errors import PolytagError
from polytag.model import Model, load_model, save, save_model
from polytag.model.array_file import load_arrays, save_arrays
from polytag.model.checkpoint import FORMAT, WEIGHTS, save_weights
from polytag.model.packed import FORMAT as PACKED
from polytag.model.packed import save_packed
from polytag.plan_file import load_plan, make_plan
from polytag.raw_text import vectors
from polytag.tagger.tagging import Tagger
from polytag.training import prepare
from polytag.vocabulary.cluster_files import load_clusters
from polytag.vocabulary.clusters import Clusters, build_clusters
from polytag.vocabulary.gazetteer import Gazetteer
from polytag.vocabulary.vectors import load_vectors
from tests import tiny
from tests.downloads.archives import tarred, zipped
from tests.fuzz.mutations import MOST_UNPACKED, mutated, with_another_value

ROOT = Path(__file__).parents[2]
NEWS = ROOT / "examples" / "news"
PLACES: Sequence[int | str] = (
    1,
    2,
    -1,
    "ner",
    "pos",
    "upos",
    "xpos",
    "deprel",
    "misc.ner",
    "feats.Case",
    "spans",
    "tags",
)


@dataclass(frozen=True)
class Subject:
    """Something that reads: ``run`` gets a source of chance, the bytes and an empty folder."""

    name: str
    examples: Sequence[bytes]
    run: Callable[[random.Random, bytes, Path], object]


def subjects() -> list[Subject]:
    """All of them."""
    return [*_corpora(), *_packed_files(), *_of_training(), *_models(), _requests()]


# Corpora and texts


def _corpora() -> Iterator[Subject]:
    examples = _examples()
    others = [content for of in examples.values() for content in of]
    for name, row in FORMATS.items():
        own = examples.get(name, [])
        own = [*own * (3 * len(others) // max(1, len(own))), *others]  # its own more often than those of others
        yield Subject(f"read.{name}", own, partial(_read, name))
        yield Subject(f"check.{name}", own, partial(_check, name))
        yield Subject(f"convert.{name}", own, partial(_convert, name))
        if row.blocks:
            yield Subject(f"tag.{name}", own, partial(_tag, name))
        elif row.is_table and name in examples:
            yield Subject(f"tag.{name}", own, partial(_tag_table, name))
    yield Subject("suggest", others, _suggest)


@cache
def _examples() -> dict[str, list[bytes]]:
    """A few sentences in each format that can be written, and by hand what cannot, or what others write."""
    found: dict[str, list[bytes]] = {name: [content.encode() for content in of] for name, of in BY_HAND.items()}
    with suppress(ImportError):
        found["parquet"] = _tables_of_arrow()
    with suppress(ImportError):
        found["inception"] = _documents_of_inception()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "source.conll")
        lines = (NEWS / "en.test.conll").read_text(encoding="utf-8").splitlines(keepends=True)
        source.write_text("".join(lines[:60]), encoding="utf-8")
        for name, row in FORMATS.items():
            for writer in row.writers:
                target = Path(folder, f"{writer}.out")
                with suppress(PolytagError):
                    tags = {} if not row.has_tags else {"ner": 2, "pos": 1}
                    convert(source, target, target_format=writer, tags=tags, format="conll")
                    found.setdefault(name, []).append(target.read_bytes())
    return found


def _tables_of_arrow() -> list[bytes]:
    """Parquet and Arrow, where pyarrow is installed."""
    import pyarrow
    from pyarrow import ipc, parquet

    rows = {"tokens": [["Ann", "left"], ["Lima"]], "ner_tags": [[1, 0], [2]], "tags": [["B-PER", "O"], ["B-LOC"]]}
    table = pyarrow.table(rows)
    written, arrow = io.BytesIO(), io.BytesIO()
    parquet.write_table(table, written)
    with ipc.new_stream(arrow, table.schema) as stream:
        stream.write_table(table)
    return [written.getvalue(), arrow.getvalue()]


def _documents_of_inception() -> list[bytes]:
    """UIMA CAS XMI and an archive of it, where dkpro-cassis is installed."""
    from polytag.corpus.formats.inception import written

    text, words = "Ann left Lima 🏆.\n\nRain.\n", [[(0, 3), (4, 8), (9, 13), (14, 15), (15, 16)], [(18, 22), (22, 23)]]
    document = written(text, words, [CharSpan(0, 3, "PER"), CharSpan(9, 13, "LOC")]).encode()
    return [document, zipped({"a.xmi": document})]


BY_HAND: dict[str, Sequence[str]] = {
    "conll": [
        "-DOCSTART- -X- O O\n\nAngela NNP I-NP B-PER\nMerkel NNP I-NP I-PER\n. . O O\n\nLima\tNNP\tI-NP\tS-LOC\n\n",
        "# sent_id = 1\n# text = Hà Nội\nHà Nội\tB-LOC\n.\tO\n\n",
    ],
    "conllu": [
        "# global.columns = ID FORM LEMMA UPOS XPOS FEATS HEAD DEPREL DEPS MISC\n# text = Vámonos al mar.\n"
        "1-2\tVámonos\t_\t_\t_\t_\t_\t_\t_\t_\n1\tVamos\tir\tVERB\t_\tMood=Imp|Number=Plur\t0\troot\t_\tner=O\n"
        "2\tnos\tnosotros\tPRON\t_\tCase=Acc\t1\tobj\t_\tner=O\n3\tal\ta\tADP\t_\t_\t4\tcase\t_\tner=B-LOC|SpaceAfter=No\n"
        "3.1\tx\tx\tX\t_\t_\t_\t_\t1:dep\t_\n4\tmar\tmar\tNOUN\t_\t_\t1\tobl\t_\tner=I-LOC\n\n",
    ],
    "ontonotes": [
        "#begin document (bc/x); part 000\n" + "".join(
            f"bc/x 0 {n} {word} {pos} (X* - - - - {name} (ARG0*) -\n"
            for n, (word, pos, name) in enumerate([("Ann", "NNP", "(PERSON*"), ("Lee", "NNP", "*)"), ("#", "#", "*")])
        ) + "\n#end document\n",
    ],
    "csv": [
        'Sentence #,Word,POS,Tag\nSentence: 1,Ann,NNP,B-per\n,"Paris, Texas",NNP,B-geo\nSentence: 2,""""",``,O\n',
        "word;tag\nHà Nội;B-LOC\n.;O\n\nLima;B-LOC\n",
    ],
    "treebank": ["( (S (NP-SBJ (NNP Angela) (NNP Merkel)) (VP (VBD left) (NP (-NONE- *T*-1))) (. .)) )\n"
        "((NN a-LRB-))\n"],
    "jsonl": [
        '{"words": ["Lima", "."], "tags": {"ner": ["B-LOC", "O"], "pos": ["X", "Y"]}}\n'
        '{"words": ["a"], "tags": {"ner": ["O"]}}\n',
        '{"text": "Ann left Lima 🏆.", "label": [[0, 3, "PER"], [9, 13, "LOC"]], "answer": "accept"}\n',
        '{"text": "Lima.", "tokens": [{"text": "Lima", "start": 0, "end": 4, "id": 0}, {"text": ".", "start": 4,'
        ' "end": 5}],'
        ' "spans": [{"start": 0, "end": 4, "label": "LOC", "token_start": 0}]}\n',
        '["Lima.", {"entities": [[0, 4, "LOC"]]}]\n'
        '{"text": "a b", "entities": [{"start_offset": 0, "end_offset": 1, "label": "X"}]}\n',
        '{"tokens": ["Lima", "."], "ner_tags": [5, 0], "words": ["Lima"], "offsets": [[0, 4]]}\n',
        '{"text": "a b", "annotator": 1, "spans": [{"start": 0, "end": 1, "label": "X", "score": 0.4}], "id": 1}\n'
        '{"text": "a b", "annotator": 2, "spans": [{"start": 0, "end": 3, "label": "?", "confidence": 1}], "id": 2}\n',
        '{"text": "a b", "words": ["a", "b"], "offsets": [[0, 1], [2, 3]], "start": 0,'
        ' "predicted_spans": {"ner": []}}\n',
    ],
    "brat": [
        "T1\tPER 0 13\tAngela Merkel\nT2\tLOC 22 26\tLima\nT3\tLOC 22 24;25 26\tLi a\n#1\tAnnotatorNotes T1\tx\n"
        "R1\tIn Arg1:T1 Arg2:T2\nE1\tLOC:T2 Who:T1\n*\tEquiv T1 T2\nA1\tSure T1\n",
    ],
    "label-studio": [
        '[{"data": {"text": "Ann left Lima."}, "annotations": [{"was_cancelled": false, "result": [{"type": "labels",'
        ' "value": {"start": 0, "end": 3, "text": "Ann", "labels": ["PER"]}}]}], "predictions": []}]',
        '[{"id": 1, "text": "Ann left Lima.", "label": [{"start": 9, "end": 13, "text": "Lima", "labels": ["LOC"]}]}]',
        '[{"id": 1, "text": "Ann left.", "words": ["Ann", "left", "."], "annotator": 1, "annotation_id": 2},'
        ' {"id": 1, "text": "Ann left.", "annotator": 1, "annotation_id": 3, "label": [{"start": 0, "end": 3,'
        ' "labels": ["PER"]}, {"start": 4, "end": 8, "labels": []}]}]',
    ],
    "text": ["Angela Merkel flew to Lima. She left at 7.30 p.m.!\n\n"
        "A second \"paragraph\" 🏆 (with more).\r\nDr. No\n"],
    "lines": ["Angela Merkel flew to Lima. She\nleft .\n\n"],
    "tokenised": ["Angela Merkel flew to Lima .\nShe left .\n\n"],
}  # fmt: skip


def _written(content: bytes, folder: Path, name: str = "input") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def _corpus(name: str, source: random.Random, content: bytes, folder: Path) -> Path:
    """A file in a format; that of brat stands beside a text, which may be bad too."""
    if name != "brat":
        return _written(content, folder)
    text = b"Angela Merkel visited Lima. She left.\n"
    _written(mutated(source, text) if source.random() < 0.3 else text, folder, "input.txt")
    return _written(content, folder, "input.ann")


def _places(source: random.Random, name: str, path: Path) -> dict[str, int | str]:
    """Where tags are, for one task or two: mostly where the file has some."""
    known: Sequence[int | str] = ()
    if source.random() < 0.8:
        known = [int(column) if column.lstrip("-").isdecimal() else column for column in columns_of(path, format=name)]
    chosen = source.sample(known or PLACES, min(len(known or PLACES), source.choice((1, 1, 2))))
    return dict(zip(("ner", "pos"), chosen, strict=False)) if FORMATS[name].has_tags and source.random() < 0.9 else {}


def _read(name: str, source: random.Random, content: bytes, folder: Path) -> None:
    encoding = source.choice(("auto", "auto", "auto", "utf-8", "latin-1", "cp1252", "shift_jis", "utf-7", "idna"))
    path = _corpus(name, source, content, folder)
    tags = _places(source, name, path)
    for sentence in read(
        _written(content, folder), format=name, tags=tags, encoding=encoding, word=source.choice((0, 0, -1)),
        min_probability=source.choice((0.0, 0.0, 0.5)),
    ):  # fmt: skip
        assert all(sentence.words), "a word without characters"
        "".join(sentence.words).encode()
        for task, of in sentence.tags.items():
            assert task in tags
            assert len(of) == len(sentence), "not a tag for each word"
            "".join(of).encode()


def _check(name: str, source: random.Random, content: bytes, folder: Path) -> None:
    report = check(_corpus(name, source, content, folder), format=name)
    for line in report.problems:
        repr(line)


def _convert(name: str, source: random.Random, content: bytes, folder: Path) -> None:
    """What is written is whole: after an error the target is as it was."""
    path, target, before = _corpus(name, source, content, folder), folder / "target", b"as it was"
    target.write_bytes(before)
    tags = _places(source, name, path)
    try:
        convert(
            path, target, format=name, target_format=source.choice(list(WRITERS)), tags=tags,
            scheme=source.choice(("", "", "iob2", "bioes")),
        )  # fmt: skip
    except BaseException:
        assert target.read_bytes() == before, "half-written"
        raise
    target.read_text(encoding="utf-8")


def _tag(name: str, source: random.Random, content: bytes, folder: Path) -> None:
    """Untagged, blocks render what was read; tagged, what a file can hold."""
    path, tagger = _written(content, folder), _tagger()
    stream = path if source.random() < 0.5 else io.BytesIO(content)
    found = list(blocks(stream, format=name))  # type: ignore[arg-type]
    "".join(block.render({}) for block in found).encode()
    options: dict[str, Any] = source.choice(({}, {"confidence": True}, {"nbest": 2}))
    short = [block for block in found if not block.sentence or len(block.sentence) < 500][:200]
    "".join(tagger.tag_blocks(short, tasks=["ner"], **options)).encode()


def _tag_table(name: str, source: random.Random, content: bytes, folder: Path) -> None:
    """What is tagged of a table reads back with as many rows, or nothing is written of it."""
    from polytag.bulk.tables import write

    path, target = _written(content, folder), folder / source.choice(("out.parquet", "out.arrow", "out"))
    pieces = list(islice(cut(path, format=name), 4))
    with target.open("wb") as file:
        write(map(_worker().render, pieces), file, name=str(target), like=path)
    assert [piece.row for piece in cut(target, format=name)][-1:]


@cache
def _worker() -> Worker:
    folder = Path(tempfile.mkdtemp())
    save_model(_tagger().model, folder / "model")
    return Worker(Assignment(model=str(folder / "model")))


def _suggest(source: random.Random, content: bytes, folder: Path) -> None:
    from polytag.suggesting import candidates

    format_ = source.choice(["auto", *(name for name, row in FORMATS.items() if row.blocks)])
    for candidate in candidates(io.BytesIO(content), format=format_):
        assert tuple(candidate.text[start:end] for start, end in candidate.offsets) == candidate.sentence.words


# Packed files: what mutations do to bytes that are packed already


def _packed_files() -> Iterator[Subject]:
    text = (NEWS / "en.test.conll").read_bytes()[:2_000]
    xz = lzma.compress(text)
    yield Subject("compressed", [gzip.compress(text, mtime=0) * 2, xz, xz + bytes(8) + xz], _compressed)
    members = {"a/one.txt": b"one", "a/two.txt": b"two" * 1_000}
    kinds = (tarred(members, mode) for mode in ("w:", "w:gz", "w:bz2", "w:xz"))
    yield Subject("archive", [zipped(members), *kinds], _archive)


def _compressed(source: random.Random, content: bytes, folder: Path) -> None:
    assert len(list(Lines(_written(content, folder)))) < MOST_UNPACKED


def _archive(source: random.Random, content: bytes, folder: Path) -> None:
    """Nothing of it comes to stand elsewhere, or is larger than it may be."""
    inner = folder / "inner"
    inner.mkdir(exist_ok=True)
    target = inner / "out.txt"
    unpack(_written(content, folder), {"a/two.txt": target}, extras={"a/one.txt": inner / "extra.txt"}, limit=5_000)
    assert target.stat().st_size <= 5_000


@cache
def _tagger() -> Tagger:
    return tiny.tagger({"ner": "iob2", "pos": "plain"})


# Plans, vectors, gazetteers


def _of_training() -> Iterator[Subject]:
    plans = [path.read_bytes() for path in sorted((ROOT / "examples").glob("**/*.toml"))]
    yield Subject("plan", plans, _plan)
    yield Subject("plan.tables", [_json(tomllib.loads(plan.decode())) for plan in plans], _tables)
    yield Subject("vectors", _vectors(), _load_vectors)
    yield Subject(
        "gazetteer", [b"LOC Lima\nPER Angela Merkel\nLOC New York\n", "ORG Société Générale\n".encode()], _gazetteer
    )
    brown, classes = b"0\tthe\t9\n0110\tLima\t3\n0111\tAnn\t1\n", b"the 1\nLima 20\nAnn 20 0.5\n"
    yield Subject("clusters", [brown, classes, classes.replace(b" ", b"\t")], _clusters)
    yield Subject("raw", [text.encode() for text in BY_HAND["text"]], _raw)
    yield Subject("distilled", [text.encode() for text in BY_HAND["text"]], _distilled)
    yield Subject("learning on", [COLUMNS], _learning_on)


def _plan(source: random.Random, content: bytes, folder: Path) -> None:
    settings = [source.choice(("training.epochs=3", "tasks.ner.train=x", "a.b.c=[1, {d = 2}]", "training=1"))]
    plan = load_plan(_written(content, folder, "plan.toml"), settings=settings if source.random() < 0.3 else ())
    make_plan(tomllib.loads(tomli_w.dumps(plan.to_dict())))


def _tables(source: random.Random, content: bytes, folder: Path) -> None:
    try:
        tables = json.loads(content)
    except (ValueError, RecursionError):
        return
    if isinstance(tables, dict):
        make_plan(tables)


def _vectors() -> list[bytes]:
    rows = [
        (word, np.linspace(-1, 1, 5, dtype=np.float32) + number) for number, word in enumerate(("the", "Lima", "año"))
    ]
    text = b"".join(word.encode() + b" " + b" ".join(b"%.3f" % value for value in row) + b"\n" for word, row in rows)
    binary = b"3 5\n" + b"".join(word.encode() + b" " + row.tobytes() + b"\n" for word, row in rows)
    pickled = [pickle.dumps((tuple(w for w, _ in rows), np.stack([row for _, row in rows])), p) for p in (2, 4)]
    return [text, b"3 5\n" + text, text.replace(b" ", b"\t"), binary, *pickled, _fasttext(rows)]


def _fasttext(rows: Sequence[tuple[str, np.ndarray]]) -> bytes:
    """fastText's .bin: header, dictionary, and a matrix of the words and of 4 buckets of n-grams."""
    head = struct.pack(
        "<2i12id3i2q", 793712314, 12, 5, 5, 5, 5, 5, 1, 1, 2, 4, 2, 3, 9, 1e-4, len(rows), len(rows), 0, 9, -1
    )
    entries = b"".join(word.encode() + b"\0" + struct.pack("<qb", 7, 0) for word, _ in rows)
    matrix = np.concatenate([np.stack([row for _, row in rows]), np.ones((4, 5), np.float32)])
    return head + entries + struct.pack("<?2q", False, *matrix.shape) + matrix.tobytes()


def _load_vectors(source: random.Random, content: bytes, folder: Path) -> None:
    found = load_vectors(_written(content, folder))
    assert found.matrix.shape == (len(found.words), found.dimension)
    assert np.isfinite(found.matrix).all(), "values that are not finite"
    "".join(found.words).encode()


def _gazetteer(source: random.Random, content: bytes, folder: Path) -> None:
    found = Gazetteer.load(_written(content, folder), encoding=source.choice(("utf-8", "utf-8", "latin-1", "cp1252")))
    found.match(["New", "York", "Lima"])
    assert Gazetteer.from_json(json.loads(json.dumps(found.to_json()))) == found


def _clusters(source: random.Random, content: bytes, folder: Path) -> None:
    found = build_clusters("en", [load_clusters(_written(content, folder), notes=Notes())] * source.randint(1, 2))
    assert any(found.find(next(iter(dict(found.items())))))
    assert Clusters.from_json(json.loads(json.dumps(found.to_json()))) == found


def _raw(source: random.Random, content: bytes, folder: Path) -> None:
    """Vectors of raw text can be read again."""
    text, target = _written(content, folder), folder / "raw.vec"
    made = vectors(
        text if source.random() < 0.5 else io.BytesIO(content),
        output=target, dimension=source.choice((1, 2, 5)), window=source.choice((1, 5, 99)),
        min_count=source.choice((1, 1, 2)), tokeniser=source.choice(("unicode", "blanks")),
    )  # fmt: skip
    assert np.isfinite(made.matrix).all()
    assert load_vectors(target).words == made.words
    target.unlink()


def _distilled(source: random.Random, content: bytes, folder: Path) -> None:
    """Raw text that a model tagged reads back word for word, and its tags are well-formed."""
    model = folder / "teacher.polytag"
    if not model.exists():
        (folder / "train.conll").write_bytes(COLUMNS)
        plan = tiny.model().plan
        task = plan.tasks["ner"].model_copy(update={"train": (str(folder / "train.conll"),)})
        save(replace(tiny.model(), plan=plan.model_copy(update={"tasks": {"ner": task}})), model)
    try:
        made = distill(
            model, _written(content, folder), output=folder / "distilled", data=folder, min_probability=0.5,
            tokeniser=source.choice(("unicode", "blanks")), sentences=source.choice((None, 1, 5)),
        )  # fmt: skip
        found = list(read(made.corpus, tags={"ner": 1}))
        assert sum(map(len, found)) == made.words
        assert not any(problems(sentence.tags["ner"], "bioes") for sentence in found)
        load_plan(made.plan)
    finally:
        shutil.rmtree(folder / "distilled", ignore_errors=True)


COLUMNS = b"".join(
    f"{word} {tag}\n".encode() if word else b"\n"
    for word, tag in (("Ann", "B-PER"), ("saw", "O"), ("Lima", "B-LOC"), ("", ""), ("Oslo", "B-LOC")) * 3
)


def _learning_on(source: random.Random, content: bytes, folder: Path) -> None:
    """A plan that begins from a model, forged or not, with a file that marks some types."""
    old = tiny.model({"ner": "iob2"}, features=True, temperatures={"ner": 2.5})
    path = _forged_model(old, source, folder) if source.random() < 0.3 else _fresh(folder)
    if not any(path.iterdir()):
        save_model(old, path)
    parts = ("chars.all", "words.en", "words.en", "tags.ner", "words.en = words.en", "words.en=tags.ner", "words", "")
    start = {"parts": source.sample(parts, source.choice((1, 1, 2))), "freeze": [source.choice(parts[:4])]}
    chosen = source.sample(sorted(start), source.choice((0, 0, 1, 2)))
    tables = old.plan.to_dict()
    tables["initialisation"] = {"from": str(path), **{key: start[key] for key in chosen}}
    task = tables["tasks"]["ner"]
    task |= {"train": str(_written(content, folder)), "scheme": "auto", "columns": {"tag": 1}}
    if source.random() < 0.5:
        task["marks"] = source.choice((["LOC"], ["LOC", "PER"], ["X"], []))
    network = prepare(make_plan(tables)).network
    assert all(array.isfinite().all() for array in network.state_dict().values())


# Models: forged, so that every checksum is right


def _models() -> Iterator[Subject]:
    plain = tiny.model({"ner": "iob2", "pos": "plain"}, features=True, temperatures={"ner": 2.5}, gazetteer=GAZETTEER)
    yield Subject("model", [b""], partial(_directory, plain))
    yield Subject("model.bytes", [b""], partial(_damaged_directory, plain))
    yield Subject("packed", [b""], partial(_packed, plain))


GAZETTEER = Gazetteer.from_entries([("LOC", ("Lima",)), ("PER", ("Ann", "Lee"))])


def _loads(path: Path) -> None:
    """A model that is read does whatever models do."""
    model = load_model(path)
    tagger = Tagger(model)
    for task in model.plan.tasks:
        for options in ({}, {"confidence": True}, {"nbest": 2}):
            tagger.tag(["Ann", "Lee", "saw", "Lima", "🏆"], tasks=[task], **options)  # type: ignore[arg-type]


def _directory(model: Model, source: random.Random, content: bytes, folder: Path) -> None:
    _loads(_forged_model(model, source, folder))


def _forged_model(model: Model, source: random.Random, folder: Path) -> Path:
    """A directory: one of the files with other values in it, and checksums that are right again."""
    directory = _fresh(folder)
    save_model(model, directory)
    files = [
        *sorted((directory / "vocabulary").glob("*.json")),
        directory / "calibration.json",
        directory / "plan.toml",
    ]
    path = source.choice(files)
    path.write_bytes(_forged(source, path))
    if source.random() < 0.15:
        mapped, metadata = load_arrays(directory / WEIGHTS, expected=FORMAT)
        arrays, key = {name: np.array(array) for name, array in mapped.items()}, source.choice(sorted(metadata))
        save_arrays(directory / WEIGHTS, arrays, {**metadata, key: _forged_text(source, metadata[key])})
    elif path.name != "calibration.json":
        (directory / "calibration.json").unlink()
        save_weights(directory, model.arrays)
    return directory


def _forged(source: random.Random, path: Path) -> bytes:
    content = path.read_bytes()
    if source.random() < 0.2:
        return mutated(source, content)
    if path.suffix == ".json":
        return _json(_changed(source, json.loads(content)))
    tables = _changed(source, tomllib.loads(content.decode()))
    with suppress(Exception):  # what TOML does not hold
        return tomli_w.dumps(tables).encode()
    return content


def _damaged_directory(model: Model, source: random.Random, content: bytes, folder: Path) -> None:
    """Any file, with bytes of it damaged: never a traceback."""
    directory = _fresh(folder)
    save_model(model, directory)
    path = source.choice([path for path in sorted(directory.rglob("*")) if path.is_file()])
    path.write_bytes(mutated(source, path.read_bytes()))
    _loads(directory)


def _packed(model: Model, source: random.Random, content: bytes, folder: Path) -> None:
    """Other metadata or other arrays under a checksum that is right, or damaged bytes."""
    path = _fresh(folder) / "m.polytag"
    save_packed(path, model, precision=source.choice(("float32", "float16", "int8")), coarse=False)
    if source.random() < 0.2:
        path.write_bytes(mutated(source, path.read_bytes()))
    else:
        mapped, metadata = load_arrays(path, expected=PACKED)
        arrays = {name: np.array(array) for name, array in mapped.items()}
        if source.random() < 0.5:
            key = source.choice(sorted(metadata))
            metadata = {**metadata, key: _forged_text(source, metadata[key])}
        else:
            arrays = _other_arrays(source, arrays)
        with suppress(UnicodeEncodeError):  # what the writer cannot write is no file
            save_arrays(path, arrays, metadata)
    _loads(path)


def _forged_text(source: random.Random, text: str) -> str:
    try:
        value = json.loads(text)
    except ValueError:
        return mutated(source, text.encode()).decode("utf-8", "replace")
    return json.dumps(_changed(source, value))


def _other_arrays(source: random.Random, arrays: dict[str, Any]) -> dict[str, Any]:
    name = source.choice(sorted(arrays))
    array = arrays[name]
    other = source.choice((
        array[..., :-1], array.reshape(-1), array.astype(np.float64), array[:0], np.full_like(array, 127),
        array.astype(np.uint8),
        np.zeros((2, 3), np.float32), array[None],
    ))  # fmt: skip
    kept = {key: value for key, value in arrays.items() if key != name}
    return (
        kept
        if source.random() < 0.2
        else {**kept, name: other}
        if source.random() < 0.8
        else {**kept, name + "x": array}
    )


def _changed(source: random.Random, value: Any) -> Any:
    for _ in range(source.choice((1, 1, 2, 4))):
        value = with_another_value(source, value)
    return value


def _fresh(folder: Path) -> Path:
    directory = folder / "model"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    return directory


def _json(value: Any) -> bytes:
    return json.dumps(value, default=str).encode()


# Bodies of HTTP requests


def _requests() -> Subject:
    asked: list[dict[str, Any]] = [
        {"words": ["Ann", "saw", "Lima"], "tasks": ["ner"], "confidence": True, "min_probability": 0.5},
        {"words": [["Ann"], ["saw", "Lima", "."]], "nbest": 3, "min_probability": {"LOC": 0.9, "PER": 1}},
        {"text": "Ann saw Lima\nwell .", "tokenised": True, "tasks": ["pos"], "language": "en"},
    ]
    return Subject("http", [_json(of) for of in asked], _post)


def _post(source: random.Random, content: bytes, folder: Path) -> None:
    """Whatever the body is, the answer is JSON: what was asked for, or one sentence that blames the client."""
    reply = _client().post("/tag", content=content)
    assert reply.status_code in (200, 400, 413, 422), f"{reply.status_code}: {reply.text[:300]}"
    said = json.loads(reply.content, parse_constant=lambda name: _no_json(name))
    assert ("sentences" in said) == (reply.status_code == 200)
    assert len(reply.content) < 1_500 or reply.status_code == 200


def _no_json(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


@cache
def _client() -> Any:
    from polytag.server import Limits, create_app
    from tests.server.clients import Local

    limits = replace(Limits(), words=300, nbest=5)
    return Local(create_app(_tagger(), limits)).__enter__()
