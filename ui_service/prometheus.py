"""What Prometheus knows, for the status page alone. Where it is away or was never set, nothing is known."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

_WAIT_S = (1.0, 3.0)  # connecting, each read
POINTS = 180  # of a drawn line


class Unknown(Exception):
    """Prometheus does not say."""


@dataclass(frozen=True)
class Line:
    """A series over time: (seconds since the epoch, value), what is no number left out."""

    labels: Mapping[str, str]
    points: list[tuple[float, float]]


class Prometheus:
    """Asks one server. Every method raises Unknown when it does not answer."""

    def __init__(self, url: str | None) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False  # inner calls never go through a proxy

    def now(self, query: str) -> list[tuple[Mapping[str, str], float]]:
        """The labels and the value of each series that `query` gives now."""
        found = self._ask("query", {"query": query})["result"]
        return [(one["metric"], float(one["value"][1])) for one in found]

    def lines(self, query: str, start: float, end: float) -> list[Line]:
        """Each series that `query` gives between two moments."""
        params = {"query": query, "start": start, "end": end, "step": max(1.0, (end - start) / POINTS)}
        return [Line(one["metric"], _numbers(one["values"])) for one in self._ask("query_range", params)["result"]]

    def firing(self) -> list[str]:
        """The sentence of each alert that fires, those that wake somebody first; the watchdog's is none."""
        alerts = [one for one in self._ask("alerts", {})["alerts"] if one["state"] == "firing"]
        wanted = [one for one in alerts if one["labels"].get("severity") in ("page", "ticket")]
        wanted.sort(key=lambda one: (one["labels"]["severity"], one["labels"]["alertname"]))
        return [str(one["annotations"].get("summary", one["labels"]["alertname"])) for one in wanted]

    def _ask(self, what: str, params: Mapping[str, Any]) -> Any:
        if self._url is None:
            raise Unknown
        try:
            answer = self._session.get(f"{self._url}/api/v1/{what}", params=params, timeout=_WAIT_S)
            answer.raise_for_status()
            return answer.json()["data"]
        except (requests.RequestException, ValueError, KeyError) as error:
            raise Unknown from error


def _numbers(values: list[list[Any]]) -> list[tuple[float, float]]:
    return [(float(at), number) for at, text in values if math.isfinite(number := float(text))]
