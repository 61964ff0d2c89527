"""What is offered, and the figures that it has to meet.

The rates are those that the portal was planned for on two cores, figures and all; `--scale` multiplies the rates alone.
A figure that is missed is printed as missed.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Stream:
    """`per_s` at the planned load; the figures are milliseconds for the 50th, 95th and 99th of a hundred."""

    name: str
    per_s: float
    figures_ms: tuple[float, float, float]


@dataclass(frozen=True)
class Phase:
    """`times` the planned load. Of all requests `refused` may be turned away, with Retry-After, and `broken` may fail;
    figures hold where `timed`, and nothing may grow where it is `steady`."""

    name: str
    times: float
    refused: float
    broken: float
    timed: bool
    steady: bool


PAGE = Stream("page and HTMX fragments", 30, (15, 80, 200))
POLL = Stream("status poll", 40, (8, 50, 120))
UPLOAD = Stream("2 MB PNG until 201", 2, (150, 600, 1200))
SIGN_IN = Stream("sign-in", 1, (150, 400, 800))
STREAMS = (PAGE, POLL, UPLOAD, SIGN_IN)
VISIBLE = Stream("accepted until the answer is there", 2, (500, 2000, 5000))

STEADY = Phase("steady", 1, refused=0.001, broken=0.001, timed=True, steady=True)
DOUBLE = Phase("twice", 2, refused=0.2, broken=0.001, timed=False, steady=False)
BURST = Phase("five times", 5, refused=1.0, broken=0.001, timed=False, steady=False)
AFTER = Phase("after it, as planned", 1, refused=1.0, broken=0.001, timed=False, steady=False)

DRAINED_WITHIN_S, RECOVERED_WITHIN_S = 300.0, 60.0
FLAT, FLAT_OVER_S = 0.05, 1800.0  # may grow by 5 % in half an hour
CLOSED_AGAIN_S = 30.0  # the end of the planned load after all that: as few descriptors as before, and
SPARE = 8  # connections that a pool keeps although nobody uses them (portal_wire.http_client, storage.redis_client)
VOLUME_MB_PER_S = 40.0
EVENT_LAG_P95_S = 1.0
LATE_MS = 50.0  # the driver itself, of 99 in 100: beyond that the machine has no time left for it
BATCH, LIVE_PAGES = 1000, 200
