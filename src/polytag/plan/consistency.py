"""Whether the tables of a plan fit together."""

from polytag.errors import PlanError, nearest
from polytag.plan import Plan


def check_consistency(plan: Plan, source: str) -> None:
    """See to it that tasks name parts that there are, and that no two settings contradict each other.

    Raises:
        PlanError: names the keys.
    """
    _check_parts(plan, source)
    _check_initialisation(plan, source)
    _check_training(plan, source)
    check_refit(plan, source)


def _check_parts(plan: Plan, source: str) -> None:
    for task, settings in plan.tasks.items():
        for kind in ("chars", "words", "tags"):
            name, declared = getattr(settings, kind), getattr(plan, kind)
            if name is not None and name not in declared:
                hint = nearest(name, declared) or f"; declare it with [{kind}.{name}]"
                raise PlanError(f"{source}: tasks.{task}.{kind}: there is no part {kind}.{name}{hint}")
        if settings.chars is None and not plan.words[settings.words].embedding:
            raise PlanError(
                f"{source}: tasks.{task}: neither characters nor word embeddings are left; "
                f"name a chars part or set words.{settings.words}.embedding = true"
            )
    for kind in ("chars", "words", "tags"):
        for name in getattr(plan, kind):
            if not plan.users(kind, name):
                raise PlanError(f"{source}: {kind}.{name} is declared, but no task uses it")
    for name in plan.words:
        if len({plan.tasks[task].chars for task in plan.users("words", name)}) > 1:
            raise PlanError(
                f"{source}: tasks {', '.join(plan.users('words', name))} share words.{name}, "
                "so they must name the same chars part: the word GRU reads its characters"
            )
    for task, settings in plan.tasks.items():
        if plan.layer_of(task) > (layers := plan.words[settings.words].layers):
            raise PlanError(
                f"{source}: tags.{settings.tags}.layer: found {plan.layer_of(task)}, expected at most {layers}, "
                f"the layers of words.{settings.words}, which tasks.{task} reads"
            )


def _check_initialisation(plan: Plan, source: str) -> None:
    start, known = plan.initialisation, plan.part_names()
    for key, names in {"parts": start.taken, "freeze": start.freeze or ()}.items():
        for name in names:
            if name not in known:
                raise PlanError(f"{source}: initialisation.{key}: there is no part {name}{nearest(name, known)}")
    if start.parts and start.model is None:
        raise PlanError(f"{source}: initialisation.parts says what is taken from a model, expected initialisation.from")
    for task, settings in plan.tasks.items():
        used = {f"chars.{settings.chars}", f"words.{settings.words}", f"tags.{settings.tags}"}
        if not used & set(known) - set(start.freeze or ()):
            raise PlanError(
                f"{source}: initialisation.freeze: tasks.{task} uses {', '.join(sorted(used & set(known)))}, "
                "expected one that may learn"
            )


def _check_training(plan: Plan, source: str) -> None:
    cells = {chars.cell for chars in plan.chars.values()} | {words.cell for words in plan.words.values()}
    if "lstm" in cells and plan.training.precision != "float32":
        found = plan.training.precision
        raise PlanError(f"{source}: training.precision: found '{found}', expected 'float32' where a cell is 'lstm'")
    if plan.training.select not in {"mean", *plan.tasks}:
        options = ["mean", *plan.tasks]
        raise PlanError(
            f"{source}: training.select: there is no task '{plan.training.select}'"
            f"{nearest(plan.training.select, options)}"
        )
    selecting = plan.tasks.get(plan.training.select)
    if plan.training.select != "mean" and selecting and not (selecting.dev or selecting.holds_out):
        raise PlanError(
            f"{source}: training.select: the task '{plan.training.select}' has no development data to choose an epoch "
            "by; give it dev files or a holdout"
        )


def check_refit(plan: Plan, source: str) -> None:
    """See to it that a refit has sentences to train on that no one has left out.

    Raises:
        PlanError: names the keys.
    """
    if not plan.training.refit:
        return
    if plan.training.best_per_task:
        raise PlanError(
            f"{source}: training.refit ends with weights for all tasks, expected no training.best_per_task beside it"
        )
    if not any(task.dev or task.holds_out for task in plan.tasks.values()):
        raise PlanError(f"{source}: training.refit trains on dev sentences too, expected dev files or a holdout")
    for name, task in plan.tasks.items():
        if task.rate < 1:
            raise PlanError(
                f"{source}: tasks.{name}.rate is {task.rate:g}, expected 1 where training.refit trains on all dev "
                "sentences too"
            )
