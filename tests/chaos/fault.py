"""What a fault is: a row of the table, with the code that makes it and ends it."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.chaos.site import Site

OWN, SERVERS, TWO_HOSTS = "own", "servers", "two hosts"


@dataclass(frozen=True)
class Fault:
    """`happen` returns when what broke is mended, as far as a person or a keeper does that; the portal's own mending
    is what is measured, against `figure_s`. `place` is the kind of site. `needs_namespaces`: a network and mounts of
    this run's own, so that packets can be dropped and a volume be full (root; run.py).
    """

    name: str
    words: str
    figure_s: float
    happen: "Callable[[Site, random.Random], None]"
    repeats: int = 3
    place: str = OWN
    needs_namespaces: bool = False


@dataclass(frozen=True)
class Elsewhere:
    """A fault of the plan that this driver does not make, and what is known of it."""

    name: str
    words: str
    why: str
