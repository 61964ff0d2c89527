"""What a file may cost us and what a picture may be; sent to the sandbox with each file."""

from dataclasses import dataclass, field
from pathlib import Path

from portal_wire import env


@dataclass(frozen=True)
class Limits:
    """A child that goes beyond one of these ends, and the file is refused."""

    max_pixels: int = 40_000_000
    min_side_pixels: int = 32
    max_voxels: int = 256_000_000
    memory_bytes: int = 2 * 1024**3
    output_bytes: int = 1024**3
    cpu_s: int = 20
    wall_s: int = 30

    @classmethod
    def from_environment(cls) -> "Limits":
        """From LIGHTBOX_MAX_PIXELS and its like. Raises SettingsError."""
        return cls(
            max_pixels=env.integer("LIGHTBOX_MAX_PIXELS", cls.max_pixels, minimum=1024, maximum=1_000_000_000),
            min_side_pixels=env.integer("LIGHTBOX_MIN_SIDE_PIXELS", cls.min_side_pixels, minimum=1),
            max_voxels=env.integer("LIGHTBOX_MAX_VOXELS", cls.max_voxels, minimum=1024, maximum=4_000_000_000),
            memory_bytes=env.integer("LIGHTBOX_INTAKE_MEMORY_BYTES", cls.memory_bytes, minimum=256 * 1024**2),
            cpu_s=env.integer("LIGHTBOX_INTAKE_CPU_S", cls.cpu_s, minimum=1, maximum=600),
            wall_s=env.integer("LIGHTBOX_INTAKE_WALL_S", cls.wall_s, minimum=1, maximum=600),
        )


@dataclass(frozen=True)
class IntakeSettings:
    """Where the sandbox listens, and the limits."""

    socket: Path
    limits: Limits = field(default_factory=Limits)

    @classmethod
    def from_environment(cls) -> "IntakeSettings":
        """From LIGHTBOX_INTAKE_SOCKET, which must be set, and the limits. Raises SettingsError."""
        return cls(Path(env.text("LIGHTBOX_INTAKE_SOCKET")), Limits.from_environment())
