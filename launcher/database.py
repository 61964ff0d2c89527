"""The database's tables and the first accounts, made by App's own commands."""

import json
import os
import re
import subprocess
import sys

from launcher.errors import CannotStart
from launcher.settings import REPOSITORY

_ERROR = re.compile(r"[\w.]+Error: ")  # an exception's own line, below its traceback and above its footnotes


def migrate(environment: dict[str, str]) -> None:
    """Brings the tables to this version. Raises CannotStart with App's last line when that fails."""
    _run("app_service.storage.migrate", environment)


def make_accounts(environment: dict[str, str]) -> dict[str, str]:
    """Makes the accounts that are missing. Returns user name -> password for those whose password App made up."""
    made_up: dict[str, str] = json.loads(_run("app_service.accounts.create", environment))
    return made_up


def _run(module: str, environment: dict[str, str]) -> str:
    command = [sys.executable, "-m", module]
    done = subprocess.run(
        command, cwd=REPOSITORY, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        reasons = [line for line in done.stderr.splitlines() if _ERROR.match(line)]
        raise CannotStart(f"{module} failed: {reasons[-1] if reasons else 'it gave no reason'}")
    return done.stdout
