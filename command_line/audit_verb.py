"""`lightbox audit`: the audit trail checked and printed, on a machine that reaches the portal's database."""

import click


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def audit(arguments: tuple[str, ...]) -> None:
    """Check the audit trail (verify), print it as JSON lines (export), add a row (note).

    Asks no portal: it needs the App tier's packages, and LIGHTBOX_DATABASE_URL or LIGHTBOX_DATA_DIR.
    """
    try:
        from app_service.audit import main
    except ModuleNotFoundError as error:
        raise click.ClickException(f"The App tier is not installed here ({error.name} is missing).") from error
    raise SystemExit(main(arguments or ("--help",)))
