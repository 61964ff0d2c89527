"""Large files from the command line: the portal is a stand-in that gives permits, the store is moto's server."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import click
import pytest
from flask import Flask, Response, jsonify, request
from moto.server import ThreadedMotoServer

from command_line import direct
from command_line.direct import send_directly
from command_line.portal import Portal
from command_line.upload import _drops
from portal_wire.errors import Conflict, PortalError, TooLarge
from portal_wire.http_server import problem
from tests.ui_service.fake_server import serve

NOTHING = {"studies": [], "jobs": [], "rejected": []}


@dataclass
class World:
    """`refuses` is what the portal answers to who asks for a permit."""

    portal: Portal = field(init=False)
    store: Any = field(init=False)
    permit: dict[str, Any] = field(init=False)
    refuses: PortalError | None = None
    asked: dict[str, Any] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def world(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(direct, "LARGE_BYTES", 10)
    made = World()
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    made.store = boto3.client("s3", endpoint_url=endpoint, **keys)
    made.store.create_bucket(Bucket="films")
    said = {"Content-Type": "application/octet-stream", "success_action_status": "201"}
    made.permit = made.store.generate_presigned_post(
        "films", "uploads/7", Fields=said, Conditions=[{name: value} for name, value in said.items()]
    )
    app = Flask(__name__)

    @app.before_request
    def note() -> None:
        made.calls.append(f"{request.method} {request.path.removeprefix('/api/v1')}")

    @app.post("/api/v1/uploads")
    def begin() -> Any:
        if made.refuses:
            return problem(made.refuses)
        made.asked = request.get_json()
        return jsonify(id="7", **made.permit), 201

    @app.post("/api/v1/uploads/7/complete")
    def complete() -> Response:
        return Response(json.dumps(NOTHING), 201, mimetype="application/json")

    @app.delete("/api/v1/uploads/7")
    def abandon() -> tuple[str, int]:
        return "", 204

    address, stop = serve(app)
    made.portal = Portal(address, "token", None)
    yield made
    stop()


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    path = tmp_path / "ct.nii.gz"
    path.write_bytes(b"x" * 300_000)
    return path


def test_it_goes_straight_to_the_store_with_its_progress(world: World, volume: Path) -> None:
    told: list[int] = []
    assert send_directly(world.portal, [volume], ["ct-tissue"], "P 7", told.append) is not None
    assert world.store.get_object(Bucket="films", Key="uploads/7")["Body"].read() == volume.read_bytes()
    expected = {"filename": "ct.nii.gz", "size_bytes": 300_000, "models": ["ct-tissue"], "patient_reference": "P 7"}
    assert world.asked == expected
    assert world.calls == ["POST /uploads", "POST /uploads/7/complete"]
    assert sum(told) >= 300_000 and len(told) > 5


def test_where_there_is_no_permit_it_goes_by_the_portal(world: World, volume: Path, tmp_path: Path) -> None:
    small = tmp_path / "small.png"
    small.write_bytes(b"x" * 9)
    for drop in ([small], [volume, volume]):
        assert send_directly(world.portal, drop, [], None, lambda count: None) is None
    assert world.calls == []
    world.refuses = Conflict("by the portal alone", code="not_direct")
    assert send_directly(world.portal, [volume], [], None, lambda count: None) is None


def test_what_is_too_large_is_refused_before_it_travels(world: World, volume: Path) -> None:
    world.refuses = TooLarge("Expected a file of at most 512 MiB; this one is larger.")
    with pytest.raises(click.ClickException, match="512 MiB"):
        send_directly(world.portal, [volume], [], None, lambda count: None)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/films", "/no-such-bucket"])
def test_a_store_that_does_not_take_it_costs_nothing(world: World, volume: Path, url: str, endpoint: str) -> None:
    world.permit["url"] = url if url.startswith("http") else endpoint + url
    told: list[int] = []
    assert send_directly(world.portal, [volume], [], None, told.append) is None
    assert sum(told) == 0 and world.calls == ["POST /uploads", "DELETE /uploads/7"]


def test_a_large_file_is_a_drop_of_its_own(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.png", "ct.nii.gz", "b.png")]
    for path in paths:
        path.touch()
    with paths[1].open("r+b") as file:
        file.truncate(direct.LARGE_BYTES)
    assert list(_drops(paths)) == [[paths[1]], [paths[0], paths[2]]]
