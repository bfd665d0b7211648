"""The house's order: imports point down, kernels are reached by name, and what needs no torch does not load it."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import polytag

PACKAGE = Path(polytag.__file__).parent
ROWS = (  # each imports only from rows below its own; several in one row know nothing of each other
    {"cli"},
    {"server", "auditing", "curves", "integrations"},
    {"training", "runs"},
    {"bulk"},
    {"reports", "suggesting", "exporting", "distilling"},
    {"tagger"},
    {"model", "raw_text"},
    {"vocabulary", "scoring"},
    {"initialise", "splits"},
    {"plan_file"},
    {"plan"},
    {"corpus"},
    {"downloads", "native"},
    {"tag_schemes", "tokenisers", "files"},
    {"compressed"},
    {"cached", "errors", "garbage"},
)
LOWER = {unit: set().union(*ROWS[row + 1 :]) for row, units in enumerate(ROWS) for unit in units}
FACE = {"polytag", "polytag.__main__"}  # the package's own names, which may come from anywhere


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imported(node: ast.AST, module: str) -> Iterator[str]:
    """Our modules that an import statement names: ``from polytag import ops`` is polytag.training.ops."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "polytag")
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, f"{module}: a relative import"
        source = node.module or ""
        if source.split(".")[0] == "polytag":
            yield from (f"{source}.{a.name}" if f"{source}.{a.name}" in MODULES else source for a in node.names)


def imports(module: str) -> set[str]:
    """Everything of ours that a file imports, wherever in it."""
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    return {target for node in ast.walk(tree) for target in imported(node, module)}


def imports_when_loaded(module: str) -> set[str]:
    """The same, less what stands in functions and what is for type checkers only."""
    found: set[str] = set()
    open_: list[ast.AST] = list(ast.parse(MODULES[module].read_text(encoding="utf-8")).body)
    while open_:
        node = open_.pop()
        is_for_types = isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        if not is_for_types and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found |= set(imported(node, module))
            open_ += ast.iter_child_nodes(node)
    return found


def unit(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def test_every_module_has_a_row() -> None:
    assert {unit(module) for module in MODULES if module not in FACE} == set(LOWER)


@pytest.mark.parametrize("module", [module for module in MODULES if module not in FACE])
def test_imports_point_down(module: str) -> None:
    upward = {target for target in imports(module) if unit(target) not in LOWER[unit(module)] | {unit(module)}}
    assert not upward


def test_the_native_core_knows_nothing_of_ours() -> None:
    for module in MODULES:
        if unit(module) == "native":
            assert all(unit(target) in ("native", "errors") for target in imports(module))


def test_kernels_of_training_are_reached_by_name_and_never_by_file() -> None:
    ops = "polytag.training.ops"
    for module in MODULES:
        below = {target for target in imports(module) if f"{target}.".startswith(f"{ops}.")}
        if not f"{module}.".startswith(f"{ops}."):
            assert below <= {ops}, f"{module} reaches past {ops}"
        else:
            assert all(unit(target) in ("native", "training") for target in imports(module))


def test_no_cycles() -> None:
    graph = {module: imports_when_loaded(module) - {module} for module in MODULES}
    list(TopologicalSorter(graph).static_order())  # raises CycleError with the modules on the way


def test_nothing_in_the_package_imports_what_uses_it() -> None:
    outside = {"tests", "experiments", "benchmarks", "examples"}
    for path in MODULES.values():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.split(".")[0] for name in names} & outside


def test_only_what_trains_imports_torch() -> None:
    for module, path in MODULES.items():
        named = {
            name.split(".")[0]
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            for name in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
        }
        assert "torch" not in named or unit(module) == "training", module


def test_the_run_half_does_not_load_torch() -> None:
    """Not even where it is installed, whatever else is loaded with it."""
    users = {"training", "curves"}
    of_spacy = {"polytag.integrations.spacy", "polytag.integrations.targets"}  # which loads it, where it is installed
    modules = [
        module for module in MODULES if unit(module) not in users and module not in FACE and module not in of_spacy
    ]
    code = "import sys, importlib\n"
    code += (
        "for name in sys.argv[1:]:\n    importlib.import_module(name)\n    assert 'torch' not in sys.modules, name\n"
    )
    done = subprocess.run([sys.executable, "-c", code, *modules], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_help_does_not_load_torch() -> None:
    code = (
        "import sys\nfrom polytag.cli import main\n"
        "for line in ['--help', 'train --help', 'evaluate --help', 'tag --help', 'show --help', 'data check --help']:\n"
        "    try: main(line.split())\n    except SystemExit as exit: assert not exit.code, line\n"
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Usage:") == 6
