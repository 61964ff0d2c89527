"""`lightbox sign-in`: a password for a token."""

import click

from command_line.portal import Portal


@click.command("sign-in")
@click.argument("username")
@click.password_option(
    "--password", envvar="LIGHTBOX_PASSWORD", confirmation_prompt=False, help="Asked for when unset."
)
@click.option("--code", help="Of the second factor, for an account that has one.")
@click.pass_obj
def sign_in(portal: Portal, username: str, password: str, code: str | None) -> None:
    """Print a session's token. It ends when it was not used for a while.

    \b
    export LIGHTBOX_TOKEN=$(lightbox sign-in doctor)
    """
    body = {"username": username, "password": password} | ({"otp": code} if code else {})
    click.echo(portal.call("POST", "/sessions", json=body).json()["token"])
