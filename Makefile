# Each target makes the environment that it needs; only Python 3.11 or newer and git must be installed, and docker or
# podman for image-test.
PYTHON ?= python3
BIN := .venv/bin
# One process per core. The tests of one file run in one process: they share fixtures that take long, and a port.
PYTEST := $(BIN)/pytest --numprocesses auto --dist loadfile
# The GPU build of onnxruntime where an NVIDIA driver answers, else the CPU build: they can't be installed together.
RUNTIME := $(shell nvidia-smi -L >/dev/null 2>&1 && echo gpu || echo cpu)
SECONDS ?= 3600
SEED ?= 0
LOCK := requirements/constraints.txt
# Python compiles a module when it is first imported. Compiling all of them here would take longer than installing them.
INSTALL := pip install --quiet --no-compile --constraint

# Compiled modules are kept even where the environment says otherwise: tests start hundreds of processes.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: serve training test test-all test-lowest image-test soak fuzz lint lock wheel clean

serve: .venv/serve
	$(BIN)/spritevae serve

training: .venv/training

test: .venv/develop lint
	$(PYTEST) -m "not slow"

test-all: .venv/develop lint
	$(PYTEST)

# The service's tests with the lowest versions of its dependencies that pyproject.toml allows.
test-lowest: .venv-lowest/installed
	.venv-lowest/bin/pytest --numprocesses auto --dist loadfile -m "not slow" tests/attributes tests/export tests/service

image-test:
	$(PYTHON) -m tests.image.check

soak: .venv/develop
	$(BIN)/python -m tests.soak --write

# Each fuzzer for an hour, or for so many SECONDS. Another SEED is another hour.
fuzz: .venv/develop
	$(BIN)/python -m tests.soak speaking picturing --seconds $(SECONDS) --seed $(SEED)

lint: .venv/develop
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile

lock:
	$(PYTHON) requirements/lock.py

wheel: | .venv/pip
	$(BIN)/pip wheel --quiet --no-deps --wheel-dir dist .

.venv/serve: pyproject.toml $(LOCK) | .venv/pip
	$(BIN)/$(INSTALL) $(LOCK) --editable ".[$(RUNTIME)]"
	touch $@

.venv/training: pyproject.toml $(LOCK) | .venv/pip
	$(BIN)/$(INSTALL) $(LOCK) --editable ".[$(RUNTIME),training]"
	touch $@ .venv/serve

.venv/develop: pyproject.toml $(LOCK) | .venv/pip
	$(BIN)/$(INSTALL) $(LOCK) --editable ".[$(RUNTIME),training,dev]"
	touch $@ .venv/serve .venv/training

.venv-lowest/installed: pyproject.toml requirements/lowest.py | .venv-lowest/pip
	$(PYTHON) requirements/lowest.py > .venv-lowest/constraints.txt
	.venv-lowest/bin/$(INSTALL) .venv-lowest/constraints.txt --editable ".[cpu,training,dev]"
	touch $@

# The locked pip takes half as long as the one that comes with older Pythons.
%/pip: | $(LOCK)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	$(PYTHON) -m venv $*
	$*/bin/$(INSTALL) $(LOCK) --upgrade pip
	touch $@

clean:
	rm -rf .venv .venv-lowest build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
