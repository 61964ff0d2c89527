"""The real portal, once for all tests here, in a data folder and on a port of its own."""

from collections.abc import Iterator

import pytest

from tests.end_to_end.doctor import Doctor
from tests.end_to_end.model_folder import with_an_older_version
from tests.end_to_end.portal import Portal, launch, wait_for


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """Ready to be used at `portal.url`; shows the last lines of its log when it does not become ready."""
    folder = tmp_path_factory.mktemp("portal")
    (folder / "tmp").mkdir()
    models = with_an_older_version(folder / "models")
    running = launch(folder / "var", LIGHTBOX_MODEL_DIR=str(models), TMPDIR=str(folder / "tmp"))
    try:
        wait_for(running, "Ready after")
        yield running
    finally:
        running.stop()


@pytest.fixture
def doctor(portal: Portal) -> Iterator[Doctor]:
    """Signed in; what they uploaded is deleted afterwards."""
    doctor = Doctor(portal)
    yield doctor
    doctor.clear()
