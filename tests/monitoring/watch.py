"""The launcher's Prometheus in a hurry, and what it says."""

import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import psutil
import requests

from launcher.settings import REPOSITORY
from tests.end_to_end.portal import Portal

MODEL = "pneumonia"
VERSION = max((folder.name for folder in (REPOSITORY / "ml_service" / "models" / MODEL).iterdir()), key=int)


class Watch:
    """A portal and the Prometheus that watches it."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        self.folder = portal.data_dir / "prometheus"
        (self._process,) = [each for each in portal.processes() if each.name() == "prometheus"]
        self._url = _listening(self._process)

    def tiers(self) -> dict[str, str]:
        """The address of each tier's metrics."""
        groups = json.loads((self.folder / "targets" / "tiers.yml").read_text())
        return {group["labels"]["tier"]: f"http://{group['targets'][0]}" for group in groups}

    def target(self, name: str, groups: list[dict[str, Any]]) -> None:
        """Writes a file of targets, which Prometheus reads by itself."""
        (self.folder / "targets" / f"{name}.yml").write_text(json.dumps(groups))

    def hurry(self) -> None:
        """Every interval becomes two seconds; the rules stay what they are."""
        configuration = self.folder / "prometheus.yml"
        configuration.write_text(re.sub(r"\b1[05]s\b", "2s", configuration.read_text()))
        for file in (self.folder / "rules").glob("*.yml"):
            file.write_text(re.sub(r"^ +interval: .*\n", "", file.read_text(), flags=re.MULTILINE))
        self._process.send_signal(1)

    def get(self, what: str, **params: str) -> Any:
        answer = requests.get(f"{self._url}/api/v1/{what}", params=params, timeout=10)
        assert answer.ok, f"{params}: {answer.text}"
        return answer.json()["data"]

    def query(self, query: str) -> list[Any]:
        """The series that a query gives now; those that are no number count as none."""
        return [one for one in self.get("query", query=query)["result"] if one["value"][1] != "NaN"]

    def until(self, query: str, within_s: float = 30) -> list[Any]:
        """The series of a query, once it gives any."""
        deadline = time.monotonic() + within_s
        while not (found := self.query(query)):
            assert time.monotonic() < deadline, f"no data for {query}"
            time.sleep(0.5)
        return found


def backfill(data: Path) -> None:
    """Scores of an hour three days ago, as the rules would have recorded them: a drift needs something before it."""
    data.mkdir(parents=True)
    began = int(time.time()) // 7200 * 7200 - 3 * 86400
    name, lines = "model_version_bin:lightbox_ml_scores:increase5m", []
    for tenth in range(10):
        labels = f'model="{MODEL}",version="{VERSION}",bin="{tenth / 10:.1f}-{(tenth + 1) / 10:.1f}"'
        lines += [f"{name}{{{labels}}} {tenth % 4} {at}" for at in range(began, began + 3600, 300)]
    text = data.parent / "scores.txt"
    text.write_text("\n".join([*lines, "# EOF", ""]))
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(text), str(data)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=REPOSITORY)


def _listening(process: psutil.Process) -> str:
    (address,) = [word.partition("=")[2] for word in process.cmdline() if word.startswith("--web.listen-address=")]
    return f"http://{address}"
