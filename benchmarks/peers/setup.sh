#!/usr/bin/env bash
# Environments of their own for other people's servers, on top of the project's. PyTriton wants an older NumPy.
set -euo pipefail

# Whether the environment $1 was made of the lock $2.
is_made() { [[ -e $1/lock && $(<"$1/lock") == "$(sha256sum <"$2")" ]]; }

make_anew() {
  echo "Installing other servers to measure against into $1 (about 2 minutes)…"
  rm -rf "$1"
  .venv/bin/python -m venv "$1"
  site=$("$1/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  .venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' >"$site/project.pth"
  "$1/bin/python" -m pip install --quiet --require-hashes --requirement "$2"
}

lock=benchmarks/peers/requirements.lock
is_made .venv-peers $lock || {
  make_anew .venv-peers $lock
  sha256sum <$lock >.venv-peers/lock
}
lock=benchmarks/peers/requirements-pytriton.lock
is_made .venv-pytriton $lock || {
  make_anew .venv-pytriton $lock
  # Triton brings a Python 3.11 that is older than the standard library which it finds: its lock lacks a method that
  # multiprocessing has called since.
  sed -i 's/^        tracker_fd = resource_tracker.getfd()/        resource_tracker._resource_tracker._lock = __import__("threading")._PyRLock()\n&/' "$site/pytriton/proxy/data.py"
  sha256sum <$lock >.venv-pytriton/lock
}
