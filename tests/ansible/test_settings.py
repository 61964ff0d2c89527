"""Every setting of .env.example reaches the hosts that read it, or is named here with the reason why not."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ANSIBLE = ROOT / "ansible"
LISTS: dict[str, Any] = yaml.safe_load((ANSIBLE / "roles" / "lightbox" / "vars" / "main.yml").read_text())
SERVICES = {"app": "app_service", "intake": "app_service/intake", "ml": "ml_service", "ui": "ui_service"}
NGINX = "NGINX has a role of its own, with variables of its own"
BY_HAND = "for `rewrap`, which somebody runs by hand"
COMMAND_LINE = "of the command line"
CONTAINER = "of a container"
NOT_FOR_A_HOST = {
    "LIGHTBOX_HTTPS_PORT": NGINX,
    "LIGHTBOX_HTTP_PORT": NGINX,
    "LIGHTBOX_PLAIN_PORT": NGINX,
    "LIGHTBOX_BIND_ADDRESS": NGINX,
    "LIGHTBOX_START_TIMEOUT_S": "of `make run`; systemd starts and watches a host's services",
    "LIGHTBOX_PROMETHEUS": "of `make run`; Prometheus has a host",
    "LIGHTBOX_WORKER_PORT": "the network's rules have 5002",
    "LIGHTBOX_STORE_KEY_BEFORE": BY_HAND,
    "LIGHTBOX_STORE_KMS_KEY_BEFORE": BY_HAND,
    "LIGHTBOX_TLS_CLIENT": "no tier of a host asks its callers for certificates: monitoring has none",
    "LIGHTBOX_ADDRESS": COMMAND_LINE,
    "LIGHTBOX_AUTHORITY": COMMAND_LINE,
    "LIGHTBOX_PASSWORD": COMMAND_LINE,
    "LIGHTBOX_UI_URL": CONTAINER,
    "LIGHTBOX_TLS_CHAIN": CONTAINER,
    "LIGHTBOX_TLS_KEY": CONTAINER,
    "LIGHTBOX_PACKAGE_MODEL": CONTAINER,
}


def documented() -> set[str]:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    return set(re.findall(r"^# (LIGHTBOX_[A-Z0-9_]+|AWS_REGION)=", text, re.MULTILINE))


def settled() -> set[str]:
    """What playbooks set themselves: every name that begins a line or a pair."""
    files = [*(ANSIBLE / "group_vars").glob("*.yml"), *(ANSIBLE / "services").glob("*.yml")]
    files.append(ANSIBLE / "roles" / "python_service" / "templates" / "environment")
    return {name for file in files for name in re.findall(r"\b(LIGHTBOX_[A-Z0-9_]+)(?:'?: |=)", file.read_text())}


def passed_on(service: str) -> set[str]:
    return set(LISTS[f"lightbox_read_by_{service}"])


def test_every_setting_reaches_a_host_or_is_named_as_not_for_one() -> None:
    passed = set().union(*map(passed_on, SERVICES))
    assert passed | settled() | set(NOT_FOR_A_HOST) == documented()
    assert not passed & settled() and not (passed | settled()) & set(NOT_FOR_A_HOST)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_gets_what_its_code_reads(service: str) -> None:
    read = {
        name
        for file in (ROOT / SERVICES[service]).rglob("*.py")
        for name in re.findall(r"""["'](LIGHTBOX_[A-Z0-9_]+)["']""", file.read_text(encoding="utf-8"))
    }
    # obstore and boto3 read the region, where a service has a store of its own.
    read |= {"AWS_REGION"} if "LIGHTBOX_S3_ENDPOINT" in read else set()
    assert passed_on(service) == read - settled() - set(NOT_FOR_A_HOST)
