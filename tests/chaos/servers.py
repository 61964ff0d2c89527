"""PostgreSQL, Redis and S3 as servers of their own, each behind a relay: what two hosts share."""

import os
import shutil
import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import boto3
from moto.server import ThreadedMotoServer

from tests.chaos.relay import Relay
from tests.conftest import POSTGRES, RedisServer, free_port

_REGION = "eu-central-1"


class Postgres:
    """A server with one empty database; it refuses to run as root."""

    def __init__(self) -> None:
        self.port, self._folder = free_port(), Path("/tmp") / f"lightbox-chaos-{os.getpid()}"
        self._folder.mkdir(mode=0o700)
        self._other = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        if self._other:
            shutil.chown(self._folder, "postgres")
        self._call("initdb", "-D", f"{self._folder}/data", "-A", "trust", "-U", "app")
        self.start()
        self._call("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "app", "lightbox")

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self._folder}"
        self._control("start", "-o", options)

    def stop(self, manner: str = "immediate") -> None:
        """`immediate` is as good as kill -9: it recovers from its log at the next start."""
        self._control("stop", "-m", manner)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._folder)

    def _control(self, *words: str) -> None:
        self._call("pg_ctl", "-D", f"{self._folder}/data", "-w", "-l", f"{self._folder}/log", *words)

    def _call(self, program: str, *words: str) -> None:
        command = [*self._other, str(POSTGRES[-1].parent / program), *words]
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True, cwd="/")


@dataclass(frozen=True)
class Servers:
    """Started; `to_…` are the lines to them."""

    postgres: Postgres
    redis: RedisServer
    s3: ThreadedMotoServer
    to_postgres: Relay
    to_redis: Relay
    to_s3: Relay
    settings: dict[str, str]

    def end(self) -> None:
        self.redis.stop()
        self.s3.stop()
        self.postgres.remove()


def start(folder: Path) -> Servers:
    """Everything that portals on several hosts share, and the settings that lead them there."""
    postgres, redis = Postgres(), RedisServer(folder)
    s3 = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    s3.start()
    s3_port = s3.get_host_and_port()[1]
    to_postgres, to_redis, to_s3 = Relay(postgres.port), Relay(urlsplit(redis.url).port or 0), Relay(s3_port)
    bucket = f"films-{uuid.uuid4()}"
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": _REGION}
    boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{s3_port}",
        region_name=_REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    ).create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": _REGION})
    settings = credentials | {
        "LIGHTBOX_DATABASE_URL": f"postgresql://app@127.0.0.1:{to_postgres.port}/lightbox",
        "LIGHTBOX_REDIS_URL": f"redis://127.0.0.1:{to_redis.port}/0",
        "LIGHTBOX_STORE_URL": f"s3://{bucket}/portal",
        "LIGHTBOX_S3_ENDPOINT": f"http://127.0.0.1:{to_s3.port}",
    }
    return Servers(postgres, redis, s3, to_postgres, to_redis, to_s3, settings)
