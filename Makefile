# make demo and make test work on a fresh machine: Python 3.11 or newer, make and a C compiler.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest

# Tests start processes, each of which would compile anew what no other may keep.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: install demo test doctests lint types bench format clean

install: .venv/installed

# Constraints hold in the build environment too, which pip otherwise leaves to chance.
.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	PIP_CONSTRAINT=$(CURDIR)/constraints.txt $(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

demo: install
	$(BIN)/byrote score digits --model vae --set latent_dim=8 --set epochs=60 --set draws=64 \
		--folds 3 --repeats 8 --workers 2 --out runs/demo
	$(BIN)/byrote figures runs/demo

# Two processes for two cores, first of types and of doctests, then of tests: more threads would only wait.
test: install
	$(MAKE) --jobs=2 lint types doctests
	OMP_NUM_THREADS=1 $(PYTEST) -n 2 --dist worksteal

doctests: install
	OMP_NUM_THREADS=1 $(PYTEST) -q --doctest-modules src

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
