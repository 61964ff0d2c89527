"""Prometheus on the monitoring host sees every tier."""

import json
import time

from tests.rehearsal.stage import Rehearsal

QUERY = (
    "python3 -c \"import urllib.request as u; print(u.urlopen('http://127.0.0.1:9090/api/v1/{path}').read().decode())\""
)


def test_every_target_is_up(rehearsal: Rehearsal) -> None:
    monitoring = rehearsal.hosts["monitoring"]
    deadline = time.monotonic() + 90
    while True:
        targets = json.loads(monitoring.run(QUERY.format(path="targets")))["data"]["activeTargets"]
        bad = [f"{target['scrapeUrl']}: {target['lastError']}" for target in targets if target["health"] != "up"]
        if (targets and not bad) or time.monotonic() > deadline:
            break
        time.sleep(3)
    assert not bad, "\n".join(bad)
    assert len(targets) >= 4 + 5 + 3  # tiers, node exporters, and those of NGINX, Redis and PostgreSQL
