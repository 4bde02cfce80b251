#!/usr/bin/env bash
# Installs into .venv with the pinned versions; uv where it works (seconds), else pip (a minute).
set -euo pipefail
if ! .venv/bin/uv pip install --quiet --python .venv/bin/python --constraint constraints.txt "$@"; then
    echo "uv could not install; trying pip" >&2
    arguments=()
    while [ $# -gt 0 ]; do
        case $1 in --reinstall-package) shift ;; *) arguments+=("$1") ;; esac
        shift
    done
    .venv/bin/python -m pip install --quiet --upgrade "pip>=25.1"
    .venv/bin/python -m pip install --quiet --constraint constraints.txt "${arguments[@]}"
fi
