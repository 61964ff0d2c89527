"""A CT of 100 MB, three times one after the other, until the portal has it safe."""

import time
from statistics import median

import nibabel
import numpy as np
import requests

from benchmarks.load.people import Person
from benchmarks.servers import RunningPortal
from benchmarks.volumes import SPACING_MM, drawn

_SLICES, _TIMES, _PATIENCE_S = 190, 3, 180


def mb_per_s(portal: RunningPortal, doctor: Person) -> float:
    """The middle rate from the first byte to 201; each one's jobs are waited for. Raises what fails."""
    values = np.asarray(drawn().dataobj)[:, :, :_SLICES]
    body = nibabel.Nifti1Image(values, np.diag([*SPACING_MM, 1.0])).to_bytes()
    with requests.Session() as http:
        http.verify, http.trust_env = portal.authority, False
        http.headers["Authorization"] = f"Bearer {doctor.token}"
        return round(median(_one(http, f"{portal.url}/api/v1", body) for _ in range(_TIMES)), 1)


def _one(http: requests.Session, api: str, body: bytes) -> float:
    began = time.monotonic()
    answer = http.post(f"{api}/studies", files={"file": ("ct.nii", body)}, timeout=_PATIENCE_S)
    took_s = time.monotonic() - began
    answer.raise_for_status()
    for job in answer.json()["jobs"]:
        while http.get(f"{api}/jobs/{job['id']}", timeout=30).json()["state"] in ("queued", "running"):
            if time.monotonic() - began > _PATIENCE_S:
                raise TimeoutError("the volume's job does not end")
            time.sleep(0.5)
    return len(body) / 1e6 / took_s
