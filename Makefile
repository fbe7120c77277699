# Each target does its own set-up in .venv; nothing needs to be installed first but Python 3.11 or newer and git,
# and docker or podman for image-test.
PYTHON ?= python3
BIN := .venv/bin
# A process per core; the tests of one file stay together, as they share what takes long to make, and a port.
PYTEST := $(BIN)/pytest --numprocesses auto --dist loadfile
# The GPU build where an NVIDIA driver answers, else the CPU build: the two can't be installed together.
RUNTIME := $(shell nvidia-smi -L >/dev/null 2>&1 && echo gpu || echo cpu)

.PHONY: serve training test test-all image-test soak lint clean

serve: .venv/serve
	$(BIN)/spritevae serve

training: .venv/training

test: .venv/develop lint
	$(PYTEST) -m "not slow"

test-all: .venv/develop lint
	$(PYTEST)

image-test:
	$(PYTHON) -m tests.image.check

soak: .venv/develop
	$(BIN)/python -m tests.soak --write

lint: .venv/develop
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile

.venv/serve: pyproject.toml | .venv/pip
	$(BIN)/pip install --quiet --editable ".[$(RUNTIME)]"
	touch $@

.venv/training: pyproject.toml | .venv/pip
	$(BIN)/pip install --quiet --editable ".[$(RUNTIME),training]"
	touch $@ .venv/serve

.venv/develop: pyproject.toml | .venv/pip
	$(BIN)/pip install --quiet --editable ".[$(RUNTIME),training,dev]"
	touch $@ .venv/serve .venv/training

.venv/pip:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	touch $@

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
