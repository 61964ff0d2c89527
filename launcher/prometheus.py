"""Prometheus beside the tiers, when it is asked for: the files of `monitoring/`, with this portal's own addresses."""

import json
import shutil
from pathlib import Path

from launcher import binaries
from launcher.processes import Process
from launcher.settings import REPOSITORY

SOURCE = REPOSITORY / "monitoring"
TIERS = ("ui", "app", "worker", "ml")
KEPT = "35d"  # the rules for drift look back over 29 days


def process(data_dir: Path, port: dict[str, int]) -> Process:
    """Writes the configuration. `port` has those of TIERS and "prometheus". Raises CannotStart without a Prometheus."""
    binary = binaries.prometheus()
    folder = data_dir / "prometheus"
    folder.mkdir(mode=0o700, exist_ok=True)
    for name in ("rules", "alerts"):
        shutil.rmtree(folder / name, ignore_errors=True)
        shutil.copytree(SOURCE / name, folder / name)
    shutil.copy(SOURCE / "prometheus.yml", folder)
    (folder / "targets").mkdir(exist_ok=True)  # a person may put files for exporters and probes there
    _write_targets(folder / "targets" / "tiers.yml", [({"tier": tier}, port[tier]) for tier in TIERS])
    address = f"127.0.0.1:{port['prometheus']}"
    command = [
        str(binary),
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
        f"--storage.tsdb.retention.time={KEPT}",
        f"--web.listen-address={address}",
        "--log.level=warn",
    ]
    return Process("prometheus", command)  # the portal does not wait for it, nor fail without it


def _write_targets(path: Path, targets: list[tuple[dict[str, str], int]]) -> None:
    """JSON, which is YAML too."""
    groups = [{"labels": labels, "targets": [f"127.0.0.1:{port}"]} for labels, port in targets]
    path.write_text(json.dumps(groups), encoding="utf-8")
