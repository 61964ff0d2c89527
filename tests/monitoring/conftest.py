"""A real portal under the eyes of a real Prometheus and of every exporter that this machine has."""

from collections.abc import Iterator

import pytest

from tests.conftest import POSTGRES
from tests.end_to_end.portal import launch, wait_for
from tests.monitoring.exporters import program, start_exporters
from tests.monitoring.watch import Watch, backfill


@pytest.fixture(scope="session")
def watch(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Watch]:
    """The portal that `make run` starts with LIGHTBOX_PROMETHEUS=1, looked at far more often than there."""
    program("prometheus", "prometheus")
    folder = tmp_path_factory.mktemp("watched")
    backfill(folder / "var" / "prometheus" / "data")
    portal = launch(folder / "var", LIGHTBOX_PROMETHEUS="1")
    exporters = None
    try:
        wait_for(portal, "Ready after")
        watch = Watch(portal)
        postgres = request.getfixturevalue("_postgres") if POSTGRES else None
        exporters = start_exporters(watch, postgres, folder)
        watch.hurry()
        yield watch
    finally:
        if exporters:
            exporters.stop()
        portal.stop()
