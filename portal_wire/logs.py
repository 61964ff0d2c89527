"""Logs as one JSON object a line, with only the facts that the caller names (12-factor: to stderr)."""

import json
import logging
import sys
import time


def log_as_json() -> None:
    """One JSON object a line on stderr, with only what `facts` holds: no message text from outside gets in."""
    logger = logging.getLogger("lightbox")
    if logger.handlers:
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False


class JsonLines(logging.Formatter):
    """A record as one line of JSON: time, level, event and its `facts`; never an exception's text."""

    def format(self, record: logging.LogRecord) -> str:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z"
        line = {"time": moment, "level": record.levelname, "event": record.getMessage()}
        return json.dumps(line | getattr(record, "facts", {}))
