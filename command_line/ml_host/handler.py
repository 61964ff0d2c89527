"""The function itself: each event is a reason to look, and a look does the next step. A clock that ticks every minute
makes up for lost events, for a host that was still stopping, and for a start that failed."""

import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3

from command_line.ml_host.hosts import Group, Host, Instance
from command_line.ml_host.place import Place
from command_line.ml_host.ready import readiness
from command_line.ml_host.work import is_idle, waits, work_in

_LOG = logging.getLogger("lightbox.ml_host")
_LOG.setLevel(logging.INFO)


def on_event(event: dict[str, Any], context: object = None) -> dict[str, str]:
    """What was done, in a word. What AWS refuses is raised: Lambda tries again, and then tells a person."""
    place = Place.from_environment()
    done = step(place, wanted=work_in(event))
    _LOG.info(json.dumps({"event": "ml_host", "did": done}))
    return {"did": done}


def step(place: Place, *, wanted: bool) -> str:
    """One look and one step. `wanted`: an event told of work."""
    sqs, cloudwatch = boto3.client("sqs"), boto3.client("cloudwatch")
    host = _host(place)
    state = host.state()
    if wanted or waits(place, sqs, cloudwatch):
        return _towards_ready(place, host, state)
    long_enough = state == "running" and datetime.now(UTC) - host.since() > timedelta(minutes=place.idle_minutes)
    if long_enough and is_idle(place, sqs, cloudwatch):
        host.stop()
        return "stopped"
    return f"left {state}"


def _towards_ready(place: Place, host: Host, state: str) -> str:
    if state == "stopped":
        host.start()
        return "started"
    if state == "running" and place.start_document and isinstance(host, Instance):
        return readiness(boto3.client("ssm"), host.id, place.start_document, host.since())
    return f"waits: {state}"


def _host(place: Place) -> Host:
    if place.group:
        return Group(boto3.client("autoscaling"), place.group)
    return Instance(boto3.client("ec2"), place.instance_id)
