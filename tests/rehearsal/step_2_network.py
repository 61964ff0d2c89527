"""The whole matrix, cell by cell: what is written opens, and nothing else does.

A cell is judged by connect() alone: opened or refused by the host means that the network let it through; silence
means that it did not.
"""

import json
import sys

from tests.rehearsal.conftest import Rehearsal
from tests.rehearsal.network import ADDRESSES, namespace, rules
from tests.rehearsal.shell import run

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


def test_every_cell_equals_the_matrix(rehearsal: Rehearsal) -> None:
    ports = sorted(ALWAYS | {rule.port for rule in rules()})
    allowed = {(rule.source, rule.target, rule.port) for rule in rules()}
    wrong = []
    for source in ADDRESSES:
        cells = [(target, port) for target in ADDRESSES if target != source for port in ports]
        asked = json.dumps([(ADDRESSES[target], port) for target, port in cells])
        inside = ("ip", "netns", "exec", namespace(source), sys.executable, "-c", PROBE)
        for (target, port), came in zip(cells, json.loads(run(*inside, input=asked)), strict=True):
            expected = "silent" if (source, target, port) not in allowed else "open"
            if expected == "open" and port in SILENT_PORTS:
                expected = "refused"
            if came != expected:
                wrong.append(f"{source} -> {target}:{port} is {came}, expected {expected}")
    assert not wrong, "\n".join(wrong)
