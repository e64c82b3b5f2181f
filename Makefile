# Everything a person or CI does with this project. `make` alone lists it.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo test check check-types check-sql format lab schedule bench lock

help: ## list what there is to make
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## make .venv with the locked dependencies (PY=/path/to/python3 chooses the Python)

$(STAMP): requirements.lock bootstrap.lock pyproject.toml scripts/setup.sh
	@sh scripts/setup.sh $(VENV) $(PY)
	@touch $@

demo: $(STAMP) ## sample data in, scores and reports out, in data/demo/
	@$(BIN)/mi demo

test: check ## the static checks and all tests
	@# Bytecode is kept even where the environment says otherwise: every test's process reads it.
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 3 --dist worksteal

check: $(STAMP) ## the static checks alone: style, types, import direction, SQL, notebooks
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/lint-imports
	@$(BIN)/nbstripout --verify notebooks/*.ipynb
	@$(MAKE) --no-print-directory -j 2 check-types check-sql

# The two that take long, each on one core: side by side.
check-types: $(STAMP)
	@$(BIN)/mypy

check-sql: $(STAMP)
	@$(BIN)/sqlfluff lint mi_core/sql

format: $(STAMP) ## put code and SQL in the house style
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format
	@$(BIN)/sqlfluff fix mi_core/sql
	@$(BIN)/nbstripout notebooks/*.ipynb

lab: $(STAMP) ## JupyterLab on the notebooks, with the workspace in data/, or else the demo's
	@$(BIN)/jupyter lab --config=scripts/jupyter_lab_config.py

schedule: $(STAMP) ## the scheduled flows with Prefect's pages, until Ctrl-C, on the workspace in data/
	@exec $(BIN)/python -m flows

bench: $(STAMP) ## measure it, beside other packages where they are; results on standard output
	@for script in benchmarks/bench_*.py benchmarks/attribution.py benchmarks/funnels.py benchmarks/enrichment.py benchmarks/serve.py; do $(BIN)/python "$$script" || exit 1; done

lock: $(STAMP) ## resolve pyproject.toml again into requirements.lock, and uv into bootstrap.lock
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --extra dev \
	  --generate-hashes --no-emit-index-url --no-header --no-annotate pyproject.toml -o requirements.lock
	@echo uv | $(BIN)/uv pip compile --quiet --universal --generate-hashes \
	  --no-emit-index-url --no-header --no-annotate - -o bootstrap.lock
