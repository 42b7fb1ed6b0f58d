# Works on a bare machine with Python >= 3.11 and make; everything is installed into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL = $(BIN)/uv pip install --quiet --python $(BIN)/python
PINS = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-header

.DEFAULT_GOAL := help
.PHONY: help demo demo-local test lint types bench bench-overhead pins ci clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(VENV)/.demo ## A team of agents on scripted models, and where its tokens went
	$(BIN)/python examples/research_team

demo-local: $(VENV)/.demo $(VENV)/.local ## The same for a small real model on this machine
	$(BIN)/python examples/local_model.py

test: $(VENV)/.dev ## Run the tests; ARGS="-k flow" to choose
	TOKEN_OTEL_RAISE=1 $(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

lint: $(VENV)/.dev ## Check style, formatting and the direction of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

types: $(VENV)/.dev ## Check types, strictly
	$(BIN)/pyright

bench: $(VENV)/.dev ## Run the benchmarks, but for overhead.py and soak.py
	@for script in $(filter-out bench/overhead.py bench/soak.py,$(wildcard bench/*.py)); do echo "== $$script"; $(BIN)/python "$$script" || exit 1; done

bench-overhead: $(VENV)/.dev ## What token-otel and others add to a program; ARGS="--quick" for a few minutes
	$(BIN)/python bench/overhead.py $(ARGS)

pins: $(VENV)/.uv ## Resolve requirements/*.txt anew; UPGRADE=--upgrade for the newest
	$(PINS) $(UPGRADE) pyproject.toml --all-extras --group dev -o requirements/dev.txt
	$(PINS) $(UPGRADE) pyproject.toml --all-extras --group demo -c requirements/dev.txt -o requirements/demo.txt
	$(PINS) $(UPGRADE) requirements/lowest.in -o requirements/lowest.txt
	$(PINS) $(UPGRADE) requirements/mlflow.in -o requirements/mlflow.txt

ci: ## What CI runs
	bash .ci/run

clean: ## Remove the environments, caches and builds
	rm -rf .venv .venv-* dist build .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamps: each is made anew when what it was made from has changed.
$(VENV)/.uv:
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "token-otel needs Python 3.11 or newer; name one with: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'
	@touch $@

$(VENV)/.demo: requirements/demo.txt pyproject.toml $(VENV)/.uv
	$(INSTALL) -r requirements/demo.txt -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml $(VENV)/.uv
	$(INSTALL) -r requirements/dev.txt -e .
	@touch $@

# --no-deps: the first is wanted for its weights alone.
$(VENV)/.local: requirements/local.txt $(VENV)/.uv
	$(INSTALL) --no-deps -r requirements/local.txt
	@touch $@
