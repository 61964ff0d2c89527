"""`lightbox --address https://portal.example VERB`: every verb in a file of its own."""

import click

from command_line.audit_verb import audit
from command_line.download import download
from command_line.ingest_verb import ingest
from command_line.portal import Portal
from command_line.run import run
from command_line.score import score
from command_line.segment import segment
from command_line.sign_in import sign_in
from command_line.status import status
from command_line.upload import upload
from portal_wire import env


@click.group(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.option("--address", envvar="LIGHTBOX_ADDRESS", default="https://localhost:8443", help="Of the portal.")
@click.option("--token", envvar="LIGHTBOX_TOKEN", help="From `lightbox sign-in`. Better by LIGHTBOX_TOKEN.")
@click.option(
    "--authority",
    envvar="LIGHTBOX_AUTHORITY",
    type=click.Path(exists=True, dir_okay=False),
    help="File of the certificate authority, where the system does not know it (`make run`: var/tls/ca.pem).",
)
@click.option(
    "--inside",
    is_flag=True,
    help="The address is App's own, opened by LIGHTBOX_APP_SERVICE_TOKEN: for a host's own.",
)
@click.pass_context
def main(context: click.Context, address: str, token: str | None, authority: str | None, inside: bool) -> None:
    """Upload images to a Lightbox portal, run models on them, and fetch what the models said.

    Each option can also be an environment variable: LIGHTBOX_ADDRESS, LIGHTBOX_TOKEN, LIGHTBOX_AUTHORITY.
    Research use, not for diagnosis.
    """
    try:
        token = token or env.secret("LIGHTBOX_TOKEN", "")
        service_token = env.secret("LIGHTBOX_APP_SERVICE_TOKEN") if inside else ""
    except env.SettingsError as error:
        raise click.ClickException(str(error)) from error
    context.obj = Portal(address, token, authority, service_token)


for verb in (sign_in, upload, run, status, download, segment, score, ingest, audit):
    main.add_command(verb)

if __name__ == "__main__":
    main(prog_name="lightbox")
