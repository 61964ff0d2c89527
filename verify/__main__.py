"""`make verify`: each gate and its result, and 1 at the end unless all are good. `python -m verify NAME…` runs some."""

import sys
import time
from collections.abc import Callable

from verify import advisories, bill, floors, licences, locks, scanners
from verify.gate import Refused

GATES: dict[str, Callable[[], str]] = {
    "locks": locks.check,
    "floors": floors.check,
    "bandit": scanners.bandit,
    "semgrep": scanners.semgrep,
    "secrets": scanners.secrets,
    "licences": licences.check,
    "sbom": bill.check,
    "advisories": advisories.check,
}


def main(names: list[str]) -> int:
    failed = False
    for name in names or GATES:
        began = time.monotonic()
        try:
            good, said = True, GATES[name]()
        except Refused as refused:
            good, said = False, str(refused)
        failed |= not good
        took_s = time.monotonic() - began
        line = f"{name:<12}{'passed' if good else 'FAILED'}  {took_s:6.1f} s  {said}\n"
        sys.stdout.write(line.replace("\n", "\n" + " " * 30).rstrip(" "))
        sys.stdout.flush()
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
