"""`lightbox download`: what models made, onto this disk."""

import re
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import click

from command_line.portal import Portal

BLOCK_BYTES = 2**20
NAMED = re.compile(r"filename=\"?lightbox-([0-9a-f-]{36})\.zip")
NOTHING: Mapping[str, str] = {}


@click.command()
@click.argument("jobs", nargs=-1, required=True)
@click.option("--to", "folder", type=click.Path(file_okay=False, path_type=Path), default=Path())
@click.option("--zip", "as_zip", is_flag=True, help="Keep the archives instead of unpacking them.")
@click.option(
    "--without-identity",
    is_flag=True,
    help="Without the patient's identity (PS3.15), under other ids, by which folders are named too.",
)
@click.option("--surfaces", is_flag=True, help="With an STL file for each structure of a volume.")
@click.pass_obj
def download(
    portal: Portal, jobs: tuple[str, ...], folder: Path, as_zip: bool, without_identity: bool, surfaces: bool
) -> None:
    """Fetch each finished job: the image, every file that its model made, and result.json, in a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    asked = {"identity": "removed"} if without_identity else {}
    asked |= {"surfaces": "true"} if surfaces else {}
    with click.progressbar(jobs, label="Fetching", show_pos=True) as bar:
        for job in bar:
            fetch(portal, job, folder / job, as_zip, asked)


def fetch(portal: Portal, job: str, target: Path, as_zip: bool = False, asked: Mapping[str, str] = NOTHING) -> None:
    """Puts a job's files into the folder `target`, or its archive at `target`.zip; whole or not at all. With
    `identity=removed` in `asked` the id by which the portal names the archive takes the place of the folder's name."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".lightbox-") as half:
        archive = Path(half) / "archive.zip"
        path = f"/jobs/{job}/archive"
        with portal.call("GET", path, stream=True, params=asked) as answer, archive.open("wb") as file:
            if asked.get("identity") == "removed":
                target = target.with_name(_other_id(answer.headers.get("Content-Disposition", "")))
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


def _other_id(disposition: str) -> str:
    """Raises ClickException for an archive without one: the job's own id would lead back to the portal."""
    found = NAMED.search(disposition)
    if found is None:
        raise click.ClickException("The portal does not name the archive by another id.")
    return found[1]
