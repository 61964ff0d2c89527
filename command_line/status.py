"""`lightbox status`: how jobs stand."""

import click

from command_line.portal import Portal
from command_line.watch import finished, line
from portal_wire.contract import JobPage


@click.command()
@click.argument("jobs", nargs=-1)
@click.option("--watch", is_flag=True, help="Until every job is over.")
@click.option("--limit", type=click.IntRange(1, 500), default=20, help="How many, when no job is named.")
@click.pass_obj
def status(portal: Portal, jobs: tuple[str, ...], watch: bool, limit: int) -> None:
    """Show the named jobs, or the newest ones. With --watch ends with status 1 when a job brought no answer."""
    if jobs:
        found = [portal.job(job) for job in jobs]
    else:
        found = JobPage.model_validate_json(portal.call("GET", "/jobs", params={"limit": limit}).content).items
    if watch:
        raise SystemExit(0 if finished(portal, found) else 1)
    for job in found:
        click.echo(line(job))
