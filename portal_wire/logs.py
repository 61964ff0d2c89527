"""Logs as one JSON object a line, with only the facts whose keys are listed here (12-factor: to stderr)."""

import json
import logging
import time

KEYS = frozenset(  # none whose value could be a name, a tag, a token or an address: tests/structure/test_logs.py
    "attempt away_for_s code count device duration_s engine error fault files hash job_id jobs kept_s method model "
    "notices of patience_s place precision reason rejected request_id route row status times version".split()
)


def log_as_json() -> None:
    """One JSON object a line on stderr, with only what KEYS allows: no message text from outside gets in."""
    logger = logging.getLogger("lightbox")
    if logger.handlers:
        return
    handler = logging.StreamHandler()  # stderr
    handler.setFormatter(JsonLines())
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False


class JsonLines(logging.Formatter):
    """A record as one line of JSON: time, level, event and what KEYS allows of its `facts`; no exception's text."""

    def format(self, record: logging.LogRecord) -> str:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z"
        line = {"time": moment, "level": record.levelname, "event": record.getMessage()}
        return json.dumps(line | {key: fact for key, fact in getattr(record, "facts", {}).items() if key in KEYS})
