# Everything installs into .venv from the Python, Debian and npm registries; nothing asks a question.
#   make demo   the quickstart notebook, headless, and its cards
#   make test   every check and test, a real browser included
#   make cluster  a Dask cluster of two workers on this machine, for QPM_DASK
#   make lab    JupyterLab with the kernel "Governed Quantum"
#   make bench  the benchmark table      make wheel   the wheel, from a clean tree
#   make statistics  every figure of a fidelity beside its threshold
#   make soak   the long kill test       make clean   forget all that was built

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test lint unit server notebooks front browser lab cluster bench statistics soak wheel wheel-check clean

PYTHON ?= python3
BIN := .venv/bin
FRONT := $(shell find labextension/src labextension/style labextension/schema labextension/*.json labextension/*.ts -type f 2>/dev/null)
export UV_COMPILE_BYTECODE = 1
export HATCH_JUPYTER_BUILDER_SKIP_NPM = 1

help:
	@sed -n 's/^#   //p' Makefile

demo: .venv/installed
	$(BIN)/python scripts/demo.py

test: lint front unit server notebooks browser wheel-check

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: .venv/dev .venv/providers/installed
	$(BIN)/pytest --ignore tests/server --ignore tests/browser --ignore tests/notebooks

# pytest-jupyter, playwright and nbmake each want the event loop to themselves: one process each.
server: .venv/lab
	$(BIN)/pytest tests/server

notebooks: .venv/lab .venv/providers/installed
	$(BIN)/pytest tests/notebooks

browser: .venv/lab .venv/browser
	$(BIN)/pytest tests/browser

front: labextension/node_modules
	cd labextension && npm run --silent lint && npm test --silent

lab: .venv/lab
	$(BIN)/jupyter lab --notebook-dir=notebooks $(if $(filter 0,$(shell id -u)),--allow-root)

bench: .venv/dev .venv/bench/installed
	$(BIN)/python -m benchmarks --output docs/performance.md $(BENCH)

statistics: .venv/dev
	$(BIN)/python -m acceptance $(STATISTICS)

cluster: .venv/dev
	$(BIN)/python -m qpm_lab.providers.local_cluster 2

soak: .venv/dev .venv/providers/installed
	QPM_SOAK=1 $(BIN)/pytest tests/runner/test_kill.py tests/runner/test_kill_vendors.py

# A release is built from a clean clone: an editable install would leave a development bundle behind.
wheel: .venv/venv labextension/node_modules
	rm -rf dist qpm_lab/labextension
	$(BIN)/uv build --wheel --sdist --out-dir dist

wheel-check: .venv/lab
	scripts/check-wheel.sh

clean:
	rm -rf .venv dist build test-output labextension/node_modules labextension/lib qpm_lab/labextension

.venv/venv:
	scripts/ensure-venv.sh $(PYTHON)
	@touch $@

.venv/bench/installed: .venv/installed pyproject.toml benchmarks/constraints.txt
	scripts/bench-env.sh
	@touch $@

.venv/installed: .venv/venv pyproject.toml constraints.txt
	scripts/install.sh -e .
	@touch $@

.venv/dev: .venv/installed
	scripts/install.sh --group dev
	@touch $@

# The vendors' clients that the tests speak to doubles with, each in an environment of its own.
PROVIDERS := aqt azure braket ibm iqm quantinuum
.venv/providers/installed: $(PROVIDERS:%=qpm_lab/providers/%.py) | .venv/installed
	env -u UV_COMPILE_BYTECODE QPM_PROVIDERS=.venv/providers $(BIN)/qpm provider install $(PROVIDERS)
	@touch $@

# The built front end is copied into the environment by the editable install, so it is built first.
.venv/lab: .venv/dev labextension/node_modules $(FRONT)
	cd labextension && npm run --silent build:prod
	scripts/install.sh --reinstall-package qpm-lab -e .
	@touch $@

labextension/node_modules: labextension/package-lock.json
	cd labextension && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

.venv/browser: .venv/venv
	scripts/ensure-browser.sh
	@touch $@
