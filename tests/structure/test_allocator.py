"""What the C library is told about memory is the same however a service is started."""

from pathlib import Path

import pytest

from launcher.processes import tiers

ROOT = Path(__file__).parents[2]
THREADED = ("ansible/group_vars/all.yml", "containers/app.Dockerfile", "containers/ui.Dockerfile")
FORKING = (
    "ansible/group_vars/all.yml",
    "containers/compose.yml",
    "containers/kubernetes/app.yml",
    "containers/kubernetes/worker.yml",
)


@pytest.mark.parametrize(("services", "files"), [(("app", "worker", "ui"), THREADED), (("intake",), FORKING)])
def test_services_get_the_same_memory_settings_everywhere(services: tuple[str, ...], files: tuple[str, ...]) -> None:
    port = dict.fromkeys(("ui", "app", "worker", "ml"), 1)
    started = tiers(port, "redis:1", {"LIGHTBOX_INTAKE_SOCKET": "/socket"})
    (tunables,) = {each.environment["GLIBC_TUNABLES"] for each in started if each.name in services}
    assert all(tunables in (ROOT / file).read_text() for file in files)
