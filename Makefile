# The commands of the project. `make` alone lists them.
#
#   PYTHON    the interpreter that makes the environments (3.11 or newer): make demo PYTHON=python3.13
#   POLICIES  the policies that the demo is judged by:                     make demo POLICIES=my-policies

PYTHON ?= python3
POLICIES ?= demo/policies
WORKERS ?= 2

VENV := .venv
BIN := $(VENV)/bin

# The language and the engine are covered to the last branch. A part of the language is covered by
# the CEL specification's own cases, which lie beside the project and not in it.
CASES := ../shared/data/cel_spec
COVERED := guardrails/language/*,guardrails/engine/*
ifneq ($(wildcard $(CASES)),)
COMPLETE := $(BIN)/python -m coverage report --include='$(COVERED)' --fail-under=100
else
COMPLETE := echo "the CEL specification's cases are not in $(CASES): coverage is not judged"
endif

.DEFAULT_GOAL := help
.PHONY: help demo test check static agentdojo bench clean
.DELETE_ON_ERROR:

help:  ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Makes an environment: $(call environment,FOLDER,WHAT PIP INSTALLS); the target is its stamp.
define environment
@command -v $(PYTHON) >/dev/null || \
  { echo "there is no '$(PYTHON)' here; name a Python: make $(MAKECMDGOALS) PYTHON=..." >&2; exit 1; }
@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("guardrails needs Python 3.11 or newer, and $(PYTHON) is %d.%d; name another: make $(MAKECMDGOALS) PYTHON=..." % sys.version_info[:2])'
@echo "making $(1) (about a minute)"
@$(PYTHON) -m venv $(1)
@$(1)/bin/python -m pip install --quiet --disable-pip-version-check $(2)
@touch $@
endef

$(VENV)/%.stamp: pyproject.toml
	$(call environment,$(VENV),--editable '.[$*]')

.venv-bench/stamp: pyproject.toml benchmarks/requirements.txt
	$(call environment,.venv-bench,--editable . --requirement benchmarks/requirements.txt)

demo: $(VENV)/demo.stamp  ## watch an agent work, be poisoned and be stopped, over real resources
	@$(BIN)/python -m demo --policies $(POLICIES)

test: static  ## everything that must hold before a change lands
	$(BIN)/python -m pytest -n $(WORKERS) --cov --cov-report=
	@$(COMPLETE)

check: static  ## the quick part of `make test`
	$(BIN)/python -m pytest -q -n $(WORKERS) -m "not slow"

static: $(VENV)/test.stamp
	$(BIN)/ruff check --quiet
	$(BIN)/ruff format --check --quiet
	$(BIN)/lint-imports --no-logo --cache-dir .import_linter_cache
	$(BIN)/mypy

agentdojo: $(VENV)/test.stamp  ## replay AgentDojo's tasks and attacks, and adaptive ones, under two policies
	@$(BIN)/python -m evaluations.agentdojo

bench: .venv-bench/stamp  ## time a decision, a call, loading, linting and importing, beside the peers
	@.venv-bench/bin/python -m benchmarks.decide
	@.venv-bench/bin/python -m benchmarks.call
	@.venv-bench/bin/python -m benchmarks.load
	@.venv-bench/bin/python -m benchmarks.reload
	@.venv-bench/bin/python -m benchmarks.lint
	@.venv-bench/bin/python -m benchmarks.policy_tests
	@.venv-bench/bin/python -m benchmarks.approvals
	@.venv-bench/bin/python -m benchmarks.budgets
	@.venv-bench/bin/python -m benchmarks.rego
	@.venv-bench/bin/python -m benchmarks.origins
	@.venv-bench/bin/python -m benchmarks.imports

clean:  ## remove the environments and what the tools left
	rm -rf $(VENV) .venv-* .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
