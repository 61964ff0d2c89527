"""`lightbox ingest`: a watched folder or bucket, until Ctrl-C."""

import signal
import threading
from pathlib import Path

import click

from command_line.ingest import rules
from command_line.ingest.box import Box
from command_line.ingest.flow import Flow
from command_line.ingest.folder import FolderBox
from command_line.portal import Portal
from portal_wire.logs import log_as_json


@click.command()
@click.argument("place")
@click.option(
    "--queue", help="Address of the SQS queue that the bucket's events go to; PLACE is then s3://BUCKET[/PREFIX]."
)
@click.option("--rules", "rules_file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="In TOML.")
@click.option("--quiet", "quiet_s", type=float, default=5.0, help="Seconds without a change until a file is whole.")
@click.option("--once", is_flag=True, help="End when everything that is there now is done.")
@click.pass_obj
def ingest(portal: Portal, place: str, queue: str | None, rules_file: Path | None, quiet_s: float, once: bool) -> None:
    """Upload what arrives in PLACE/incoming, keep what the models say in PLACE/results, and move the images on.

    PLACE is a folder or, with --queue, a bucket. A file is one study; a folder NAME.series holds the slices of one.
    Images go to PLACE/processed, or to PLACE/rejected with the reason. Nothing is sent twice after a crash.
    """
    log_as_json()
    wanted = rules.read(rules_file)
    flow = Flow(portal, _box(place, queue, quiet_s), wanted)
    if once:
        while flow.step():
            threading.Event().wait(1)
        return
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    flow.run(stop)


def _box(place: str, queue: str | None, quiet_s: float) -> Box:
    if not place.startswith("s3://"):
        return FolderBox(Path(place), quiet_s)
    if queue is None:
        raise click.UsageError("A bucket needs --queue: the address of the queue that its events go to.")
    from command_line.ingest.bucket import BucketBox  # boto3 is loaded only where it is used

    return BucketBox(place, queue)
