# Everything that is done here often, in a few words. `make demo` and `make test` set up all they
# need, from Python 3.11 on. `PYTHON=…` chooses another Python, which gets an environment of its own.

# the first that answers: a name on the path may be a stub that only fails
CHOSEN := $(origin PYTHON)
PYTHON := $(or $(PYTHON),$(shell .ci/pythons | head -n 1),python3)
VERSION := $(shell '$(PYTHON)' -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
VENV := $(if $(filter command line environment,$(CHOSEN)),.venv-$(VERSION),.venv)
BIN := $(VENV)/bin
RUN := $(VENV)/.ready-to-run
WORK := $(VENV)/.ready-to-work
FLOORS := $(VENV)-floors
PEERS := .venv-peers
WACZ := .venv-wacz
INSTALL = pip install --quiet --disable-pip-version-check
TORTURE_MINUTES ?= 7
HOSTILE_MINUTES ?= 2
FIGURES ?= --write docs/reliability.md

# a quarter of their time tests wait, for the disk and for other programs
PYTEST_XDIST_AUTO_NUM_WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) \* 3 / 2)
export PYTEST_XDIST_AUTO_NUM_WORKERS

# where it is set, every start of the program compiles it anew
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-quick test-peers test-floors setup floors torture lint format docs docs-check \
  tools peers browser mastodon-peers bluesky-peers wacz-peers replay-peers wheel clean bench bench-scale

help: ## say what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(RUN) ## back up a small world of ten platforms, three days in a row
	$(BIN)/archiver demo demo

test: $(WORK) tools ## run the tests, in parallel
	$(BIN)/pytest -q -n auto -m 'not peers'

test-quick: $(WORK) ## run what takes a few minutes, for another Python: make test-quick PYTHON=python3.13
	$(BIN)/pytest -q -n auto -m 'not peers and not slow'

test-peers: $(WORK) peers ## run the tests that drive programs of others: a browser with axe, servers of Mastodon's API and of Bluesky
	# apart: what drives the browser leaves an event loop running in its process
	$(BIN)/pytest -q -n auto -m peers tests/browse
	$(BIN)/pytest -q -n auto -m peers --ignore tests/browse

test-floors: floors ## run the quick tests with the oldest libraries that pyproject.toml allows
	$(FLOORS)/bin/pytest -q -n auto -m 'not peers and not slow'

setup: $(WORK) ## install what the tests need from PyPI, for one Python

floors: ## install the oldest libraries that pyproject.toml allows
	test -d $(FLOORS) || '$(PYTHON)' -m venv $(FLOORS)
	'$(PYTHON)' tests/support/floors.py > $(FLOORS)/constraints.txt
	$(FLOORS)/bin/$(INSTALL) --upgrade 'pip>=25.1'
	$(FLOORS)/bin/$(INSTALL) --constraint $(FLOORS)/constraints.txt --editable '.[all]'
	$(FLOORS)/bin/$(INSTALL) --constraint $(FLOORS)/constraints.txt --group dev

torture: $(WORK) tools ## kill it, fail it, cut its power, feed it lies, as long as there is time
	# without a page to write, neither mutants nor memory are measured: `make test` checks both
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

tools: ## install what the tests need and Python does not bring: strace
	@$(call apt,strace)

peers: browser mastodon-peers bluesky-peers wacz-peers replay-peers ## install the programs of others that the tests drive

browser: ## install the browser that the pages are tested in
	@$(call apt,chromium)

mastodon-peers: $(WORK) ## install servers that speak Mastodon's API (mastodon-mock, and snac2 where the system has it) and the S3 API (moto)
	test -d $(PEERS) || $(BIN)/python -m venv $(PEERS)
	$(PEERS)/bin/$(INSTALL) --upgrade 'pip>=25.1'
	$(PEERS)/bin/$(INSTALL) --group peers
	@$(call apt_if_known,snac2,snac)

wacz-peers: $(WORK) ## install the program that checks a WACZ
	test -d $(WACZ) || $(BIN)/python -m venv $(WACZ)
	$(WACZ)/bin/$(INSTALL) --upgrade 'pip>=25.1'
	$(WACZ)/bin/$(INSTALL) --group wacz

bluesky-peers: ## install real servers of Bluesky, with npm
	@if command -v npm > /dev/null; then \
	  cd tests/support/bluesky/peers && npm install --no-audit --no-fund --no-package-lock --loglevel=error; \
	else \
	  echo "npm is not installed: the tests that need a real PDS are skipped"; \
	fi

replay-peers: ## install ReplayWeb.page, with npm: its scripts are whole, and need none of its dependencies
	@if command -v npm > /dev/null; then \
	  cd tests/support/replay && version=$$(npm pkg get dependencies.replaywebpage | tr -d '"') && \
	  { grep -qs "\"version\": \"$$version\"" node_modules/replaywebpage/package.json || { \
	    mkdir -p node_modules/replaywebpage && \
	    tar -xzf "$$(npm pack --silent "replaywebpage@$$version")" --strip-components 1 \
	      -C node_modules/replaywebpage && rm replaywebpage-*.tgz; }; }; \
	else \
	  echo "npm is not installed: the test that opens a WACZ in ReplayWeb.page is skipped"; \
	fi

bench: $(WORK) ## compare with aiohttp, curl, gallery-dl and others, side by side
	$(BIN)/python -m benchmarks

bench-scale: $(WORK) ## see how times grow up to a million posts
	$(BIN)/python -m benchmarks.scale

wheel: $(WORK) ## build what would be published: the wheel, its bill of materials and the source distribution, in dist/
	rm -rf dist
	$(BIN)/python -m hatchling build
	$(BIN)/python tests/support/sbom.py dist/*.whl

clean: ## remove what these commands made
	rm -rf .venv .venv-* demo dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

define apt
  command -v $(1) > /dev/null || { \
    if command -v apt-get > /dev/null && [ "$$(id -u)" = 0 ]; then \
      apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y $(1) > /dev/null; \
    else \
      echo "$(1) is not installed: the tests that drive it are skipped"; \
    fi; }
endef

# of a package that not every release of the system has
define apt_if_known
  command -v $(2) > /dev/null || { \
    if command -v apt-get > /dev/null && [ "$$(id -u)" = 0 ] && apt-get -qq update \
      && apt-cache show $(1) > /dev/null 2>&1; then \
      DEBIAN_FRONTEND=noninteractive apt-get -qq install -y $(1) > /dev/null; \
    else \
      echo "$(1) is not available here: the tests that drive it are skipped"; \
    fi; }
endef

$(RUN): pyproject.toml constraints.txt
	test -d $(VENV) || '$(PYTHON)' -m venv $(VENV)
	$(BIN)/$(INSTALL) --constraint constraints.txt --editable '.[browse]'
	touch $@

$(WORK): $(RUN)
	$(BIN)/$(INSTALL) --upgrade 'pip>=25.1'
	$(BIN)/$(INSTALL) --constraint constraints.txt --editable '.[browse,hls,ytdlp]' --group dev
	touch $@
