"""`python -m launcher`: what `make run` runs."""

import signal
import sys
from types import FrameType

from launcher.errors import CannotStart
from launcher.portal import run
from launcher.settings import from_environment
from portal_wire.env import SettingsError


def main() -> int:
    """Runs the portal until it is told to stop. Returns the exit status; 1 with one line when it cannot start."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        return run(from_environment())
    except KeyboardInterrupt:
        return 0
    except (CannotStart, SettingsError) as error:
        print(f"lightbox: {error}", file=sys.stderr)
        return 1


def _stop(number: int, frame: FrameType | None) -> None:
    """While it prepares; from then on honcho listens."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
