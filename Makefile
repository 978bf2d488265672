# Needs python3 >= 3.11 with pip and venv, nothing else; uses uv where it is on PATH.
# Everything is installed into .venv, and again only when pyproject.toml changes.
# After the first install nothing here but `make clean` followed by another target needs the network.

VENV   := .venv
BIN    := $(VENV)/bin
# The first Python that runs, is new enough and can make a virtual environment; a name on PATH alone may be an empty shim.
WANTED := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do $$p -c '$(WANTED)' 2>/dev/null && echo $$p && break; done)
UV     := $(shell command -v uv 2>/dev/null)
PIP    := $(if $(UV),$(UV) pip install --quiet --python $(BIN)/python,$(BIN)/python -m pip install --quiet --disable-pip-version-check)
# The model server for GGUF files is a wheel; never compile it from source.
LLAMA  := --only-binary xllamacpp

.DEFAULT_GOAL := help
.PHONY: help demo test check format lint types imports bench clean

help: ## say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/base.stamp ## run the whole loop on the embedded models
	$(BIN)/onedial demo

test: $(VENV)/dev.stamp ## run every test, offline
	$(BIN)/python -m pytest

check: lint types imports test ## format, ruff, mypy, import-linter and pytest, changing nothing

format: $(VENV)/dev.stamp ## format, and fix what ruff can fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: $(VENV)/dev.stamp ## formatting and ruff, changing nothing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/dev.stamp ## mypy, strict
	$(BIN)/mypy

imports: $(VENV)/dev.stamp ## the rooms import one way
	$(BIN)/lint-imports

bench: $(VENV)/dev.stamp ## time the embedded runtime beside llama.cpp, and try what the literature claims on the embedded models
	$(BIN)/python benchmarks/lab_runtime.py
	$(BIN)/onedial lab claims

clean: ## remove everything that is made here
	rm -rf $(VENV) dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
ifdef UV
	$(UV) venv --quiet --python '>=3.11' $(VENV)
else
	@$(or $(PYTHON),false) -c '$(WANTED)' 2>/dev/null || { \
	  found=$$($(or $(PYTHON),python3) -V 2>&1 | head -1); \
	  echo "onedial needs Python 3.11 or newer with pip and venv; found $${found:-none that runs}."; \
	  echo "Install one (on Debian and Ubuntu also python3-venv), or point to it: make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv $(VENV)
endif

$(VENV)/base.stamp: pyproject.toml | $(BIN)/python
	$(PIP) -e .
	@touch $@

# The `llamacpp` extra has no wheel on some platforms; without it its tests say that they are skipped.
$(VENV)/dev.stamp: pyproject.toml | $(BIN)/python
	$(PIP) -e '.[dev]'
	$(PIP) $(LLAMA) -e '.[dev,llamacpp]' || echo "note: no xllamacpp wheel for this platform; tests of GGUF models will be skipped"
	@touch $(VENV)/base.stamp $@
