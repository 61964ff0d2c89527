"""Why the portal cannot start."""


class CannotStart(Exception):
    """One line for the person who typed `make run`: it names the setting, port or tool, and what to do."""
