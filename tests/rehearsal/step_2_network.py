"""The whole matrix, cell by cell: what is written opens, and nothing else does.

A cell is judged by connect() alone: opened or refused by the host means that the network let it through; silence
means that it did not.
"""

import json
import sys

from tests.rehearsal.conftest import Saw
from tests.rehearsal.network import namespace
from tests.rehearsal.shell import run
from tests.rehearsal.stage import Rehearsal
from tests.rehearsal.vpc import rules

ALWAYS = {22, 80, 443, 3000, 5000, 5001, 5002, 5432, 6379, 8000, 8081, 9090, 9093, 9100, 9115}
# Nothing listens there in the rehearsal: Grafana's package is not Debian's, and no host has a graphics card.
SILENT_PORTS = {3000, 9400}
PROBE = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor
def probe(cell):
    with socket.socket() as one:
        one.settimeout(4)
        try:
            one.connect(tuple(cell))
            return "open"
        except ConnectionRefusedError:
            return "refused"
        except (TimeoutError, OSError):
            return "silent"
with ThreadPoolExecutor(200) as pool:
    print(json.dumps(list(pool.map(probe, json.load(sys.stdin)))))
"""


def test_every_cell_equals_the_matrix(rehearsal: Rehearsal, saw: Saw) -> None:
    ports = sorted(ALWAYS | {rule["port"] for rule in rules()})
    allowed = {(rule["from"], rule["to"], rule["port"]) for rule in rules()}
    addresses, wrong, judged = rehearsal.network.vpc.addresses, [], 0
    for source in addresses:
        cells = [(target, port) for target in addresses if target != source for port in ports]
        judged += len(cells)
        asked = json.dumps([(addresses[target], port) for target, port in cells])
        inside = ("ip", "netns", "exec", namespace(source), sys.executable, "-c", PROBE)
        for (target, port), came in zip(cells, json.loads(run(*inside, input=asked)), strict=True):
            expected = "silent" if (source, target, port) not in allowed else "open"
            if expected == "open" and port in SILENT_PORTS:
                expected = "refused"
            if came != expected:
                wrong.append(f"{source} -> {target}:{port} is {came}, expected {expected}")
    assert not wrong, "\n".join(wrong)
    saw(f"{judged} cells, {len(allowed)} of them open")
