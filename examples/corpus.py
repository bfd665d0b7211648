"""Read a corpus, look at it, and write it with other tags in another format: examples/corpus.py [TARGET]."""

import sys
import tempfile
from pathlib import Path

from polytag.corpus import check, convert, read
from polytag.corpus.schemes import convert_tags

SOURCE = Path(__file__).parent / "news" / "en.test.conll"


def main(target: Path) -> None:
    report = check(SOURCE)
    print(f"{report.sentences} sentences, {report.tokens} words; last column: {report.columns[-1].note}")
    sentence = next(read(SOURCE, tags={"ner": 2}))
    iob2 = sentence.tags["ner"]
    for row in zip(sentence.words, iob2, convert_tags(iob2, "bioes"), strict=True):
        print("{:<15} {:<8} {}".format(*row))
    for span in sentence.spans("ner"):
        print(f"{span.type}: {span.text}")
    count = convert(SOURCE, target, tags={"upos": 1, "ner": 2}, scheme={"ner": "bioes"})
    print(f"wrote {count} sentences to {target}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else Path(tempfile.mkdtemp()) / "news.conllu"))
