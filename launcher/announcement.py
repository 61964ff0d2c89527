"""What the person at the terminal reads once the portal is ready."""

from pathlib import Path

from launcher.settings import Settings


def announcement(settings: Settings, new_passwords: dict[str, str], authority: Path) -> str:
    """`new_passwords` maps the names of accounts to passwords that this start made up."""
    given = {"doctor": settings.doctor_password, "admin": settings.admin_password}
    people = [f"  {name:<8}{_password(name, bool(given[name]), new_passwords.get(name))}" for name in given]
    lines = [
        f"Lightbox is at  {settings.public_origin}",
        "",
        "Sign in as",
        *people,
        "",
        f"Certificate authority, for browsers and curl: {_short(authority)}",
        f"Logs, a file a tier: {_short(settings.data_dir / 'log')}",
        "Research use, not for diagnosis. Stop with Ctrl-C.",
    ]
    return "\n".join(lines)


def _password(name: str, given: bool, new: str | None) -> str:
    variable = f"LIGHTBOX_{name.upper()}_PASSWORD"
    if new:
        return f"{new}   (shown only this once)"
    return f"the password in {variable}" if given else f"the password set earlier (set {variable} for a new one)"


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
