"""One run: thirty films come in at an even rate while something breaks; then all must be answered."""

import random
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from sqlalchemy import Engine

from tests.chaos.client import OVER, Client
from tests.chaos.fault import Fault
from tests.chaos.films import films
from tests.chaos.ledger import Answer, Ledger
from tests.chaos.site import Site

PER_S = 6.0
_SENDERS = 6


@dataclass(frozen=True)
class Quiet:
    """What a run without a fault brought: each film's answer, and how long the last films took after they were sent."""

    answers: dict[int, Answer] = field(default_factory=dict)
    usual_s: float = 0.0


@dataclass(frozen=True)
class Run:
    """How it went. `recovery_s` is from the fault's end, or the last film if that is later, until every film was
    accepted and answered, less what that takes in quiet."""

    recovery_s: float
    broken: list[str]
    answers: dict[int, Answer]
    failures: list[str] = field(default_factory=list)  # why jobs failed, if any did


def run(site: Site, fault: Fault, engine: Engine, quiet: Quiet, chance: random.Random) -> Run:
    """Sends the films, lets the fault happen at a random moment of that, waits, checks, and clears everything away."""
    ledger = Ledger(films())
    clients = [Client(site.portal, ledger.statuses.append) for _ in range(_SENDERS)]
    clients[0].get("/v1/studies")
    began, over, failed = time.monotonic(), [0.0], list[str]()
    moment_s = chance.uniform(0.1, (len(ledger.films) - 1) / PER_S)  # a trap that is laid waits for a job

    def break_it() -> None:
        time.sleep(moment_s)
        try:
            fault.happen(site, chance)
        except Exception as error:
            failed.append(f"the fault could not be made: {type(error).__name__}: {error}")
        over[0] = time.monotonic()

    def send(number: int) -> None:
        time.sleep(max(0.0, began + number / PER_S - time.monotonic()))
        headers = {"Idempotency-Key": f"{run_id}-{number}"}
        answer = clients[number % _SENDERS].send(
            "POST", "/v1/studies", headers=headers, files={"file": ("film.jpg", ledger.films[number])}
        )
        ledger.accepted[number] = answer.json()

    run_id, breaking = uuid.uuid4().hex, threading.Thread(target=break_it)
    breaking.start()
    with ThreadPoolExecutor(_SENDERS) as pool:
        for future in [pool.submit(send, number) for number in range(len(ledger.films))]:
            if (error := future.exception()) is not None:
                failed.append(f"I5: {error}")
    breaking.join()
    last = _wait_for_all(clients[0], ledger)
    recovery_s = max(0.0, last - max(over[0], began + len(ledger.films) / PER_S) - quiet.usual_s)
    broken = failed + ledger.broken(clients[0], engine, quiet.answers)
    if recovery_s > fault.figure_s:
        broken.append(f"I5: {recovery_s:.1f} s, expected at most {fault.figure_s:.0f} s")
    answers, failures = ledger.answers(clients[0]), ledger.failures(clients[0])
    for answer in ledger.accepted.values():
        clients[0].send("DELETE", f"/v1/studies/{answer['studies'][0]['id']}")
    return Run(recovery_s, broken, answers, failures)


def _wait_for_all(client: Client, ledger: Ledger, within_s: float = 150.0) -> float:
    """The moment when the last job had ended; what has not ended by the limit the ledger will name."""
    waiting = [answer["jobs"][0]["id"] for answer in ledger.accepted.values()]
    deadline = time.monotonic() + within_s
    while waiting and time.monotonic() < deadline:
        waiting = [job_id for job_id in waiting if client.job(job_id)["state"] not in OVER]
        time.sleep(0.1)
    return time.monotonic()
