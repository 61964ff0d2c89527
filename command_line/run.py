"""`lightbox run`: models on studies that are there already."""

import click

from command_line.portal import Portal
from command_line.watch import finished, line
from portal_wire.contract import Job


@click.command()
@click.argument("studies", nargs=-1, required=True)
@click.option("--model", "models", multiple=True, required=True, help="May be repeated; NAME or NAME/VERSION.")
@click.option("--wait", is_flag=True, help="Until every job is over; then print the answers.")
@click.pass_obj
def run(portal: Portal, studies: tuple[str, ...], models: tuple[str, ...], wait: bool) -> None:
    """Run every model on every study: all of them, or none when one is not possible."""
    jobs = started(portal, studies, models)
    if wait:
        raise SystemExit(0 if finished(portal, jobs) else 1)
    for job in jobs:
        click.echo(line(job))


def started(portal: Portal, studies: tuple[str, ...], models: tuple[str, ...]) -> list[Job]:
    """Returns the new jobs. Raises ClickException when the portal runs none."""
    wanted = [_model(text) for text in models]
    answer = portal.call("POST", "/jobs", json={"study_ids": list(studies), "models": wanted})
    return [Job.model_validate(job) for job in answer.json()["jobs"]]


def _model(text: str) -> dict[str, str]:
    name, _, version = text.partition("/")
    return {"model": name} | ({"version": version} if version else {})
