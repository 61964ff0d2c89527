"""Jobs while they wait and run: a progress bar, then what came of each."""

import time
from collections.abc import Sequence

import click

from command_line.portal import Portal
from portal_wire.contract import Job, JobState

OVER = {JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED}
LOOK_S = 1.0


def finished(portal: Portal, jobs: Sequence[Job]) -> bool:
    """Waits until all jobs are over, with a bar of how much of them is done, and prints them. False when one of them
    brought no answer."""
    studies = list(dict.fromkeys(job.study_id for job in jobs))
    mine = {job.id: job for job in jobs}
    with click.progressbar(length=100 * len(mine), label="Working", item_show_func=lambda text: text) as bar:
        while True:
            mine |= {job.id: job for job in portal.jobs_of(studies) if job.id in mine}
            over = [job for job in mine.values() if job.state in OVER]
            done = sum(100 if job.state in OVER else round(100 * (job.progress or 0)) for job in mine.values())
            # An attempt that begins again does not take the bar back.
            bar.update(max(0, done - bar.pos), f"{len(over)}/{len(mine)}")
            if len(over) == len(mine):
                break
            time.sleep(LOOK_S)
    for job in mine.values():
        click.echo(line(job))
    return all(job.state == JobState.SUCCEEDED for job in mine.values())


def line(job: Job) -> str:
    """Returns a job as a line for people: id, model, state, and the answer or the reason why there is none."""
    said = ""
    if job.result:
        found = [f"{each.label} {each.probability:.0%}" for each in job.result.findings]
        found += [f"{each.label} {_measured(each.model_dump())}" for each in job.result.measurements]
        said = "  ".join([job.result.label, *found, *(notice.detail for notice in job.result.warnings)])
    elif job.error:
        said = job.error.detail
    elif job.progress is not None:
        said = f"{job.progress:.0%}"
    elif job.position is not None:
        said = f"place {job.position} in the queue"
    return f"{job.id}  {job.model} {job.version}  {job.state}  {said}".rstrip()


def _measured(measurement: dict[str, object]) -> str:
    for key, unit in (("volume_ml", "ml"), ("area_mm2", "mm²"), ("voxels", "voxels"), ("pixels", "pixels")):
        if isinstance(amount := measurement.get(key), int | float):
            return f"{amount:.0f} {unit}"
    return ""
