# What people type here. `make` alone explains itself; CI calls the same targets.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
UV := $(if $(wildcard $(BIN)/uv),$(BIN)/uv,uv)
LOCK := $(UV) pip compile --universal --generate-hashes --no-emit-index-url \
	--no-header --no-annotate --python-version 3.11 --quiet
LOADWORKERS := compose/load-workers/requirements
CACHES := .mypy_cache .pytest_cache .ruff_cache .hypothesis dist

# More arguments for the command behind a target: make test ARGS="-k capacity -x"
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup bench test check lint live lock down clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(STAMP) ## Create .venv with the locked requirements (again only when they change)

# pip, not uv: pip is on every machine and obeys the index and CA its owner configured for it.
# --no-deps: the lock is complete, and pip's resolver takes `name[extra]` of a dependency for an
# unpinned requirement. The stamp is removed first, so that an interrupted installation is not
# taken for a whole one.
$(STAMP): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "This needs Python 3.11 or newer; '$(PYTHON)' is: $$($(PYTHON) --version 2>&1)." >&2; \
		echo "Name another one: make setup PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "'$(PYTHON)' cannot make virtual environments." >&2; \
		echo "On Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@rm -f $(STAMP)
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@echo "Installing the locked requirements into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input \
		--no-deps --require-hashes --requirement requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input \
		--no-deps --editable .
	@touch $(STAMP)

bench: setup ## Measure this machine with the quick preset (containers if an engine answers)
	$(BIN)/harness run --preset quick --target auto $(ARGS)

# Tests of pure code side by side; the others measure, and have the machine for themselves. Exit
# code 5 of pytest says that ARGS selected none: of one half that is no failure.
test: setup ## Run every test this machine can run
	@$(BIN)/pytest -n auto -m "unit or contract" $(ARGS); pure=$$?; \
	$(BIN)/pytest -m "not (unit or contract)" $(ARGS); rest=$$?; \
	[ $$pure -ne 5 ] || pure=$$(( rest == 5 ? 5 : 0 )); [ $$rest -ne 5 ] || rest=$$pure; \
	exit $$(( pure > rest ? pure : rest ))

check: lint ## The gate before a commit: lint, types, unit and contract tests (a few minutes on two cores)
	$(BIN)/mypy
	$(BIN)/pytest -q -n auto -m "unit or contract" $(ARGS)

lint: setup ## Style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

live: setup ## Only the tests against a real Dagster code server
	$(BIN)/pytest -m live $(ARGS)

lock: ## Resolve the requirements again (ARGS=--upgrade for newer versions)
	$(LOCK) $(ARGS) pyproject.toml --output-file requirements/run.txt
	$(LOCK) $(ARGS) pyproject.toml --extra dev --output-file requirements/dev.txt
	$(LOCK) $(LOADWORKERS).in --constraint requirements/run.txt --output-file $(LOADWORKERS).txt

down: setup ## Remove what a crashed run left behind
	$(BIN)/harness down

clean: ## Remove the environment and all caches (results stay)
	rm -rf $(VENV) $(CACHES)
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
