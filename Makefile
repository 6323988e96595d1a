# make demo and make test work on a fresh machine: Python 3.11 or newer, make and a C compiler.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest

# Tests start processes, each of which would compile anew what no other may keep.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: install demo test tests docs lint types bench format clean

install: .venv/installed

# Constraints hold in the build environment too, which pip otherwise leaves to chance.
.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	PIP_CONSTRAINT=$(CURDIR)/constraints.txt $(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

demo: install
	$(BIN)/byrote score digits --set likelihood=shared-gaussian --set draws=128 \
		--folds 3 --repeats 3 --workers 2 --top 5 --out runs/digits
	$(BIN)/byrote figures runs/digits
	$(BIN)/byrote expose python-help --characters 100000 --canary "the random number is {digits:9}" \
		--set hidden=128 --epochs 25 --insertions 1,4,16 --keep-models release --out runs/numbers
	$(BIN)/byrote extract runs/numbers --show-secrets
	$(BIN)/byrote figures runs/numbers
	$(BIN)/python examples/what_was_found.py runs/digits runs/numbers

# What is quick beside the tests, one after the other.
test: install
	$(MAKE) --jobs=2 tests lint types docs

# Examples in docstrings among them.
tests: install
	OMP_NUM_THREADS=1 $(PYTEST) -n 2 --dist worksteal

# The site in build/site. A warning, such as a link that leads nowhere, is an error.
docs: install
	OMP_NUM_THREADS=1 $(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going \
		--doctree-dir build/doctrees docs build/site

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/mypy

bench: install
	$(BIN)/python benchmarks/run.py

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv runs build dist
