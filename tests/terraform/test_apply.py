"""The unmodified modules, really applied: to an emulated AWS, and its answers asked over its own API."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import boto3
import pytest

from tests.terraform import emulated_aws
from tests.terraform.conftest import Workplace

# A minute on an idle machine, most of it the provider's own pauses.
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory, workplace: Workplace) -> Iterator[tuple[Workplace, str]]:
    folder = tmp_path_factory.mktemp("applied")
    own = Workplace(folder)
    data = workplace.folder / ".terraform"  # the provider is there already
    (own.folder / ".terraform").symlink_to(data)
    with emulated_aws.emulator(folder / "moto.log") as address:
        emulated_aws.point_at(own, address)
        emulated_aws.apply(own, timeout_s=480)
        yield own, address


@pytest.fixture(scope="module")
def ec2(applied: tuple[Workplace, str]) -> Any:
    keys = {"aws_access_key_id": "emulated", "aws_secret_access_key": "emulated"}
    return boto3.client("ec2", region_name="eu-central-1", endpoint_url=applied[1], **keys)


def test_a_second_apply_would_change_nothing(applied: tuple[Workplace, str]) -> None:
    assert emulated_aws.changes_of_a_second_plan(applied[0], timeout_s=300) == []


def test_the_outputs_are_enough_for_an_inventory(applied: tuple[Workplace, str]) -> None:
    told: dict[str, Any] = emulated_aws.outputs(applied[0])
    hosts = told["hosts"]
    assert {tier: host["private_ip"] for tier, host in hosts.items() if tier != "bastion"} == {
        "edge": "10.0.1.10",
        "ui": "10.0.2.20",
        "app": "10.0.2.30",
        "ml": "10.0.2.40",
        "monitoring": "10.0.2.50",
    }
    assert hosts["app"]["subnet_cidr"] == "10.0.2.0/24" and hosts["edge"]["subnet_cidr"] == "10.0.1.0/24"
    assert told["addresses"]["ml"] == "10.0.2.40"


def test_aws_has_the_matrix_and_nothing_else(applied: tuple[Workplace, str], ec2: Any) -> None:
    """Every ingress rule that AWS holds is one of the matrix, and each of the matrix is there."""
    told: dict[str, Any] = emulated_aws.outputs(applied[0])
    groups = {group["GroupId"]: group for group in ec2.describe_security_groups()["SecurityGroups"]}
    place_of = {
        group_id: next((tag["Value"] for tag in group.get("Tags", []) if tag["Key"] == "Tier"), None)
        for group_id, group in groups.items()
    }
    held = set()
    for group_id, group in groups.items():
        for permission in group["IpPermissions"] if place_of[group_id] else []:
            sources = [place_of[pair["GroupId"]] for pair in permission["UserIdGroupPairs"]]
            sources += ["operators" for _ in permission["IpRanges"]]
            sources += ["internet" for _ in permission["PrefixListIds"]]
            held |= {(source, place_of[group_id], permission["FromPort"]) for source in sources}
    wanted = {(r["from"], r["to"], int(r["port"])) for r in told["network_rules"].values()}
    assert held == {rule for rule in wanted if rule[1] not in ("s3", "internet")}


def test_private_subnets_reach_the_internet_by_nat_alone(applied: tuple[Workplace, str], ec2: Any) -> None:
    told: dict[str, Any] = emulated_aws.outputs(applied[0])
    private = {subnet["id"] for subnet in told["vpc"]["subnets"]["private"].values()}
    tables = ec2.describe_route_tables()["RouteTables"]
    theirs = [t for t in tables if private & {a.get("SubnetId") for a in t["Associations"]}]
    assert len(theirs) == 1
    ways_out = [r for r in theirs[0]["Routes"] if r.get("DestinationCidrBlock") == "0.0.0.0/0"]
    assert len(ways_out) == 1 and "NatGatewayId" in ways_out[0] and "GatewayId" not in ways_out[0]


def test_every_host_asks_for_imdsv2(applied: tuple[Workplace, str], ec2: Any) -> None:
    hosts = [i for reservation in ec2.describe_instances()["Reservations"] for i in reservation["Instances"]]
    assert len(hosts) == 6
    assert {host["MetadataOptions"]["HttpTokens"] for host in hosts} == {"required"}
    assert {
        tag["Value"] for host in hosts if host.get("PublicIpAddress") for tag in host["Tags"] if tag["Key"] == "Tier"
    } <= {
        "edge",
        "bastion",
    }


def test_a_file_below_incoming_reaches_the_queue(applied: tuple[Workplace, str]) -> None:
    keys = {"aws_access_key_id": "emulated", "aws_secret_access_key": "emulated", "region_name": "eu-central-1"}
    s3 = boto3.client("s3", endpoint_url=applied[1], **keys)
    sqs = boto3.client("sqs", endpoint_url=applied[1], **keys)
    # moto reads no conditions, so to it the policy "nobody without TLS" says "nobody".
    s3.delete_bucket_policy(Bucket="lightbox-studies")
    s3.put_object(Bucket="lightbox-studies", Key="incoming/chest/a film.png", Body=b"x")
    s3.put_object(Bucket="lightbox-studies", Key="studies/other.png", Body=b"x")
    told: dict[str, Any] = emulated_aws.outputs(applied[0])
    queue = f"{applied[1]}{told['stores']['incoming_queue'].split(applied[1].split('//')[1])[-1]}"
    bodies = [json.loads(m["Body"]) for m in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]]
    keys_told = [unquote_plus(r["s3"]["object"]["key"]) for body in bodies for r in body.get("Records", [])]
    assert keys_told == ["incoming/chest/a film.png"]


def test_nothing_of_this_was_written_into_the_repository() -> None:
    folder = Path(__file__).parents[2] / "terraform"
    assert not list(folder.rglob("*override*")) and not list(folder.rglob("*.tfstate*"))
