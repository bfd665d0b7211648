"""UIMA CAS XMI as INCEpTION writes and reads it, by dkpro-cassis.

An export is x.zip with an .xmi and a TypeSystem.xml in it, or both unpacked; without the latter there are only the
types of what `polytag suggest` writes. Words and sentences are the export's own. The layer of a span is the name of its
type, NamedEntity or POS, and its label the feature that says what it is; of another feature the layer is TYPE.FEATURE.
"""

import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

from polytag.corpus.formats.format import Format
from polytag.corpus.formats.record import SPANS, Record
from polytag.corpus.formats.records import Document, Placed, refusing, sentences_of, spans_alone
from polytag.corpus.notes import Notes
from polytag.corpus.sentence import CharSpan, Sentence
from polytag.corpus.tag_rules import UNKNOWN
from polytag.corpus.text import Layout, Line, existing
from polytag.errors import CorpusError, PolytagError

MISSING = "UIMA CAS XMI is read by dkpro-cassis, which is not installed: pip install 'polytag[inception]'"
TYPES = "TypeSystem.xml"
MOST_BYTES = 64 << 20  # of a file in an archive, which may hold a thousand times as much as its own bytes
INITIAL = "INITIAL_CAS"  # what a project's export calls a document before anybody annotated it

_DKPRO = "de.tudarmstadt.ukp.dkpro.core.api."
SENTENCE, TOKEN = f"{_DKPRO}segmentation.type.Sentence", f"{_DKPRO}segmentation.type.Token"
ENTITY, POS = (f"{_DKPRO}ner.type.NamedEntity", "value"), (f"{_DKPRO}lexmorph.type.pos.POS", "PosValue")
_LABELS = ("value", "PosValue", "chunkValue")  # features that say what a span is; others say more of it
_NO_LAYERS = {
    SENTENCE, TOKEN, f"{_DKPRO}metadata.type.TagsetDescription", f"{_DKPRO}metadata.type.DocumentMetaData",
    "uima.tcas.DocumentAnnotation",
}  # fmt: skip

Offset = tuple[int, int]


def sentences(lines: Iterable[Line], layout: Layout) -> Iterator[Sentence]:  # noqa: ARG001
    """The sentences of the document, with IOB2 tags for the spans of a layer.

    Raises:
        CorpusError: other tags are wanted; while reading, dkpro-cassis is not installed, it is no such document, or it
            has several layers and none is named.
    """
    layout = spans_alone(layout)
    return sentences_of(_records(layout), layout)


def columns(lines: Iterable[Line], layout: Layout) -> list[str]:  # noqa: ARG001
    """'spans', or where there are several layers, each of these."""
    layers = _layers(_spans(_loaded(Path(layout.source))))
    return [SPANS] if len(layers) < 2 else [f"{SPANS}.{layer}" for layer in layers]


def _records(layout: Layout) -> Iterator[Placed]:
    document = _loaded(Path(layout.source))
    spans = _spans(document)
    layers, place = _layers(spans), Placed(0, {})
    with refusing(layout, place):
        if SPANS in layout.tags.values() and len(layers) > 1:
            expected = " or ".join(f"{SPANS}.{layer}" for layer in layers)
            raise ValueError(f"{len(layers)} layers have spans, expected one of them to be named: {expected}")
        for span in spans:
            if span["label"] == UNKNOWN:
                text = f"a span of {span['layer']}, {[span['start'], span['end']]}, has no label; its words are unknown"
                layout.notes.tell("no label", f"{text} ({UNKNOWN})", path=layout.source)
        fields: Record = {"text": document.sofa_string or "", SPANS: spans}
        yield place._replace(fields=fields, document=Document(layout.source, sentences=_words(document)))


def _layers(spans: Iterable[Record]) -> list[str]:
    return list(dict.fromkeys(span["layer"] for span in spans))


def _spans(document: Any) -> list[Record]:
    """A span for each feature of an annotation that is a text, or of the label ``?`` where none is there."""
    found = list[Record]()
    annotations = document.select("uima.tcas.Annotation")  # those of several types come in any order
    for one in sorted(annotations, key=lambda one: (one.begin, one.end, one.type.name)):
        features = [feature.name for feature in one.type.all_features if feature.rangeType.name == "uima.cas.String"]
        if not _is_layer(one.type):
            continue
        label = next((name for name in _LABELS if name in features), features[0] if len(features) == 1 else "")
        layer = one.type.name.rpartition(".")[2]
        named = {layer if name == label else f"{layer}.{name}": one[name] for name in features if one[name]}
        for of, text in (named or {layer: UNKNOWN}).items():
            found.append({"start": one.begin, "end": one.end, "label": text, "layer": of})
    return found


def _is_layer(kind: Any) -> bool:
    """Whether a type is of spans: neither of what all documents have nor of relations between spans."""
    features = {feature.name for feature in kind.all_features}
    return kind.name not in _NO_LAYERS and not {"Governor", "Dependent"} <= features


def _words(document: Any) -> Sequence[Sequence[Offset]]:
    """Where the words of each sentence stand; none where there are no words or sentences."""
    known = {kind.name for kind in document.typesystem.get_types()}
    if not {SENTENCE, TOKEN} <= known:
        return ()
    cut = (
        [(word.begin, word.end) for word in document.select_covered(TOKEN, one)] for one in document.select(SENTENCE)
    )
    return [sorted(words) for words in cut if words]


def _loaded(path: Path) -> Any:
    """The document of a file, or of the one in an archive.

    Raises:
        CorpusError: dkpro-cassis is not installed, or it is none that can be read.
    """
    try:
        import cassis
    except ImportError as error:
        raise CorpusError(MISSING, path=path) from error
    try:
        content, types = _archived(path) if zipfile.is_zipfile(path) else _beside(path)
        if b"<!DOCTYPE" in content or b"<!DOCTYPE" in types:  # which may name other files
            raise CorpusError("a document type declaration in it, expected UIMA CAS XMI without", path=path)
        system = cassis.load_typesystem(BytesIO(types)) if types else _types()
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # that an offset is outside the text
            return cassis.load_cas_from_xmi(BytesIO(content), typesystem=system)
    except CorpusError:
        raise
    except Exception as error:  # whatever the library comes across
        said = " ".join(str(error).split())
        raise CorpusError(f"no UIMA CAS XMI that can be read ({said:.200}), or no {TYPES} of it", path=path) from error


def _beside(path: Path) -> tuple[bytes, bytes]:
    types = path.with_name(TYPES)
    return path.read_bytes(), types.read_bytes() if types.is_file() else b""


def _archived(path: Path) -> tuple[bytes, bytes]:
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".xmi")]
        if len(names) != 1:
            message = f"{len(names)} .xmi files in the archive, expected one (unpack the export of a project)"
            raise CorpusError(message, path=path)
        types = next((name for name in archive.namelist() if Path(name).name == TYPES), "")
        return _member(path, archive, names[0]), _member(path, archive, types) if types else b""


def _member(path: Path, archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise CorpusError(f"{name} is larger than {MOST_BYTES >> 20} MiB, expected a document of less", path=path)
    return content


def written(
    text: str, sentences: Iterable[Sequence[Offset]], spans: Iterable[CharSpan], *, marks_spans: bool = True
) -> str:
    """A document with the words of its sentences, and spans of the layer Named Entity, else Part of Speech.

    Raises:
        PolytagError: dkpro-cassis is not installed, or the text holds what XML does not.
    """
    try:
        import cassis
    except ImportError as error:
        raise PolytagError(MISSING.replace("read", "written")) from error
    document = cassis.Cas(typesystem=_types())
    document.sofa_string, document.sofa_mime = text, "text"
    type_of = document.typesystem.get_type
    for words in sentences:
        document.add(type_of(SENTENCE)(begin=words[0][0], end=words[-1][1]))
        document.add_all(type_of(TOKEN)(begin=start, end=end) for start, end in words)
    name, label = ENTITY if marks_spans else POS
    document.add_all(type_of(name)(begin=start, end=end, **{label: kind}) for start, end, kind in spans)
    try:
        return f"{document.to_xmi()}\n"
    except ValueError as error:
        raise PolytagError(f"XML cannot hold it ({error}), expected text without control characters") from error


def _types() -> Any:
    """Those of what is written, which every project of INCEpTION has."""
    import cassis

    system = cassis.TypeSystem()
    for name, features in ((SENTENCE, ()), (TOKEN, ()), (ENTITY[0], ENTITY[1:]), (POS[0], POS[1:])):
        kind = system.create_type(name)
        for feature in features:
            system.create_feature(kind, name=feature, rangeType="uima.cas.String")
    return system


def files(path: str, notes: Notes) -> list[Path]:
    """A file, or the documents of a directory, such as an unpacked export of a project, in the order of their names.

    Raises:
        CorpusError: there is none, or several people annotated one, which is theirs to settle: by curation.
    """
    if not existing(path).is_dir():
        return [existing(path)]
    found = sorted(file for suffix in ("xmi", "zip") for file in Path(path).rglob(f"*.{suffix}"))
    annotated = [file for file in found if file.stem != INITIAL]
    if len(annotated) < len(found):
        count = len(found) - len(annotated)
        notes.tell("initial", f"{count} files {INITIAL}, which nobody annotated, are left out", path=path)
    if not annotated:
        raise CorpusError("a directory without *.xmi or *.zip files, expected documents of INCEpTION", path=path)
    for before, file in pairwise(annotated):
        if before.parent == file.parent and file.parent.parent.name == "annotation":
            people = f"{before.stem} and {file.stem}"
            raise CorpusError(f"{people} annotated it, expected one of them, or what curation made", path=file.parent)
    return annotated


def claims(path: str) -> bool:
    """Whether an archive or a directory holds a document."""
    place = Path(path)
    if place.is_dir():
        return any(place.rglob("*.xmi")) or any(map(_holds_document, place.rglob("*.zip")))
    return place.suffix == ".zip" and _holds_document(place)


def _holds_document(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith(".xmi") for name in archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


FORMAT = Format("inception", sentences, suffixes=(".xmi",), columns=columns, files=files, claims=claims)
