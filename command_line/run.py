"""`lightbox run`: models on studies that are there already."""

import click

from command_line.portal import Portal
from command_line.watch import finished, line
from portal_wire.contract import Job

AT_ONCE = 1000  # studies that one request may name


@click.command()
@click.argument("studies", nargs=-1, required=True)
@click.option("--model", "models", multiple=True, required=True, help="May be repeated; NAME or NAME/VERSION.")
@click.option("--fast", is_flag=True, help="The models' fast setting: sooner, less exact. Each must have it.")
@click.option("--wait", is_flag=True, help="Until every job is over; then print the answers.")
@click.pass_obj
def run(portal: Portal, studies: tuple[str, ...], models: tuple[str, ...], fast: bool, wait: bool) -> None:
    """Run every model on every study: all of them, or none when one is not possible; of more than 1000 studies the
    first 1000, then the next."""
    jobs = started(portal, studies, models, fast)
    if wait:
        raise SystemExit(0 if finished(portal, jobs) else 1)
    for job in jobs:
        click.echo(line(job))


def started(portal: Portal, studies: tuple[str, ...], models: tuple[str, ...], fast: bool = False) -> list[Job]:
    """Returns the new jobs. Raises ClickException when the portal does not run some."""
    wanted = [_model(text) for text in models]
    jobs: list[Job] = []
    for at in range(0, len(studies), AT_ONCE):
        body = {"study_ids": list(studies[at : at + AT_ONCE]), "models": wanted} | ({"fast": True} if fast else {})
        jobs += [Job.model_validate(job) for job in portal.call("POST", "/jobs", json=body).json()["jobs"]]
    return jobs


def _model(text: str) -> dict[str, str]:
    name, _, version = text.partition("/")
    return {"model": name} | ({"version": version} if version else {})
