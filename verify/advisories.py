"""Published advisories for what is locked, by pip-audit at OSV (https://osv.dev). What cannot be checked is not passed.

Before it is believed, it has to find an advisory that is known: a mirror or a proxy may answer "nothing" for all.
"""

import json
import os
import tempfile
from pathlib import Path

from verify.gate import ROOT, Refused, refuse, tool
from verify.locks import here

COULD_NOT = "Could not check: the advisories at OSV were not to be had. That counts as a failure."
KNOWN_BAD = "pyyaml==5.3.1"  # CVE-2020-14343
# requirements-dev.lock holds what requirements.lock and the tiers' have; the others are environments of their own.
LOCKS = ["requirements-dev.lock", "requirements-ansible.lock", "requirements-verify.lock", "requirements-checks.lock"]
# Advisory to the reason that it does not touch us, and the day on which that is looked at again.
REASONED: dict[str, str] = {}


def check() -> str:
    with tempfile.TemporaryDirectory() as folder:
        bad = Path(folder) / "known.txt"
        bad.write_text(KNOWN_BAD + "\n", encoding="utf-8")
        if not faults_in(_audit(str(bad), "--no-deps")):
            raise Refused(COULD_NOT + f" It knew of nothing against {KNOWN_BAD}.")
    count = 0
    for name in LOCKS:
        told = _audit(name, "--require-hashes")
        if len(told) < len(here(ROOT / name)):
            raise Refused(COULD_NOT + f" Of {name} it looked at {len(told)} packages only.")
        refuse([f"{name}: {fault}" for fault in faults_in(told)])
        count += len(told)
    return f"{count} packages, {len(REASONED)} advisories with a reason"


def faults_in(told: list[dict[str, object]]) -> list[str]:
    """Of pip-audit's answer: a line for each advisory without a reason, and for each package that was left out."""
    faults = []
    for one in told:
        if "skip_reason" in one:
            faults.append(f"{one['name']} could not be checked: {one['skip_reason']}")
        for advisory in one.get("vulns", []):  # type: ignore[attr-defined]
            if advisory["id"] not in REASONED:
                faults.append(f"{one['name']} {one['version']}: {advisory['id']}, mended in {advisory['fix_versions']}")
    return faults


def _audit(requirements: str, *options: str) -> list[dict[str, object]]:
    """Raises Refused unless pip-audit answered: it ends with 1 both for an advisory and for a dead network."""
    os.environ.setdefault("PIP_AUDIT_PROGRESS_SPINNER", "off")
    how = ("--disable-pip", "--strict", "--vulnerability-service", "osv", "--format", "json", "--desc", "off")
    printed = tool("pip-audit", "--requirement", requirements, *options, *how, good=(0, 1))
    try:
        told: list[dict[str, object]] = json.loads(printed)["dependencies"]
    except (ValueError, KeyError):
        raise Refused(COULD_NOT) from None
    return told
