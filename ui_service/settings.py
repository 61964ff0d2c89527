"""What the UI tier is told from outside, read once at start."""

import os
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from portal_wire import env


@dataclass(frozen=True)
class Settings:
    """`public_origin` is the address in the doctor's browser, for example https://localhost:8443."""

    app_url: str
    app_service_token: str
    secret_key: str
    public_origin: str
    streams: int = 40  # live connections a process holds at once; further pages poll instead
    prometheus_url: str | None = None
    directory: bool = False  # whether App signs people in by the hospital's own
    store_origin: str = ""  # where browsers reach the bucket themselves; empty: nowhere
    direct_upload_bytes: int = 64 * 2**20  # from which size on

    @property
    def public_host(self) -> str:
        """The host name of the public origin, without its port."""
        return urlsplit(self.public_origin).hostname or ""

    @classmethod
    def from_environment(cls) -> Self:
        """Raises SettingsError naming the variable that is missing or wrong."""
        secret_key = env.secret("LIGHTBOX_SECRET_KEY")
        if len(secret_key) < 32:
            raise env.SettingsError(f"LIGHTBOX_SECRET_KEY: expected 32 characters or more, {len(secret_key)} came.")
        return cls(
            app_url=env.url("LIGHTBOX_APP_URL"),
            app_service_token=env.secret("LIGHTBOX_APP_SERVICE_TOKEN"),
            secret_key=secret_key,
            public_origin=env.url("LIGHTBOX_PUBLIC_ORIGIN", schemes=("https",)),
            streams=env.integer("LIGHTBOX_UI_STREAMS", 40, minimum=1, maximum=1000),
            directory=bool(os.environ.get("LIGHTBOX_OIDC_ISSUER")),
            store_origin=_origin("LIGHTBOX_STORE_ORIGIN"),
            direct_upload_bytes=env.integer("LIGHTBOX_DIRECT_UPLOAD_BYTES", 64 * 2**20, minimum=1),
            prometheus_url=env.url("LIGHTBOX_PROMETHEUS_URL") if os.environ.get("LIGHTBOX_PROMETHEUS_URL") else None,
        )


def _origin(name: str) -> str:
    """Scheme, host and port of an address, and nothing else: it goes into a header of every page."""
    address = urlsplit(env.url(name) if os.environ.get(name) else "")
    if any(mark in address.netloc for mark in " ;,'\""):
        raise env.SettingsError(f"{name}: expected an address such as https://films.s3.eu-central-1.amazonaws.com.")
    return f"{address.scheme}://{address.netloc}" if address.netloc else ""
