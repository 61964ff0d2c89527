"""One portal from its settings: prepares the data folder, then starts every process and keeps it running."""

import os
import shlex
import sys
from urllib.parse import urlsplit

from launcher import certificate, data_dir, database, nginx, ports, prometheus, redis, secrets
from launcher.announcement import announcement
from launcher.console import ANNOUNCER, Console
from launcher.processes import Process, environment, tiers
from launcher.ready import Announcement
from launcher.settings import REPOSITORY, Settings
from launcher.supervisor import Supervisor

_STOPPED = (130, 143)  # honcho's codes for SIGINT and SIGTERM: asked for, so no failure


def run(settings: Settings) -> int:
    """Returns the exit status: 0 after Ctrl-C or SIGTERM. Raises CannotStart before anything is started."""
    ports.require_free(settings.bind_address, settings.https_port, "LIGHTBOX_HTTPS_PORT")
    if settings.http_port:
        ports.require_free(settings.bind_address, settings.http_port, "LIGHTBOX_HTTP_PORT")
    with data_dir.prepare(settings.data_dir):
        processes, told = _prepare(settings)
        return _keep(processes, told, settings)


def _prepare(settings: Settings) -> tuple[list[Process], Announcement]:
    """Writes every file that the processes need and prepares the database."""
    folder = settings.data_dir
    port = dict(zip(("redis", "ml", "app", "worker", "ui", "prometheus"), ports.free(6), strict=True))
    tokens = secrets.for_tiers(folder / "secrets")
    os.environ.update(tokens, LIGHTBOX_PUBLIC_ORIGIN=settings.public_origin)
    app_side = {
        "LIGHTBOX_DATABASE_URL": settings.database_url or f"sqlite:///{folder}/lightbox.db",
        "LIGHTBOX_STORE_URL": os.environ.get("LIGHTBOX_STORE_URL", f"file://{folder}/objects"),
        "LIGHTBOX_MAX_UPLOAD_BYTES": str(settings.max_upload_bytes),
        "LIGHTBOX_INTAKE_SOCKET": str(folder / "run" / "intake.sock"),
        "LIGHTBOX_ML_URL": f"http://127.0.0.1:{port['ml']}",
        "LIGHTBOX_WORKER_PORT": str(port["worker"]),
        **secrets.for_app(folder / "secrets"),
        **secrets.store_key(folder),
    }
    servers: list[Process] = []
    if settings.redis_url:
        app_side["LIGHTBOX_REDIS_URL"] = settings.redis_url
        redis_at = urlsplit(settings.redis_url)
        redis_address = f"{redis_at.hostname}:{redis_at.port or 6379}"
    else:
        own = redis.embedded(port["redis"], folder)
        servers.append(Process("redis", own.command))
        app_side["LIGHTBOX_REDIS_URL"], redis_address = own.url, own.address
    secrets.write_closed(folder / "run" / "app.env", _as_shell(app_side | tokens))
    tls = certificate.for_names(settings.host_names, folder / "tls")
    servers.append(nginx.process(settings, tls, port))
    if settings.prometheus:
        servers.append(prometheus.process(folder, port))
        os.environ["LIGHTBOX_PROMETHEUS_URL"] = f"http://127.0.0.1:{port['prometheus']}"

    if os.geteuid() == 0:
        print("You are root, so every tier runs as root. A plain user is enough, and safer.", flush=True)
    print("Preparing the database…", flush=True)
    database.migrate(app_side)
    passwords = database.make_accounts(app_side)
    processes = [*servers, *tiers(port, redis_address, app_side)]
    urls = {process.name: process.ready_url for process in processes if process.ready_url}
    text = announcement(settings, passwords, tls.authority)
    return processes, Announcement(urls, str(tls.authority), settings.start_timeout_s, text)


def _as_shell(environment: dict[str, str]) -> str:
    """What App is told, for whoever runs one of App's commands beside the portal."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in environment.items())


def _keep(processes: list[Process], told: Announcement, settings: Settings) -> int:
    """Runs them under honcho, each with its keeper, until one is told to stop."""
    logs = settings.data_dir / "log"
    supervisor = Supervisor(Console(logs / "portal.log"))
    keeper = [sys.executable, "-m", "launcher.keeper", "--launcher", str(os.getpid())]
    for process in processes:
        needs = ["--needs", process.needs] if process.needs else []
        log = ["--log", str(logs / f"{process.name}.log")]
        command = shlex.join([*keeper, *needs, *log, "--", *process.command])
        told_to_it = environment(process, settings.data_dir / "run" / "metrics")
        supervisor.add_process(process.name, f"exec {command}", env=told_to_it, cwd=str(REPOSITORY))
    ready = f"exec {shlex.quote(sys.executable)} -m launcher.ready"
    supervisor.add_process(ANNOUNCER, ready, env=os.environ | told.to_environment(), cwd=str(REPOSITORY))
    print("Starting the tiers…", flush=True)
    supervisor.loop()
    return 0 if supervisor.returncode in _STOPPED else int(supervisor.returncode or 0)
