#!/usr/bin/env bash
# Installs exactly what a lock file names into .venv; does nothing when that is there already.
# Usage: PYTHON=python3 setup.sh requirements.lock
set -euo pipefail
lock=$1
stamp=".venv/installed-$(cat requirements.lock requirements-dev.lock | sha256sum | cut -c1-16)"

stop() { echo "lightbox: $1" >&2; exit 1; }

# The lock for development holds everything of the other one, in the same versions.
if [[ -e $stamp-requirements-dev.lock || -e $stamp-$lock ]]; then exit 0; fi

command -v "$PYTHON" >/dev/null || stop "$PYTHON is missing: install Python 3.11, 3.12 or 3.13 (apt install python3)."
"$PYTHON" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' ||
  stop "$("$PYTHON" --version) does not fit: Python 3.11, 3.12 or 3.13 is needed (name another one: make PYTHON=python3.12 …)."
"$PYTHON" -c 'import ensurepip, venv' 2>/dev/null || stop "Python's venv is missing: apt install python3-venv."

if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
  echo "Making a Python environment in .venv…"
  "$PYTHON" -m venv .venv || stop "the Python environment in .venv could not be made."
fi
echo "Installing the Python packages of $lock (about 1 minute, 1.6 GB)…"
.venv/bin/python -m pip install --quiet --quiet --disable-pip-version-check --no-deps --require-hashes --requirement "$lock" ||
  stop "the packages could not be installed; pip says why above."
# `lightbox` as pip would install it, but of this folder.
printf '#!%s\nimport sys\n\nsys.path.insert(0, "%s")\nfrom command_line.__main__ import main\n\nmain(prog_name="lightbox")\n' \
  "$PWD/.venv/bin/python" "$PWD" >.venv/bin/lightbox
chmod +x .venv/bin/lightbox
rm -f .venv/installed-*
touch "$stamp-$lock"
