"""Privacy canaries: what names a patient is sent in by every door, and then looked for wherever it must not be."""

import gzip
import io
import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pydicom
import pytest
import requests
from PIL import Image, PngImagePlugin

from app_service.storage.object_store import open_store
from app_service.storage.store_keys import TextKey
from tests.app_service.conftest import wait_until
from tests.app_service.intake.dicom_maker import made
from tests.bad_input.dicoms import SCRIPTS
from tests.bad_input.pictures import located
from tests.conftest import free_port
from tests.end_to_end.doctor import FILMS, Doctor
from tests.end_to_end.portal import Portal

# One word for each way in, so that a hit says which way it came.
CANARIES = NAME, TAG, PRIVATE, PREAMBLE, PIXELS, TEXT, EXIF, REFERENCE, REFUSED, KEY, QUERY, PASSWORD = tuple(
    f"Zqcanary{word}"
    for word in "name tag private preamble pixels text exif reference refused key query password".split()
)
SHOWN = {NAME, REFERENCE}  # what a doctor typed or chose, and sees again on their own pages
LONGEST_NUMBER = re.compile(r"\d{6,}|[0-9a-f]{8}-[0-9a-f]{4}|@")
MOST_SERIES = 2500  # of all tiers; each version of a model that ships brings about sixty


def film_with_text() -> bytes:
    text, file = PngImagePlugin.PngInfo(), io.BytesIO()
    text.add_text("Patient", TEXT)
    Image.open(FILMS[0]).save(file, "PNG", pnginfo=text)
    return file.getvalue()


def radiograph() -> bytes:
    tags = {"PatientName": TAG, "PatientID": TAG, "StudyDescription": SCRIPTS[0], "PatientComments": SCRIPTS[3]}
    pixels = np.arange(64 * 64, dtype=np.uint16)
    pixels[: len(PIXELS) // 2] = np.frombuffer(PIXELS.encode()[: len(PIXELS) // 2 * 2], np.uint16)
    dataset = pydicom.dcmread(
        io.BytesIO(made(pixels.reshape(64, 64), OtherPatientIDs=TAG, InstitutionName=TAG, **tags))
    )
    dataset.private_block(0x11, "CANARY", create=True).add_new(1, "LO", PRIVATE)
    dataset.preamble = PREAMBLE.encode().ljust(128, b"\0")
    file = io.BytesIO()
    dataset.save_as(file)
    return file.getvalue()


@pytest.fixture(scope="module")
def sent(portal: Portal) -> list[dict[str, Any]]:
    """The studies that the canaries came with; refusals and wrong requests carried some too."""
    doctor, studies = Doctor(portal), []
    for data, name in ((film_with_text(), "png"), (located(EXIF.encode()), "jpg"), (radiograph(), "dcm")):
        form = {"patient_reference": f"{REFERENCE} {SCRIPTS[3]}"}
        file = {"file": (f"{NAME} {SCRIPTS[0]}.{name}", data)}
        answer = doctor.call("POST", "/v1/studies", files=file, data=form, headers={"Idempotency-Key": f"{KEY}{name}"})
        studies += answer.json()["studies"]
    for job in doctor.call("GET", "/v1/jobs").json()["items"]:
        doctor.wait(job["id"])
    for path, options in (
        ("/v1/studies", {"files": {"file": (f"{REFUSED}.png", REFUSED.encode() * 9)}}),
        ("/v1/studies", {"files": {"file": (f"{REFUSED}.dcm", radiograph()[:-3000])}}),
        ("/v1/sessions", {"json": {"username": QUERY, "password": PASSWORD}}),
        (f"/v1/nothing?{QUERY}={QUERY}", {}),
        ("/v1/jobs", {"json": {"study_ids": [QUERY], "models": [QUERY]}}),
    ):
        with pytest.raises(requests.HTTPError) as caught:
            doctor.call("POST", path, **options)
        assert not hits(caught.value.response.text + str(caught.value.response.headers)), path
    time.sleep(0.5)
    return studies


def hits(text: str) -> list[str]:
    return [word for word in CANARIES if word.lower() in text.lower()]


def test_nothing_that_names_a_patient_is_seen(portal: Portal, sent: list[dict[str, Any]]) -> None:
    """Logs of every tier, what the launcher prints, all that Redis holds, and names of files in the data folder."""
    logs = list((portal.data_dir / "log").rglob("*.log"))
    assert len(logs) >= 5
    assert "/v1/studies" in "".join(path.read_text() for path in logs if path.stem == "app")  # and it is being written
    for path in [*logs, portal.output]:
        assert not hits(path.read_text(errors="replace")), path.name
    assert not hits("\n".join(str(path) for path in portal.data_dir.rglob("*")))
    found = redis_contents(portal)
    assert any(sent[0]["id"] in text for text in found.values())
    assert not [key for key, text in found.items() if hits(key + text)]


def test_no_file_but_the_original_and_the_database_names_a_patient(portal: Portal, sent: list[dict[str, Any]]) -> None:
    """Byte by byte: what Redis has written, buffers of NGINX, and all that the tiers left in their temporary folder."""
    temporary = portal.data_dir.parent / "tmp"
    files = [path for folder in (portal.data_dir, temporary) for path in folder.rglob("*") if path.is_file()]
    assert any(b"lightbox:" in path.read_bytes() for path in files if "redis" in path.parts)
    for path in files:
        if path.name != "original" and not path.name.startswith("lightbox.db"):
            assert not hits(path.read_bytes().decode("latin-1")), path.name


def test_what_prometheus_keeps_names_nobody(portal: Portal, sent: list[dict[str, Any]], tmp_path: Path) -> None:
    """Its own files, after it has asked every tier."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("Prometheus is not installed (apt install prometheus): its files were not searched")
    targets = [f"127.0.0.1:{port}" for port in metrics_of(portal)]
    jobs = [{"job_name": "tiers", "scrape_interval": "1s", "static_configs": [{"targets": targets}]}]
    (tmp_path / "prometheus.yml").write_text(json.dumps({"scrape_configs": jobs}))
    options = [f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/data"]
    with (tmp_path / "log").open("wb") as log:
        running = subprocess.Popen([program, *options, f"--web.listen-address=127.0.0.1:{free_port()}"], stderr=log)

    def kept() -> bytes:
        return b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())

    try:
        wait_until(lambda: all(target.encode() in kept() for target in targets) and b"lightbox_" in kept(), 20)
        time.sleep(1)
    finally:
        running.terminate()
        running.wait(20)
    assert not hits(kept().decode("latin-1"))


def test_metrics_name_nobody(portal: Portal, sent: list[dict[str, Any]]) -> None:
    """Nor do labels hold what could be somebody's number, id or address."""
    pages = list(metrics_of(portal).values())
    assert len(pages) >= 4
    series = [line for page in pages for line in page.splitlines() if line and not line.startswith("#")]
    assert len(series) < MOST_SERIES
    assert not hits("\n".join(pages))
    labels = {value for line in series for value in re.findall(r'="([^"]*)"', line)}
    assert not [value for value in labels if LONGEST_NUMBER.search(value)]


def test_copies_for_models_and_viewers_hold_nothing_but_the_picture(portal: Portal, sent: list[dict[str, Any]]) -> None:
    key = TextKey((portal.data_dir / "secrets" / "store_key").read_text())
    store = open_store((portal.data_dir / "objects").as_uri(), key)
    for study in sent:
        prefix = f"studies/{study['id']}"
        sealed = list((portal.data_dir / "objects" / prefix).iterdir())  # originals too
        assert sealed and not [path for path in sealed if hits(path.read_bytes().decode("latin-1"))]
        for name in store.names(prefix):
            data = store.read(f"{prefix}/{name}")
            text = (gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data).decode("latin-1")
            assert name == "original" or not hits(text), name


def test_pages_show_what_their_doctor_typed_and_no_tag(portal: Portal, sent: list[dict[str, Any]]) -> None:
    """On a doctor's own pages stand the file's name and the reference, as text. Nobody who is signed out sees them."""
    paths = ["/", "/models", *(f"/studies/{study['id']}" for study in sent)]
    assert not any(map(hits, pages_of(portal, paths).values()))
    pages = pages_of(portal, paths, ("doctor", portal.doctor_password))
    assert all(REFERENCE in pages[path] for path in paths if path != "/models")
    for path, page in pages.items():
        assert set(hits(page)) <= (set() if path == "/models" else SHOWN), path
        assert not any(script in page for script in SCRIPTS if "<" in script), path


def test_another_doctor_sees_none_of_it(portal: Portal, sent: list[dict[str, Any]]) -> None:
    """Not in a list, not by a search for the very word, and not by the address of the study."""
    paths = ["/", f"/?q={REFERENCE}", f"/?q={NAME}", *(f"/studies/{study['id']}" for study in sent)]
    pages = pages_of(portal, paths, another_doctor(portal))
    for path, page in pages.items():
        seen = page.replace(path.rpartition("=")[2], "") if "=" in path else page  # what was typed stands in its field
        assert "Sign out" in page and not hits(seen), path


def pages_of(portal: Portal, paths: list[str], account: tuple[str, str] | None = None) -> dict[str, str]:
    """What a browser gets, signed in with this name and password or not at all."""
    with requests.Session() as browser:
        browser.verify, browser.trust_env = str(portal.authority), False
        if account:
            page = browser.get(f"{portal.url}/sign-in", timeout=30).text
            form = re.search(r'name="csrf_token" value="([^"]+)"', page)
            assert form
            fields = {"username": account[0], "password": account[1], "csrf_token": form[1]}
            browser.post(f"{portal.url}/sign-in", data=fields, headers={"Origin": portal.url}, timeout=30)
        return {path: browser.get(portal.url + path, timeout=30).text for path in paths}


def another_doctor(portal: Portal) -> tuple[str, str]:
    """Name and password of an account that was made just now."""

    def ask(token: str, method: str, path: str, said: dict[str, str]) -> Any:
        headers, address = {"Authorization": f"Bearer {token}"} if token else {}, f"{portal.url}/api/v1{path}"
        answer = requests.request(method, address, json=said, headers=headers, verify=str(portal.authority), timeout=30)
        assert answer.ok, answer.text
        return answer.json()

    name, password = f"locum-{time.time_ns()}", "a password of the tests"
    admin = ask("", "POST", "/sessions", {"username": "admin", "password": portal.admin_password})["token"]
    first = ask(admin, "POST", "/users", {"username": name, "role": "doctor"})["password"]
    token = ask("", "POST", "/sessions", {"username": name, "password": first})["token"]
    ask(token, "PUT", "/me/password", {"current": first, "new": password})
    return name, password


def redis_contents(portal: Portal) -> dict[str, str]:
    """Every key with what it holds."""
    client, found = portal.redis(), {}
    read: dict[bytes, Callable[[bytes], object]] = {
        b"string": client.get,
        b"hash": client.hgetall,
        b"list": lambda key: client.lrange(key, 0, -1),
        b"set": client.smembers,
        b"zset": lambda key: client.zrange(key, 0, -1),
        b"stream": client.xrange,
    }
    for key in client.scan_iter("*"):
        found[key.decode()] = str(read[client.type(key)](key))
    return found


def metrics_of(portal: Portal) -> dict[int, str]:
    """What each inner port of the portal answers to Prometheus."""
    ports = {
        each.laddr.port
        for process in portal.processes()
        for each in process.net_connections("tcp")
        if each.status == psutil.CONN_LISTEN
    }
    pages = {}
    for port in ports - {int(portal.url.rpartition(":")[2])}:
        with suppress(requests.RequestException):
            answer = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=5)
            if answer.ok:
                pages[port] = answer.text
    return pages
