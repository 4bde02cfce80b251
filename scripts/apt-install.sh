#!/usr/bin/env bash
# Installs Debian packages, with sudo where needed and possible; says what to do otherwise.
set -euo pipefail
sudo=""
if [ "$(id -u)" != 0 ]; then
    sudo -n true 2>/dev/null || { echo "Please install: apt-get install $*" >&2; exit 1; }
    sudo="sudo -n"
fi
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq
$sudo apt-get install -y -qq "$@" >/dev/null
