"""The embedded Redis: loopback only, with a password, on disk, and never evicting a message of the queue."""

from dataclasses import dataclass
from pathlib import Path

from launcher import binaries, secrets

_CONFIGURATION = """\
bind 127.0.0.1
port {port}
protected-mode yes
requirepass {password}
dir "{folder}"
daemonize no
# The append-only file is the only copy on disk; at most one second is lost, and the reconciler restores it.
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
"""


@dataclass(frozen=True)
class Redis:
    """How to start it, and where it then answers."""

    command: list[str]
    url: str
    address: str


def embedded(port: int, data_dir: Path) -> Redis:
    """Writes the configuration. Raises CannotStart when there is no server program."""
    binary = binaries.redis_server()
    password = secrets.kept(data_dir / "secrets" / "redis_password")
    folder = data_dir / "redis" / _family(binaries.version(binary))
    folder.mkdir(mode=0o700, exist_ok=True)
    configuration = data_dir / "redis" / "redis.conf"
    secrets.write_closed(configuration, _CONFIGURATION.format(port=port, password=password, folder=folder))
    address = f"127.0.0.1:{port}"
    return Redis([str(binary), str(configuration)], f"redis://:{password}@{address}/0", address)


def _family(version: str) -> str:
    """ "Redis server v=7.0.15 sha=…" -> "redis-7": an older server cannot read a newer one's files."""
    words = version.split()
    return f"{words[0].lower()}-{words[2].removeprefix('v=').split('.')[0]}"
