"""Archives of the layout that the real ones have, with invented content of a few lines."""

import gzip
import io
import pickle
import random
import tarfile
import zipfile
from collections.abc import Mapping
from urllib.parse import urlsplit

import numpy as np

from polytag.downloads import Dataset

WORDS = ("Ann", "saw", "the", "old", "harbour", "of", "Lima", "in", "May", ".")
CHUNKS = ["NNP B-NP", "VBD B-VP", "DT B-NP", "JJ I-NP", "NN I-NP", "IN B-PP", "NNP B-NP", "IN B-PP", "NNP B-NP", ". O"]
ROW = {  # columns after the word
    "conll2000": CHUNKS,
    "conll2002": ["NP B-PER", "V O", "D O", "A O", "N O", "P O", "NP B-LOC", "P O", "NP O", "Fp O"],
    "masakhaner": ["B-PER", "O", "O", "O", "O", "O", "B-LOC", "O", "B-DATE", "O"],
}
UPOS = ("PROPN", "VERB", "DET", "ADJ", "NOUN", "ADP", "PROPN", "ADP", "PROPN", "PUNCT")


def columns(kind: str, sentences: int = 30) -> bytes:
    """A corpus in columns."""
    source = random.Random(kind)
    text = ""
    for _ in range(sentences):
        length = source.randint(3, len(WORDS))
        text += "".join(f"{word} {rest}\n" for word, rest in zip(WORDS[:length], ROW[kind], strict=False)) + "\n"
    return text.encode()


def conllu(sentences: int = 20) -> bytes:
    """A treebank."""
    rows = [f"{i}\t{w}\t_\t{p}\t_\t_\t_\t_\t_\t_\n" for i, (w, p) in enumerate(zip(WORDS, UPOS, strict=True), 1)]
    return ("".join(rows) + "\n").encode() * sentences


def zipped(files: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def tarred(files: Mapping[str, bytes], mode: str = "w:gz") -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def conll2000() -> bytes:
    corpus = columns("conll2000")
    return zipped(
        {"conll2000/": b"", "conll2000/README": b"CONLL", "conll2000/test.txt": corpus, "conll2000/train.txt": corpus}
    )


def conll2002() -> bytes:
    corpus = columns("conll2002")
    splits = [f"{language}.{split}" for language in ("esp", "ned") for split in ("train", "testa", "testb")]
    return zipped({"conll2002/README": b"CONLL", **{f"conll2002/{split}": corpus for split in splits}})


def senna() -> bytes:
    words = "".join(f"{word.lower()}\n" for word in WORDS).encode()
    values = "".join(f"{' '.join(f'{i}.{d}' for d in range(5))}\n" for i in range(len(WORDS))).encode()
    return tarred(
        {"senna/LICENSE": b"non-commercial", "senna/SENNA_POS.c": b"int main", "senna/hash/words.lst": words}
        | {"senna/hash/ner.loc.lst": b"lima\n", "senna/embeddings/embeddings.txt": values}
    )


def polyglot() -> bytes:
    pair = (list(WORDS), np.ones((len(WORDS), 4), np.float32))
    return tarred({"./words_embeddings_32.pkl": pickle.dumps(pair, protocol=2)}, "w:bz2")


def vec() -> bytes:
    return f"{len(WORDS)} 3\n".encode() + "".join(f"{word} 0.1 -0.2 0.3\n" for word in WORDS).encode()


CONTENT = {
    "conll2000": conll2000,
    "conll2002": conll2002,
    "senna": senna,
    "polyglot": polyglot,
    "fasttext": lambda: gzip.compress(vec(), mtime=0),
    "fasttext-wiki": vec,
    "ud": conllu,
    "masakhaner": lambda: columns("masakhaner"),
    "masakhaner1": lambda: columns("masakhaner"),
}


def published(dataset: Dataset) -> dict[str, bytes]:
    """What a server has of a dataset: paths and content."""
    content = CONTENT[dataset.name.partition(":")[0]]()
    return {
        urlsplit(file.url).path: b"This work is licensed under CC BY-SA 4.0.\n" if file.is_licence else content
        for file in dataset.files
    }
