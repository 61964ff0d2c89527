"""The zip for Lambda: the same each time, and whole by itself."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

from command_line.ml_host.package import pack

ROOT = Path(__file__).parents[3]


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


def test_terraform_names_what_is_there() -> None:
    """The handler, and each variable that the function reads."""
    options = (ROOT / "terraform" / "variables_options.tf").read_text()
    (module, function) = re.findall(r'handler = optional\(string, "([\w.]+)\.(\w+)"\)', options)[0]
    assert callable(getattr(importlib.import_module(module), function))
    told = set(re.findall(r"LIGHTBOX_\w+", (ROOT / "terraform/modules/ingest/starter.tf").read_text()))
    read = set(re.findall(r'told\("(\w+)"\)', (ROOT / "command_line/ml_host/place.py").read_text()))
    assert told == {f"LIGHTBOX_{name}" for name in read} - {"LIGHTBOX_ML_GROUP"}
