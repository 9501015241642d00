# Every habit of the project by name. `make demo` and `make test` are all a newcomer needs.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin

.PHONY: help demo test lint docs bench study lowest clean

help:  ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 10

demo: $(VENV)/.installed  ## install, then the main job on real orders: fit, values, limits, budget
	$(BIN)/clv demo

test: $(VENV)/.installed-test  ## install what the tests need, and run them
	$(BIN)/python -m pytest -n auto

lint: $(VENV)/.installed-test  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/.installed-test  ## the documentation, in docs/_build/html
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html

bench: $(VENV)/.installed-test  ## how fast, beside lifetimes on the same arrays
	@for script in $(filter-out side_by_side,$(basename $(notdir $(wildcard tests/bench/*.py)))); do \
	    echo "== $$script"; $(BIN)/python -m tests.bench.$$script || exit 1; done

study: $(VENV)/.installed-test  ## long runs: simulations behind what the documentation claims
	@for script in $(basename $(notdir $(wildcard tests/studies/*.py))); do \
	    echo "== $$script"; $(BIN)/python -m tests.studies.$$script || exit 1; done

# The oldest releases that pyproject.toml allows, on the oldest Python. uv takes the package index
# that pip is set up with.
lowest: $(BIN)/python  ## the tests on the oldest dependencies allowed
	$(BIN)/python -m pip install --quiet uv
	rm -rf $(VENV)-lowest
	$(BIN)/uv venv --quiet --seed --python 3.11 $(VENV)-lowest
	index=$$($(BIN)/pip config get global.index-url 2>/dev/null); \
	UV_DEFAULT_INDEX=$${UV_DEFAULT_INDEX:-$${index:-$${PIP_INDEX_URL}}} \
	$(BIN)/uv pip install --python $(VENV)-lowest --resolution lowest-direct -e '.[test]'
	$(VENV)-lowest/bin/python -m pytest -n auto
	rm -rf $(VENV)-lowest

clean:  ## remove what was installed and built here
	rm -rf $(VENV) $(VENV)-lowest dist build docs/_build docs/reference/generated

# Stamps: an install step runs again only when pyproject.toml is newer than the last one.
$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.installed-test: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	@touch $(VENV)/.installed $@

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { \
	    echo "There is no $(PYTHON) here. Install Python 3.11 or newer, or name one:" >&2; \
	    echo "    make demo PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "clv needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1)." >&2; \
	    echo "Name a newer one: make demo PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { \
	    echo "$(PYTHON) cannot make virtual environments. On Debian or Ubuntu:" >&2; \
	    echo "    sudo apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
