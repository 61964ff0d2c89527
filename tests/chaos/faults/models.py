"""A model's file is damaged on the disk, and the ML tier is started anew on it."""

import random
import re
import signal
import time
from pathlib import Path

import requests

from tests.chaos.fault import Fault
from tests.chaos.site import Site

_READY_S, _BAD_S = 60.0, 5.0


def damaged(site: Site, chance: random.Random) -> None:
    """A byte of the weights of the version that is asked for. The tier says which file it does not believe, and answers
    nothing by it; then a person puts the file back."""
    files = [path for path in _newest(site.models / "pneumonia").iterdir() if path.suffix in (".npz", ".bin")]
    whole = {path: path.read_bytes() for path in files}
    for path, data in whole.items():
        at = chance.randrange(len(data))
        path.write_bytes(data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :])
    try:
        site.portal.send(signal.SIGKILL, "ml")
        _wait_for(site, 503)
        time.sleep(_BAD_S)
    finally:
        for path, data in whole.items():
            path.write_bytes(data)
    site.portal.send(signal.SIGKILL, "ml")
    _wait_for(site, 200)


def _newest(folder: Path) -> Path:
    return max((path for path in folder.iterdir() if path.name.isdigit()), key=lambda path: int(path.name))


def _wait_for(site: Site, status: int) -> None:
    """Until the ML tier's readiness is said with this status."""
    deadline = time.monotonic() + _READY_S
    while _readiness(site) != status:
        assert time.monotonic() < deadline, f"/readyz of the ML tier is never {status}"
        time.sleep(0.1)


def _readiness(site: Site) -> int:
    told = (site.portal.data_dir / "run" / "app.env").read_text()
    (address,) = re.findall(r"LIGHTBOX_ML_URL=(http://127.0.0.1:\d+)", told)
    try:
        return requests.get(f"{address}/readyz", timeout=5).status_code
    except requests.RequestException:
        return 0


FAULTS = [Fault("F26", "a byte of the model's weights is wrong when the ML tier starts", 25, damaged)]
