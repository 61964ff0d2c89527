"""`lightbox upload`: files and folders become studies."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from command_line.direct import LARGE_BYTES, send_directly
from command_line.portal import Portal
from command_line.watch import finished
from portal_wire.contract import Uploaded

FILES_A_DROP = 50  # separate images in one request; the slices of a folder stay together however many they are


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--model", "models", multiple=True, help="Instead of the site's default models; may be repeated.")
@click.option("--patient-reference", help="Kept with each study.")
@click.option("--wait", is_flag=True, help="Until every job is over; then print the answers.")
@click.pass_obj
def upload(
    portal: Portal, paths: tuple[Path, ...], models: tuple[str, ...], patient_reference: str | None, wait: bool
) -> None:
    """Send files. The files of a folder go in one drop, so that slices become a volume.

    Ends with status 1 when a file was refused or, with --wait, a job failed.
    """
    drops = list(_drops(paths))
    size = sum(path.stat().st_size for drop in drops for path in drop)
    uploads: list[Uploaded] = []
    refused = 0
    with click.progressbar(length=size, label="Sending", show_pos=False) as bar:
        for drop in drops:
            try:
                directly = send_directly(portal, drop, models, patient_reference, bar.update)
                uploads.append(directly or portal.upload(drop, models, patient_reference, bar.update))
            except click.ClickException as error:
                refused += len(drop)
                click.echo(f"\n{_name(drop)}: {error.format_message()}", err=True)
    for uploaded in uploads:
        jobs = {study.id: [job.id for job in uploaded.jobs if job.study_id == study.id] for study in uploaded.studies}
        for study in uploaded.studies:
            click.echo(f"study {study.id}  {study.filename}  " + " ".join(f"job {job}" for job in jobs[study.id]))
        for each in uploaded.rejected:
            refused += 1
            click.echo(f"{each.filename}: {each.detail}", err=True)
    well = not refused
    if wait:
        well = finished(portal, [job for uploaded in uploads for job in uploaded.jobs]) and well
    raise SystemExit(0 if well else 1)


def _drops(paths: Iterable[Path]) -> Iterator[list[Path]]:
    """Yields what goes in one request: a large file, every folder with its files, and single files together."""
    single = [path for path in paths if path.is_file()]
    yield from ([path] for path in single if path.stat().st_size >= LARGE_BYTES)
    single = [path for path in single if path.stat().st_size < LARGE_BYTES]
    for at in range(0, len(single), FILES_A_DROP):
        yield single[at : at + FILES_A_DROP]
    for folder in (path for path in paths if path.is_dir()):
        for inner in sorted({file.parent for file in folder.rglob("*") if file.is_file()}):
            yield sorted(file for file in inner.iterdir() if file.is_file())


def _name(drop: list[Path]) -> str:
    return drop[0].name if len(drop) == 1 else f"{drop[0].name} and {len(drop) - 1} more"
