"""A scikit-learn style estimator over sequences.

    tagger = SequenceTagger(epochs=5)
    tagger.fit([["Ann", "saw", "Lima"]], [["B-PER", "O", "B-LOC"]])
    tagger.predict([["Lima", "saw", "Ann"]])

X is a list of lists of words, y a list of lists of tags, as in sklearn-crfsuite. `clone`, `GridSearchCV`,
`cross_val_score`, `cross_val_predict` and pickling work; none of scikit-learn's own `check_estimator` tests applies,
for they fit on tables of numbers. It is no ClassifierMixin on purpose: classifiers' folds are drawn by class, and a
sequence has none.
"""

from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from typing import Any, Literal, Self

import numpy as np

try:
    from sklearn.base import BaseEstimator
except ImportError as error:
    raise ImportError(
        "scikit-learn is not installed, expected it for this estimator: pip install 'polytag[sklearn]'"
    ) from error
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from polytag.corpus.schemes import UNKNOWN
from polytag.errors import PlanError
from polytag.integrations.sequences import (
    TASK,
    Sequences,
    SequencesError,
    tagged,
    told_of_sequences,
    words_of,
    written_tags,
)
from polytag.plan import Plan
from polytag.plan.values import MEMORY
from polytag.plan_file import make_plan
from polytag.tagger.tagging import Tagger

PRECISION = "float32"  # what the weights are trained and selected in

Words = Iterable[Sequence[str]]


class SequenceTagger(BaseEstimator):  # type: ignore[misc]
    """Trains and applies a tagger for one task.

    Attributes:
        tagger_: the `polytag.Tagger`, once it is fitted.
        classes_: the tags of y, sorted.
        notes_: what training said of the data, such as the tag scheme that it found.
    """

    def __init__(
        self,
        *,
        recipe: str = "best",
        epochs: int | Literal["auto"] | None = None,
        batch_sentences: int | None = None,
        learning_rate: float | None = None,
        size: str | None = None,
        chars_hidden: int | None = None,
        words_hidden: int | None = None,
        layers: int | None = None,
        dimension: int | None = None,
        vectors: str | None = None,
        scheme: str = "auto",
        constrained: bool = False,
        validation: float = 0.1,
        random_state: Any = 1,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        """Whatever is None is as the recipe or the plan has it.

        Args:
            recipe: ``"best"``, ``"paper"`` or ``"authors"``.
            epochs: passes over the data, or "auto": the more, the fewer sequences there are.
            batch_sentences: sequences of a step.
            learning_rate: of the recipe's optimizer.
            size: layers and units: ``"small"``, ``"medium"`` or ``"paper"``.
            chars_hidden: width of the character GRU; 0 leaves characters out.
            words_hidden: width of the word GRU.
            layers: of either GRU.
            dimension: of the word embedding; 0 leaves word embeddings out.
            vectors: file of pretrained word vectors.
            scheme: of the tags, one of `polytag.tag_schemes.SCHEMES`, or auto to detect it.
            constrained: predict valid tag sequences only.
            validation: share of the sequences that choose the best epoch and are not trained on; 0 keeps the last.
            random_state: the seed, or what scikit-learn makes one of.
            settings: any other setting of the plan, ``{"training.clip": 1.0, "words.all.dropout": 0.2}``; the parts are
                ``chars.all``, ``words.all``, ``tags.y`` and ``tasks.y``.
        """
        self.recipe, self.epochs, self.batch_sentences, self.learning_rate = (
            recipe, epochs, batch_sentences, learning_rate,
        )  # fmt: skip
        self.size, self.layers = size, layers
        self.chars_hidden, self.words_hidden = chars_hidden, words_hidden
        self.dimension, self.vectors, self.scheme, self.constrained = dimension, vectors, scheme, constrained
        self.validation, self.random_state, self.settings = validation, random_state, settings

    def fit(self, X: Words, y: Words) -> Self:  # noqa: N803 - scikit-learn's name
        """Train from fresh weights.

        Raises:
            SequencesError: X or y is no list of sequences, or they do not fit each other.
            PolytagError: a parameter or the tags cannot be used.
        """
        sentences = [sentence for sentence in tagged(X, y) if sentence.words]  # others teach nothing
        if not sentences:
            raise SequencesError("X holds no words, expected at least one sequence to train on")
        from polytag.training import Note, Trained, train_events

        plan = self._plan(sequences=len(sentences))
        with told_of_sequences():
            events = list(train_events(plan, corpora={TASK: {"train": sentences}}))
        (trained,) = (event for event in events if isinstance(event, Trained))
        self.tagger_ = Tagger(trained.model, precision=PRECISION)
        self.notes_ = [event.text for event in events if isinstance(event, Note)]
        self.classes_ = np.array(sorted({tag for s in sentences for tag in s.tags[TASK]} - {UNKNOWN}))
        return self

    def predict(self, X: Words) -> list[list[str]]:  # noqa: N803
        """The best tags of each sequence."""
        check_is_fitted(self)
        return Sequences(list(sentence.tags[TASK]) for sentence in self.tagger_.tag_all(words_of(X)))

    def predict_single(self, x: Sequence[str]) -> list[str]:
        """The best tags of one sequence."""
        return self.predict([x])[0]

    def predict_marginals(self, X: Words) -> list[list[dict[str, float]]]:  # noqa: N803
        """The probability of each tag at each word.

        Tags are written as in y where that can be told word by word: those of IOB1 are given as IOB2.
        """
        check_is_fitted(self)
        sentences = words_of(X)
        names = written_tags(self.tagger_.vocabularies.tags[TASK], self.tagger_.plan.tasks[TASK].scheme)
        distinct = sorted(set(names))
        sums = np.array([[float(name == other) for other in distinct] for name in names])  # of the network's tags
        found: list[list[dict[str, float]]] = [[] for _ in sentences]
        for indices, lattice in self.tagger_.lattices(sentences, TASK):
            for index, probabilities in zip(indices, lattice.marginals(), strict=True):
                rows = np.minimum(probabilities @ sums, 1.0).tolist()
                found[index] = [dict(zip(distinct, row, strict=True)) for row in rows]
        return found

    def predict_marginals_single(self, x: Sequence[str]) -> list[dict[str, float]]:
        """The probability of each tag at each word of one sequence."""
        return self.predict_marginals([x])[0]

    def score(self, X: Words, y: Words) -> float:  # noqa: N803
        """F1 of spans as conlleval counts them, or the accuracy of plain tags; from 0 to 1."""
        check_is_fitted(self)
        return self.tagger_.evaluate(tagged(X, y), TASK).score / 100

    def _plan(self, *, sequences: int) -> Plan:
        chars = {"hidden": self.chars_hidden, "layers": self.layers}
        words = {"hidden": self.words_hidden, "layers": self.layers, "vectors": self.vectors}
        words |= {"embedding": False} if self.dimension == 0 else {"dimension": self.dimension}
        task = {
            "chars": "all" if self.chars_hidden != 0 else None, "words": "all", "scheme": self.scheme, "train": MEMORY,
            "holdout": float(self.validation) if sequences > 1 else 0.0,
        }  # fmt: skip
        training = {
            "recipe": self.recipe, "epochs": self.epochs, "batch_sentences": self.batch_sentences,
            "learning_rate": self.learning_rate, "seed": self._seed(),
        }  # fmt: skip
        tables: dict[str, Any] = {
            **_given({"size": self.size}),
            "chars": {"all": _given(chars)} if self.chars_hidden != 0 else {},
            "words": {"all": _given(words)},
            "tags": {TASK: {"constrained": self.constrained}},
            "tasks": {TASK: _given(task)},
            "training": _given(training),
        }
        for key, value in (self.settings or {}).items():
            _set(tables, key, value)
        return make_plan(tables, source=type(self).__name__)

    def _seed(self) -> int:
        if isinstance(self.random_state, Integral):  # numpy's too
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31))


def _given(table: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if value is not None}


def _set(tables: dict[str, Any], key: str, value: Any) -> None:
    """Put a setting into its table."""
    *parents, last = key.split(".")
    for parent in parents:
        tables = tables.setdefault(parent, {})
        if not isinstance(tables, dict):
            raise PlanError(f"settings: '{parent}' of '{key}' is a value, not a table")
    tables[last] = value
