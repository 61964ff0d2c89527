"""The MONAI Application Package as a plain process, with the variables and folders that a host gives it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from ml_service.settings import SHIPPED

ROOT = Path(__file__).parents[2]
MANIFESTS = ROOT / "containers" / "map"
GOLDEN = SHIPPED / "pneumonia" / "2" / "golden"


class Host:
    """The mounts of one run."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.source, self.target = folder, folder / "input", folder / "output"
        self.source.mkdir()

    def run(self, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
        told = {
            "HOLOSCAN_INPUT_PATH": str(self.source),
            "HOLOSCAN_OUTPUT_PATH": str(self.target),
            "HOLOSCAN_MODEL_PATH": str(SHIPPED),
            "HOLOSCAN_MANIFESTS_PATH": str(MANIFESTS),
            "HOLOSCAN_DOCS_PATH": str(ROOT / "docs"),
            "HOLOSCAN_EXPORT_PATH": str(self.folder / "export"),
        } | more
        command = [sys.executable, "-m", "ml_service.application_package", *arguments]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LIGHTBOX_")}
        return subprocess.run(
            command, cwd=ROOT, env=environment | told, capture_output=True, text=True, timeout=240, check=False
        )

    def results(self) -> dict[str, dict[str, object]]:
        told = json.loads((self.target / "results.json").read_text(encoding="utf-8"))
        return {row["input"]: row for row in told["results"]}


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_it_answers_about_every_image_and_one_that_does_not_decode_is_never_a_normal_one(host: Host) -> None:
    (host.source / "ward 3").mkdir()
    shutil.copy(GOLDEN / "pneumonia.jpg", host.source / "ward 3" / "Doe Jane.JPG")
    shutil.copy(GOLDEN / "normal.jpg", host.source / "b.jpg")
    (host.source / "c.png").write_bytes(b"no picture")
    done = host.run()
    assert done.returncode == 1 and "3 images, 1 of them could not be read" in done.stderr
    found = host.results()
    assert found["ward 3/Doe Jane.JPG"]["label"] == "pneumonia" and found["b.jpg"]["label"] == "normal"
    assert found["c.png"]["error"] == "undecodable" and "label" not in found["c.png"]
    assert (host.target / str(found["b.jpg"]["heatmap"])).read_bytes().startswith(b"\x89PNG")
    assert "Doe" not in done.stdout + done.stderr
    assert not list(host.target.glob(".*"))


def test_an_empty_folder_is_a_failure(host: Host) -> None:
    done = host.run()
    assert done.returncode == 1 and "there is none" in done.stderr


def test_any_served_model_can_be_named(host: Host) -> None:
    shutil.copy(GOLDEN / "normal.jpg", host.source / "film.jpg")
    assert host.run(LIGHTBOX_PACKAGE_MODEL="pneumonia-cnn4").returncode == 0
    assert json.loads((host.target / "results.json").read_text())["model"] == "pneumonia-cnn4"


def test_a_model_that_outlines_writes_masks(host: Host) -> None:
    shutil.copy(GOLDEN / "normal.jpg", host.source / "film.jpg")
    shutil.copy(GOLDEN / "noise.png", host.source / "noise.png")
    assert host.run(LIGHTBOX_PACKAGE_MODEL="lung-field").returncode == 0
    found = host.results()
    assert found["film.jpg"]["label"] == "segmented" and found["noise.png"]["label"] == "not_answered"
    mask = cv2.imread(str(host.target / str(found["film.jpg"]["mask"])), cv2.IMREAD_UNCHANGED)
    assert mask is not None and set(np.unique(mask)) == {0, 1, 2} and "mask" not in found["noise.png"]


def test_an_unknown_model_is_said_in_one_line(host: Host) -> None:
    shutil.copy(GOLDEN / "normal.jpg", host.source / "film.jpg")
    done = host.run(LIGHTBOX_PACKAGE_MODEL="spleen")
    assert done.returncode == 1 and done.stderr.strip().endswith("There is no such model.")


def test_show_prints_both_manifests(host: Host) -> None:
    shown = host.run("show").stdout
    assert shown == "".join((MANIFESTS / name).read_text(encoding="utf-8") for name in ("app.json", "pkg.json"))


def test_extract_fills_only_the_mounted_folders(host: Host) -> None:
    (host.folder / "export" / "config").mkdir(parents=True)
    assert host.run("extract").returncode == 0
    assert {path.name for path in (host.folder / "export" / "config").iterdir()} >= {"app.json", "pkg.json"}
    assert not (host.folder / "export" / "models").exists()


def test_the_manifests_say_what_is_there() -> None:
    app = json.loads((MANIFESTS / "app.json").read_text(encoding="utf-8"))
    package = json.loads((MANIFESTS / "pkg.json").read_text(encoding="utf-8"))
    assert json.loads(app["command"]) == ["python", "-m", "ml_service.application_package", "run"]
    assert app["apiVersion"] == package["apiVersion"] == "1.0.0" and app["type"] == "application"
    assert app["input"]["path"] == "input/" and app["output"]["path"] == "output/"
    assert package["modelRoot"] == "/opt/holoscan/models" and package["applicationRoot"] == "/opt/holoscan/app"


def test_the_image_names_the_models_that_it_holds(host: Host) -> None:
    shutil.copytree(MANIFESTS, host.folder / "holoscan")
    models = host.folder / "models"
    (models / "pneumonia" / "2").mkdir(parents=True)
    shutil.copy(SHIPPED / "pneumonia" / "2" / "model.json", models / "pneumonia" / "2")
    told = {"HOLOSCAN_MANIFESTS_PATH": str(host.folder / "holoscan"), "HOLOSCAN_MODEL_PATH": str(models)}
    assert host.run("describe", **told).returncode == 0
    package = json.loads((host.folder / "holoscan" / "pkg.json").read_text(encoding="utf-8"))
    assert package["models"] == [{"name": "pneumonia", "path": "/opt/holoscan/models/pneumonia"}]
