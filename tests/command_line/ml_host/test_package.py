"""The zip for Lambda: the same each time, and whole by itself."""

import subprocess
import sys
from pathlib import Path

from command_line.ml_host.package import pack


def test_it_is_the_same_each_time_and_needs_boto3_alone(tmp_path: Path) -> None:
    first, second = tmp_path / "made" / "a.zip", tmp_path / "b.zip"
    pack(first)
    pack(second)
    assert first.read_bytes() == second.read_bytes() and first.stat().st_size < 50_000
    code = (
        f"import sys; sys.path.insert(0, {str(first)!r})\n"
        "from command_line.ml_host import handler\n"
        "print(handler.__file__, sorted({name.split('.')[0] for name in sys.modules} & {'click', 'flask', 'requests'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path, timeout=60
    )
    assert done.stdout.split() == [f"{first}/command_line/ml_host/handler.py", "[]"]
