"""`python -m command_line.ml_host.package FILE`: the function as a zip for Lambda, byte for byte the same each time."""

import sys
import zipfile
from pathlib import Path

HERE = Path(__file__).parents[1]
PARTS = ("__init__.py", "ml_host/*.py", "ingest/__init__.py", "ingest/events.py")


def pack(target: Path) -> None:
    """Writes the zip."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in sorted(file for part in PARTS for file in HERE.glob(part)):
            entry = zipfile.ZipInfo(f"{HERE.name}/{file.relative_to(HERE).as_posix()}", (2020, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(entry, file.read_bytes())


if __name__ == "__main__":
    pack(Path(sys.argv[1]))
