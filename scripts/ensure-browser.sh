#!/usr/bin/env bash
# The browser tests drive Debian's Chromium; on Ubuntu, whose chromium package is a snap, any installed
# Chrome or Chromium will do.
set -euo pipefail
for name in chromium chromium-browser google-chrome google-chrome-stable; do
    command -v "$name" >/dev/null && exit 0
done
scripts/apt-install.sh chromium
