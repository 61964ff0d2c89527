"""What a gate is: it says in one line what it saw, or raises Refused. Nothing that could not be looked at is good."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
TOOLS = ROOT / ".venv" / "verify" / "bin"  # requirements-verify.lock, installed by `make verify`
CODE = ["portal_wire", "ui_service", "app_service", "ml_service", "launcher", "command_line", "benchmarks", "verify"]


class Refused(Exception):
    """Why a change may not pass, in words for whoever made it; one line a fault."""


def refuse(faults: list[str]) -> None:
    """Raises Refused, if there are any."""
    if faults:
        raise Refused("\n".join(faults))


def tool(name: str, *arguments: str, good: tuple[int, ...] = (0,), limit_s: float = 300) -> str:
    """What one of the tools printed. Raises Refused where it is missing, is stuck, or ends otherwise than it should."""
    path = TOOLS / name
    if not path.exists():
        raise Refused(f"{name} is not installed: run `make verify`.")
    try:
        done = subprocess.run(  # noqa: S603 (our own words)
            [str(path), *arguments], cwd=ROOT, capture_output=True, text=True, timeout=limit_s, check=False
        )
    except subprocess.TimeoutExpired:
        raise Refused(f"{name} did not end within {limit_s:.0f} s.") from None
    if done.returncode not in good:
        raise Refused(f"{name} ended with {done.returncode}:\n{(done.stdout + done.stderr).strip()[-4000:]}")
    return done.stdout
