# The only commands you need. `make` lists them; each one sets up what it needs.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)
UV := $(shell command -v uv 2>/dev/null)
BIN := .venv/bin
READY := .venv/.ready
PEERS := .peers/.ready

.PHONY: help setup demo test lint style imports types check bench soak fuzz format lock clean

help: ## List these commands.
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile | expand -t 16

setup: $(READY) ## Create .venv from the lock file.

# Without build isolation, even the build backend comes from the lock file.
$(READY): .lock/dev.txt pyproject.toml
	@$(or $(PYTHON),false) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo 'Python 3.11 or newer is needed: install it, or name one: make PYTHON=/path/to/python3.11' >&2; exit 1; }
ifneq ($(UV),)
	uv venv --quiet --allow-existing --python "$$(command -v $(PYTHON))" .venv
	uv pip sync --quiet --require-hashes --python $(BIN)/python .lock/dev.txt
	uv pip install --quiet --no-deps --no-build-isolation --python $(BIN)/python --editable .
else
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes --requirement .lock/dev.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
endif
	@touch $@

demo: $(READY) ## Watch a streamed conversation; no key, no network.
	$(BIN)/allm-rx demo

test: $(READY) ## Run the tests.
	$(BIN)/pytest

lint: style imports types ## Run every check that is not a test.

style: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check

imports: $(READY)
	$(BIN)/lint-imports --no-logo

types: $(READY)
	$(BIN)/pyright
	@if [ -d tests/typing ]; then set -x; $(BIN)/mypy tests/typing; fi

check: lint ## Run every check, then the tests with coverage.
	$(BIN)/pytest --cov

bench: $(READY) $(PEERS) ## Measure against the floor and five others; writes docs/performance.md.
	$(BIN)/python -m benchmarks --page docs/performance.md --plot docs/images/performance.svg --json .benchmarks.jsonl

# The others have an environment of their own: their requirements are not ours, and are no business of the tests.
$(PEERS): .lock/peers.txt
ifneq ($(UV),)
	uv venv --quiet --allow-existing --python "$$(command -v $(PYTHON))" .peers
	uv pip sync --quiet --require-hashes --python .peers/bin/python .lock/peers.txt
else
	$(PYTHON) -m venv .peers
	.peers/bin/python -m pip install --quiet --require-hashes --requirement .lock/peers.txt
endif
	@touch $@

soak: $(READY) ## Leave 10,000 runs at random points, and count what is left of them.
	$(BIN)/python -m benchmarks.soak $(or $(RUNS),10000)

fuzz: $(READY) ## Search for bytes that break a decoder, a minute per target (TIME=60); Linux only.
	$(BIN)/python -m tests.fuzz.guided --seconds $(or $(TIME),60) $(TARGETS)

format: $(READY) ## Rewrite the code in the house style.
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# `--no-emit-index-url` and no header: a lock file must not tell which index or machine made it.
lock: ## Resolve the newest dependencies into the lock files; needs uv.
	uv pip compile --quiet --upgrade --universal --python-version 3.11 --group dev --generate-hashes \
		--no-header --no-annotate --no-emit-index-url --no-emit-find-links --output-file .lock/dev.txt pyproject.toml
	uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --no-emit-index-url --no-emit-find-links --output-file .lock/peers.txt .lock/peers.in

clean: ## Remove everything that can be made again.
	rm -rf .venv .peers .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis .coverage htmlcov build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
