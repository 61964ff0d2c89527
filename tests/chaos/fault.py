"""What a fault is: a row of the table, with the code that makes it and ends it."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.chaos.site import Site

OWN, SERVERS, TWO_HOSTS, OLD_AND_NEW = "own", "servers", "two hosts", "old and new"
# What a fault may need: a network and mounts of this run's own (root; run.py), so that a volume can be full and
# packets be dropped; Prometheus beside the portal; and older code, from this repository's history.
MOUNTS, NFT, PROMETHEUS, HISTORY = "mounts", "nft", "prometheus", "history"


@dataclass(frozen=True)
class Fault:
    """`happen` returns when what broke is mended, as far as a person or a keeper does that; the portal's own mending
    is what is measured, against `figure_s`. `place` is the kind of site; `needs` one of the above.
    """

    name: str
    words: str
    figure_s: float
    happen: "Callable[[Site, random.Random], None]"
    repeats: int = 3
    place: str = OWN
    needs: str = ""
