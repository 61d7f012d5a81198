# Two commands for newcomers: `make demo` and `make test`. Everything else is for people who change things.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PARTS := .sloproof/parts
READY := $(VENV)/.ready
export SLOPROOF_PARTS := $(CURDIR)/$(PARTS)

.PHONY: demo test lint rules dashboards check bench lock wheel clean

demo: $(READY) $(PARTS)/.ready  ## bring a system up, load it, break it, and write a report
	@$(BIN)/sloproof demo

test: $(READY) $(PARTS)/.ready lint  ## everything that CI checks
	$(BIN)/python -m pytest

lint: $(READY)  ## style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

rules dashboards: $(READY)  ## write everything that the definitions imply
	$(BIN)/sloproof generate

check: $(READY)  ## problems in the definitions, and generated files that are out of date
	$(BIN)/sloproof check
	$(BIN)/sloproof generate --check

bench: $(READY) $(PARTS)/.ready  ## every figure that the README quotes
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

$(READY): requirements.lock pyproject.toml
	@echo "setting up $(VENV) (once)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(PARTS)/.ready: $(READY)
	@$(BIN)/python -m sloproof.lab.parts_apt $(PARTS)
	@mkdir -p $(PARTS) && touch $@

lock:  ## work the locked versions out anew (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --custom-compile-command "make lock" --all-extras --group dev pyproject.toml -o requirements.lock

wheel: $(READY)  ## the distribution, as it would be published
	$(BIN)/python -m hatchling build

clean:  ## the environment and the tool's own state
	rm -rf $(VENV) .sloproof dist
