# Salesops. `make help` lists the targets; `run` and `test` need only Python (3.11 to 3.13), make and git.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(if $(shell $(name) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null && echo yes),$(name))))
BIN := .venv/bin
# If it is set, every start recompiles every import, which doubles start-up time.
unexport PYTHONDONTWRITEBYTECODE
LINTED := cli incentives ingestion models_ml orchestration publishing simulation storage warehouse tests benchmarks

GENERATORS := warehouse.generate incentives.generate ingestion.sources.feeds.documentation

.PHONY: help setup run test soak bench ui generate lint format clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

.venv/.run: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Salesops needs Python 3.11, 3.12 or 3.13; set PYTHON=/path/to/python3."; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

.venv/.dev: .venv/.run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

setup: .venv/.dev ## Make the environment .venv with everything a developer needs

run: .venv/.run ## Run the whole pipeline on the simulated company, from nothing to published marts
	$(BIN)/salesops run --simulate

test: .venv/.dev ## Run the tests (eight to ten minutes on two cores; CI=true adds those that take minutes each)
	$(BIN)/python -m pytest

soak: .venv/.dev ## Run the long loops: 200 killed loads, 100 disturbed runs, 200 idle ticks, thirty simulated days, 2,000 odd sources (some three hours)
	$(BIN)/python -m benchmarks.kills
	$(BIN)/python -m benchmarks.kill_runs
	$(BIN)/python -m benchmarks.idle_ticks
	$(BIN)/python -m benchmarks.soak
	$(BIN)/python -m benchmarks.odd_sources

bench: .venv/.dev ## Print the measured figures of the README
	$(BIN)/python -m benchmarks.run_time
	$(BIN)/python -m benchmarks.ingestion

# Shells and hosts set HOST and PORT for their own purposes: only values given after `make ui` count.
ui: .venv/.run ## Open the asset graph: Dagster on http://127.0.0.1:3000, or as PORT=3001 HOST=127.0.0.1 say
	$(BIN)/salesops ui $(if $(findstring command,$(origin HOST)),--host '$(HOST)') $(if $(findstring command,$(origin PORT)),--port '$(PORT)')

generate: .venv/.run ## Write what follows from dbt_project/metrics.yml, the plan models and the feeds: macros, period marts, semantic layer, JSON schemas, pages
	for generator in $(GENERATORS); do $(BIN)/python -m $$generator || exit 1; done

lint: .venv/.dev ## Check style, types and SQL
	$(BIN)/ruff check $(LINTED)
	$(BIN)/ruff format --check $(LINTED)
	$(BIN)/mypy
	for generator in $(GENERATORS); do $(BIN)/python -m $$generator --check || exit 1; done
	$(BIN)/sqlfluff lint dbt_project/models dbt_project/tests --processes 2 --disable-progress-bar

format: .venv/.dev ## Put Python and SQL into the house style
	$(BIN)/ruff check --fix $(LINTED)
	$(BIN)/ruff format $(LINTED)
	$(BIN)/sqlfluff fix dbt_project/models dbt_project/tests --processes 2 --disable-progress-bar

clean: ## Remove the environment and the caches; the data folder stays
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache *.egg-info
