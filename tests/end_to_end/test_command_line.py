"""`lightbox` as a person types it, against the real portal."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from launcher.settings import REPOSITORY
from tests.end_to_end.doctor import FILMS, Doctor
from tests.end_to_end.portal import DOCTOR_PASSWORD, Portal


@pytest.fixture
def typed(portal: Portal) -> "Typed":
    return Typed(portal)


class Typed:
    """Runs `lightbox …` signed in as the doctor."""

    def __init__(self, portal: Portal) -> None:
        self._told = os.environ | {"LIGHTBOX_ADDRESS": portal.url, "LIGHTBOX_AUTHORITY": str(portal.authority)}
        self._told["LIGHTBOX_TOKEN"] = self("sign-in", "doctor", LIGHTBOX_PASSWORD=DOCTOR_PASSWORD).stdout.strip()

    def __call__(self, *arguments: object, **more: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "command_line", *map(str, arguments)]
        return subprocess.run(
            command, cwd=REPOSITORY, env=self._told | more, capture_output=True, text=True, timeout=120, check=False
        )


def test_from_files_to_answers_on_this_disk(typed: Typed, doctor: Doctor, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no picture")
    sent = typed("upload", "--wait", "--patient-reference", "P 7", FILMS[0], FILMS[1], tmp_path / "notes.txt")
    assert sent.returncode == 1 and "notes.txt" in sent.stderr, sent  # one file was refused, and the rest went on
    rows = [row.split() for row in sent.stdout.splitlines() if " pneumonia " in row]
    assert [row[3] for row in rows] == ["succeeded"] * 2
    job = rows[0][0]
    assert job in typed("status", "--limit", 5).stdout
    fetched = typed("download", job, "--to", tmp_path / "out")
    assert fetched.returncode == 0, fetched.stderr
    assert {"image.png", "heatmap.png", "overlay.png", "result.json"} <= {
        path.name for path in (tmp_path / "out" / job).iterdir()
    }
    assert typed("download", job, "--zip", "--to", tmp_path / "out").returncode == 0
    assert (tmp_path / "out" / f"{job}.zip").stat().st_size > 10_000
    assert not list((tmp_path / "out").glob(".lightbox-*"))
    for line in (line.split() for line in sent.stdout.splitlines() if line.startswith("study ")):
        doctor.call("DELETE", f"/v1/studies/{line[1]}")


def test_another_model_on_what_is_there(typed: Typed, doctor: Doctor) -> None:
    study, _ = doctor.upload(FILMS[0].read_bytes())
    ran = typed("run", study["id"], "--model", "pneumonia/1", "--wait")
    assert ran.returncode == 0 and "pneumonia 1  succeeded" in ran.stdout, ran


def test_what_goes_wrong_is_said_in_one_line(typed: Typed) -> None:
    for told, words in (
        ({"LIGHTBOX_TOKEN": "no-such-token"}, "sign-in"),
        ({"LIGHTBOX_ADDRESS": "https://localhost:1"}, "does not answer"),
        ({"LIGHTBOX_AUTHORITY": ""}, "authority"),
    ):
        said = typed("status", **told)
        assert said.returncode != 0 and words in said.stderr and "Traceback" not in said.stderr, (told, said)
    assert "There is no such job" in typed("status", "019a0000-0000-7000-8000-000000000000").stderr
