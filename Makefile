# Everything that is done here often, in a few words. `make demo` and `make test` set up all they
# need, from Python 3.11 on.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
RUN := .venv/.ready-to-run
WORK := .venv/.ready-to-work
TORTURE_MINUTES ?= 7
HOSTILE_MINUTES ?= 2
FIGURES ?= --write docs/reliability.md

# where it is set, every start of the program compiles it anew
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test torture lint format docs docs-check tools wheel clean bench bench-scale

help: ## say what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(RUN) ## back up a small world of ten platforms, three days in a row
	$(BIN)/archiver demo demo

test: $(WORK) tools ## run the tests, in parallel
	$(BIN)/pytest -q -n auto

torture: $(WORK) tools ## kill it, fail it, cut its power, feed it lies, as long as there is time
	$(BIN)/python tests/torture/scoreboard.py --minutes $(TORTURE_MINUTES) $(FIGURES)
	$(BIN)/python tests/hostile/exhaustive.py --minutes $(HOSTILE_MINUTES) $(FIGURES)

lint: $(WORK) ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(WORK) ## put the code into its form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(WORK) ## print the reference pages anew
	$(BIN)/python docs/generate.py

docs-check: $(WORK) ## fail where a reference page is not what the program says
	$(BIN)/python docs/generate.py --check

tools: ## install what the tests drive and Python does not bring: a browser and strace
	@for tool in chromium strace; do \
	  command -v $$tool > /dev/null && continue; \
	  if command -v apt-get > /dev/null && [ "$$(id -u)" = 0 ]; then \
	    apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y $$tool > /dev/null; \
	  else \
	    echo "$$tool is not installed: the tests that drive it are skipped"; \
	  fi; \
	done

bench: $(WORK) ## compare with aiohttp, curl, gallery-dl and others, side by side
	$(BIN)/python -m benchmarks

bench-scale: $(WORK) ## see how times grow up to a million posts
	$(BIN)/python -m benchmarks.scale

wheel: $(WORK) ## build the distribution
	$(BIN)/python -m hatchling build

clean: ## remove what these commands made
	rm -rf .venv demo dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(RUN): pyproject.toml constraints.txt
	test -d .venv || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[browse]'
	touch $@

$(WORK): $(RUN)
	$(BIN)/pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[browse]' --group dev
	touch $@
