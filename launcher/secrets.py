"""Secrets that the tiers share: made once, kept in files that only this user can read."""

import os
import secrets
from pathlib import Path

NAMES = ("LIGHTBOX_APP_SERVICE_TOKEN", "LIGHTBOX_ML_SERVICE_TOKEN", "LIGHTBOX_SECRET_KEY")

OF_APP = ("LIGHTBOX_ACCOUNT_KEY",)  # for App and its worker only
GIVEN = ("LIGHTBOX_OIDC_CLIENT_SECRET", "LIGHTBOX_STORE_KEY")  # for them too, where somebody has set it


def for_tiers(folder: Path, names: tuple[str, ...] = NAMES) -> dict[str, str]:
    """For each of `names` that the environment does not set, NAME_FILE with the path of a secret in `folder`."""
    unset = [name for name in names if name not in os.environ and f"{name}_FILE" not in os.environ]
    return {f"{name}_FILE": str(_made(folder / name.removeprefix("LIGHTBOX_").lower())) for name in unset}


def for_app(folder: Path) -> dict[str, str]:
    """The same for OF_APP, and those that the environment does set: the other tiers are not told."""
    told = [each for name in (*OF_APP, *GIVEN) for each in (name, f"{name}_FILE") if each in os.environ]
    return for_tiers(folder, OF_APP) | {name: os.environ[name] for name in told}


def store_key(folder: Path) -> dict[str, str]:
    """The key that seals stored files, for a portal that keeps them in its data folder `folder`, as NAME_FILE.

    It is made before the first file comes. A folder that has files in the clear goes on with them, and whoever sets a
    key, an empty one too, or another place for files, decides there.
    """
    path = folder / "secrets" / "store_key"
    decided = ("LIGHTBOX_STORE_KEY", "LIGHTBOX_STORE_KEY_FILE", "LIGHTBOX_STORE_KMS_KEY", "LIGHTBOX_STORE_URL")
    if any(name in os.environ for name in decided):
        return {}
    if not path.exists() and any((folder / "objects").iterdir()):
        return {}
    return {"LIGHTBOX_STORE_KEY_FILE": str(_made(path))}


def kept(path: Path) -> str:
    """The secret in the file `path`, which is made when it is not there: 32 random bytes as text."""
    return _made(path).read_text(encoding="ascii")


def write_closed(path: Path, text: str) -> None:
    """Writes a file that nobody but this user may read, at no moment."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def _made(path: Path) -> Path:
    if not path.exists():
        write_closed(path, secrets.token_urlsafe(32))
    return path
