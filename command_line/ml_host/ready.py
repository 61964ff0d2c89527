"""From "it runs" to "its models answer", by Systems Manager: what came of each command is read, and a failure told."""

from datetime import datetime
from typing import Any, Literal

Readiness = Literal["booting", "preparing", "ready"]
FAILED = ("Failed", "TimedOut", "Cancelled", "DeliveryTimedOut", "Undeliverable")


class NotReady(RuntimeError):
    """The host runs, and the command that should make its models answer failed there."""


def readiness(ssm: Any, instance_id: str, document: str, since: datetime) -> Readiness:
    """Sends the command once for each start of the host. Raises NotReady when it failed; asked again after that, it
    sends another one."""
    if not _online(ssm, instance_id):
        return "booting"  # a command would wait for an agent that may never come
    last = _last(ssm, instance_id, document, since)
    if last is None:
        ssm.send_command(InstanceIds=[instance_id], DocumentName=document, TimeoutSeconds=120)
        return "preparing"
    came = ssm.get_command_invocation(CommandId=last, InstanceId=instance_id)
    if came["Status"] == "Success":
        return "ready"
    if came["Status"] in FAILED:
        ssm.send_command(InstanceIds=[instance_id], DocumentName=document, TimeoutSeconds=120)
        raise NotReady(f"The start of the models ended with {came['Status']}, status {came.get('ResponseCode')}.")
    return "preparing"


def _online(ssm: Any, instance_id: str) -> bool:
    asked = [{"Key": "InstanceIds", "Values": [instance_id]}]
    found = ssm.describe_instance_information(Filters=asked)["InstanceInformationList"]
    return any(each["PingStatus"] == "Online" for each in found)


def _last(ssm: Any, instance_id: str, document: str, since: datetime) -> str | None:
    """The id of the last such command since the host was started."""
    after = since.strftime("%Y-%m-%dT%H:%M:%SZ")
    asked = [{"key": "DocumentName", "value": document}, {"key": "InvokedAfter", "value": after}]
    found = ssm.list_commands(InstanceId=instance_id, Filters=asked)["Commands"]
    sent = {
        each["RequestedDateTime"]: str(each["CommandId"])
        for each in found
        if each["DocumentName"] == document and each["RequestedDateTime"] >= since
    }
    return sent[max(sent)] if sent else None
