"""The unmodified configuration applied to an emulated AWS (moto) on loopback; the rehearsal starts from its state."""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import free_port
from tests.terraform.conftest import Workplace

SERVICES = (
    "autoscaling cloudwatch ec2 ecr elasticache elbv2 iam kms lambda logs rds s3 s3control secretsmanager sns sqs "
    "ssm sts"
).split()
SETTINGS = "examples/rehearsal.tfvars"
# What moto gives back otherwise than AWS: it forgets the words of a rule, and writes blanks into one policy.
NOT_KEPT = {
    ("aws_vpc_security_group_ingress_rule", "description"),
    ("aws_vpc_security_group_egress_rule", "description"),
    ("aws_sqs_queue", "redrive_policy"),
}


@contextmanager
def emulator(log: Path) -> Iterator[str]:
    """A moto on a free port. Gives its address."""
    port = free_port()
    with log.open("w") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], stdout=out, stderr=out
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(address)
        yield address
    finally:
        server.terminate()
        server.wait(20)


def point_at(workplace: Workplace, address: str) -> None:
    """Writes the one file that says where this AWS is; the provider reads it over the configuration's own."""
    endpoints = "".join(f'    {service} = "{address}"\n' for service in SERVICES)
    (workplace.folder / "emulated_override.tf").write_text(
        'provider "aws" {\n  access_key = "emulated"\n  secret_key = "emulated"\n  max_retries = 3\n'
        "  skip_credentials_validation = true\n  skip_metadata_api_check = true\n  skip_requesting_account_id = false\n"
        f"  s3_use_path_style = true\n  endpoints {{\n{endpoints}  }}\n}}\n",
        encoding="utf-8",
    )


def apply(workplace: Workplace, timeout_s: int) -> None:
    """Raises AssertionError with Terraform's words when it fails."""
    done = workplace.run(
        "apply", "-auto-approve", "-no-color", "-parallelism=20", f"-var-file={SETTINGS}", timeout_s=timeout_s
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]


def changes_of_a_second_plan(workplace: Workplace, timeout_s: int) -> list[tuple[str, str]]:
    """(address, attribute) of everything that a second apply would change, without what moto does not keep."""
    done = workplace.run("plan", "-no-color", f"-var-file={SETTINGS}", "-out=second", timeout_s=timeout_s)
    assert done.returncode == 0, done.stderr
    plan = json.loads(workplace.run("show", "-json", "second").stdout)
    found = []
    for resource in plan["resource_changes"]:
        change = resource["change"]
        if change["actions"] in (["no-op"], ["read"]):
            continue
        before, after = change["before"] or {}, change["after"] or {}
        differing = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
        found += [(resource["address"], name) for name in differing if (resource["type"], name) not in NOT_KEPT]
    return found


def outputs(workplace: Workplace) -> dict[str, object]:
    """The applied configuration's outputs, which the inventory is made of."""
    told = json.loads(workplace.run("output", "-json").stdout)
    return {name: output["value"] for name, output in told.items()}


def _wait(address: str) -> None:
    for _ in range(240):
        try:
            with urllib.request.urlopen(f"{address}/moto-api/", timeout=5):
                return
        except OSError:
            time.sleep(0.25)
    raise RuntimeError("the emulated AWS did not start")
