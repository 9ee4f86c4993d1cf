# Needs a Python 3.11 or later and make, nothing else: no Docker, no Java, no compiler.
# `make` alone lists the targets.

PYTHON ?= $(shell for p in python3.11 python3; do $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Wheels only: a fresh machine has no compiler, and no package's own setup code runs.
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	--only-binary :all: --generate-hashes --no-header --no-annotate --no-emit-index-url
PEERS := quix bytewax

# Tests run side by side, in one process more than there are cores, at most four (tests/conftest.py).
# ARGS="-n 0" runs them one after the other.
AT_ONCE := -n auto

# Of `make soak` and `make chaos`.
MINUTES := 30
SEED := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo docs test soak chaos coverage check format bench lock dist sbom audit clean

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*##/make \1:/p' $(MAKEFILE_LIST)

setup: $(STAMP)  ## make .venv with the locked dependencies and the streamer command

$(STAMP): requirements/dev.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "streamer needs Python 3.11 or later: install it, or name it with make PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes --only-binary :all: -r requirements/dev.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup  ## start a broker, a worker and a shop to watch: ARGS=purchases.csv for your own
	$(BIN)/streamer demo $(ARGS)

docs: setup  ## build the documentation's site in build/site, links checked
	$(BIN)/python -m docs.site
	$(BIN)/zensical build --clean --strict

test: setup  ## run all tests, a real Kafka included
	$(BIN)/python -m pytest $(AT_ONCE) $(ARGS)

soak: setup  ## watch memory and lag under a steady load: MINUTES=30
	STREAMER_SOAK_SECONDS=$$((60 * $(MINUTES))) $(BIN)/python -m pytest tests/faults/test_f12_soak.py $(ARGS)

chaos: setup  ## kill, freeze, start and end workers under load: MINUTES=30 SEED=1
	STREAMER_SOAK_SECONDS=$$((60 * $(MINUTES))) STREAMER_CHAOS_SEED=$(SEED) $(BIN)/python -m pytest tests/faults/test_chaos.py $(ARGS)

coverage: setup  ## run all tests and list the lines they miss
	$(BIN)/python -m pytest $(AT_ONCE) --cov $(ARGS)

check: setup  ## lint, format, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup  ## put the code into shape
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: setup  ## measure throughput and latency beside Kafka Streams, Quix Streams, Bytewax and plain Faust
	$(BIN)/streamer bench $(ARGS)

lock: setup  ## renew the lock files of the project and of the peers that have one
	$(COMPILE) pyproject.toml --upgrade --output-file requirements/runtime.lock
	$(COMPILE) pyproject.toml --upgrade --group dev --constraint requirements/runtime.lock --output-file requirements/dev.lock
	$(COMPILE) --group build --upgrade --constraint requirements/dev.lock --output-file requirements/build.lock
	for peer in $(PEERS); do \
		$(COMPILE) benchmarks/peers/$$peer.in --upgrade --output-file benchmarks/peers/$$peer.lock || exit 1; done

dist: setup sbom  ## build the wheel and the source distribution into dist/, the list of parts beside them
	$(BIN)/python -m hatchling build

sbom: setup  ## list what a worker is made of in dist/sbom.cdx.json (CycloneDX)
	@mkdir -p dist
	$(BIN)/cyclonedx-py requirements requirements/runtime.lock --pyproject pyproject.toml --output-reproducible --output-file dist/sbom.cdx.json

audit: setup  ## look the locked dependencies up among known vulnerabilities (needs the internet)
	$(BIN)/pip-audit --strict --disable-pip --require-hashes --progress-spinner off --requirement requirements/runtime.lock

clean:  ## remove what these targets made
	rm -rf $(VENV) build .cache .coverage .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
