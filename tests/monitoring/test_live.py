"""Everything together: after a little work every panel, every recording rule and the status page have data."""

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from prometheus_client.parser import text_string_to_metric_families

from ml_service.settings import SHIPPED
from tests.conftest import POSTGRES
from tests.end_to_end.doctor import FILMS, Doctor
from tests.monitoring.watch import MODEL, VERSION, Watch

MONITORING = Path(__file__).parents[2] / "monitoring"
PANELS = [
    (file.stem, panel["title"], target["expr"])
    for file in sorted((MONITORING / "grafana" / "dashboards").glob("*.json"))
    for panel in json.loads(file.read_text())["panels"]
    for target in panel["targets"]
]
# Queries that have no data here, and why.
WITHOUT = {"DCGM_": "there is neither a graphics card nor NVIDIA's exporter"} | (
    {} if POSTGRES else {"pg_": "PostgreSQL is not installed"}
)
# The metrics in a rule's expression; names with a colon are our own recordings.
NAMES = re.compile(r"(?<![:\w])(?:lightbox_[a-z]+_[a-z_]+|DCGM\w+|pg_up|redis_\w+)(?!\w*:)")
LABELS = {"le", "route", "method", "status", "model", "version", "stage", "outcome", "reason", "bin", "verdict"}
LABELS |= {"engine", "device", "precision", "implementation", "major", "minor", "patchlevel", "generation"}


def work(watch: Watch, name: str) -> list[str]:
    """A bit of everything that people do. Returns what must stay out of the metrics."""
    doctor, base = Doctor(watch.portal), watch.portal.url
    secrets = [name]
    for number, film in enumerate(FILMS):
        study, job = doctor.upload(film.read_bytes() + name.encode(), f"{name}-{number}.jpg")
        doctor.wait(job["id"])
        verdict = {"verdict": "agree" if number else "disagree", "comment": name}
        doctor.call("PUT", f"/v1/jobs/{job['id']}/review", json=verdict)
        secrets += [study["id"], job["id"]]
    with requests.Session() as anybody:
        anybody.verify, anybody.trust_env = str(watch.portal.authority), False
        for path in (f"/{name}", f"/api/v1/{name}", f"/api/v1/jobs/{secrets[1]}", "/sign-in"):
            anybody.get(f"{base}{path}?q={name}", timeout=10)
        anybody.request("PROPFIND", f"{base}/api/v1/jobs", timeout=10)
        anybody.post(f"{base}/api/v1/sessions", json={"username": name, "password": name}, timeout=10)
    answer = doctor._http.post(f"{base}/api/v1/studies", files={"file": (f"{name}.jpg", b"no image")}, timeout=10)
    assert 400 <= answer.status_code < 500
    return secrets


@pytest.fixture(scope="module")
def secrets(watch: Watch) -> list[str]:
    """Three bouts of work: counters that begin with the first grow with the others."""
    said = []
    for name in ("Doe_John_19700101", "Roe_Jane_19800202", "Poe_Ann_19900303"):
        said += work(watch, name)
        time.sleep(2.5)
    return said


def reason(query: str) -> str | None:
    return next((why for word, why in WITHOUT.items() if word in query), None)


def test_every_panel_of_every_dashboard_shows_data(watch: Watch, secrets: list[str]) -> None:
    assert len(PANELS) > 60
    deadline, empty = time.monotonic() + 40, PANELS
    while (empty := [panel for panel in empty if not watch.query(panel[2])]) and time.monotonic() < deadline:
        if all(reason(panel[2]) for panel in empty):
            break
        time.sleep(1)
    assert [panel for panel in empty if not reason(panel[2])] == []
    assert all(query.startswith(tuple(WITHOUT)) for _, _, query in empty)


def test_every_rule_is_evaluated_and_every_recording_rule_has_data(watch: Watch, secrets: list[str]) -> None:
    rules = [rule for group in watch.get("rules")["groups"] for rule in group["rules"]]
    assert len(rules) > 50
    assert [(rule["name"], rule.get("lastError")) for rule in rules if rule["health"] != "ok"] == []
    for rule in rules:
        if rule["type"] == "recording":
            watch.until(rule["name"])


def test_nothing_is_watched_that_does_not_exist(watch: Watch, secrets: list[str]) -> None:
    known = set(watch.get("label/__name__/values"))
    for file in (*MONITORING.glob("rules/*.yml"), *MONITORING.glob("alerts/*.yml")):
        for rule in (rule for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]):
            for name in NAMES.findall(rule["expr"]):
                assert name in known or reason(name), f"{file.name}: {name}"


def test_every_target_answers_and_nothing_is_alarmed(watch: Watch, secrets: list[str]) -> None:
    targets = watch.get("targets")["activeTargets"]
    assert len(targets) >= 4 + 4 + 5
    assert [(t["labels"], t["lastError"]) for t in targets if t["health"] != "up"] == []
    assert {one["metric"]["tier"] for one in watch.query('up{job="tiers"} == 1')} == {"ui", "app", "worker", "ml"}
    assert all(one["value"][1] == "1" for one in watch.until("probe_success"))
    firing = {alert["labels"]["alertname"] for alert in watch.get("alerts")["alerts"] if alert["state"] == "firing"}
    assert "Watchdog" in firing and not firing & {"TierDown", "TierNotReady", "PortalUnreachable", "DeadLetters"}


def test_the_index_of_drift_is_worked_out_of_real_scores(watch: Watch, secrets: list[str]) -> None:
    """The hour that it is compared with had no answer below 0.1, and some of these films are certain."""
    version = f'model="{MODEL}", version="{VERSION}"'
    (drift,) = watch.until(f"model_version:lightbox_ml_scores:psi1d{{{version}}}")
    assert float(drift["value"][1]) > 0
    shares = watch.query(f"sum(model_version_bin:lightbox_ml_scores:share1d{{{version}}})")
    assert float(shares[0]["value"][1]) == pytest.approx(1)


def series(watch: Watch) -> dict[str, set[tuple[tuple[str, str], ...]]]:
    """Every series of every tier, by the tier."""
    found = {}
    for tier, address in watch.tiers().items():
        families = text_string_to_metric_families(requests.get(f"{address}/metrics", timeout=10).text)
        samples = [sample for family in families for sample in family.samples]
        found[tier] = {(("", sample.name), *sorted(sample.labels.items())) for sample in samples}
    return found


def test_labels_come_from_a_fixed_list_and_carry_nothing_of_anybody(watch: Watch, secrets: list[str]) -> None:
    everything = {pair for found in series(watch).values() for one in found for pair in one}
    assert {name for name, _ in everything} - {""} <= LABELS
    for name, value in everything:
        assert not any(secret in value for secret in secrets), name
        assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-|@|/var/|/tmp/", value), (name, value)


def wait_for_every_model(watch: Watch) -> None:
    """The portal is ready before the last model has loaded, and each brings series of its own."""
    shipped = {folder.name for folder in SHIPPED.iterdir() if folder.is_dir()}
    deadline = time.monotonic() + 120
    while missing := shipped - {
        one["model"] for one in map(dict, series(watch)["ml"]) if one[""] == "lightbox_ml_model_loads_total"
    }:
        assert time.monotonic() < deadline, f"not loaded: {sorted(missing)}"
        time.sleep(0.5)


def test_more_work_of_the_same_kind_makes_no_more_series(watch: Watch, secrets: list[str]) -> None:
    wait_for_every_model(watch)
    before = series(watch)
    work(watch, "Moe_Max_20000404")
    after = series(watch)
    assert {tier: after[tier] - before[tier] for tier in after} == {tier: set() for tier in after}


def test_a_tier_that_hangs_is_seen_to_be_down(watch: Watch, secrets: list[str]) -> None:
    with watch.portal.held("worker"):
        watch.until('up{tier="worker"} == 0')
        pending: list[dict[str, Any]] = watch.until('ALERTS{alertname="TierDown"}')
    assert pending[0]["metric"]["tier"] == "worker"
    watch.until('up{tier="worker"} == 1')
