"""`python -m launcher.edge`: NGINX alone, before tiers that run in containers of their own."""

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

from launcher import certificate, nginx
from launcher.errors import CannotStart
from launcher.settings import Settings, from_environment
from portal_wire import env


def main() -> int:
    """Becomes NGINX. Returns 1 with one line when it cannot."""
    try:
        command = prepare(from_environment())
    except (CannotStart, env.SettingsError) as error:
        print(f"lightbox: {error}", file=sys.stderr)
        return 1
    os.execv(command[0], command)  # noqa: S606  no shell, and a path that binaries.py found


def prepare(settings: Settings) -> list[str]:
    """Writes the configuration and returns NGINX's command. Raises CannotStart or SettingsError."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    address = {
        "ui": urlsplit(env.url("LIGHTBOX_UI_URL", "http://ui:5001")).netloc,
        "app": urlsplit(env.url("LIGHTBOX_APP_URL")).netloc,
    }
    return nginx.write(settings, _certificate(settings), address)


def _certificate(settings: Settings) -> certificate.Certificate:
    """The one that is given, or one of its own making in the data folder."""
    chain = env.text("LIGHTBOX_TLS_CHAIN", "-")
    if chain != "-":
        return certificate.Certificate(Path(chain), Path(env.text("LIGHTBOX_TLS_KEY")), Path(chain))
    folder = settings.data_dir / "tls"
    folder.mkdir(mode=0o700, exist_ok=True)
    return certificate.for_names(settings.host_names, folder)


if __name__ == "__main__":
    sys.exit(main())
