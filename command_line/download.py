"""`lightbox download`: what models made, onto this disk."""

import shutil
import tempfile
import zipfile
from pathlib import Path

import click

from command_line.portal import Portal

BLOCK_BYTES = 2**20


@click.command()
@click.argument("jobs", nargs=-1, required=True)
@click.option("--to", "folder", type=click.Path(file_okay=False, path_type=Path), default=Path())
@click.option("--zip", "as_zip", is_flag=True, help="Keep the archives instead of unpacking them.")
@click.pass_obj
def download(portal: Portal, jobs: tuple[str, ...], folder: Path, as_zip: bool) -> None:
    """Fetch each finished job: the image, every file that its model made, and result.json, in a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    with click.progressbar(jobs, label="Fetching", show_pos=True) as bar:
        for job in bar:
            fetch(portal, job, folder / job, as_zip)


def fetch(portal: Portal, job: str, target: Path, as_zip: bool = False) -> None:
    """Puts a job's files into the folder `target`, or its archive at `target`.zip; whole or not at all."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".lightbox-") as half:
        archive = Path(half) / "archive.zip"
        with portal.call("GET", f"/jobs/{job}/archive", stream=True) as answer, archive.open("wb") as file:
            for block in answer.iter_content(BLOCK_BYTES):
                file.write(block)
        if as_zip:
            archive.replace(target.with_name(f"{target.name}.zip"))
            return
        unpacked = Path(half) / "files"
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(unpacked)  # zipfile itself drops drive letters and ".."
        if target.exists():
            shutil.rmtree(target)
        unpacked.replace(target)
