# `make tui`, `make gui` and `make test` do everything: they build their own environment in .venv and then start at once.
# Needs Python 3.11 or newer, a way to PyPI, and no compiler.

PYTHON ?= python3
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

# What pip is asked for before everything else, so that a person decides which torch it is: a version, a wheel, a CPU or
# a CUDA build with its index. The last choice is kept until `make clean`; 2.13.0 is the version all of this was tried with.
KEPT := $(shell cat $(VENV)/torch.txt 2>/dev/null)
TORCH ?= $(or $(KEPT),torch==2.13.0)
export TORCH

.PHONY: help tui gui test lint bench clean
.DELETE_ON_ERROR:

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 14
	@echo "  ARGS='…'    options of the program: make tui ARGS='--network lstm-8'"
	@echo "  TORCH='…'   which torch: make tui TORCH='torch --index-url ADDRESS'"
	@echo "  PYTHON=…    which Python builds the environment: make tui PYTHON=python3.12"

tui: $(VENV)/run.stamp ## start the terminal explorer
	@$(BIN)/pinkx tui $(ARGS)

gui: $(VENV)/gui.stamp ## open the desktop explorer
	@$(BIN)/pinkx gui $(ARGS)

test: $(VENV)/dev.stamp ## run the tests
	@$(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/dev.stamp ## check style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: $(VENV)/dev.stamp ## measure speeds, each beside what it is compared with
	@$(BIN)/python -m pytest -m benchmark -s --timeout=0 $(ARGS) tests/benchmarks

clean: ## remove the environment and every cache
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis snapshot_report.html
	find assets engine explorer tests -name __pycache__ -type d -prune -exec rm -rf {} +

define CHECK
import sys
if sys.version_info < (3, 11):
    sys.exit("pinkx needs Python 3.11 or newer, this is %s. Name another one: make PYTHON=python3.12 ..." % sys.version.split()[0])
try:
    import ensurepip, venv
except ImportError:
    sys.exit("this Python cannot make environments (no ensurepip). On Debian and Ubuntu: apt install python3-venv")
endef
export CHECK

$(BIN)/python:
	@$(PYTHON) -c "$$CHECK"
	$(PYTHON) -m venv --clear $(VENV)

ifneq ($(strip $(TORCH)),$(strip $(KEPT)))
.PHONY: $(VENV)/torch.txt
endif
$(VENV)/torch.txt: | $(BIN)/python
	$(if $(KEPT),$(PIP) uninstall --yes torch) # else a CPU build would do for pip where a CUDA build is asked for
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
