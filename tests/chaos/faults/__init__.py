"""The table of faults: one file a family, in the order in which they are made."""

from tests.chaos.fault import Fault
from tests.chaos.faults import (
    accounts,
    clients,
    clocks,
    databases,
    deliveries,
    floods,
    hosts,
    ml_strained,
    models,
    monitoring,
    network,
    processes,
    redis_loses,
    stores,
)

FAULTS: list[Fault] = [
    *processes.FAULTS,
    *deliveries.FAULTS,
    *ml_strained.FAULTS,
    *models.FAULTS,
    *redis_loses.FAULTS,
    *databases.FAULTS,
    *stores.FAULTS,
    *network.FAULTS,
    *clients.FAULTS,
    *floods.FAULTS,
    *clocks.FAULTS,
    *accounts.FAULTS,
    *monitoring.FAULTS,
    *hosts.FAULTS,
]
