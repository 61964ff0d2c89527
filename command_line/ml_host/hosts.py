"""A single host that is stopped and started, or a group whose wanted size goes from nothing to one and back."""

from datetime import datetime
from typing import Any, Literal, Protocol

State = Literal["stopped", "starting", "running", "stopping"]


class Host(Protocol):
    """What may be asked and done; each step may be repeated."""

    def state(self) -> State: ...

    def since(self) -> datetime:
        """When it was started last."""
        ...

    def start(self) -> None: ...

    def stop(self) -> None: ...


class Instance:
    """One EC2 instance. Raises LookupError for one that is gone for good."""

    STATES: dict[str, State] = {
        "pending": "starting",
        "running": "running",
        "stopping": "stopping",
        "stopped": "stopped",
    }

    def __init__(self, ec2: Any, instance_id: str) -> None:
        self._ec2, self.id = ec2, instance_id

    def state(self) -> State:
        name = self._seen()["State"]["Name"]
        if name not in self.STATES:
            raise LookupError(f"The host is {name}: it cannot be started any more.")
        return self.STATES[name]

    def since(self) -> datetime:
        launched: datetime = self._seen()["LaunchTime"]
        return launched

    def start(self) -> None:
        self._ec2.start_instances(InstanceIds=[self.id])

    def stop(self) -> None:
        self._ec2.stop_instances(InstanceIds=[self.id])

    def _seen(self) -> dict[str, Any]:
        (reservation,) = self._ec2.describe_instances(InstanceIds=[self.id])["Reservations"]
        seen: dict[str, Any] = reservation["Instances"][0]
        return seen


class Group:
    """An Auto Scaling group: wanted size 1 when started, its least when stopped. It grows further by its own alarms."""

    def __init__(self, autoscaling: Any, name: str) -> None:
        self._autoscaling, self._name = autoscaling, name

    def state(self) -> State:
        seen = self._seen()
        serving = [each for each in seen["Instances"] if each["LifecycleState"] == "InService"]
        if seen["DesiredCapacity"] == 0:
            return "stopping" if seen["Instances"] else "stopped"
        return "running" if serving else "starting"

    def since(self) -> datetime:
        """By the youngest activity of the group: its instances have no start time here."""
        found = self._autoscaling.describe_scaling_activities(AutoScalingGroupName=self._name, MaxRecords=1)
        began = [each["StartTime"] for each in found["Activities"]]
        latest: datetime = max([self._seen()["CreatedTime"], *began])
        return latest

    def start(self) -> None:
        self._want(max(1, self._seen()["DesiredCapacity"]))

    def stop(self) -> None:
        self._want(self._seen()["MinSize"])

    def _want(self, size: int) -> None:
        if self._seen()["DesiredCapacity"] != size:
            asked = {"AutoScalingGroupName": self._name, "DesiredCapacity": size}
            self._autoscaling.set_desired_capacity(**asked, HonorCooldown=False)

    def _seen(self) -> dict[str, Any]:
        found = self._autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[self._name])
        (seen,) = found["AutoScalingGroups"]
        return dict(seen)
