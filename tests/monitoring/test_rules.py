"""Rules and alerts on their own: well formed, each alert proven both ways, none without a page in the runbook."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.monitoring.exporters import program

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "monitoring"
UNIT_TESTS = sorted((Path(__file__).parent / "rules").glob("*.yml"))


def run(*command: object) -> None:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, cwd=MONITORING)
    assert done.returncode == 0, done.stdout + done.stderr


def alerts() -> list[dict[str, Any]]:
    files = [yaml.safe_load(file.read_text()) for file in sorted((MONITORING / "alerts").glob("*.yml"))]
    return [rule for file in files for group in file["groups"] for rule in group["rules"]]


def test_prometheus_takes_the_configuration_and_every_rule() -> None:
    run(program("promtool", "prometheus"), "check", "config", "prometheus.yml")


def test_alertmanager_takes_its_configuration() -> None:
    run(program("amtool", "prometheus-alertmanager"), "check-config", "alertmanager.yml")


def test_the_blackbox_exporter_takes_its_modules() -> None:
    exporter = program("prometheus-blackbox-exporter", "prometheus-blackbox-exporter")
    run(exporter, "--config.check", "--config.file", "blackbox.yml")


@pytest.mark.parametrize("file", UNIT_TESTS, ids=lambda file: file.stem)
def test_rules_say_what_they_should(file: Path) -> None:
    run(program("promtool", "prometheus"), "test", "rules", file)


def test_every_alert_is_shown_to_fire_and_to_keep_still() -> None:
    fires, still = set(), {"Watchdog"}  # which always fires
    for file in UNIT_TESTS:
        for test in yaml.safe_load(file.read_text())["tests"]:
            for case in test.get("alert_rule_test", []):
                (fires if case["exp_alerts"] else still).add(case["alertname"])
    names = {alert["alert"] for alert in alerts()}
    assert names - fires == set() and names - still == set()


def test_every_alert_has_its_page_in_the_runbook_and_no_page_is_left_over() -> None:
    headings = re.findall(r"^## (\S+)$", (MONITORING / "runbook.md").read_text(), re.MULTILINE)
    assert sorted(headings) == sorted(alert["alert"] for alert in alerts())
    for alert in alerts():
        assert alert["annotations"]["runbook"] == f"runbook.md#{alert['alert'].lower()}"
        assert alert["labels"]["severity"] in ("page", "ticket", "none")
