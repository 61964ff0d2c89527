"""What a doctor was promised, kept outside the portal, and whether it was held: the invariants I1 to I6.

I1 an upload that got 201 is there byte for byte and ends answered, or failed with a reason; I2 it is there once, with
one answer, the same at each look; I3 no answer is a 500, and no state or error is without its name; I4 the audit's
chain is whole; I5 all is answered within the fault's figure; I6 an answer names the version that was asked for and is
the one that this very film gets in quiet.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine

from app_service import audit
from app_service.domain.audit_chain import Broken
from tests.chaos.client import Client

_CLOSE = 0.02  # of a probability: what shares a batch moves the last digits
_NAMED = {409, 425, 429, 502, 503, 504, 507}  # an outage may answer these, each with a reason
Answer = tuple[str, float, bool]  # label, probability of the first finding, whether the model knows such images


@dataclass
class Ledger:
    """One run. `accepted` has by film: the answer of the upload."""

    films: list[bytes]
    accepted: dict[int, dict[str, Any]] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)  # of every answer that was no success

    def broken(self, client: Client, engine: Engine, quiet: dict[int, Answer]) -> list[str]:
        """What does not hold, in words; `quiet` are the films' answers without a fault (I6), or nothing yet."""
        found = [
            f"I1: film {number} was never accepted" for number in range(len(self.films)) if number not in self.accepted
        ]
        for number, answer in sorted(self.accepted.items()):
            found += self._of_study(client, number, answer, quiet)
        listed = client.get("/v1/studies?limit=200").json()["items"]
        mine = {study["id"] for answer in self.accepted.values() for study in answer["studies"]}
        if len(listed) != len(mine) or {study["id"] for study in listed} != mine:
            found.append(f"I2: {len(listed)} studies are listed, {len(mine)} were accepted")
        found += [f"I3: an answer was {status}" for status in sorted(set(self.statuses) - _NAMED)]
        try:
            audit.verify(engine)
        except Broken as broken:
            found.append(f"I4: {broken}")
        return found

    def answers(self, client: Client) -> dict[int, Answer]:
        """What each film got that was answered."""
        found = {number: client.job(_job_id(answer)) for number, answer in self.accepted.items()}
        return {number: _said(job) for number, job in found.items() if job["state"] == "succeeded"}

    def failures(self, client: Client) -> list[str]:
        """Why jobs failed: allowed, and told."""
        found = [client.job(_job_id(answer)) for answer in self.accepted.values()]
        return [job["error"]["code"] for job in found if job["state"] == "failed"]

    def _of_study(self, client: Client, number: int, answer: dict[str, Any], quiet: dict[int, Answer]) -> list[str]:
        found, study_id = [], answer["studies"][0]["id"]
        original = client.get(f"/v1/studies/{study_id}/original").content
        if hashlib.sha256(original).digest() != hashlib.sha256(self.films[number]).digest():
            found.append(f"I1: film {number} came back as something else")
        runs = client.get(f"/v1/jobs?study_id={study_id}").json()["items"]
        if len(runs) != 1:
            return [*found, f"I2: film {number} has {len(runs)} jobs"]
        looks = [client.job(runs[0]["id"]) for _ in range(3)]
        if looks[0] != looks[1] or looks[1] != looks[2]:
            found.append(f"I2: film {number} looks different each time")
        job = looks[0]
        if job["state"] != "succeeded":
            named = job["state"] == "failed" and job["error"] and job["error"]["detail"]
            return found if named else [*found, f"I1: film {number} is {job['state']} without a reason"]
        asked = answer["jobs"][0]
        if (job["model"], job["version"]) != (asked["model"], asked["version"]):
            found.append(f"I6: film {number} was answered by another version")
        if number in quiet and not _same(_said(job), quiet[number]):
            found.append(f"I6: film {number} got {_said(job)}, in quiet it was {quiet[number]}")
        return found


def _job_id(answer: dict[str, Any]) -> str:
    return str(answer["jobs"][0]["id"])


def _said(job: dict[str, Any]) -> Answer:
    result = job["result"]
    probability = result["findings"][0]["probability"] if result["findings"] else 0.0
    return result["label"], float(probability), bool(result["in_distribution"])


def _same(one: Answer, other: Answer) -> bool:
    return (one[0], one[2]) == (other[0], other[2]) and abs(one[1] - other[1]) < _CLOSE
