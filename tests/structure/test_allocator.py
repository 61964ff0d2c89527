"""What the C library is told about memory, for services of many threads, is the same however they are started."""

from pathlib import Path

from launcher.processes import tiers

ROOT = Path(__file__).parents[2]
STARTS = ("ansible/group_vars/all.yml", "containers/app.Dockerfile", "containers/ui.Dockerfile")


def test_services_of_many_threads_get_the_same_memory_settings_everywhere() -> None:
    port = dict.fromkeys(("ui", "app", "worker", "ml"), 1)
    started = tiers(port, "redis:1", {"LIGHTBOX_INTAKE_SOCKET": "/socket"})
    told = {each.environment["GLIBC_TUNABLES"] for each in started if each.name in ("app", "worker", "ui")}
    (tunables,) = told
    assert all(tunables in (ROOT / file).read_text() for file in STARTS)
