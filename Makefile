# The commands of the project. `make` alone lists them.
#
#   PYTHON    the interpreter that makes the environments (3.11 or newer): make demo PYTHON=python3.13
#   POLICIES  the policies that the demo is judged by:                     make demo POLICIES=my-policies

PYTHON ?= python3
POLICIES ?= demo/policies
WORKERS ?= 2

VENV := .venv
BIN := $(VENV)/bin
COMPLETE := guardrails/language/*,guardrails/engine/*

.DEFAULT_GOAL := help
.PHONY: help demo test check static agentdojo bench clean
.DELETE_ON_ERROR:

help:  ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# An environment with one set of extras (demo, test, ...); made anew when pyproject.toml changes.
$(VENV)/%.stamp: pyproject.toml
	@command -v $(PYTHON) >/dev/null || \
	  { echo "there is no '$(PYTHON)' here; say which Python to use: make $(MAKECMDGOALS) PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("guardrails needs Python 3.11 or newer, and $(PYTHON) is %d.%d; say which one to use: make $(MAKECMDGOALS) PYTHON=python3.13" % sys.version_info[:2])'
	@echo "making $(VENV) with what '$*' needs"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@

demo: $(VENV)/demo.stamp  ## watch an agent work, be poisoned and be stopped, over real resources
	@$(BIN)/python -m demo --policies $(POLICIES)

test: static  ## everything that must hold before a change lands
	$(BIN)/python -m pytest -n $(WORKERS) --cov --cov-report=term
	$(BIN)/python -m coverage report --include='$(COMPLETE)' --fail-under=100

check: static  ## the quick part of `make test`
	$(BIN)/python -m pytest -q -n $(WORKERS) -m "not slow"

static: $(VENV)/test.stamp
	$(BIN)/ruff check --quiet
	$(BIN)/ruff format --check --quiet
	$(BIN)/lint-imports --cache-dir .import_linter_cache
	$(BIN)/mypy

clean:  ## remove the environments and what the tools left
	rm -rf $(VENV) .venv-* .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
