#!/usr/bin/env bash
# Makes .venv/bench: this package beside the trackers that `make bench` compares it with. Apart from .venv,
# since devqubit's Qiskit adapter needs an older Aer. Its pins, benchmarks/constraints.txt, come from
#   uv pip compile pyproject.toml --group bench --no-emit-index-url --no-annotate --no-header -o benchmarks/constraints.txt
set -euo pipefail
[ -x .venv/bench/bin/python ] || .venv/bin/uv venv --quiet --python .venv/bin/python .venv/bench
.venv/bin/uv pip install --quiet --python .venv/bench/bin/python --constraint benchmarks/constraints.txt \
    --group bench -e .
