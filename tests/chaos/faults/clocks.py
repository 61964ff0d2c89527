"""One host's clock is wrong: leases go by the database's, so nobody loses a job or runs one twice."""

import random
import time
from collections.abc import Callable

from tests.chaos.fault import Fault
from tests.chaos.site import Site

_WRONG_S = 5.0
HOUR_S = 3600
TEN_YEARS_S = 10 * 365 * 24 * HOUR_S


def wrong_by(seconds: float) -> Callable[[Site, random.Random], None]:
    """Of the worker; the api's and the database's are right."""

    def happen(site: Site, chance: random.Random) -> None:
        clock = site.traps / "clock"
        clock.write_text(str(seconds))
        time.sleep(_WRONG_S)
        clock.unlink()

    return happen


FAULTS = [
    Fault("F23a", "the worker's clock is an hour ahead", 5, wrong_by(HOUR_S)),
    Fault("F23b", "the worker's clock is an hour behind", 5, wrong_by(-HOUR_S)),
    Fault("F23c", "the worker's clock is ten years ahead", 5, wrong_by(TEN_YEARS_S)),
]
