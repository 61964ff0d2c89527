"""A labelled folder of a site changes how films are read there, and the shipped values come back at once."""

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import requests

from launcher.settings import REPOSITORY
from ml_service.settings import SHIPPED
from tests.end_to_end.doctor import FILMS, Doctor
from tests.end_to_end.portal import Portal

GOLDEN = SHIPPED / "pneumonia" / "1" / "golden"


def labelled(folder: Path) -> Path:
    """Thirty variants of a healthy film and of an ill one."""
    rng = np.random.default_rng(0)
    for label in ("normal", "pneumonia"):
        film = cv2.imread(str(GOLDEN / f"{label}.jpg"), cv2.IMREAD_GRAYSCALE)
        assert film is not None
        (folder / label).mkdir(parents=True)
        for number in range(30):
            varied = np.clip(film * rng.uniform(0.9, 1.1) + rng.normal(0, 2, film.shape), 0, 255).astype(np.uint8)
            cv2.imwrite(str(folder / label / f"{number}.png"), varied)
    return folder


def admin(portal: Portal, method: str, path: str, **options: Any) -> Any:
    http = requests.Session()
    http.verify, http.trust_env = str(portal.authority), False
    account = {"username": "admin", "password": portal.admin_password}
    token = http.post(f"{portal.url}/api/v1/sessions", json=account, timeout=30).json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    answer = http.request(method, f"{portal.url}/api{path}", headers=headers, timeout=30, **options)
    answer.raise_for_status()
    return answer.json()


def read_now(doctor: Doctor) -> dict[str, Any]:
    """What the portal says of a film now."""
    _, job = doctor.upload(FILMS[0].read_bytes())
    result: dict[str, Any] = doctor.wait(job["id"])["result"]
    return result


def test_from_a_folder_to_answers_and_back(portal: Portal, doctor: Doctor, tmp_path: Path) -> None:
    shipped = read_now(doctor)
    assert shipped["calibration"] is None
    verb = ["make", "-s", "site-calibration", "MODEL=pneumonia", f"FOLDER={labelled(tmp_path / 'films')}", "ARGS=--use"]
    told = os.environ | {"LIGHTBOX_DATA_DIR": str(portal.data_dir)}
    made = json.loads(subprocess.run(verb, cwd=REPOSITORY, env=told, stdout=subprocess.PIPE, check=True).stdout)
    assert made["evidence"]["classes"] == {"normal": 30, "pneumonia": 30}
    try:
        time.sleep(1)
        sited = read_now(doctor)
        assert (sited["calibration"]["id"], sited["calibration"]["n"]) == (made["id"], 60)
        assert sited["logits"] == shipped["logits"]
        assert sited["findings"][0]["threshold"] == made["calibration"]["operating_point"]
        assert sited["findings"][0]["probability"] != shipped["findings"][0]["probability"]
    finally:
        path = f"/v1/models/pneumonia/versions/{made['version']}/site-calibration"
        state = admin(portal, "PUT", path, json={"in_force": None})
    assert [fit["id"] for fit in state["fits"]] == [made["id"]]
    time.sleep(1)
    assert read_now(doctor)["findings"] == shipped["findings"]
    assert (portal.data_dir / "run" / "app.env").stat().st_mode & 0o777 == 0o600
