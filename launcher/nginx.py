"""Fills in the edge's configuration, `nginx/` in the repository, and writes it to `nginx/` in the data folder."""

import os
import re
import shutil
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

from launcher import binaries
from launcher.certificate import Certificate
from launcher.errors import CannotStart
from launcher.processes import Process
from launcher.secrets import write_closed
from launcher.settings import REPOSITORY, Settings
from portal_wire import env

SOURCE = REPOSITORY / "nginx"
FOLDERS = ("http", "server", "sites")
_HTTP2_BY_NAME = (1, 25, 1)  # from then on `http2 on`, and a warning for `listen … http2`
_UNSAFE = re.compile(r'["\'$;{}\\\s]')


class _Configuration(Template):
    delimiter = "%"  # NGINX has its own $names


def process(settings: Settings, certificate: Certificate, port: dict[str, int]) -> Process:
    """Writes the configuration; returns the process that serves it. `port` has those of "ui" and "app".

    Raises CannotStart when NGINX is missing or a value cannot be written in its language.
    """
    command = write(settings, certificate, {tier: f"127.0.0.1:{port[tier]}" for tier in ("ui", "app")})
    return Process("nginx", command, ready_url=f"https://{_in_url(settings.edge_host)}:{settings.https_port}/healthz")


def write(settings: Settings, certificate: Certificate, address: dict[str, str]) -> list[str]:
    """Writes the configuration and returns the command. `address` says host:port of "ui" and "app".

    Raises CannotStart when NGINX is missing or a value cannot be written in its language.
    """
    binary = binaries.nginx()
    values = _values(settings, certificate, address) | _http2(binaries.version(binary))
    target = settings.data_dir / "nginx"
    absent = {"tier_tls.conf"} if settings.http_port else {"tier_tls.conf", "plain.conf"}
    for folder in FOLDERS:
        shutil.rmtree(target / folder, ignore_errors=True)
        (target / folder).mkdir(mode=0o700, parents=True)
        for source in sorted((SOURCE / folder).glob("*.conf")):
            if source.name not in absent:
                _write(source, target / folder / source.name, values)
    if settings.plain_port:
        _write(SOURCE / "behind_tls" / "portal.conf", target / "sites" / "behind_tls.conf", values)
    _write(SOURCE / "nginx.conf", target / "nginx.conf", values)
    (target / "temporary").mkdir(mode=0o700, exist_ok=True)
    return [str(binary), "-p", str(target), "-c", str(target / "nginx.conf"), "-e", "stderr"]


def _values(settings: Settings, certificate: Certificate, address: dict[str, str]) -> dict[str, str | int]:
    values: dict[str, str | int] = {
        "bind": _in_url(settings.bind_address),
        "https_port": settings.https_port,
        "http_port": settings.http_port or 0,
        "plain_port": settings.plain_port or 0,
        "public_origin": settings.public_origin,
        "public_host": settings.public_host,
        "public_netloc": urlsplit(settings.public_origin).netloc,
        "certificate": str(certificate.chain),
        "certificate_key": str(certificate.key),
        "app_service_token": env.secret("LIGHTBOX_APP_SERVICE_TOKEN"),
        "ui_folder": str(REPOSITORY / "ui_service"),
        "pages_folder": str(SOURCE / "pages"),
        "max_upload_bytes": settings.max_upload_bytes,
        "max_upload_mib": settings.max_upload_bytes // 2**20,
    }
    for name, value in values.items():
        if _UNSAFE.search(
            str(value).replace(" ", "") if name.endswith(("folder", "certificate", "key")) else str(value)
        ):
            raise CannotStart(
                f"NGINX cannot take this {name.replace('_', ' ')}: it holds a space, quote, $, ; or brace."
            )
    # A browser that once saw this header on localhost would refuse plain HTTP to everything there, for a year.
    local = settings.public_host in ("localhost", "127.0.0.1")
    values["strict_transport_security"] = "" if local else "max-age=31536000"
    values["host_names"] = " ".join(map(_in_url, settings.host_names))
    for tier in ("ui", "app"):
        values[f"{tier}_servers"] = f"server {address[tier]} max_fails=0;"
    values |= {"tier_scheme": "http", "access_log": "/dev/stdout", "drain_within": "2s"}
    # Its workers would become `nobody` and could not enter a closed home. Run the portal as a plain user instead.
    values["user"] = "user root root;" if os.geteuid() == 0 else ""
    return values


def _http2(version: str) -> dict[str, str | int]:
    match = re.search(r"nginx/(\d+)\.(\d+)\.(\d+)", version)
    if match is None:
        raise CannotStart("the NGINX found here does not tell its version.")
    by_name = tuple(int(part) for part in match.groups()) >= _HTTP2_BY_NAME
    return {"http2_by_listen": "" if by_name else " http2", "http2_by_name": "http2 on;" if by_name else ""}


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _write(source: Path, target: Path, values: dict[str, str | int]) -> None:
    write_closed(target, _Configuration(source.read_text(encoding="utf-8")).substitute(values))
