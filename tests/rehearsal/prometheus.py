"""The monitoring host's Prometheus, asked on the host itself."""

import json
import time
from typing import Any
from urllib.parse import urlencode

from tests.rehearsal.host import Host


def get(monitoring: Host, what: str, **params: str) -> Any:
    """The `data` of an answer of its HTTP interface."""
    return _ask(monitoring, f"http://127.0.0.1:9090/api/v1/{what}?{urlencode(params)}")["data"]


def query(monitoring: Host, text: str) -> list[Any]:
    """The series that a query gives now; those that are no number count as none."""
    return [one for one in get(monitoring, "query", query=text)["result"] if one["value"][1] != "NaN"]


def firing(monitoring: Host) -> set[str]:
    """The alerts that fire now: their names, and after a blank the tier where they have one."""
    return {_name(one) for one in get(monitoring, "alerts")["alerts"] if one["state"] == "firing"}


def until(monitoring: Host, alerts: set[str], fire: bool, within_s: float) -> dict[str, float]:
    """Waits until all of them fire and Alertmanager knows, or none does. Returns the seconds that each took."""
    began, took = time.monotonic(), dict[str, float]()
    while alerts - took.keys():
        now = firing(monitoring)
        if fire:
            now &= told(monitoring)
        took |= {alert: time.monotonic() - began for alert in alerts - took.keys() if (alert in now) == fire}
        waits = ", ".join(sorted(alerts - took.keys()))
        assert time.monotonic() - began < within_s, f"{waits} {'did not fire' if fire else 'fires on'}: {took}"
        time.sleep(1)
    return took


def told(monitoring: Host) -> set[str]:
    """The alerts that Alertmanager holds now."""
    return {_name(one) for one in _ask(monitoring, "http://127.0.0.1:9093/api/v2/alerts")}


def _name(alert: Any) -> str:
    return f"{alert['labels']['alertname']} {alert['labels'].get('tier', '')}".strip()


def _ask(monitoring: Host, url: str) -> Any:
    code = f'import urllib.request as u; print(u.urlopen("{url}", timeout=20).read().decode())'
    return json.loads(monitoring.run(f"python3 -c '{code}'"))
