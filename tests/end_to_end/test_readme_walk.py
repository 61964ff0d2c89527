"""The README's curl walk, run as it is written."""

import os
import re
import subprocess
import zipfile
from pathlib import Path

from launcher.settings import REPOSITORY
from tests.end_to_end.portal import Portal

BLOCK = re.compile(r"<!-- walk -->\s*```sh\n(.*?)```\s*<!-- /walk -->", re.DOTALL)


def test_it_runs_as_written(portal: Portal, tmp_path: Path) -> None:
    found = BLOCK.search((REPOSITORY / "README.md").read_text(encoding="utf-8"))
    assert found, "README.md has no block between <!-- walk --> markers"
    (tmp_path / "ui_service").symlink_to(REPOSITORY / "ui_service")
    told = {
        "LIGHTBOX_URL": portal.url,
        "LIGHTBOX_DATA_DIR": str(portal.data_dir),
        "LIGHTBOX_DOCTOR_PASSWORD": portal.doctor_password,
    }
    command = ["bash", "-euo", "pipefail", "-c", found[1]]
    done = subprocess.run(
        command, cwd=tmp_path, env=os.environ | told, capture_output=True, text=True, check=False, timeout=90
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "pneumonia"  # what film-1 is known to show
    (archive,) = tmp_path.glob("*.zip")
    assert any(name.endswith("result.json") for name in zipfile.ZipFile(archive).namelist())
