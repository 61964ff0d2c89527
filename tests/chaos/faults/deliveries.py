"""A job comes too often: because it kills whoever runs it, or because its message was sent five times."""

import random
import time

from sqlalchemy import select

from app_service.domain.job import MAX_ATTEMPTS
from app_service.storage.database import reading
from app_service.storage.queue import JobQueue
from app_service.storage.records import jobs
from tests.chaos.client import Client
from tests.chaos.fault import Fault
from tests.chaos.films import films
from tests.chaos.site import Site

_ENDS_S, _AGAIN_S, _TIMES = 90.0, 5.0, 5


def poison(site: Site, chance: random.Random) -> None:
    """One study ends the whole worker by SIGSEGV each time, with all that it runs: it fails after three times, and no
    other one does."""
    client, trap = Client(site.portal), site.traps / "poison"
    sent = client.send("POST", "/v1/studies", files={"file": ("film.jpg", films()[0])}).json()
    study_id = sent["studies"][0]["id"]
    client.ended(sent["jobs"][0]["id"], _ENDS_S)  # it is harmless so far
    trap.write_text(study_id)
    again = client.send("POST", f"/v1/studies/{study_id}/jobs", json={"model": "pneumonia"}).json()
    job = client.ended(again["id"], _ENDS_S)
    trap.unlink()
    client.send("DELETE", f"/v1/studies/{study_id}")
    assert (job["state"], job["attempt"]) == ("failed", MAX_ATTEMPTS), f"it is {job['state']}"
    assert client.get("/v1/jobs?state=failed").json()["items"] == [], "another study failed with it"


def five_messages(site: Site, chance: random.Random) -> None:
    """Every job that there is, whatever became of it by then."""
    text, engine = site.portal.redis(), site.engine()
    text.connection_pool.connection_kwargs["decode_responses"] = True
    queue, ends = JobQueue(text, site.portal.redis()), time.monotonic() + _AGAIN_S
    while time.monotonic() < ends:
        with reading(engine) as connection:
            known = list(connection.execute(select(jobs.c.id)).scalars())
        for job_id in known * _TIMES:
            queue.put(job_id)
        time.sleep(0.5)
    engine.dispose()


FAULTS = [
    Fault("F19", "a study that kills its worker (SIGSEGV)", 25, poison),
    Fault("F24", f"each job's message comes {_TIMES} times, again and again for {_AGAIN_S:.0f} s", 10, five_messages),
]
