"""`make chaos`: breaks a real portal in every way of the table, and prints what became of thirty films each time.

As root it runs in a network and with mounts of its own (unshare), so that packets can be dropped and a volume filled
without a trace on this machine. A fault for which something is lacking here is named first, and printed as not run.
Exits 1 when an invariant broke.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from itertools import count, groupby
from pathlib import Path

from tests.chaos.fault import HISTORY, MOUNTS, NFT, OLD_AND_NEW, OWN, PROMETHEUS, SERVERS, TWO_HOSTS, Fault
from tests.chaos.faults import FAULTS
from tests.chaos.load import Quiet, Run, run
from tests.chaos.older import older_commit
from tests.chaos.site import Site, build
from tests.chaos.table import Row, table

_INSIDE = "LIGHTBOX_CHAOS_INSIDE"  # set once this process is in namespaces of its own
_PACKAGES = {"nft": "nftables", "ip": "iproute2"}
_QUIET = Fault("Q", "nothing breaks", 20, lambda site, chance: None, repeats=1)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--only", help="names of faults, by comma; all by default")
    parser.add_argument("--repeats", type=int, help="of each fault; 20 or 3 by default")
    parser.add_argument("--seed", type=int, default=1, help="of the random moments")
    parser.add_argument("--write", type=Path, help="a file that the table is written to as well")
    asked = parser.parse_args(arguments)
    if os.geteuid() == 0 and _INSIDE not in os.environ:
        os.environ[_INSIDE] = "1"
        os.execvp("unshare", ["unshare", "-n", "-m", sys.executable, "-m", "tests.chaos.run", *sys.argv[1:]])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # by way of everything that has to be ended
    rows = _make(_wanted(asked.only), asked.repeats, asked.seed)
    text = table(rows)
    sys.stdout.write(f"\n{text}")
    if asked.write:
        asked.write.write_text(text, encoding="utf-8")
    return 1 if any(row.broken for row in rows) else 0


def _wanted(only: str | None) -> list[Fault]:
    names = set(only.split(",")) if only else {fault.name for fault in FAULTS}
    if unknown := names - {fault.name for fault in FAULTS}:
        sys.exit(f"There is no fault {', '.join(sorted(unknown))}.")
    return sorted((fault for fault in FAULTS if fault.name in names), key=_place)


def _place(fault: Fault) -> int:
    return (OWN, SERVERS, TWO_HOSTS, OLD_AND_NEW).index(fault.place)


def _make(faults: list[Fault], repeats: int | None, seed: int) -> list[Row]:
    lacking = _lacking()
    rows = [Row(fault, [], lacking[fault.needs]) for fault in faults if fault.needs in lacking]
    for row in rows:
        sys.stdout.write(f"{row.fault.name} is NOT RUN: {row.not_run}\n")
    possible = [fault for fault in faults if fault.needs not in lacking]
    can = {MOUNTS, NFT, PROMETHEUS, HISTORY} - set(lacking)
    for place, some in groupby(possible, key=lambda fault: fault.place):
        rows += _at(place, list(some), repeats, random.Random(seed), can)
    return rows


def _at(place: str, faults: list[Fault], repeats: int | None, chance: random.Random, can: set[str]) -> list[Row]:
    """All faults of one kind of site; one that a fault has left broken is built anew."""
    rows, quiet = [], Quiet()
    with tempfile.TemporaryDirectory(prefix="lightbox-chaos-", ignore_cleanup_errors=True) as folder:
        places = (Path(folder) / str(number) for number in count())
        site = build(place, next(places), can)
        try:
            for fault in [_QUIET, *faults]:
                rows.append(Row(fault, []))
                for _ in range(min(fault.repeats, repeats or fault.repeats)):
                    one = _once(site, fault, quiet, chance)
                    rows[-1].runs.append(one)
                    _tell(rows[-1])
                    if fault is _QUIET:
                        quiet = Quiet(one.answers, one.recovery_s)
                    if one.broken:
                        site.end()
                        site = build(place, next(places), can)
        finally:
            site.end()
    return rows


def _tell(row: Row) -> None:
    """One line about the newest run, so that an hour does not pass in silence."""
    one = row.runs[-1]
    said = " ".join(
        [
            f"{row.fault.name} {len(row.runs)}: {one.recovery_s:.1f} s",
            *one.broken,
            *(f"failed: {code}" for code in one.failures),
        ]
    )
    sys.stdout.write(f"{time.strftime('%X')} {said}\n")
    sys.stdout.flush()


def _once(site: Site, fault: Fault, quiet: Quiet, chance: random.Random) -> Run:
    engine = site.engine()
    try:
        result = run(site, fault, engine, quiet, chance)
        site.heal()
        return result
    except Exception as error:
        traceback.print_exc()
        return Run(float("inf"), [f"the run itself broke: {type(error).__name__}"], {})
    finally:
        engine.dispose()


def _lacking() -> dict[str, str]:
    """What faults may need and is not to be had here, with the reason. As root, also brings this run's own loopback
    interface up and keeps its mounts to itself."""
    found = {} if shutil.which("prometheus") else {PROMETHEUS: "Prometheus is not installed (apt install prometheus)"}
    if not older_commit():
        found[HISTORY] = "needs this repository's history (git clone without --depth)"
    if os.geteuid() != 0:
        return found | dict.fromkeys((MOUNTS, NFT), "needs root, for a network and mounts of its own")
    for need, command in (
        (MOUNTS, ["ip", "link", "set", "lo", "up"]),
        (MOUNTS, ["mount", "--make-rprivate", "/"]),
        (NFT, ["nft", "list", "tables"]),
    ):
        if why := _fails(command):
            found[need] = why
    return found


def _fails(command: list[str]) -> str:
    """Why the command cannot be run or failed; empty when it did not."""
    if shutil.which(command[0]) is None:
        return f"{command[0]} is not installed (apt install {_PACKAGES.get(command[0], command[0])})"
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return f"`{' '.join(command)}` failed: {done.stderr.strip()}" if done.returncode else ""


if __name__ == "__main__":
    sys.exit(main())
