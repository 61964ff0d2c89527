"""The images' build steps, as plain scripts on the bare Debian of the hosts; three are started as they would be."""

import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.rehearsal import capable
from tests.rehearsal.cache import REPOSITORY
from tests.rehearsal.conftest import Saw
from tests.rehearsal.image import Image, clear_away

Build = Callable[[str], Image]


@pytest.fixture
def build() -> Iterator[Build]:
    """Makes images; not in pytest's folder, which a later run empties through whatever a killed one left mounted."""
    if refusal := capable.refusal():
        pytest.exit(refusal, returncode=2)
    for left in Path("/var/tmp").glob("lightbox-image-*"):
        if not Path("/proc", left.name.split("-")[2]).exists():
            clear_away(left)
    with ExitStack() as made:

        def one(tier: str) -> Image:
            folder = Path(tempfile.mkdtemp(prefix=f"lightbox-image-{os.getpid()}-", dir="/var/tmp"))
            made.callback(clear_away, folder)
            return Image(REPOSITORY / "containers" / f"{tier}.Dockerfile", folder)

        yield one


@pytest.mark.parametrize(
    ("tier", "module"), [("ui", "ui_service.web"), ("app", "app_service.web"), ("edge", "launcher.edge")]
)
def test_the_build_steps_make_what_they_should(build: Build, saw: Saw, tier: str, module: str) -> None:
    image = build(tier)
    loaded = image.run("python", "-c", f"import {module}, os; print(os.getuid(), {module}.__file__)")
    assert loaded.split() == ["10001", f"/opt/lightbox/{module.replace('.', '/')}.py"]
    saw("every RUN without a network; the tier loads as account 10001")


def test_the_models_image_is_healthy_on_a_root_that_nobody_can_write_to(build: Build, saw: Saw) -> None:
    image = build("ml")
    process = image.start(LIGHTBOX_ML_SERVICE_TOKEN="t" * 40)
    try:
        took_s = image.wait_until_healthy(process, within_s=120)
        assert "Read-only" in image.run("sh", "-c", "touch /opt/lightbox/x 2>&1 || true")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    saw(f"healthy after {took_s:.0f} s, by its own HEALTHCHECK, as account 10001")


def test_the_application_package_answers_about_a_folder(build: Build, saw: Saw) -> None:
    image = build("ml")
    image.go_on(REPOSITORY / "containers" / "map" / "map.Dockerfile")
    shutil.copy(REPOSITORY / "ui_service/static/samples/film-1.jpg", image.root / "var/holoscan/input/film.jpg")
    image.run("python", "-m", "ml_service.application_package", "run")
    (found,) = json.loads((image.root / "var/holoscan/output/results.json").read_text())["results"]
    assert found["label"] in ("pneumonia", "normal")
    saw(f"a sample film: {found['label']}")


def test_the_whole_portal_in_one_image_is_healthy(build: Build, saw: Saw) -> None:
    image = build("all-in-one")
    process = image.start()
    try:
        took_s = image.wait_until_healthy(process, within_s=60)
        deadline = time.monotonic() + 60
        while "Ready after" not in image.said():
            assert time.monotonic() < deadline and process.poll() is None, image.said()[-2000:]
            time.sleep(0.5)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    saw(f"healthy after {took_s:.0f} s, and every tier ready")
