"""The table of faults: one file a family, in the order in which they are made."""

from tests.chaos.fault import Elsewhere, Fault
from tests.chaos.faults import (
    clients,
    clocks,
    databases,
    floods,
    hosts,
    ml_strained,
    network,
    processes,
    redis_loses,
    stores,
)

FAULTS: list[Fault] = [
    *processes.FAULTS,
    *ml_strained.FAULTS,
    *redis_loses.FAULTS,
    *databases.FAULTS,
    *stores.FAULTS,
    *network.FAULTS,
    *clients.FAULTS,
    *floods.FAULTS,
    *clocks.FAULTS,
    *hosts.FAULTS,
]

# Never counted as passed here.
ELSEWHERE = [
    Elsewhere("F14", "a call to the disk fails", "tests/chaos/test_every_step.py: every one of them"),
    Elsewhere("F19", "a study that kills its worker", "tests/app_service/running/test_reconcile.py: fails after three"),
    Elsewhere("F24", "a message comes five times", "tests/app_service/running/test_run_job.py"),
    Elsewhere("F26", "a corrupt model file", "tests/ml_service/test_registry.py"),
    Elsewhere("F28", "old and new code at once", "not made"),
    Elsewhere("F29", "an account ends amid an upload", "tests/app_service/routes/test_users.py, between requests only"),
    Elsewhere("F33", "monitoring is killed", "nothing of the portal calls it"),
]
