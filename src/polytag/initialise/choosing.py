"""Size, epochs and held-out share for somebody's files, each with its reason."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from polytag.errors import PlanError, counted

FEW_SENTENCES = 1_000  # for which the small network is enough: docs/how-to/low-resource.md
FEW_STEPS_RATE = 0.006  # of learning, for so few: twice the recipe's
FEW_MENTIONS = 3_000  # sentences, up to which entities in others' places teach more: docs/results.md
REPLACED = 0.3  # of the entities then
RECASED = 0.1  # of the sentences, where there is case: no less is learnt of it, and far more of text without
ENOUGH_TO_CHOOSE = 2_000  # sentences; more of them tell epochs apart no better
MORE_HOLDOUT, HOLDOUT = 0.2, 0.1  # of fewer training sentences than that, and of more
FEWEST_EPOCHS = 3  # below which a training has hardly begun


@dataclass(frozen=True)
class Speed:
    """Of training on this machine: the time of an epoch, its words included, and the epochs that the files want."""

    words_per_second: float
    seconds_per_epoch: float
    epochs: int

    @property
    def minutes(self) -> float:
        """Of the whole training."""
        return self.epochs * self.seconds_per_epoch / 60


@dataclass(frozen=True)
class Choice:
    """What is chosen, and why, by key; ``mention_replacement`` for entities alone. None leaves it to the recipe."""

    size: str | None = None
    epochs: int | None = None
    learning_rate: float | None = None
    holdout: float = 0.0
    mention_replacement: float | None = None
    case_augmentation: float | None = None
    reasons: Mapping[str, str] = field(default_factory=dict)


def choose(
    sentences: int,
    *,
    has_dev: bool,
    has_entities: bool = False,
    has_capitals: bool = False,
    size: str | None = None,
    holdout: float | None = None,
    minutes: float | None = None,
    speed: Callable[[str], Speed] | None = None,
) -> Choice:
    """What fits so many training sentences.

    Args:
        sentences: of the training files.
        has_dev: whether there are development files.
        has_entities: whether those of a task are learnt by the recipe.
        has_capitals: whether any of their words has a capital letter.
        size: what the user wants; None: what fits.
        holdout: the same.
        minutes: how long the training may take; with it, ``speed`` measures that of a size.
        speed: see there.

    Raises:
        PlanError: there is one sentence and nothing else to choose the epoch by.
    """
    if not has_dev and sentences < 2:
        raise PlanError("1 training sentence, expected at least 2, or a development file to choose epochs by")
    seen = counted(sentences, "training sentence")
    reasons: dict[str, str] = {}
    share = 0.0
    if not has_dev:
        share = holdout or _share(sentences)
        held = f"{max(1, round(share * sentences)):,} of {seen}"
        reasons["holdout"] = f"no development file was named, so {held} choose the epoch"
    chosen, epochs, rate = size, None, None
    if size is None and sentences < FEW_SENTENCES:
        chosen, reasons["size"] = "small", f"{seen}, fewer than {FEW_SENTENCES:,}: enough for them"
        rate, reasons["learning_rate"] = FEW_STEPS_RATE, f"{seen}: few steps, so each is twice as long"
    replaced = REPLACED if has_entities and sentences <= FEW_MENTIONS else None
    if replaced:
        reasons["mention_replacement"] = (
            f"{seen}, no more than {FEW_MENTIONS:,}: each entity stands in others' places too"
        )
    if has_capitals:
        reasons["case_augmentation"] = "words have capitals: some sentences are read without, or in capitals alone"
    if minutes is not None and speed is not None:
        chosen, epochs, more = _in_time(minutes, [chosen] if chosen else ["medium", "small"], speed)
        reasons["size"] = "; ".join(part for part in (reasons.get("size"), more["size"]) if part)
        reasons |= {"epochs": more["epochs"]} if "epochs" in more else {}
    return Choice(
        size=chosen, epochs=epochs, learning_rate=rate, holdout=share, mention_replacement=replaced,
        case_augmentation=RECASED if has_capitals else None, reasons=reasons,
    )  # fmt: skip


def _share(sentences: int) -> float:
    """Of training sentences to hold out."""
    if sentences < ENOUGH_TO_CHOOSE:
        return MORE_HOLDOUT
    return round(min(HOLDOUT, ENOUGH_TO_CHOOSE / sentences), 3)


def _in_time(minutes: float, sizes: list[str], speed: Callable[[str], Speed]) -> tuple[str, int | None, dict[str, str]]:
    """The largest size whose training fits; else the smallest, with as many epochs as do."""
    wanted = f"{minutes:g} {'minute' if minutes == 1 else 'minutes'}"
    for name in sizes:
        found = speed(name)
        measured = f"{found.words_per_second:,.0f} words/s were measured here"
        if found.minutes <= minutes:
            return name, None, {"size": f"{found.epochs} epochs take about {_told(found.minutes)}; {measured}"}
    epochs = max(1, int(minutes * 60 / found.seconds_per_epoch))
    more = {"size": f"for {wanted}: {measured}"}
    more["epochs"] = f"for {wanted}; the recipe's {found.epochs} would take about {_told(found.minutes)}"
    if epochs < FEWEST_EPOCHS:
        more["epochs"] += f"; fewer than {FEWEST_EPOCHS} teach little: allow more, or set tasks.NAME.rate below 1"
    return name, epochs, more


def _told(minutes: float) -> str:
    return f"{minutes:.0f} min" if minutes >= 1.5 else f"{60 * minutes:.0f} s"
