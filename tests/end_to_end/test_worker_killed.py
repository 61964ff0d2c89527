"""A worker that dies in the middle of a job: the job finishes, once."""

import signal
import time

from tests.end_to_end.doctor import FILMS, Doctor
from tests.end_to_end.portal import Portal


def test_its_job_finishes_once_within_25_s(portal: Portal, doctor: Doctor) -> None:
    with portal.held("ml"):
        study, job = doctor.upload(FILMS[0].read_bytes())
        assert doctor.wait(job["id"], ["running"])["attempt"] == 1
        portal.send(signal.SIGKILL, "worker")
        killed = time.monotonic()

    done = doctor.wait(job["id"], within_s=25)
    assert (done["state"], done["attempt"]) == ("succeeded", 2), f"{time.monotonic() - killed:.0f} s after the kill"
    (only,) = doctor.call("GET", "/v1/jobs", params={"study_id": study["id"]}).json()["items"]
    assert only == done
    time.sleep(2)
    assert doctor.job(job["id"]) == done
