"""The graphics host goes on with work and off without, against moto's EC2, Auto Scaling, SQS, CloudWatch and SSM.

moto 5.2 knows no DescribeInstanceInformation, and every command succeeds at once there: what AWS answers to the first,
and a command that fails, are recorded shapes. botocore's own model checks what is asked, and the shapes themselves.
"""

import json
import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.validate import ParamValidator
from moto import mock_aws
from moto.ec2.models import ec2_backends

from command_line.ml_host import handler
from command_line.ml_host.place import Place
from command_line.ml_host.ready import NotReady, readiness
from command_line.ml_host.work import work_in

REGION, ACCOUNT = "eu-central-1", "123456789012"
IMAGE = "ami-12c6146b"  # one of moto's own
TICK = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
ALARM = {"source": "aws.cloudwatch", "alarmData": {"alarmName": "a-job-waits", "state": {"value": "ALARM"}}}
CAME = {
    "source": "aws.s3",
    "detail-type": "Object Created",
    "detail": {"bucket": {"name": "films"}, "object": {"key": "incoming/a film.png", "etag": "1"}},
}
RECORD = {
    "eventName": "ObjectCreated:Put",
    "s3": {"bucket": {"name": "films"}, "object": {"key": "incoming/a+film.png"}},
}


@pytest.fixture(scope="module")
def aws() -> Iterator[None]:
    """One for all tests: a new one takes moto seconds. Each test has a portal and hosts of its own."""
    with pytest.MonkeyPatch.context() as told, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            told.setenv(name, "test")
        told.setenv("AWS_DEFAULT_REGION", REGION)
        yield


@pytest.fixture
def queue_url(aws: None, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"portal-{uuid.uuid4()}"
    url = str(boto3.client("sqs").create_queue(QueueName=name)["QueueUrl"])
    monkeypatch.setenv("LIGHTBOX_INCOMING_QUEUE", url)
    monkeypatch.setenv("LIGHTBOX_PORTAL", name)
    return url


@pytest.fixture
def instance(queue_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A host that is off."""
    (made,) = boto3.resource("ec2").create_instances(ImageId=IMAGE, MinCount=1, MaxCount=1)
    made.stop()
    monkeypatch.setenv("LIGHTBOX_ML_INSTANCE_ID", made.id)
    return made


def state(instance: Any) -> str:
    instance.reload()
    return str(instance.state["Name"])


def launched(instance: Any, minutes_ago: float) -> None:
    seen = ec2_backends[ACCOUNT][REGION].get_instance(instance.id)
    seen.launch_time = (datetime.now(UTC) - timedelta(minutes=minutes_ago)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def figures(waiting: float = 0, running: float = 0, minutes: int = 20, until_minutes_ago: int = 0) -> None:
    """What the agent on App's host put there each minute."""
    at = [datetime.now(UTC) - timedelta(minutes=ago) for ago in range(until_minutes_ago, until_minutes_ago + minutes)]
    told = {"lightbox_app_queue_jobs": waiting, "lightbox_app_running_jobs": running}
    who = [{"Name": "Portal", "Value": os.environ["LIGHTBOX_PORTAL"]}]
    data = [
        {"MetricName": name, "Dimensions": who, "Timestamp": moment, "Value": value}
        for name, value in told.items()
        for moment in at
    ]
    boto3.client("cloudwatch").put_metric_data(Namespace="Lightbox", MetricData=data)


@pytest.mark.parametrize(
    "event, wanted",
    [
        (CAME, True),
        ({"Records": [RECORD]}, True),
        ({"Records": [{"eventSource": "aws:sqs", "body": json.dumps({"Records": [RECORD]})}]}, True),
        ({"Records": [{"eventSource": "aws:sqs", "body": json.dumps({"Event": "s3:TestEvent"})}]}, False),
        ({"Records": [{**RECORD, "eventName": "ObjectRemoved:Delete"}]}, False),
        (ALARM, True),
        ({"alarmData": {"state": {"value": "OK"}}}, False),
        (TICK, False),
    ],
)
def test_what_an_event_says(event: dict[str, Any], wanted: bool) -> None:
    assert work_in(event) is wanted


def test_what_is_no_event_is_not_lost_as_if_it_were_one() -> None:
    for event in ({}, {"Records": [{"eventSource": "aws:sqs", "body": "no JSON"}]}):
        with pytest.raises(ValueError):
            work_in(event)


@pytest.mark.parametrize("event", [CAME, ALARM])
def test_a_host_that_is_off_is_started_by_work(instance: Any, event: dict[str, Any]) -> None:
    assert handler.on_event(event) == {"did": "started"}
    assert state(instance) == "running"
    assert handler.on_event(event) == {"did": "waits: running"}  # events come more than once


def test_a_tick_finds_what_an_event_that_was_lost_told_of(instance: Any, queue_url: str) -> None:
    assert handler.on_event(TICK) == {"did": "left stopped"}
    boto3.client("sqs").send_message(QueueUrl=queue_url, MessageBody="{}")
    assert handler.on_event(TICK) == {"did": "started"}


def test_jobs_that_wait_are_work_too(instance: Any) -> None:
    figures(waiting=2)
    assert handler.on_event(TICK) == {"did": "started"}


def test_it_goes_off_when_nothing_waited_or_ran_for_long(instance: Any) -> None:
    instance.start()
    launched(instance, 30)
    figures()
    assert handler.on_event(TICK) == {"did": "stopped"}
    assert state(instance) == "stopped"


def test_it_stays_on_while_anything_speaks_against_it(instance: Any, queue_url: str) -> None:
    instance.start()
    launched(instance, 30)
    assert handler.on_event(TICK) == {"did": "left running"}  # without figures
    figures(minutes=20, until_minutes_ago=8)
    assert handler.on_event(TICK) == {"did": "left running"}  # whose source fell silent
    figures(minutes=20)
    launched(instance, 10)
    assert handler.on_event(TICK) == {"did": "left running"}  # it came on a short while ago
    launched(instance, 30)
    figures(running=1, minutes=1, until_minutes_ago=12)
    assert handler.on_event(TICK) == {"did": "left running"}  # a job ran within the time
    boto3.client("sqs").send_message(QueueUrl=queue_url, MessageBody="{}")
    boto3.client("sqs").receive_message(QueueUrl=queue_url)
    assert handler.on_event(TICK) == {"did": "waits: running"}  # a file is being worked on
    assert state(instance) == "running"


def test_a_host_that_is_gone_is_told(instance: Any) -> None:
    instance.terminate()
    with pytest.raises(LookupError, match="terminated"):
        handler.on_event(CAME)


def test_a_group_goes_from_nothing_to_one_and_back(queue_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    groups = boto3.client("autoscaling")
    groups.create_launch_configuration(LaunchConfigurationName="ml", ImageId=IMAGE, InstanceType="g4dn.xlarge")
    sizes = {"MinSize": 0, "MaxSize": 3, "DesiredCapacity": 0}
    named = {"AutoScalingGroupName": "ml", "LaunchConfigurationName": "ml"}
    groups.create_auto_scaling_group(**named, **sizes, AvailabilityZones=[f"{REGION}a"])
    monkeypatch.setenv("LIGHTBOX_ML_GROUP", "ml")

    def wanted() -> int:
        return int(groups.describe_auto_scaling_groups()["AutoScalingGroups"][0]["DesiredCapacity"])

    assert handler.on_event(TICK) == {"did": "left stopped"}
    assert handler.on_event(CAME) == {"did": "started"} and wanted() == 1
    groups.set_desired_capacity(AutoScalingGroupName="ml", DesiredCapacity=2)  # its own alarms wanted more
    assert handler.on_event(CAME) == {"did": "waits: running"} and wanted() == 2
    figures()
    monkeypatch.setattr(handler.Group, "since", lambda self: datetime.now(UTC) - timedelta(minutes=30))
    assert handler.on_event(TICK) == {"did": "stopped"} and wanted() == 0


# --- Systems Manager --------------------------------------------------------------------------------------------------


class Ssm:
    """moto's SSM, with the agent's standing and the end of commands as recorded."""

    def __init__(self) -> None:
        self.client: Any = boto3.client("ssm")
        self.id = f"i-{uuid.uuid4().hex[:17]}"
        self.ping: str | None = None
        self.ended: dict[str, Any] = {"Status": "Success", "ResponseCode": 0}
        told = self.client.meta.events
        told.register("before-call.ssm.DescribeInstanceInformation", self._standing)
        told.register("before-call.ssm.GetCommandInvocation", self._end)

    def _standing(self, **_: Any) -> tuple[Any, Any]:
        one = {"InstanceId": self.id, "PingStatus": self.ping, "PlatformType": "Linux", "AgentVersion": "3.3.40.0"}
        return recorded("DescribeInstanceInformation", {"InstanceInformationList": [one] if self.ping else []})

    def _end(self, **_: Any) -> tuple[Any, Any]:
        return recorded("GetCommandInvocation", {"InstanceId": self.id, "DocumentName": "start-ml", **self.ended})


def recorded(operation: str, answer: dict[str, Any]) -> tuple[Any, Any]:
    """An answer in place of AWS's own. Raises when botocore's model of the service does not know its shape."""
    shape = botocore.session.get_session().get_service_model("ssm").operation_model(operation).output_shape
    report = ParamValidator().validate(answer, shape)
    assert not report.has_errors(), report.generate_report()
    return type("Http", (), {"status_code": 200})(), answer


@pytest.fixture
def ssm(aws: None) -> Ssm:
    return Ssm()


def test_from_running_to_ready_each_command_is_awaited(ssm: Ssm) -> None:
    since = datetime.now(UTC) - timedelta(minutes=1)

    def asked() -> str:
        return readiness(ssm.client, ssm.id, "start-ml", since)

    assert asked() == "booting"
    ssm.ping = "ConnectionLost"
    assert asked() == "booting"
    ssm.ping = "Online"
    ssm.client.send_command(InstanceIds=[ssm.id], DocumentName="another")
    assert asked() == "preparing"
    ssm.ended = {"Status": "InProgress", "ResponseCode": -1}
    assert asked() == "preparing"
    ssm.ended = {"Status": "Success", "ResponseCode": 0}
    assert asked() == "ready" and asked() == "ready"
    sent = [each["DocumentName"] for each in ssm.client.list_commands(InstanceId=ssm.id)["Commands"]]
    assert sorted(sent) == ["another", "start-ml"]


def test_a_start_that_failed_is_told_and_tried_again(ssm: Ssm) -> None:
    ssm.ping, since = "Online", datetime.now(UTC) - timedelta(minutes=1)
    readiness(ssm.client, ssm.id, "start-ml", since)
    ssm.ended = {"Status": "Failed", "ResponseCode": 1}
    with pytest.raises(NotReady, match="Failed, status 1"):
        readiness(ssm.client, ssm.id, "start-ml", since)
    assert len(ssm.client.list_commands(InstanceId=ssm.id)["Commands"]) == 2


def test_a_command_of_an_earlier_start_does_not_count(ssm: Ssm) -> None:
    ssm.ping = "Online"
    ssm.client.send_command(InstanceIds=[ssm.id], DocumentName="start-ml")
    assert readiness(ssm.client, ssm.id, "start-ml", datetime.now(UTC) + timedelta(seconds=1)) == "preparing"
    assert len(ssm.client.list_commands(InstanceId=ssm.id)["Commands"]) == 2


@pytest.mark.parametrize(
    "told, word",
    [
        ({}, "LIGHTBOX_ML_GROUP"),
        ({"LIGHTBOX_ML_INSTANCE_ID": "i-1", "LIGHTBOX_ML_GROUP": "ml"}, "one of"),
        ({"LIGHTBOX_ML_GROUP": "ml", "LIGHTBOX_IDLE_MINUTES": "1"}, "LIGHTBOX_IDLE_MINUTES"),
    ],
)
def test_a_wrong_setting_is_named(told: dict[str, str], word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in told.items():
        monkeypatch.setenv(name, text)
    with pytest.raises(ValueError, match=word):
        Place.from_environment()
