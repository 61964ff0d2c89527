"""The bill of materials: one CycloneDX file for each lock that is installed somewhere, kept with a release (var/sbom).

`portal` is the machine of `make run`: all tiers, the launcher, the server programs and the other engine, TensorFlow.
"""

import json

from packaging.utils import canonicalize_name

from verify.gate import ROOT, Refused, tool
from verify.locks import pins

FOLDER = ROOT / "var" / "sbom"
LOCKS = {
    "ui": "requirements-ui.lock",
    "app": "requirements-app.lock",
    "ml": "requirements-ml.lock",
    "portal": "requirements.lock",
}


def check() -> str:
    """Each is valid by CycloneDX's own schema (the tool checks what it writes), and lacks nothing of its lock."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    parts = 0
    for name, lock in LOCKS.items():
        path = FOLDER / f"lightbox-{name}.cdx.json"
        how = ("--validate", "--output-reproducible", "--spec-version", "1.6", "--output-format", "JSON")
        tool("cyclonedx-py", "requirements", *how, "--output-file", str(path), lock)
        listed = {canonicalize_name(one["name"]): one for one in json.loads(path.read_text())["components"]}
        missing = pins(ROOT / lock).keys() - listed.keys()
        if missing:
            raise Refused(f"{path.name} lacks {', '.join(sorted(missing))}.")
        parts += len(listed)
    return f"{parts} parts in {FOLDER.relative_to(ROOT)}/"
