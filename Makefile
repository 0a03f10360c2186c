# `make tui`, `make gui` and `make test` work out of the box: the first call builds an environment in .venv.
# They need Python 3.11 or newer and access to PyPI, but no compiler.

PYTHON ?= python3
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

# The arguments of pip that install torch, before everything else: a version, a wheel, or a CPU or CUDA build with its
# index. The last choice is stored until `make clean`. 2.13.0 is the version that all tests were run with.
STORED := $(shell cat $(VENV)/torch.txt 2>/dev/null)
TORCH ?= $(or $(STORED),torch==2.13.0)
export TORCH

.PHONY: help tui gui test lint bench clean
.DELETE_ON_ERROR:

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 14
	@echo "  ARGS='…'    options of the program: make tui ARGS='--network lstm-8'"
	@echo "  TORCH='…'   what pip installs as torch: make tui TORCH='torch --index-url ADDRESS'"
	@echo "  PYTHON=…    which Python builds the environment: make tui PYTHON=python3.12"

tui: $(VENV)/run.stamp ## start the terminal explorer
	@$(BIN)/pinkx tui $(ARGS)

gui: $(VENV)/gui.stamp ## open the desktop explorer
	@$(BIN)/pinkx gui $(ARGS)

# Bytecode is stored whatever the environment says: to compile the tests again takes ten seconds.
test: $(VENV)/dev.stamp ## run the tests, in up to eight processes
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n auto --maxprocesses 8 --dist worksteal $(ARGS)

lint: $(VENV)/dev.stamp ## check style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: $(VENV)/dev.stamp ## measure speed and memory, each compared with a baseline
	@$(BIN)/python -m pytest -m benchmark -s --timeout=0 $(ARGS) tests/benchmarks

clean: ## remove the environment and all caches
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis snapshot_report.html
	find assets engine explorer tests -name __pycache__ -type d -prune -exec rm -rf {} +

define CHECK
import sys
if sys.version_info < (3, 11):
    sys.exit("pinkx needs Python 3.11 or newer, this is %s. Name a newer one: make PYTHON=python3.12 ..." % sys.version.split()[0])
try:
    import ensurepip, venv
except ImportError:
    sys.exit("this Python has no venv and ensurepip, which build the environment. On Debian and Ubuntu: apt install python3-venv")
endef
export CHECK

$(BIN)/python:
	@$(PYTHON) -c "$$CHECK"
	$(PYTHON) -m venv --clear $(VENV)

ifneq ($(strip $(TORCH)),$(strip $(STORED)))
.PHONY: $(VENV)/torch.txt
endif
$(VENV)/torch.txt: | $(BIN)/python
	$(if $(STORED),$(PIP) uninstall --yes torch) # pip takes a CPU build for the CUDA build of the same version
	$(PIP) install $$TORCH
	@printf '%s\n' "$$TORCH" > $@

$(VENV)/run.stamp: pyproject.toml $(VENV)/torch.txt
	$(PIP) install --editable .
	@touch $@

$(VENV)/gui.stamp: pyproject.toml $(VENV)/torch.txt
	$(PIP) install --editable '.[gui]'
	@touch $(VENV)/run.stamp $@

$(VENV)/dev.stamp: pyproject.toml $(VENV)/torch.txt
	$(PIP) install --editable '.[dev]'
	@touch $(VENV)/run.stamp $(VENV)/gui.stamp $@
