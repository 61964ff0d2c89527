"""Prometheus on the monitoring host sees every tier, every panel has data, and alerts fire and end again."""

import json
import time
from pathlib import Path

from tests.rehearsal import prometheus
from tests.rehearsal.conftest import Saw
from tests.rehearsal.outside import ask
from tests.rehearsal.stage import Rehearsal

FILLER = "/var/lib/lightbox-app/filler"
DASHBOARDS = sorted((Path(__file__).parents[2] / "monitoring" / "grafana" / "dashboards").glob("*.json"))
UNHEARD = "AlertsNotDelivered"  # the receivers of alertmanager.yml are a hospital's to set: nobody stands there here
# Queries that have no data here, and why.
WITHOUT = {
    "DCGM_": "no graphics card",
    "psi1d": "drift compares a day with four weeks",
    "share28d": "drift compares a day with four weeks",
    "count1d": "drift is worked out every five minutes",
    "share1d": "drift is worked out every five minutes",
}
# A bit of everything that people do; counters that begin with the first bout grow with the second.
WORK = """
    sign_in()
    for bout in range(2):
        for verdict in ("agree", "disagree"):
            job = finished(upload())
            call("PUT", f"/jobs/{job['id']}/review", json={"verdict": verdict, "comment": ""})
        http.post(told["origin"] + "/api/v1/studies", files={"file": ("x.jpg", b"no image")}, timeout=30)
        http.post(told["origin"] + "/api/v1/sessions", json={"username": "x", "password": "x"}, timeout=30)
        for path in ("/", "/sign-in", "/api/v1/jobs"):
            http.get(told["origin"] + path, timeout=30)
        time.sleep(20)
    print(json.dumps(job["state"]))
"""


def test_every_target_is_up(rehearsal: Rehearsal, saw: Saw) -> None:
    monitoring = rehearsal.hosts["monitoring"]
    deadline = time.monotonic() + 90
    while True:
        targets = prometheus.get(monitoring, "targets")["activeTargets"]
        bad = [f"{target['scrapeUrl']}: {target['lastError']}" for target in targets if target["health"] != "up"]
        probes = prometheus.query(monitoring, "probe_success")
        bad += [str(one["metric"]) for one in probes if one["value"][1] != "1"]
        if (targets and probes and not bad) or time.monotonic() > deadline:
            break
        time.sleep(3)
    assert not bad, "\n".join(bad)
    # Tiers, hosts, NGINX with Redis and PostgreSQL, Prometheus with Alertmanager, and the probes.
    assert len(targets) >= 4 + 5 + 3 + 2 + 5
    assert prometheus.firing(monitoring) <= {"Watchdog", UNHEARD}
    said = f"no alert but Watchdog and {UNHEARD}, because no mail server stands here"
    saw(f"{len(targets)} targets up, {len(probes)} probes among them; {said}")


def test_every_panel_has_data(rehearsal: Rehearsal, saw: Saw) -> None:
    monitoring = rehearsal.hosts["monitoring"]
    assert ask(rehearsal.site, WORK) == "succeeded"
    panels = [
        (file.stem, panel["title"], target["expr"])
        for file in DASHBOARDS
        for panel in json.loads(file.read_text())["panels"]
        for target in panel["targets"]
    ]
    deadline, empty = time.monotonic() + 120, [one for one in panels if not any(word in one[2] for word in WITHOUT)]
    asked = len(empty)
    while empty := [panel for panel in empty if not prometheus.query(monitoring, panel[2])]:
        assert time.monotonic() < deadline, empty
        time.sleep(2)
    saw(f"{asked} queries have data; {len(panels) - asked} cannot here ({', '.join(sorted(set(WITHOUT.values())))})")


def test_alerts_fire_and_end(rehearsal: Rehearsal, saw: Saw) -> None:
    """A killed tier, a full disk and a cut link at once: most of the time is Prometheus' own patience."""
    monitoring, ui, app = (rehearsal.hosts[name] for name in ("monitoring", "ui", "app"))
    killed, full, cut = alerts = "TierDown ui", "StoreFilling", "TierDown ml"
    prometheus.until(monitoring, set(alerts), fire=False, within_s=120)
    app.run("mountpoint --quiet /var/lib/lightbox-app")  # never this machine's own disk
    free = int(app.run("df --output=avail -B1 /var/lib/lightbox-app").split()[-1])
    try:
        # The socket too: systemd would start the tier again for the next who asks.
        ui.run("systemctl stop lightbox-ui.socket lightbox-ui.service")
        app.run(f"fallocate -l {free * 9 // 10} {FILLER}")
        rehearsal.network.cut("ml")
        fired = prometheus.until(monitoring, set(alerts), fire=True, within_s=300)
    finally:
        rehearsal.network.mend("ml")
        app.run(f"rm -f {FILLER}")
        ui.run("systemctl start lightbox-ui.socket lightbox-ui.service")
    ended = prometheus.until(monitoring, set(alerts), fire=False, within_s=300)
    words = {killed: "a killed tier", full: "a full disk", cut: "a cut link"}
    told = [f"{words[one]} ({one}): {fired[one]:.0f} s, {ended[one]:.0f} s after the repair" for one in alerts]
    saw("fired and reached Alertmanager, ended: " + "; ".join(told))
