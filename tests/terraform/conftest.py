"""A copy of `terraform/` with its provider, where this machine has both."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Where distributions, images and people lay providers: HOSTNAME/NAMESPACE/TYPE/VERSION/TARGET below each
# (https://developer.hashicorp.com/terraform/cli/config/config-file#filesystem_mirror).
MIRRORS = (
    "/opt/tf-plugins",
    "/opt/terraform/plugins",
    "/usr/share/terraform/plugins",
    "/usr/local/share/terraform/plugins",
    "~/.local/share/terraform/plugins",
    "~/.terraform.d/plugins",
    "~/.terraform.d/plugin-cache",
)
NO_PROVIDER = (
    "Terraform's provider hashicorp/aws can neither be fetched nor found: lay it below ~/.terraform.d/plugins, "
    "or name a mirror in ~/.terraformrc (provider_installation)"
)
PROVIDER = "registry.terraform.io/hashicorp/aws"


class Workplace:
    """A copy of the configuration, in which nothing of the repository is written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "terraform"
        shutil.copytree(ROOT / "terraform", self.folder, ignore=shutil.ignore_patterns(".terraform", "*.tfstate*"))
        (folder / "containers").mkdir()
        shutil.copy(ROOT / "containers" / "deploy_on_host.sh", folder / "containers")
        self._environment = dict(os.environ)
        if not _settles_itself(self._environment) and (found := mirror(self._environment)):
            config = folder / "terraformrc"
            config.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{found}"\n  }}\n}}\n')
            self._environment["TF_CLI_CONFIG_FILE"] = str(config)

    def run(self, *arguments: str, timeout_s: int = 120) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["terraform", *arguments],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )


def mirror(environment: Mapping[str, str]) -> Path | None:
    """The first usual folder that holds the provider for AWS; TF_PLUGIN_CACHE_DIR's before all others."""
    folders = [environment.get("TF_PLUGIN_CACHE_DIR", ""), *MIRRORS]
    found = (Path(folder).expanduser() for folder in folders if folder)
    return next((folder for folder in found if any((folder / PROVIDER).glob("*"))), None)


def _settles_itself(environment: Mapping[str, str]) -> bool:
    """Whether somebody's own configuration of Terraform is there; the variable may name a file that is not."""
    return Path(environment.get("TF_CLI_CONFIG_FILE", "~/.terraformrc")).expanduser().exists()


@pytest.fixture(scope="session")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """Skips, and says what to install, where Terraform or its provider for AWS is missing."""
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not installed (1.9 or newer): the configuration of AWS is not tested")
    made = Workplace(tmp_path_factory.mktemp("terraform"))
    done = made.run("init", "-backend=false", "-input=false", "-no-color")
    if done.returncode != 0:
        pytest.skip(f"{NO_PROVIDER}: the configuration of AWS is not tested")
    return made
