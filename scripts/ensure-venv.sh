#!/usr/bin/env bash
# Makes .venv with uv inside; on Debian, where venv is a package of its own, installs that first.
set -euo pipefail
python=$1
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    { echo "qpm_lab needs Python 3.11 or newer; $python is $("$python" -V 2>&1). Use: make PYTHON=python3.12 …" >&2; exit 1; }
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    scripts/apt-install.sh python3-venv
fi
[ -x .venv/bin/python ] || "$python" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check uv
