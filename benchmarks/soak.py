"""Does a tagger that is loaded, shared and called without end stay as it is? Memory, and tags from many threads.

    python -m benchmarks.soak MODEL [--text FILE] [--loads 300] [--calls 100000] [--repeats 20]

* Taggers are loaded, used and dropped again and again: memory must come to rest.
* One tagger is called with a sentence again and again, one word of four never seen before: the same.
* Threads share a tagger that has met none of the words: each must say what one thread says alone, whether it asks for
  one sentence at a time or for hundreds. A new tagger for each repetition.

The exit code is 1 if memory grows or a tag differs.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from polytag.corpus import Sentence, read
from polytag.tagger.tagging import Tagger

NEWS = Path(__file__).resolve().parents[1] / "examples" / "news" / "en.test.conll"
NEW_WORDS = 4  # one word of so many
STRETCH = 200  # sentences of a call that asks for many
SHARES = 10  # memory is looked at so many times
REST = 3  # of which the first are for coming to rest
GROWTH = 8.0  # MB from then on that are not called growth


def texts(path: Path, *, seed: int) -> Iterator[Sentence]:
    """The sentences of a file without end, some of their words made new."""
    source, known = random.Random(seed), [sentence.words for sentence in read(path) if sentence.words]
    while True:
        yield Sentence(tuple(_renewed(word, source) for word in source.choice(known)))


def _renewed(word: str, source: random.Random) -> str:
    return word if source.randrange(NEW_WORDS) else f"{word}{source.randrange(1 << 40):x}"


def resident() -> float:
    """MB of this process that are in memory now (Linux)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0]) * 1024 / 1e6


def flat(name: str, count: int, act: Callable[[], object], *, megabytes: Callable[[], float] = resident) -> bool:
    """Act so many times; whether memory stays as it is after the first shares."""
    seen, began = [], time.perf_counter()
    for _ in range(SHARES):
        for _ in range(count // SHARES):
            act()
        seen.append(megabytes())
    grown = min(seen[-REST:]) - max(seen[:REST])  # what stays: a moment may need more
    told = ", ".join(f"{one:.0f}" for one in seen)
    verdict = f"flat ({grown:+.1f} MB)" if grown <= GROWTH else f"GROWS by {grown:.1f} MB"
    print(f"{name}: {count:,} times in {time.perf_counter() - began:.0f} s: {told} MB: {verdict}", flush=True)
    return grown <= GROWTH


def loads(options: argparse.Namespace) -> bool:
    """Load a tagger, use it and drop it."""
    sentences = list(islice(texts(options.text, seed=1), 50))
    return flat("loading and dropping", options.loads, lambda: list(Tagger.load(options.model).tag_all(sentences)))


def calls(options: argparse.Namespace) -> bool:
    """Call one tagger."""
    tagger, sentences = Tagger.load(options.model), texts(options.text, seed=2)
    return flat("calls", options.calls, lambda: tagger.tag(next(sentences).words))


def threads(options: argparse.Namespace) -> bool:
    """Repeat what one thread says by many."""
    sentences = list(islice(texts(options.text, seed=3), options.sentences))
    stretches = [sentences[at : at + STRETCH] for at in range(0, len(sentences), STRETCH)]
    ways = {"one by one": _one_by_one, f"{STRETCH} at a time": _in_stretches}
    expected = {name: way(_tagger(options), stretches, 1) for name, way in ways.items()}
    wrong, began = dict.fromkeys(ways, 0), time.perf_counter()
    for _ in range(options.repeats):
        for name, way in ways.items():
            found = way(_tagger(options), stretches, options.threads)
            wrong[name] += sum(a != b for a, b in zip(found, expected[name], strict=True))
    for name, count in wrong.items():
        print(
            f"{options.threads} threads, {name}: {options.repeats} times {len(sentences):,} sentences, "
            f"{count} otherwise than by one thread",
            flush=True,
        )
    print(f"in {time.perf_counter() - began:.0f} s", flush=True)
    return not any(wrong.values())


def _tagger(options: argparse.Namespace) -> Tagger:
    return Tagger.load(options.model, threads=2)


def _one_by_one(tagger: Tagger, stretches: Sequence[Sequence[Sentence]], threads: int) -> list[object]:
    def tags(sentence: Sentence) -> object:
        return tagger.tag(sentence.words).tags

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(tags, (sentence for stretch in stretches for sentence in stretch)))


def _in_stretches(tagger: Tagger, stretches: Sequence[Sequence[Sentence]], threads: int) -> list[object]:
    def tags(stretch: Sequence[Sentence]) -> list[object]:
        return [sentence.tags for sentence in tagger.tag_all(stretch)]

    with ThreadPoolExecutor(threads) as pool:
        return [found for stretch in pool.map(tags, stretches) for found in stretch]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--text", type=Path, default=NEWS, help="whose sentences are tagged (examples/news)")
    parser.add_argument("--loads", type=int, default=300)
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--sentences", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=20, help="of what the threads say")
    options = parser.parse_args(arguments)
    return 0 if all([loads(options), calls(options), threads(options)]) else 1


if __name__ == "__main__":
    sys.exit(main())
