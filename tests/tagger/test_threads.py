"""One tagger for any number of threads, pickled at any time: what it says is what it says alone."""

import asyncio
import gc
import os
import pickle
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import pytest

from polytag.corpus.sentence import Sentence
from polytag.tagger import words
from polytag.tagger.tagging import Tagger
from polytag.vocabulary.gazetteer import Gazetteer
from tests import tiny

THREADS = 8
ROOT = Path(__file__).parents[2]


def strange(count: int, *, seed: int) -> list[Sentence]:
    """Sentences that are full of words which no training file holds."""
    return tiny.texts(count, seed=seed, unknown=0.8)


def tags(tagger: Tagger, sentences: list[Sentence]) -> list[object]:
    return [(s.tags, s.confidence) for s in tagger.tag_all(sentences, confidence=True)]


@pytest.mark.parametrize("memory", [None, 10])
def test_threads_say_what_one_says_alone(monkeypatch: pytest.MonkeyPatch, memory: int | None) -> None:
    if memory:  # words are forgotten all the time
        monkeypatch.setattr(words, "MEMORY", 0)
        monkeypatch.setattr(words, "FEWEST", memory)
    jobs = [strange(120, seed=seed % 5) for seed in range(3 * THREADS)]
    alone = [tags(tiny.tagger(), job) for job in jobs[:5]]
    shared = tiny.tagger()
    with ThreadPoolExecutor(THREADS) as pool:
        together = list(pool.map(lambda job: tags(shared, job), jobs))
    assert together == [alone[number % 5] for number in range(len(jobs))]


def test_single_calls_from_many_threads() -> None:
    sentences = strange(400, seed=3)
    expected = [tiny.tagger().tag(sentence.words).tags for sentence in sentences]
    shared = tiny.tagger()
    with ThreadPoolExecutor(THREADS) as pool:
        assert list(pool.map(lambda s: shared.tag(s.words).tags, sentences)) == expected


def test_asyncio_threads() -> None:
    shared, sentences = tiny.tagger(), strange(40, seed=4)

    async def gathered() -> list[Sentence]:
        return await asyncio.gather(*(asyncio.to_thread(shared.tag, s.words) for s in sentences))

    assert [s.tags for s in asyncio.run(gathered())] == [tiny.tagger().tag(s.words).tags for s in sentences]


def test_a_stream_may_begin_in_the_midst_of_another() -> None:
    shared, first, second = tiny.tagger(), strange(900, seed=1), strange(900, seed=2)
    half = shared.tag_all(first)
    begun = list(islice(half, 10))
    between = [s.tags for s in shared.tag_all(second)]
    assert [s.tags for s in [*begun, *half]] == [s.tags for s in tiny.tagger().tag_all(first)]
    assert between == [s.tags for s in tiny.tagger().tag_all(second)]


def test_no_thread_outlives_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("polytag.tagger.predicting.THREAD_WORDS", 1)
    before = set(threading.enumerate())
    model, sentences = tiny.model(), strange(200, seed=5)
    stream = Tagger(model, threads=4).tag_all(sentences)
    next(stream)
    assert set(threading.enumerate()) == before
    one, four = ([*Tagger(model, threads=n).tag_all(sentences, confidence=True)] for n in (1, 4))
    assert [sentence.tags for sentence in one] == [sentence.tags for sentence in four]
    for alone, among in zip(one, four, strict=True):  # batches of other sizes are summed in another order
        assert alone.confidence["ner"] == pytest.approx(among.confidence["ner"], rel=1e-9)


def test_a_pickle_takes_the_threads_that_were_asked_for_else_the_cores_of_where_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chosen, left = Tagger(tiny.tagger().model, threads=3), tiny.tagger()
    monkeypatch.setattr("polytag.tagger.tagging.available_cores", lambda: 97)
    assert [pickle.loads(pickle.dumps(tagger)).threads for tagger in (chosen, left)] == [3, 97]


def test_it_pickles_before_and_after_use_and_in_the_midst_of_a_stream() -> None:
    gazetteer = Gazetteer.from_entries([("PER", ("Ann", "Lee")), ("LOC", ("Lima",))])
    tagger = tiny.tagger(temperatures={"ner": 2.0}, features=True, gazetteer=gazetteer)
    sentences = strange(50, seed=6)
    fresh = pickle.dumps(tagger)
    expected = tags(tagger, sentences)
    stream = tagger.tag_all(sentences)
    next(stream)
    used = pickle.dumps(tagger)
    assert len(used) == len(fresh), "what it remembers stays behind"
    for content in (fresh, used):
        assert tags(pickle.loads(content), sentences) == expected


def test_dropped_taggers_are_gone_at_once() -> None:
    """No cycle holds them: their memory is free before any search for garbage."""
    gc.collect()
    gc.disable()
    try:
        before = len(words._TABLES)
        for _ in range(20):
            tiny.tagger().tag(["Ann", "saw", "Lima"])
        assert len(words._TABLES) == before
    finally:
        gc.enable()


FORK = """
import os, sys, threading
from tests import tiny

tagger = tiny.tagger()
tagger.threads = 4
sentences = tiny.texts(3_000, seed=2, unknown=0.8)
expected = [s.tags for s in tagger.tag_all(sentences)]
stop = threading.Event()

def others():
    while not stop.is_set():
        list(tagger.tag_all(sentences[:600]))

at_work = [threading.Thread(target=others) for _ in range(2 if sys.argv[1] == "amidst" else 0)]
for thread in at_work:
    thread.start()
for _ in range(3):
    child = os.fork()
    if not child:
        os._exit([s.tags for s in tagger.tag_all(sentences)] != expected)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
stop.set()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.parametrize("when", ["after", "amidst"])
def test_a_fork_tags_whatever_threads_its_parent_had(when: str) -> None:
    """In a process of its own, as a fork among threads may hang; none of these does."""
    command = [sys.executable, "-W", "ignore", "-c", FORK, when]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
