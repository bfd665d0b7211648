"""Seeded fuzzers: what people and attackers hand in is read, or refused with a sentence; quickly, in bounded memory.

    python -m tests.fuzz                 every subject for a minute
    python -m tests.fuzz --minutes 30    longer
    python -m tests.fuzz --only read.jsonl --case 1234    one case once more, with its traceback

mutations.py changes good examples, subjects.py says what is done with the result and what must hold then, running.py
runs cases one after the other and watches them. A short share of the cases, always the same, runs in the tests.
"""
