# Two commands for newcomers: `make demo` and `make test`. Everything else is for people who change things.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PARTS := .sloproof/parts
LOCKED = $(shell grep -c '^[a-z].*==' requirements.lock)
READY := $(VENV)/.ready
UNFINISHED := $(VENV)/.unfinished
apt_install = out=$$(export DEBIAN_FRONTEND=noninteractive; apt-get -q -o Acquire::Retries=3 update 2>&1 && \
  apt-get -q -o Acquire::Retries=3 install --yes --no-install-recommends $(1) 2>&1) || { echo "$$out" >&2; false; }
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
BENCHMARKS := generate_speed rules_cost startup status_queries verdict_coverage
BROWSERS := chromium chromium-browser google-chrome chrome
export SLOPROOF_PARTS := $(CURDIR)/$(PARTS)

.DEFAULT_GOAL := help
.PHONY: demo test lint rules dashboards check bench lock wheel clean help python browser

demo: $(READY) $(PARTS)/.ready  ## bring a system up, load it, break it, and write a report
	@$(BIN)/sloproof demo

test: $(READY) $(PARTS)/.ready browser lint  ## everything that CI checks
	@failed=; \
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder --durations 20 -m "not alone" || failed=yes; \
	$(BIN)/python -m pytest --durations 20 -m alone || failed=yes; \
	[ -z "$$failed" ] || { echo "tests failed: see the summaries above" >&2; exit 1; }

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
	@missed=; for name in $(BENCHMARKS); do \
	  echo "== $$name"; $(BIN)/python benchmarks/$$name.py || missed="$$missed $$name"; \
	done; [ -z "$$missed" ] || { echo "missed or failed:$$missed" >&2; exit 1; }

lock:  ## work the locked versions out anew (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --custom-compile-command "make lock" --all-extras --group dev pyproject.toml -o requirements.lock

wheel: $(READY)  ## the distribution, as it would be published, in dist/
	$(BIN)/python -m hatchling build

clean:  ## end a lab that is still up, then remove the environment and the tool's own state
	@-[ ! -x $(BIN)/sloproof ] || $(BIN)/sloproof lab down
	rm -rf $(VENV) .sloproof dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

help:  ## this list
	@awk -F ':.*## ' '/^[a-z ]+:.*## / { printf "make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# What an interrupted set-up leaves cannot be trusted; it is known by a mark that holds the number of its process.
$(READY): requirements.lock .ci/axe.lock pyproject.toml
	@$(MAKE) --no-print-directory python
	@if owner=$$(cat $(UNFINISHED) 2>/dev/null) && kill -0 "$$owner" 2>/dev/null; then \
	  echo "error: process $$owner is setting up $(VENV) already" >&2; exit 2; fi
	@[ ! -e $(UNFINISHED) ] || { echo "the last set-up of $(VENV) was interrupted: starting over"; rm -rf $(VENV); }
	@[ ! -x $(BIN)/python ] || echo "bringing $(VENV) up to date with requirements.lock and pyproject.toml"
	@[ -x $(BIN)/python ] || echo "setting up $(VENV), once: $(LOCKED) locked packages, a minute or two"
	@mkdir -p $(VENV) && echo $$PPID >$(UNFINISHED)
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import pip' 2>/dev/null || $(BIN)/python -m ensurepip >/dev/null
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --require-hashes --no-deps -r .ci/axe.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@mv $(UNFINISHED) $@

$(PARTS)/.ready: | $(READY)
	@$(BIN)/python -m sloproof.lab.parts_apt $(PARTS)
	@mkdir -p $(PARTS) && touch $@

# Debian keeps `venv` in a package of its own.
python:
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null || { \
	  echo "installing $(notdir $(PYTHON))-venv with apt"; \
	  $(call apt_install,$(notdir $(PYTHON))-venv); }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
	  echo "error: sloproof needs Python 3.11, 3.12 or 3.13, and \`$(PYTHON)\` is not one of them" >&2; \
	  echo "hint: name one, such as \`make demo PYTHON=python3.12\`" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
	  echo "error: \`$(PYTHON)\` cannot make virtual environments" >&2; \
	  echo "hint: \`sudo apt-get install $(notdir $(PYTHON))-venv\`" >&2; exit 2; }

# The report is tested in a real browser; CI must have one, anybody else may go without.
browser:
	@for name in $(BROWSERS); do ! command -v $$name >/dev/null || exit 0; done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "installing chromium with apt, once, for the tests of the report"; \
	  { $(call apt_install,chromium); } && exit 0; \
	fi; \
	echo "no Chromium here: the browser tests of the report will be skipped (Debian: apt-get install chromium)"; \
	[ -z "$$CI" ]
