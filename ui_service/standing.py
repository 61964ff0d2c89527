"""How the portal stands, gathered from App and from Prometheus; what neither tells is unknown, and said to be."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portal_wire.contract import Model
from portal_wire.errors import PortalError
from ui_service.app_client import AppTier
from ui_service.plots import Plot, Say, plot
from ui_service.prometheus import Prometheus, Unknown

TIERS = {"ui": "Pages", "app": "Interface", "worker": "Workers", "ml": "Models"}
PARTS = {"database": "Database", "redis": "Redis", "store": "Image store"}


def _per_second(value: float) -> str:
    return f"{value:.2g} a second"


def _per_minute(value: float) -> str:
    return f"{value:.2g} a minute"


def _seconds(value: float) -> str:
    return f"{1000 * value:.0f} ms" if value < 1 else f"{value:.3g} s"


def _percent(value: float) -> str:
    return f"{value:.2g} %"


# Title, query, the labels that name a line, how a value is said.
PLOTS: tuple[tuple[str, str, str, Say], ...] = (
    ("Requests", "tier:lightbox_requests:rate5m", "tier", _per_second),
    ("Time to answer, 95 of 100 are faster", "tier:lightbox_request_seconds:p95_5m", "tier", _seconds),
    ("Requests that failed", "100 * tier:lightbox_server_errors:ratio5m", "tier", _percent),
    ("Longest wait in the queue", "portal:lightbox_queue_oldest_seconds:max", "", _seconds),
    ("Attempts at jobs", "60 * outcome:lightbox_jobs:rate5m", "outcome", _per_minute),
    (
        "Network time of an image, 95 of 100 are faster",
        'model_version_stage:lightbox_ml_stage_seconds:p95_5m{stage="network"}',
        "model version",
        _seconds,
    ),
)
_MODEL_FACTS = {
    "ready": "max by (model, version) (lightbox_ml_model_ready_info)",
    "positives": "model_version:lightbox_ml_positives:ratio1h",
    "refusals": "model_version:lightbox_ml_refusals:ratio1h",
    "drift": "model_version:lightbox_ml_scores:psi1d",
}


@dataclass(frozen=True)
class Watched:
    """What Prometheus told: hosts that answer of each tier (up, all), sentences of alerts, facts of versions, plots."""

    hosts: Mapping[str, tuple[int, int]]
    alerts: list[str]
    versions: Mapping[tuple[str, str], Mapping[str, float]]
    plots: list[Plot]


def watched(prometheus: Prometheus, hours: float) -> Watched | None:
    """None when Prometheus does not answer."""
    end = time.time()
    start = end - hours * 3600
    try:
        return Watched(
            hosts={
                labels["tier"]: (int(up), int(count))
                for labels, up in prometheus.now('sum by (tier) (up{job="tiers"})')
                for same, count in prometheus.now('count by (tier) (up{job="tiers"})')
                if same["tier"] == labels["tier"]
            },
            alerts=prometheus.firing(),
            versions=_versions(prometheus),
            plots=[
                plot(title, prometheus.lines(query, start, end), label, start, end, say)
                for title, query, label, say in PLOTS
            ],
        )
    except Unknown:
        return None


def told(app: AppTier) -> Mapping[str, Any] | None:
    """App's own status; None when App cannot say. Raises the PortalError of a caller who may not ask."""
    try:
        return app.status()
    except PortalError as error:
        if error.status < 500:
            raise
        return None


def models(app: AppTier) -> Sequence[Model] | None:
    """None when App cannot say."""
    try:
        return app.models()
    except PortalError:
        return None


def tiers(status: Mapping[str, Any] | None, seen: Watched | None) -> list[tuple[str, bool | None, str]]:
    """Each tier's name, whether it answers (None: unknown), and how many of its hosts do, where that is known.

    What was just tried counts more than Prometheus, which looks every few seconds.
    """
    ml = status["dependencies"].get("ml") is None if status else None
    tried: dict[str, bool | None] = {"ui": True, "app": status is not None, "ml": ml}
    rows = []
    for tier, name in TIERS.items():
        up, count = seen.hosts.get(tier, (0, 0)) if seen else (0, 0)
        answers = tried.get(tier)
        if answers is None and count:
            answers = up == count
        rows.append((name, answers, f"{up} of {count}" if count else ""))
    return rows


def _versions(prometheus: Prometheus) -> dict[tuple[str, str], dict[str, float]]:
    facts: dict[tuple[str, str], dict[str, float]] = {}
    for fact, query in _MODEL_FACTS.items():
        for labels, value in prometheus.now(query):
            facts.setdefault((labels["model"], labels["version"]), {})[fact] = value
    return facts
