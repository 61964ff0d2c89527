"""Older code, from this repository's history: what a host runs while the other ones have the new release already."""

import subprocess
from pathlib import Path

from launcher.settings import REPOSITORY


def older_commit() -> str:
    """The last one before the tables last changed; empty where the history is not here."""
    migrations = "app_service/storage/migrations/versions"
    newest = _git("log", "-1", "--format=%H", "--", migrations)
    return _git("rev-parse", "--verify", "--quiet", f"{newest}^") if newest else ""


def older_code(folder: Path) -> Path:
    """The tree of that commit, in `folder`, which is made."""
    folder.mkdir()
    tree = subprocess.run(["git", "archive", older_commit()], cwd=REPOSITORY, check=True, capture_output=True).stdout
    subprocess.run(["tar", "x", "-C", str(folder)], input=tree, check=True)
    return folder


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=REPOSITORY, check=False, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""
