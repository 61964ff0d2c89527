"""A copy of `terraform/` with its provider, where this machine has both."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


class Workplace:
    """A copy of the configuration, in which nothing of the repository is written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "terraform"
        shutil.copytree(ROOT / "terraform", self.folder, ignore=shutil.ignore_patterns(".terraform", "*.tfstate*"))
        (folder / "containers").mkdir()
        shutil.copy(ROOT / "containers" / "deploy_on_host.sh", folder / "containers")

    def run(self, *arguments: str, timeout_s: int = 120) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["terraform", *arguments], cwd=self.folder, capture_output=True, text=True, timeout=timeout_s, check=False
        )


@pytest.fixture(scope="session")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """Skips, and says what to install, where Terraform or its provider for AWS is missing."""
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not installed (1.9 or newer): the configuration of AWS is not tested")
    made = Workplace(tmp_path_factory.mktemp("terraform"))
    done = made.run("init", "-backend=false", "-input=false", "-no-color")
    if done.returncode != 0:
        where = "TF_CLI_CONFIG_FILE" if "TF_CLI_CONFIG_FILE" in os.environ else "~/.terraformrc"
        pytest.skip(
            "Terraform's provider hashicorp/aws can neither be fetched nor found: the configuration of AWS is not "
            f"tested. Name a mirror in {where} (provider_installation)."
        )
    return made
