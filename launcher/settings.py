"""What a person may set for `make run`, read once from LIGHTBOX_* variables."""

import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from portal_wire import env

REPOSITORY = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Settings:
    """`redis_url` and `database_url` are None when the portal brings its own; passwords are None when it makes them."""

    https_port: int
    http_port: int | None
    bind_address: str
    public_origin: str
    data_dir: Path
    redis_url: str | None
    database_url: str | None
    doctor_password: str | None
    admin_password: str | None
    max_upload_bytes: int
    start_timeout_s: int
    prometheus: bool = False
    plain_port: int | None = None

    @property
    def public_host(self) -> str:
        """The name in the address bar; certificates and redirects are made for it."""
        return urlsplit(self.public_origin).hostname or "localhost"

    @property
    def edge_host(self) -> str:
        """Where this machine reaches the edge: the bind address, or loopback when it binds to all."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.bind_address, self.bind_address)  # noqa: S104  # nosec B104

    @property
    def host_names(self) -> tuple[str, ...]:
        """Every name that this portal answers to, the public one first, each once."""
        names = [self.public_host, "localhost", "127.0.0.1", self.edge_host, socket.gethostname().lower()]
        return tuple(dict.fromkeys(names))


def from_environment() -> Settings:
    """The settings of this start. Raises SettingsError naming the first variable that is wrong."""
    https_port = env.integer("LIGHTBOX_HTTPS_PORT", 8443, 1, 65535)
    return Settings(
        https_port=https_port,
        http_port=env.integer("LIGHTBOX_HTTP_PORT", 0, 0, 65535) or None,
        plain_port=env.integer("LIGHTBOX_PLAIN_PORT", 0, 0, 65535) or None,
        bind_address=env.text("LIGHTBOX_BIND_ADDRESS", "127.0.0.1"),
        public_origin=env.url("LIGHTBOX_PUBLIC_ORIGIN", f"https://localhost:{https_port}", schemes=("https",)),
        data_dir=(REPOSITORY / env.text("LIGHTBOX_DATA_DIR", "var")).resolve(),
        redis_url=env.secret("LIGHTBOX_REDIS_URL", "") or None,
        database_url=env.secret("LIGHTBOX_DATABASE_URL", "") or None,
        doctor_password=env.secret("LIGHTBOX_DOCTOR_PASSWORD", "") or None,
        admin_password=env.secret("LIGHTBOX_ADMIN_PASSWORD", "") or None,
        max_upload_bytes=env.integer("LIGHTBOX_MAX_UPLOAD_BYTES", 1024 * 2**20, 2**20),
        start_timeout_s=env.integer("LIGHTBOX_START_TIMEOUT_S", 120, 1),
        prometheus=env.integer("LIGHTBOX_PROMETHEUS", 0, 0, 1) == 1,
    )
