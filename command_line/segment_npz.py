"""A folder of cases of the MedSAM challenge through a portal: CASE.npz with `imgs` and `boxes` in, with `segs` out.

The portal takes the boxes of the file for prompts, and never looks at its `gts`.
"""

from pathlib import Path

import click

from command_line.portal import Portal
from command_line.watch import finished
from portal_wire.contract import Job

SEGS = "segs.npz"


def outlined_boxes(portal: Portal, cases: list[Path], target: Path, model: str) -> int:
    """Returns how many cases were outlined."""
    jobs = _sent(portal, cases, model)
    if jobs:
        finished(portal, list(jobs.values()))
    return sum(_kept(portal, job.id, target / name) for name, job in jobs.items())


def _sent(portal: Portal, cases: list[Path], model: str) -> dict[str, Job]:
    """Returns the job of each case by its file's name; a refused one is told and left out."""
    jobs: dict[str, Job] = {}
    with click.progressbar(length=sum(case.stat().st_size for case in cases), label="Sending", show_pos=False) as bar:
        for case in cases:
            try:
                jobs[case.name] = portal.upload([case], [model], case.stem, bar.update).jobs[0]
            except click.ClickException as error:
                click.echo(f"\n{case.name}: {error.format_message()}", err=True)
    return jobs


def _kept(portal: Portal, job_id: str, target: Path) -> bool:
    """Fetches a case. False when its job brought no outlines."""
    if not any(artifact.name == SEGS for artifact in portal.job(job_id).artifacts):
        return False
    write_whole(target, portal.call("GET", f"/jobs/{job_id}/artifacts/{SEGS}").content)
    return True


def write_whole(target: Path, data: bytes) -> None:
    """A file that is there is whole: it says that its case was done."""
    target.parent.mkdir(parents=True, exist_ok=True)
    half = target.with_name(f".{target.name}.part")
    half.write_bytes(data)
    half.replace(target)
