"""The rows: plans in few words, and what others reach on the same labels."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Literal

GLOVE = "vectors/glove.en.100d.vec.gz"
AFRICAN = {  # of MasakhaNER, with the CNN-BiLSTM-CRF of its authors, one run
    "amh": 51.80, "hau": 85.15, "ibo": 79.50, "kin": 62.58, "lug": 75.52,
    "luo": 63.50, "pcm": 69.88, "swa": 79.02, "wol": 56.57, "yor": 66.70,
}  # fmt: skip
_FILES: Mapping[str, Mapping[str, Any]] = {
    "english": {
        "train": "conll2003/eng.train", "dev": "conll2003/eng.testa", "test": "conll2003/eng.testb",
        "columns": {"word": 0, "tag": 3},
    },
    "spanish": {"train": "conll2002/esp.train", "dev": "conll2002/esp.testa", "test": "conll2002/esp.testb"},
    "dutch": {
        "train": "conll2002/ned.train", "dev": "conll2002/ned.testa", "test": "conll2002/ned.testb",
        "columns": {"word": 0, "tag": 2},
    },
    "chunks": {"train": "conll2000/train.txt", "test": "conll2000/test.txt", "holdout": 0.1},
    "pos": {  # by the Brill tagger; the same sentences are held out as of the chunks
        "train": "conll2000/train.txt", "test": "conll2000/test.txt", "holdout": 0.1, "columns": {"tag": 1},
        "scheme": "plain",
    },
    "ewt": {
        **{split: f"ud/English-EWT/en_ewt-ud-{split}.conllu" for split in ("train", "dev", "test")},
        "columns": {"tag": "xpos"}, "scheme": "plain",
    },
}  # fmt: skip
_VECTORS = {"english": GLOVE, "spanish": "vectors/es.vec.gz", "dutch": "vectors/nl.vec.gz"}
_LANGUAGES = {"chunks": "english", "pos": "english", "ewt": "english"}  # of the others: a part of their own name
_CHUNKS = {type_.lower(): type_ for type_ in ("ADJP", "ADVP", "CONJP", "INTJ", "NP", "PP", "PRT", "SBAR", "VP")}
REPLACING = ", mention replacement"  # in the names of rows that have what `polytag init` writes for few sentences
RECASING = ", case augmentation"  # the same for all
TOOLS = ("polytag", f"polytag{RECASING}", "crfsuite")
_MISC = ("movie", "musicartist", "other", "product", "tvshow")


@dataclass(frozen=True)
class Elsewhere:
    """A file of another domain, and what its types of spans are called in the corpus that was trained on."""

    file: str
    settings: Mapping[str, Any] = field(default_factory=dict)  # of its columns, as `polytag.corpus.read` has them
    types: Mapping[str, str] = field(default_factory=dict)
    case: Literal["", "lower", "upper"] = ""  # of all letters, unless as they are written


def _tests(file: str, tag: int | str) -> dict[str, Elsewhere]:
    """The test file, as it is written by who does not care for case."""
    settings = {"tag": tag}
    return {
        "test in small letters": Elsewhere(file, settings, case="lower"),
        "test in capitals": Elsewhere(file, settings, case="upper"),
    }


_TWEETS = {"person": "PER", "geo-loc": "LOC", "facility": "LOC", "company": "ORG", "sportsteam": "ORG"}
ELSEWHERE: Mapping[str, Mapping[str, Elsewhere]] = {  # corpus -> place -> file
    "english": {
        **_tests("conll2003/eng.testb", 3),
        "tweets": Elsewhere("twitter/ner.txt", {"tag": 1}, _TWEETS | dict.fromkeys(_MISC, "MISC")),
    },
    "chunks": {**_tests("conll2000/test.txt", 2), "tweets": Elsewhere("twitter/chunk.txt", {"tag": 1}, _CHUNKS)},
    "pos": {
        **_tests("conll2000/test.txt", 1),
        "web": Elsewhere("ud/English-EWT/en_ewt-ud-test.conllu", {"tag": "xpos"}),
        "tweets": Elsewhere("twitter/pos.txt", {"tag": 1}),
    },
    "ewt": {
        **_tests("ud/English-EWT/en_ewt-ud-test.conllu", "xpos"),
        "news": Elsewhere("conll2000/test.txt", {"tag": 1}),
        "tweets": Elsewhere("twitter/pos.txt", {"tag": 1}),
    },
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One plan, trained by some seeds."""

    name: str
    tasks: Sequence[str]  # corpora
    vectors: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)  # of the plan's [training], or its size
    of_tasks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    of_tags: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    of_all: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # kind of part -> what all of them have
    is_elsewhere: bool = False  # scored on other domains too
    tool: str = TOOLS[0]
    goal: Mapping[str, float] = field(default_factory=dict)
    others: str = ""

    def plan(self, seed: int = 1) -> dict[str, Any]:
        """The tables of the plan: all tasks share characters, those of a language its words.

        Each seed draws labelled sentences of its own, too, where a task has a rate.
        """
        training = {"recipe": "best", "threads": 1, **{k: v for k, v in self.settings.items() if k != "size"}}
        every = {kind: dict(self.of_all.get(kind, {})) for kind in ("chars", "words", "tags")}
        return {
            "chars": {"shared": every["chars"]},
            "words": {name: self._words(name) | every["words"] for name in map(self._language, self.tasks)},
            "tags": {task: {**every["tags"], **self.of_tags.get(task, {})} for task in self.tasks},
            "tasks": {task: self._task(task, seed) for task in self.tasks},
            "training": training | {"seed": seed},
            **({"size": self.settings["size"]} if "size" in self.settings else {}),
        }

    def _language(self, task: str) -> str:
        return _LANGUAGES.get(task, task)

    def _words(self, language: str) -> dict[str, Any]:
        return {"vectors": _VECTORS[language]} if self.vectors and language in _VECTORS else {}

    def _task(self, task: str, seed: int) -> dict[str, Any]:
        own = self.of_tasks.get(task, {})
        draw = {"rate_seed": 12 + seed} if "rate" in own else {}
        return {"chars": "shared", "words": self._language(task), **files_of(task), **draw, **own}


def files_of(task: str) -> dict[str, Any]:
    """The files of a corpus and its columns, as a task of a plan has them."""
    if task in AFRICAN:
        return {split: f"masakhaner/{task}/{split}.txt" for split in ("train", "dev", "test")}
    return dict(_FILES[task])


def _joint(name: str, first: str, *others: str, **given: Any) -> Row:
    """The first task is what the epoch is chosen by."""
    settings = {"select": first, **given.pop("settings", {})}
    return Row(name, [first, *others], settings=settings, **given)


def _rates() -> Iterator[Row]:
    """Few labels (Table 8 of the paper): alone, and with all labels of another task."""
    lower = {"of_all": _TWO, "of_tags": {"pos": {"layer": 1}}}
    for more, settings in {"": {}, " from the lower layer": lower}.items():
        yield _joint(
            f"chunks, 30% of labels, with pos{more}", "chunks", "pos", of_tasks={"chunks": {"rate": 0.3}},
            settings={"epoch_of": "smallest"}, **settings,
        )  # fmt: skip
    partners = {"spanish": ("english",), "dutch": ("english",), "english": ("pos", "spanish"), "chunks": ("english",)}
    for task, rate in product(partners, (0.1, 0.3)):
        of_tasks = {task: {"rate": rate}}
        yield Row(f"{task}, {rate:.0%} of labels", [task], of_tasks=of_tasks)
        for other in partners[task]:
            yield _joint(
                f"{task}, {rate:.0%} of labels, with {other}", task, other, of_tasks=of_tasks,
                settings={"epoch_of": "smallest"},
            )  # fmt: skip


def _other_domains() -> Iterator[Row]:
    """About 3,000 sentences without vectors, scored on text of other domains; CRFsuite on the same sentences."""
    for task, sentences in {"english": 14_041, "chunks": 8_042, "pos": 8_042, "ewt": 12_543}.items():
        of = {"rate": round(3_000 / sentences, 4)}
        for tool in TOOLS:
            own = of | ({"case_augmentation": 0.1} if RECASING in tool else {})
            name = f"{task}, 3,000 sentences" + f", {tool.removeprefix('polytag, ')}" * (tool != "polytag")
            yield Row(name, [task], vectors=False, of_tasks={task: own}, is_elsewhere=True, tool=tool)


AFRICAN_ROWS: Mapping[str, Mapping[str, float]] = {  # the end of a row's name -> settings of its task
    "": {},
    REPLACING: {"mention_replacement": 0.3},
    f"{REPLACING}{RECASING}": {"mention_replacement": 0.3, "case_augmentation": 0.1},
}
SIZES = ("small", "medium", "paper")
SIZED = {
    "english": "",
    "chunks": "",
    "masakhaner hau": "hau",
    "masakhaner yor": "yor",
}  # rows of each size, and their task


def sized(corpus: str, size: str) -> str:
    """The row of a corpus by a network of some size."""
    return corpus if size == "medium" else f"{corpus} {size}"


def _sizes() -> Iterator[Row]:
    for corpus, task in SIZED.items():
        for size in ("small", "paper"):
            if corpus != "english":
                yield Row(sized(corpus, size), [task or corpus], vectors=not task, settings={"size": size})


EPOCHS = {300: 21, 1_000: 15, 3_000: 11, 14_041: 8}  # sentences -> what "auto" makes of them


def lasting(sentences: int, *, twice: bool = False) -> str:
    """The row of so many sentences, trained as long as "auto" has it, or twice as long."""
    return f"english small, {sentences:,} sentences, {'twice ' if twice else ''}{EPOCHS[sentences]} epochs"


def _epochs() -> Iterator[Row]:
    for sentences, epochs in EPOCHS.items():
        for twice in (False, True):
            settings = {"size": "small", "epochs": epochs * (1 + twice)}
            of_tasks = {"english": {"rate": min(1.0, round(sentences / 14_041, 4))}}
            yield Row(lasting(sentences, twice=twice), ["english"], False, settings, of_tasks)


RATES: Mapping[str, Mapping[str, Any]] = {  # of what the recipe sets, each alone
    "as the recipe": {}, "rate 0.0015": {"learning_rate": 0.0015}, "rate 0.006": {"learning_rate": 0.006},
    "rate falls to a tenth": {"final_learning_rate": 0.0003}, "no average": {"average": "none"},
    "average of half an epoch": {"average": 0.5}, "average of two epochs": {"average": 2.0},
}  # fmt: skip


def _rates_of_learning() -> Iterator[Row]:
    for name, settings in RATES.items():
        of_tasks = {"english": {"rate": 0.0712}}
        yield Row(
            f"english small, 1,000 sentences, {name}", ["english"], False, {"size": "small", **settings}, of_tasks
        )


_LSTM = {kind: {"cell": "lstm", "bias": True} for kind in ("chars", "words")}
_TWO = {"words": {"layers": 2}}
_TASKS = ("english", "pos")
WITHOUT: dict[str, tuple[dict[str, Any], dict[str, dict[str, Any]]]] = {  # what the recipe has, left out
    "no clusters": ({}, {"words": {"clusters": "none"}}),
    "no unknown words": ({}, {"words": {"unknown": 0.0}}),
    "no average": ({"average": "none"}, {}),
    "no features": ({}, {"tags": {"features": False}}),
    "no dropout of characters": ({}, {"chars": {"dropout": 0.0}}),
    "batches of 32": ({"batch_sentences": 32, "learning_rate": 0.004}, {}),
}
_ENGLISH = "IntNet 91.64, NCRF++ 91.35, LM-LSTM-CRF 91.24, Ma and Hovy 91.21"
ROWS = {row.name: row for row in (
    Row("english", ["english"], goal={"english": 91.6}, others=_ENGLISH),
    Row("english small", ["english"], settings={"size": "small"}, goal={"english": 91.1}, others=_ENGLISH),
    Row(
        "english, fine tuning 0.3", ["english"], of_all={"words": {"fine_tuning": 0.3}}, goal={"english": 91.6},
        others=_ENGLISH,
    ),
    Row(
        "english small, fine tuning 0.3", ["english"], settings={"size": "small"},
        of_all={"words": {"fine_tuning": 0.3}}, goal={"english": 91.1}, others=_ENGLISH,
    ),
    Row(
        "english, refit", ["english"], settings={"refit": True}, goal={"english": 91.8},
        others="DeLFT 91.37, paper 91.20, both trained on train and dev",
    ),
    Row(
        f"english small{RECASING}", ["english"], settings={"size": "small"},
        of_tasks={"english": {"case_augmentation": 0.1}}, others=_ENGLISH,
    ),
    *(
        Row(f"english small, {name}", ["english"], settings={"size": "small", **settings}, of_all=of_all)
        for name, (settings, of_all) in WITHOUT.items()
    ),
    Row("english paper", ["english"], settings={"size": "paper"}, others=_ENGLISH),
    Row(
        "english in a minute", ["english"],
        settings={
            "size": "small", "batch_sentences": 28, "learning_rate": 0.004, "epochs": 5, "threads": 2,
        }, of_all={"words": {"fine_tuning": 0.3, "dropout": 0.2}, "tags": {"dropout": 0.2}}, goal={"english": 90.8},
    ),
    Row(
        "english, labels alone", ["english"], vectors=False, goal={"english": 87.0},
        others="CRFsuite 82.80, Ma and Hovy 80.76",
    ),
    Row("spanish, labels alone", ["spanish"], vectors=False, others="CRFsuite 79.27, paper 73.34"),
    Row("dutch, labels alone", ["dutch"], vectors=False, others="CRFsuite 77.63, paper 67.36"),
    Row("chunks, labels alone", ["chunks"], vectors=False, others="CRFsuite 90.77, paper 88.13"),
    Row("chunks", ["chunks"], goal={"chunks": 95.1}, others="NCRF++ 95.06, paper 94.66"),
    Row("chunks, refit", ["chunks"], settings={"refit": True}, others="the same, all trained on all of train"),
    _joint(
        "chunks, entities, parts of speech", "chunks", *_TASKS, goal={"chunks": 95.6},
        others="paper 95.41, Søgaard and Goldberg 95.57",
    ),
    _joint("chunks, entities, parts of speech, two layers", "chunks", *_TASKS, of_all=_TWO),
    _joint(
        "chunks, entities, parts of speech from the lower layer", "chunks", *_TASKS, of_all=_TWO,
        of_tags={"pos": {"layer": 1}},
    ),
    _joint("chunks, parts of speech", "chunks", "pos"),
    _joint("chunks, parts of speech from the lower layer", "chunks", "pos", of_all=_TWO, of_tags={"pos": {"layer": 1}}),
    _joint("entities, chunks, parts of speech", "english", "chunks", "pos"),
    Row("spanish", ["spanish"], goal={"spanish": 85.8}, others="Lample 85.75, paper 84.69"),
    Row("dutch", ["dutch"], goal={"dutch": 85.5}, others="paper 85.00"),
    Row(
        "english, dutch, spanish", ["english", "dutch", "spanish"], goal={"spanish": 86.0, "dutch": 85.8},
        others="paper 85.77 Spanish, 85.19 Dutch",
    ),
    Row("english, dutch, spanish, labels alone", ["english", "dutch", "spanish"], vectors=False),
    Row(
        "english, chunks, pos, dutch, spanish", ["english", "chunks", "pos", "dutch", "spanish"],
        goal={"spanish": 86.0, "dutch": 85.8}, others="paper 85.77 Spanish, 85.19 Dutch",
    ),
    *(
        Row(f"masakhaner {code}{more}", [code], vectors=False, of_tasks={code: own}, others=f"its authors {f1:.2f}")
        for more, own in AFRICAN_ROWS.items()
        for code, f1 in AFRICAN.items()
    ),
    Row("masakhaner, ten languages", list(AFRICAN), vectors=False),
    Row("ewt", ["ewt"]),
    Row("ewt, the network alone", ["ewt"], of_all={"tags": {"features": False}}),
    Row(
        "ewt, LSTM and softmax", ["ewt"], of_all={**_LSTM, "tags": {"features": False, "output": "softmax"}},
    ),
    *_rates(),
    *_other_domains(), *_sizes(), *_epochs(), *_rates_of_learning(),
)}  # fmt: skip
