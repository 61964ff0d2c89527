"""The file that tells the CloudWatch agent which ports to read; the agent itself is not to be had here."""

import json
import shutil
import subprocess
from pathlib import Path

import jinja2
import pytest
import yaml

ROOT = Path(__file__).parents[2]
ROLE = ROOT / "ansible" / "roles" / "cloudwatch"
MATRIX = ROOT / "terraform" / "network_matrix.json"
RULES = json.loads(MATRIX.read_text())["rules"]


def written(tier: str) -> str:
    """As Ansible writes it; its blocks take the line break after them."""
    environment = jinja2.Environment(trim_blocks=True, undefined=jinja2.StrictUndefined)
    environment.filters["from_json"] = json.loads
    told = yaml.safe_load((ROLE / "vars" / "main.yml").read_text())
    told |= {"cloudwatch_name": "lightbox", "cloudwatch_tier": tier, "cloudwatch_matrix": str(MATRIX)}
    told |= {"ansible_managed": "", "lookup": lambda _, path: Path(path).read_text()}
    return environment.from_string((ROLE / "templates" / "scrape.yml").read_text()).render(told)


@pytest.mark.parametrize("tier", ["edge", "ui", "app", "ml"])
def test_it_reads_what_prometheus_reads_of_the_tier_and_as_the_tier_speaks(tier: str) -> None:
    jobs = yaml.safe_load(written(tier))["scrape_configs"]
    read = {int(job["static_configs"][0]["targets"][0].removeprefix("localhost:")): job for job in jobs}
    watched = {rule["port"] for rule in RULES if rule["from"] == "monitoring" and rule["to"] == tier}
    assert set(read) == watched - {443, 9100}
    services = [yaml.safe_load(file.read_text()) for file in (ROOT / "ansible" / "services").glob("*.yml")]
    told = [task["vars"] for tasks in services for task in tasks if "vars" in task]
    over_tls = {
        each["python_service_port"] for each in told if "/etc/lightbox/tls" in str(each["python_service_command"])
    }
    assert {port for port, job in read.items() if job.get("scheme") == "https"} == over_tls & set(read)


@pytest.mark.parametrize("tier", ["edge", "ui", "app", "ml", "monitoring"])
def test_prometheus_own_tool_understands_it(tier: str, tmp_path: Path) -> None:
    if (promtool := shutil.which("promtool")) is None:
        pytest.skip("promtool is not installed (apt install prometheus): the agent's file was not checked")
    (tmp_path / "scrape.yml").write_text(written(tier))
    command = [promtool, "check", "config", str(tmp_path / "scrape.yml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_agent_reads_the_file_that_is_written() -> None:
    folder = yaml.safe_load((ROLE / "vars" / "main.yml").read_text())["cloudwatch_folder"]
    assert f'"{folder}/etc/lightbox-scrape.yml"' in (
        ROOT / "terraform" / "modules" / "observability" / "agent.tf"
    ).read_text(encoding="utf-8")
