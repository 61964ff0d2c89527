#!/usr/bin/env bash
# An environment of their own for other people's servers, on top of the project's.
set -euo pipefail
lock=benchmarks/peers/requirements.lock
[[ -e .venv-peers/lock && $(<.venv-peers/lock) == "$(sha256sum <"$lock")" ]] && exit
echo "Installing other servers to measure against (about 2 minutes, 400 MB)…"
rm -rf .venv-peers
.venv/bin/python -m venv .venv-peers
site=$(.venv-peers/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' >"$site/project.pth"
.venv-peers/bin/python -m pip install --quiet --require-hashes --requirement "$lock"
sha256sum <"$lock" >.venv-peers/lock
