# Two commands do all: `make demo` sets up, trains and tags; `make test` runs everything that CI runs.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup demo test bench docs clean

setup: .venv/.ready

# One install: constraints.txt pins torch to the release whose CPU build is enough, and everything else to what was tested.
.venv/.ready: pyproject.toml constraints.txt setup.py $(wildcard src/polytag/native/*.cpp src/polytag/native/*.h)
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt torch
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: setup
	$(BIN)/python examples/demo.py

test: setup
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses 2

# Every goal of speed and memory beside its measured figure: make bench DATA=... MODEL=... BENCH="--markdown docs/benchmarks/goals.md"
bench: setup
	$(BIN)/python -m benchmarks.goals $(if $(DATA),--data $(DATA)) $(if $(MODEL),--model $(MODEL)) $(BENCH)

# The documentation site, in build/site
docs: setup
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

clean:
	rm -rf .venv build dist src/*.egg-info .pytest_cache .mypy_cache .ruff_cache
