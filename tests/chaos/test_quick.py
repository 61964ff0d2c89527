"""The quick one of `make chaos`: api and worker are killed and Redis is emptied, all at once, amid thirty films."""

import random
from pathlib import Path

import pytest

from tests.chaos.fault import OWN, Fault
from tests.chaos.faults.processes import killed
from tests.chaos.load import Quiet, run
from tests.chaos.site import Site, build

LIMIT_S = 120.0  # says that it ends at all; `make chaos` measures


def everything(site: Site, chance: random.Random) -> None:
    site.portal.redis().flushall()
    killed("worker")(site, chance)
    killed("app")(site, chance)


@pytest.mark.timeout(600)
def test_thirty_films_survive(tmp_path: Path) -> None:
    site = build(OWN, tmp_path / "site")
    engine = site.engine()
    try:
        fault = Fault("quick", "api and worker killed, Redis emptied", LIMIT_S, everything)
        assert run(site, fault, engine, Quiet(), random.Random(1)).broken == []
    finally:
        engine.dispose()
        site.end()
