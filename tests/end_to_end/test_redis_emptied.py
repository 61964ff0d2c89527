"""Redis forgets everything while jobs wait: none is lost, none runs twice."""

import time

from tests.end_to_end.doctor import FILMS, Doctor
from tests.end_to_end.portal import Portal

JOBS = 40


def test_every_job_finishes_once_within_60_s(portal: Portal, doctor: Doctor) -> None:
    films = [film.read_bytes() for film in FILMS]
    with portal.held("ml"):
        jobs = [doctor.upload(films[number % len(films)])[1]["id"] for number in range(JOBS)]
        portal.redis().flushall()
    emptied = time.monotonic()
    doctor.sign_in()  # sessions were in Redis, too

    done = [doctor.wait(job, within_s=60 - (time.monotonic() - emptied)) for job in jobs]
    assert [(job["state"], job["attempt"]) for job in done] == [("succeeded", 1)] * JOBS
