"""The unmodified Terraform configuration, applied to an emulated AWS: what the hosts and the firewall are made of."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.rehearsal import vpc
from tests.terraform import emulated_aws
from tests.terraform.conftest import NO_PROVIDER, Workplace


@dataclass
class Cloud:
    """`resources` were applied, of which a second plan would change `changes`; `outputs` are Terraform's."""

    vpc: vpc.Vpc
    outputs: dict[str, Any]
    resources: int
    changes: list[tuple[str, str]]


def apply(folder: Path) -> Cloud | str:
    """Applies a copy in `folder`. A sentence says why not where Terraform or its provider is missing."""
    if shutil.which("terraform") is None:
        return "terraform is not installed (1.9 or newer)"
    place = Workplace(folder)
    done = place.run("init", "-backend=false", "-input=false", "-no-color", timeout_s=300)
    if done.returncode != 0:
        return NO_PROVIDER
    with emulated_aws.emulator(folder / "moto.log") as address:
        emulated_aws.point_at(place, address)
        emulated_aws.apply(place, timeout_s=480)
        changes = emulated_aws.changes_of_a_second_plan(place, timeout_s=300)
        state = json.loads(place.run("show", "-json").stdout)
        outputs: dict[str, Any] = emulated_aws.outputs(place)
    resources = place.run("state", "list").stdout.splitlines()
    return Cloud(vpc.of_state(state), outputs, len(resources), changes)
