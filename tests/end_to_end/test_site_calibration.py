"""A site's own films, in a labelled folder or reviewed in the portal, change how films are read there; the shipped
values come back at once."""

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from launcher.settings import REPOSITORY
from ml_service.settings import SHIPPED
from ml_service.site import FEWEST
from tests.end_to_end.doctor import FILMS, Doctor
from tests.end_to_end.portal import Portal
from tests.end_to_end.test_versions import Admin

GOLDEN = SHIPPED / "pneumonia" / "1" / "golden"
CLASSES = ("normal", "pneumonia")


def variants(label: str) -> list[bytes]:
    """As many of a healthy film or of an ill one as a fit needs of a class, no two with the same bytes."""
    rng = np.random.default_rng(0)
    film = cv2.imread(str(GOLDEN / f"{label}.jpg"), cv2.IMREAD_GRAYSCALE)
    assert film is not None
    made = []
    for _ in range(FEWEST):
        varied = np.clip(film * rng.uniform(0.9, 1.1) + rng.normal(0, 2, film.shape), 0, 255).astype(np.uint8)
        made.append(cv2.imencode(".png", varied)[1].tobytes())
    return made


def labelled(folder: Path) -> Path:
    """The variants, a subfolder a class."""
    for label in CLASSES:
        (folder / label).mkdir(parents=True)
        for number, film in enumerate(variants(label)):
            (folder / label / f"{number}.png").write_bytes(film)
    return folder


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
    assert made["evidence"]["classes"] == {"normal": FEWEST, "pneumonia": FEWEST}
    try:
        time.sleep(1)
        sited = read_now(doctor)
        assert (sited["calibration"]["id"], sited["calibration"]["n"]) == (made["id"], 2 * FEWEST)
        assert sited["logits"] == shipped["logits"]
        assert sited["findings"][0]["threshold"] == made["calibration"]["operating_point"]
        assert sited["findings"][0]["probability"] != shipped["findings"][0]["probability"]
    finally:
        path = f"/v1/models/pneumonia/versions/{made['version']}/site-calibration"
        state = Admin(portal).call("PUT", path, json={"in_force": None})
    assert {fit["id"]: fit["in_force"] for fit in state["fits"]}[made["id"]] is False
    time.sleep(1)
    assert read_now(doctor)["findings"] == shipped["findings"]
    assert (portal.data_dir / "run" / "app.env").stat().st_mode & 0o777 == 0o600


def reviewed(doctor: Doctor) -> dict[str, dict[str, Any]]:
    """Uploads the variants, waits for the answers, and says of each what is so. Returns the answered jobs by id."""
    waiting = {doctor.upload(film)[1]["id"]: label for label in CLASSES for film in variants(label)}
    done = {job_id: doctor.wait(job_id) for job_id in waiting}
    for job_id, label in waiting.items():
        right = done[job_id]["result"]["label"] == label
        said = {"verdict": "agree"} if right else {"verdict": "disagree", "labels": [label]}
        doctor.call("PUT", f"/v1/jobs/{job_id}/review", json=said)
    return done


def audited(admin: Admin, action: str) -> list[tuple[str, str]]:
    """Who did it, and to what, the newest first."""
    rows = admin.call("GET", "/v1/audit", params={"action": action, "limit": 5})["items"]
    return [(row["username"], row["object_id"]) for row in rows]


def test_from_reviews_to_answers_and_back(portal: Portal, doctor: Doctor) -> None:
    admin, shipped = Admin(portal), read_now(doctor)
    version = admin.call("GET", "/v1/models/pneumonia")["active_version"]
    named, path = f"pneumonia/{version}", f"/v1/models/pneumonia/versions/{version}/site-calibration"
    before = admin.call("GET", path)  # the portal is shared: others may have reviewed a film
    done = reviewed(doctor)
    assert {job["version"] for job in done.values()} == {version}
    _, unsure = doctor.upload(FILMS[1].read_bytes())
    doctor.wait(unsure["id"])
    doctor.call("PUT", f"/v1/jobs/{unsure['id']}/review", json={"verdict": "unsure"})

    state = admin.call("POST", path)
    of_each = {label: before["reviewed"].get(label, 0) + FEWEST for label in CLASSES}
    assert state["reviewed"] == of_each
    assert state["left_out"]["unsure"] == before["left_out"].get("unsure", 0) + 1
    made = state["fits"][0]
    assert (made["source"], made["created_by"], made["in_force"]) == ("reviews", "admin", False)
    evidence = made["evidence"]
    films = sum(of_each.values())
    assert (evidence["n"], evidence["patients"]) == (films, films)
    assert all(np.sum(evidence[when]["confusion"]) == films for when in ("before", "after"))
    assert audited(admin, "fit_calibration")[0] == ("admin", named)
    assert read_now(doctor)["findings"] == shipped["findings"]  # nothing changes before somebody uses the fit

    try:
        admin.call("PUT", path, json={"in_force": made["id"]})
        time.sleep(1)
        sited = read_now(doctor)
        assert (sited["calibration"]["id"], sited["calibration"]["n"]) == (made["id"], films)
        assert sited["logits"] == shipped["logits"]
        assert sited["findings"][0]["threshold"] == made["parameters"]["operating_point"]
        assert sited["findings"][0]["probability"] != shipped["findings"][0]["probability"]
        assert all(doctor.job(job_id)["result"] == job["result"] for job_id, job in done.items())
    finally:
        state = admin.call("PUT", path, json={"in_force": None})
    assert {fit["id"]: fit["in_force"] for fit in state["fits"]}[made["id"]] is False
    time.sleep(1)
    again = read_now(doctor)
    assert (again["calibration"], again["findings"]) == (None, shipped["findings"])
    assert audited(admin, "use_calibration")[0] == ("admin", made["id"])
    assert audited(admin, "use_shipped_values")[0] == ("admin", named)
