"""`lightbox segment`: a folder of cases in, a folder of outlined cases out, as SuPreM or the MedSAM challenge lays
them out (the latter in segment_npz.py).

In: CASE/ct.nii.gz. Out: CASE/combined_labels.nii.gz and CASE/segmentations/STRUCTURE.nii.gz
(https://github.com/MrGiovanni/SuPreM), and labels.csv, which says what the combined numbers mean. A case is told by its
folder, never by the name of its file.
"""

import shutil
import tempfile
from pathlib import Path

import click

from command_line.download import fetch
from command_line.local import outliner
from command_line.portal import Portal
from command_line.segment_npz import outlined_boxes, write_whole
from command_line.watch import finished
from portal_wire.contract import Job

VOLUME, COMBINED, PARTS, LABELS = "ct.nii.gz", "combined_labels.nii.gz", "segmentations", "labels.csv"


@click.command()
@click.argument("source", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("target", type=click.Path(file_okay=False, path_type=Path))
@click.option("--model", help="One that outlines.", show_default="ct-tissue, for NPZ files box-prompt")
@click.option("--fast", is_flag=True, help="The model's fast setting, of volumes: sooner, less exact.")
@click.option("--local", is_flag=True, help="In this process, without a portal: needs the tiers' packages.")
@click.pass_obj
def segment(portal: Portal, source: Path, target: Path, model: str | None, fast: bool, local: bool) -> None:
    """Outline every case in SOURCE into TARGET: CASE/ct.nii.gz, or CASE.npz with `imgs` and `boxes`, which brings
    CASE.npz with `segs`. Cases that TARGET has already are left out, so that a run that was broken off goes on. Ends
    with status 1 when a case brought nothing."""
    volumes = sorted(path.parent for path in source.glob(f"*/{VOLUME}"))
    cases = volumes or sorted(source.glob("*.npz"))
    if not cases:
        raise click.ClickException(f"Expected folders with a {VOLUME}, or NPZ files, in {source}. There is none.")
    waiting = [case for case in cases if not (target / case.name / (COMBINED if volumes else "")).exists()]
    click.echo(f"{len(cases)} cases, {len(cases) - len(waiting)} of them done before.")
    target.mkdir(parents=True, exist_ok=True)
    model = model or ("ct-tissue" if volumes else "box-prompt")
    if fast and not volumes:
        raise click.ClickException("There is no fast setting for boxes.")
    if local:
        done = _outlined_here(waiting, target, model, not volumes, fast)
    elif volumes:
        done = _outlined_there(portal, waiting, target, model, fast)
    else:
        done = outlined_boxes(portal, waiting, target, model)
    click.echo(f"{done} of {len(waiting)} outlined.")
    raise SystemExit(0 if done == len(waiting) else 1)


def _outlined_here(cases: list[Path], target: Path, model: str, npz: bool, fast: bool) -> int:
    """Returns how many cases were outlined in this process."""
    done = 0
    with outliner(model, npz, fast) as outlined, click.progressbar(cases, label="Outlining", show_pos=True) as bar:
        for case in bar:
            try:
                files = outlined(case if npz else case / VOLUME)
            except click.ClickException as error:
                click.echo(f"\n{case.name}: {error.format_message()}", err=True)
                continue
            for name, data in files.items():
                write_whole(target / case.name / ("" if npz else name), data)
            done += 1
    return done


def _outlined_there(portal: Portal, cases: list[Path], target: Path, model: str, fast: bool) -> int:
    """Returns how many cases the portal outlined."""
    jobs = _sent(portal, cases, model, fast)
    if jobs:
        finished(portal, list(jobs.values()))
    return sum(_kept(portal, job.id, target / name) for name, job in jobs.items())


def _sent(portal: Portal, cases: list[Path], model: str, fast: bool) -> dict[str, Job]:
    """Returns the job of each case by its folder's name; a refused one is told and left out."""
    jobs: dict[str, Job] = {}
    size = sum((case / VOLUME).stat().st_size for case in cases)
    with click.progressbar(length=size, label="Sending", show_pos=False) as bar:
        for case in cases:
            try:
                uploaded = portal.upload([case / VOLUME], [model], case.name, bar.update, fast=fast)
                jobs[case.name] = uploaded.jobs[0]
            except click.ClickException as error:
                click.echo(f"\n{case.name}: {error.format_message()}", err=True)
    return jobs


def _kept(portal: Portal, job_id: str, target: Path) -> bool:
    """Fetches a case. False when its job brought no outlines."""
    job = portal.job(job_id)
    if not any(artifact.name == COMBINED for artifact in job.artifacts):
        return False
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".lightbox-") as half:
        fetched = Path(half) / "job"
        fetch(portal, job_id, fetched)
        target.mkdir(exist_ok=True)
        if (target / PARTS).exists():
            shutil.rmtree(target / PARTS)
        (fetched / PARTS).replace(target / PARTS)
        if (fetched / LABELS).exists():  # a portal of an earlier version has none
            (fetched / LABELS).replace(target / LABELS)
        (fetched / COMBINED).replace(target / COMBINED)  # last: it says that the case is whole
    return True
