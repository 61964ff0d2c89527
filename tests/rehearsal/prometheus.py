"""The monitoring host's Prometheus, asked on the host itself."""

import json
import time
from typing import Any
from urllib.parse import urlencode

from tests.rehearsal.host import Host


def get(monitoring: Host, what: str, **params: str) -> Any:
    """The `data` of an answer of its HTTP interface."""
    url = f"http://127.0.0.1:9090/api/v1/{what}?{urlencode(params)}"
    code = f'import urllib.request as u; print(u.urlopen("{url}", timeout=20).read().decode())'
    return json.loads(monitoring.run(f"python3 -c '{code}'"))["data"]


def query(monitoring: Host, text: str) -> list[Any]:
    """The series that a query gives now; those that are no number count as none."""
    return [one for one in get(monitoring, "query", query=text)["result"] if one["value"][1] != "NaN"]


def firing(monitoring: Host) -> set[str]:
    """Names of the alerts that fire now."""
    return {one["labels"]["alertname"] for one in get(monitoring, "alerts")["alerts"] if one["state"] == "firing"}


def until(monitoring: Host, alert: str, fires: bool, within_s: float) -> float:
    """Waits until an alert fires, or no longer does. Returns the seconds that took."""
    began = time.monotonic()
    while (alert in firing(monitoring)) != fires:
        took = time.monotonic() - began
        assert took < within_s, f"{alert} {'did not fire' if fires else 'fires on'} after {took:.0f} s"
        time.sleep(1)
    return time.monotonic() - began


def told(monitoring: Host) -> set[str]:
    """Names of the alerts that Alertmanager holds now."""
    url = "http://127.0.0.1:9093/api/v2/alerts"
    code = f'import urllib.request as u; print(u.urlopen("{url}", timeout=20).read().decode())'
    return {one["labels"]["alertname"] for one in json.loads(monitoring.run(f"python3 -c '{code}'"))}
