#!/usr/bin/env bash
# Builds the wheel from a clean copy of what is committed or staged, installs it into a new environment,
# and checks that Jupyter finds the lab extension, the server extension and the kernel there.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
unset HATCH_JUPYTER_BUILDER_SKIP_NPM PYTHONPATH
python=$PWD/.venv/bin/python uv=$PWD/.venv/bin/uv

mkdir "$folder/source"
git ls-files -z | xargs -0 -I{} sh -c 'test -e "$1" && echo "$1"' _ {} | tar -cf - -T - | tar -xf - -C "$folder/source"
cp -R labextension/node_modules "$folder/source/labextension/"
"$uv" build --quiet --wheel --out-dir "$folder/dist" "$folder/source"
"$uv" venv --quiet --python "$python" "$folder/env"
"$uv" pip install --quiet --python "$folder/env/bin/python" --constraint constraints.txt "$folder"/dist/*.whl

cd "$folder"
export QPM_HOME=$folder/home JUPYTER_CONFIG_DIR=$folder/config JUPYTER_DATA_DIR=$folder/data PATH=$folder/env/bin:$PATH
found() { grep -q "$2" <<<"$1" || { echo "not found: $2"; echo "$1"; exit 1; }; }
plain() { "$@" 2>&1 | sed 's/\x1b\[[0-9;]*m//g'; }
found "$(plain jupyter labextension list)" 'qpm-lab v.* enabled OK'
found "$(plain jupyter server extension list)" 'qpm_lab.server.* OK'
found "$(plain jupyter kernelspec list)" "$folder/env/share/jupyter/kernels/qpm"
qpm doctor
qpm run "$OLDPWD/notebooks/bell.qasm" --backend aer/noisy --shots 100
for bundle in personal team classroom regulated; do qpm policy check "$bundle"; done
echo "built $(basename dist/*.whl), $(du -k dist/*.whl | cut -f1) KiB"
echo "wheel: 3 passed, 0 failed"
