"""Licences of what is locked: an allow-list, and one reason for each package that is not in it.

Lightbox is under Apache-2.0 and asks for its parts by their names: a library under a licence that asks to be
replaceable (LGPL, MPL) stays one, unchanged. The GPL and the AGPL would reach what is shipped with it.
"""

import json
import re

from packaging.utils import canonicalize_name

from verify.gate import ROOT, refuse, tool
from verify.locks import here

ALLOWED = {
    "0BSD", "3-Clause BSD License", "Apache License 2.0", "Apache Software License", "Apache-2.0", "BSD",
    "BSD License", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "CNRI-Python", "DFSG approved", "ISC",
    "ISC License (ISCL)", "MIT", "MIT License", "MIT-0", "MIT-CMU", "PSF-2.0", "Python Software Foundation License",
    "The Unlicense (Unlicense)", "Unlicense", "ZPL-2.1", "Zlib",
}  # fmt: skip
# Libraries used as they are, by import alone.
REPLACEABLE = {
    "GNU Lesser General Public License v3 or later (LGPLv3+)", "LGPL-3.0-only", "LGPL-3.0-or-later", "MPL-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)",
}  # fmt: skip
REASONED = {
    "axe-playwright-python": "MIT by the file in its package, which its metadata does not name; tests alone",
    "namex": "Apache-2.0 by its repository; a part of Keras, by Keras's authors",
    "setuptools": "MIT; pip-licenses leaves it out",
    "wheel": "MIT; pip-licenses leaves it out",
}


def check() -> str:
    """Reads the environment in .venv, which holds what requirements-dev.lock names."""
    printed = tool(
        "pip-licenses", "--python", str(ROOT / ".venv/bin/python"), "--from=mixed", "--format=json", "--with-system"
    )
    told = {str(canonicalize_name(one["Name"])): str(one["License"]) for one in json.loads(printed)}
    locked = here(ROOT / "requirements-dev.lock")
    refuse(faults_in({package: told.get(package, "not installed here") for package in sorted(locked)}))
    return f"{len(locked)} packages, {len(REASONED)} with a reason"


def faults_in(named: dict[str, str]) -> list[str]:
    wrong = {package: licence for package, licence in named.items() if not fits(licence) and package not in REASONED}
    return [f"{package}: not in the allow-list of verify/licences.py: {licence}." for package, licence in wrong.items()]


def fits(licence: str) -> bool:
    """Of what is joined by `AND` or `;` all must fit, of what is joined by `OR` one."""
    known = ALLOWED | REPLACEABLE
    every = (part.strip("() ") if part.strip() not in known else part.strip() for part in re.split(r" AND |;", licence))
    return all(any(choice.strip() in known for choice in part.split(" OR ")) for part in every)
