"""Does an exported graph tag a file as polytag does, and how fast is it?

    polytag export MODEL --onnx model.onnx
    python benchmarks/onnx_agreement.py MODEL model.onnx FILE [--threads 1]

FILE is annotated like the task's own files. Both tag in float32, in this process; times are those of tagging sentences
that are read already, the median of three. A graph that disagrees anywhere ends the script with exit code 1.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from polytag.corpus.sentence import Sentence
from polytag.exporting.check import OnnxTagger, agreement
from polytag.splits import read_as
from polytag.tagger.tagging import Tagger

ROUNDS = 3


def main() -> int:
    options = _options()
    tagger = Tagger.load(options.model, precision="float32", threads=options.threads)
    other = OnnxTagger(options.onnx, tagger, threads=options.threads)
    task = next(iter(other.tasks))
    sentences = list(read_as(tagger.plan, task, options.file))
    words = sum(map(len, sentences))
    found = agreement(options.onnx, tagger, sentences)
    print(f"{options.file}: {len(sentences):,} sentences, {words:,} words")
    for name, of in found.items():
        print(f"{name}: {of.same:,} of {of.words:,} tags agree, {100 * of.same / of.words:.4f} %")
    print(
        f"polytag      {words / _seconds(lambda: list(tagger.tag_all(sentences, tasks=list(found)))):>10,.0f} words/s"
    )
    print(f"onnxruntime  {words / _seconds(lambda: other.tag(sentences)):>10,.0f} words/s")
    return int(any(of.same != of.words for of in found.values()))


def _seconds(tag: Callable[[], list[Sentence]]) -> float:
    taken = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        tag()
        taken.append(time.perf_counter() - begin)
    return median(taken)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare an exported graph with the model that it comes from.")
    parser.add_argument("model", type=Path)
    parser.add_argument("onnx", type=Path)
    parser.add_argument("file", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
