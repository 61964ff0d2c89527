"""Reading the code: bandit, the project's own semgrep rules, and detect-secrets. None of them needs a network."""

import json
import os
from typing import Any

from verify.gate import CODE, ROOT, Refused, refuse, tool

RULES = "verify/rules"
BASELINE = ROOT / ".secrets.baseline"
# Hashes of weights and packages look like secrets; each is compared elsewhere (manifests, pip, test_vendor.py).
# Pictures and weights are no text.
UNREAD = (
    r"(^|/)requirements[\w-]*\.lock$|^containers/edge\.lock$|^ml_service/models/.*\.json$|/vendor/"
    r"|\.(npz|npy|png|jpe?g|gz|nii|dcm|bin|xml)$|^\.secrets\.baseline$"
)


def bandit() -> str:
    """No finding of middle or high weight, unless its line gives a reason behind `nosec` and the rule's number."""
    told = json.loads(tool("bandit", "-q", "-f", "json", "-ll", "-r", *CODE, "-x", RULES, good=(0, 1)))
    refuse([f"{one['filename']}:{one['line_number']}: {one['test_id']} {one['issue_text']}" for one in told["results"]])
    refuse([f"{one['filename']}: {one['reason']}" for one in told["errors"]])
    return f"{told['metrics']['_totals']['loc']} lines, {told['metrics']['_totals']['skipped_tests']} with a reason"


def semgrep() -> str:
    """The rules find their bad examples and leave the good ones alone; then they find nothing in the code."""
    quiet = ("--metrics=off", "--disable-version-check")
    os.environ["SEMGREP_SEND_METRICS"] = "off"
    tool("semgrep", "scan", "--test", *quiet, RULES)
    how = (*quiet, "--quiet", "--json", "--config", RULES, "--exclude", RULES)
    told = json.loads(tool("semgrep", "scan", *how, *CODE))
    refuse([f"{one['path']}:{one['start']['line']}: {one['extra']['message']}" for one in told["results"]])
    refuse([str(one.get("message", one)) for one in told["errors"]])
    if len(told["paths"]["scanned"]) < 300:
        raise Refused(f"semgrep read {len(told['paths']['scanned'])} files only.")
    return f"{len(told['paths']['scanned'])} files"


def secrets() -> str:
    """Nothing that looks like a secret, but what the baseline has: each of those was looked at, and is none."""
    found = _known(json.loads(tool("detect-secrets", "scan", "--exclude-files", UNREAD)))
    baseline = json.loads(BASELINE.read_text(encoding="utf-8"))
    judged = [one.get("is_secret") is False for ones in baseline["results"].values() for one in ones]
    if not all(judged):
        raise Refused(f"{BASELINE.name} does not say of all that they are no secrets: detect-secrets audit.")
    known = _known(baseline)
    new = [
        f"{path}:{line}: like a secret. Is it none? verify/README.md"
        for (path, key), line in found.items()
        if (path, key) not in known
    ]
    refuse(new)
    return f"{len(found)} known look-alikes, none new"


def _known(told: dict[str, Any]) -> dict[tuple[str, str], int]:
    """File and hash of each, to the line. Tests make passwords up: there a name like `password` alone says nothing."""
    found = ((path, one) for path, ones in told["results"].items() for one in ones)
    return {
        (path, one["hashed_secret"]): one["line_number"]
        for path, one in found
        if not (path.startswith("tests/") and one["type"] == "Secret Keyword")
    }
