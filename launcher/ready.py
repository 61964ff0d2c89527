"""Waits until every tier is ready, tells the person at the terminal so, and stays until it is told to stop.

`python -m launcher.ready` runs beside the tiers, since honcho keeps the launcher's own thread busy. When a tier is not
ready in time it ends with 1, and honcho ends the rest.
"""

import json
import os
import signal
import sys
import time
from dataclasses import asdict, dataclass

import requests

from launcher.process_death import end_with_parent

VARIABLE = "PORTAL_ANNOUNCEMENT"
_ASK_EVERY_S, _TELL_FIRST_S = 0.3, 4.0


@dataclass(frozen=True)
class Announcement:
    """What to wait for, `urls` by tier, for how long, and what to print then. `authority` is the CA's PEM file."""

    urls: dict[str, str]
    authority: str
    timeout_s: int
    text: str

    def to_environment(self) -> dict[str, str]:
        return {VARIABLE: json.dumps(asdict(self))}


def wait(announcement: Announcement) -> dict[str, str]:
    """Asks until all are ready or the time is over. Returns those that are not, each with what it says."""
    began = time.monotonic()
    tell_at = _TELL_FIRST_S
    missing = dict.fromkeys(announcement.urls, "no answer")
    while missing and time.monotonic() - began < announcement.timeout_s:
        missing = {name: why for name in missing if (why := _lack(announcement.urls[name], announcement.authority))}
        if missing and (waited := time.monotonic() - began) > tell_at:
            tell_at = 2 * waited
            print(f"Waiting for {', '.join(missing)} ({waited:.0f} s)…", flush=True)
        time.sleep(_ASK_EVERY_S if missing else 0)
    return missing


def _lack(url: str, authority: str) -> str | None:
    """None when the tier is ready, else what it lacks."""
    try:
        answer = requests.get(url, verify=authority, timeout=2)
    except requests.RequestException:
        return "no answer"
    if answer.status_code == requests.codes.ok:
        return None
    try:
        parts: dict[str, str | None] = answer.json().get("dependencies", {})
    except ValueError:
        parts = {}
    lacking = [f"{part}: {why}" for part, why in parts.items() if why]
    return "; ".join(lacking) or f"status {answer.status_code}"


def main() -> int:
    end_with_parent(signal.SIGTERM)
    announcement = Announcement(**json.loads(os.environ.pop(VARIABLE)))
    began = time.monotonic()
    for tier, why in (missing := wait(announcement)).items():
        print(f"lightbox: {tier} is not ready after {announcement.timeout_s} s ({why}).", flush=True)
    if missing:
        return 1
    print(f"Ready after {time.monotonic() - began:.1f} s.\n\n{announcement.text}", flush=True)
    signal.pause()
    return 0


if __name__ == "__main__":
    sys.exit(main())
