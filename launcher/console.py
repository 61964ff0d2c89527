"""Who sees which line: honcho's and the keepers' go to a log file, only the few that matter to the terminal.

The tiers' own lines do not come here: each keeper gives its process a log file (`keeper.py`).
"""

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

ANNOUNCER = "ready"  # the process whose lines are for the terminal alone: they hold the passwords


class Console:
    """What honcho takes for its printer. `path` is kept below 20 MB, the 20 MB before it in `path`.1."""

    width = 0  # honcho sets it to the longest process name

    def __init__(self, path: Path) -> None:
        self._file = RotatingFileHandler(path, maxBytes=20_000_000, backupCount=1, encoding="utf-8")

    def write(self, message: Any) -> None:
        data = message.data
        text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
        for line in text.splitlines():
            if message.name == ANNOUNCER:
                print(line, flush=True)
                continue
            shown = f"{message.time:%Y-%m-%dT%H:%M:%S} {message.name or '':<{self.width}} | {line}"
            self._file.emit(logging.LogRecord("", logging.INFO, "", 0, shown, None, None))
            if message.name == "system" and line.endswith("received"):
                print("Stopping every tier…", flush=True)
            elif line.startswith("keeper: "):
                print(f"{message.name}: {line.removeprefix('keeper: ')}", flush=True)
