# Tenure's own commands. Bare `make` lists them. Everything is made inside the checkout: .venv, .cache, .tenure.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export TENURE_CACHE ?= $(CURDIR)/.cache
export PIP_DISABLE_PIP_VERSION_CHECK = 1
# More than two at once contend for the cores that real engines are measured on.
WORKERS ?= 2
# Placements that the slow tests put before the oracle.
EXAMPLES ?= 2000

.PHONY: help quickstart test test-real test-slow fresh kubernetes lint format generate lock requirements docs picture bench bench-placement clean

help: ## list these targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

quickstart: hosting $(VENV)/run.stamp ## set up, then tell the whole story on this machine (add ARGS=--keep to leave it running)
	@$(BIN)/tenure model fetch smollm2-135m-instruct
	@$(BIN)/tenure --home $(CURDIR)/.tenure/quickstart quickstart $(ARGS)

# What pytest makes of a test's file takes nine seconds of each worker: kept between runs, whatever the shell says.
test: export PYTHONDONTWRITEBYTECODE =
test: $(VENV)/dev.stamp ## set up, then run the default tests (under three minutes on two cores, offline)
	@$(BIN)/python -m pytest -m "not real and not slow" -n $(WORKERS) --dist loadfile
	@echo
	@echo "All default tests passed. Next: make quickstart, or make test-real for the real engines."

test-real: $(VENV)/dev.stamp ## tests that drive real engines: a model server, control groups, kubectl
	@$(BIN)/tenure model fetch smollm2-135m-instruct
	@$(BIN)/python -m pytest -m "real and not slow" -ra --durations 10 $(ARGS)

test-slow: $(VENV)/dev.stamp ## long histories, fuzzing, many kills, thousands of placements against the oracle (EXAMPLES=2000)
	@TENURE_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest -m slow

fresh: ## both of the README's commands in a fresh clone of HEAD under an empty home, timed (ARGS=--keep leaves it)
	@$(PYTHON) -m scripts.fresh_clone $(ARGS)

kubernetes: ## build a real kube-apiserver for the tests that need one (five minutes, needs Go)
	@tests/kubernetes/build.sh $(TENURE_CACHE)/kubernetes

lint: $(VENV)/dev.stamp ## ruff, mypy --strict, the layers
	@$(BIN)/ruff check --no-cache src tests benchmarks scripts
	@$(BIN)/ruff format --check src tests benchmarks scripts
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

format: $(VENV)/dev.stamp ## let ruff fix and format
	@$(BIN)/ruff check --fix src tests benchmarks scripts
	@$(BIN)/ruff format src tests benchmarks scripts

generate: $(VENV)/dev.stamp ## write the blocking clients anew from the asynchronous ones
	@$(BIN)/python -m scripts.unasync

requirements: $(VENV)/dev.stamp ## run every proven requirement with its failing twin, and print the table
	@$(BIN)/tenure model fetch smollm2-135m-instruct
	@$(BIN)/python -m tests.requirements.table

docs: $(VENV)/dev.stamp ## write the generated parts of docs/reference anew
	@$(BIN)/python -m tenure.cli.reference docs/reference

picture: $(VENV)/dev.stamp ## record the quickstart anew for the README
	@$(BIN)/python -m benchmarks.picture

bench: $(VENV)/dev.stamp ## what the product costs: start, latency, writes, memory, the tap
	@$(BIN)/python -m benchmarks.product

bench-placement: $(VENV)/dev.stamp ## ours, each peer and the limit, from one run
	@$(BIN)/python -m benchmarks.placement.all

lock: $(VENV)/dev.stamp ## resolve the dependencies anew into requirements/*.lock
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	  --extra llama --extra solver --group dev --group build pyproject.toml -o requirements/dev.lock
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	  --extra llama --group build pyproject.toml -c requirements/dev.lock -o requirements/run.lock

$(VENV)/run.stamp: requirements/run.lock pyproject.toml
	@test -f $(VENV)/dev.stamp && test $(VENV)/dev.stamp -nt requirements/dev.lock || $(MAKE) --no-print-directory install LOCK=run
	@touch $@

$(VENV)/dev.stamp: requirements/dev.lock pyproject.toml
	@$(MAKE) --no-print-directory install LOCK=dev
	@touch $@

# Said before anything is installed or fetched, in the words of `tenure quickstart` itself.
.PHONY: hosting
hosting:
	@test "$$(uname -s)" != Darwin || { printf '%s\n' 'error: `tenure quickstart` does not run on macOS. No discovery of this machine and no local engine: macOS has no way to pin a process to a core, and what cannot be pinned cannot be promised. `tenure up` and `tenure quickstart` say so at once.  [SystemNotSupported]' '  → run it on Linux. What works here: the command line and the SDK against a host on Linux (its door is on its loopback alone: `ssh -L PORT:127.0.0.1:PORT HOST`, with the PORT that its kubeconfig names), verification of evidence, `tenure simulate` and `tenure capacity --fleet`, and `tenure inventory` of files from other machines.' >&2; exit 5; }

.PHONY: install
install:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Tenure needs Python 3.11 or later, $(PYTHON) is older. Next: make $(MAKECMDGOALS) PYTHON=python3.11"; exit 2; }
	@test -x $(BIN)/python || { echo "Making a virtual environment in $(VENV) ..."; $(PYTHON) -m venv $(VENV); }
	@echo "Installing the locked dependencies ($(LOCK)) ..."
	@$(BIN)/python -m pip install --quiet --progress-bar on --require-hashes --requirement requirements/$(LOCK).lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q src

clean: ## end what runs, and remove everything that these targets made
	@test ! -x $(BIN)/tenure || for home in .tenure/*/; do \
	  test ! -f "$$home/state.db" || $(BIN)/tenure --home "$$home" down --purge --yes; done
	@rm -rf $(VENV) .cache .tenure
