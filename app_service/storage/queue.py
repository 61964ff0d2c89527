"""The job queue: Dramatiq on Redis for delivery, plus a sorted set that says which jobs Redis knows of.

Dramatiq may deliver twice and FLUSHALL may forget everything; both are harmless, because the claim in SQL
decides who runs a job and the reconciler asks `forgotten` which queued jobs need a message.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import dramatiq
import redis
from dramatiq.broker import Consumer
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer
from dramatiq.errors import ConnectionClosed
from redis.client import Pipeline

QUEUE = "jobs"
ACTOR = "run_job"
_WAITING = "lightbox:waiting"
_LOOK_S = 1.0  # an idle worker gives its sign of life this often
_LOOK_FOR_DELAYED_S = 0.25  # and looks this often whether a delayed job is due
_BUSY_MS = 40  # between two looks of a worker that has as many jobs as it may take


class _PromptConsumer(_RedisConsumer):
    """Sleeps in Redis until a message is there, where the library's own looks for one again and again."""

    def __next__(self) -> Any:
        if not self.message_cache and self.outstanding_message_count < self.prefetch:
            messages = f"{self.broker.namespace}:{self.queue_name}"
            wait_s = _LOOK_S if self.queue_name == QUEUE else _LOOK_FOR_DELAYED_S
            try:
                # From the head of the list to the same head: nothing moves, and it blocks while the list is empty.
                self.broker.client.blmove(messages, messages, wait_s, "LEFT", "LEFT")
            except redis.ConnectionError as error:
                raise ConnectionClosed(error) from None  # type: ignore[no-untyped-call]
        return super().__next__()  # type: ignore[no-untyped-call]


class _PromptBroker(RedisBroker):
    @property
    def consumer_class(self) -> type[_PromptConsumer]:
        return _PromptConsumer

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> Consumer:
        return super().consume(queue_name, prefetch, _BUSY_MS)


class JobQueue:
    """Puts jobs before the workers and tells their places. Raises redis.RedisError when Redis is away."""

    def __init__(self, client: "redis.Redis", client_of_bytes: "redis.Redis") -> None:
        self._redis = client
        dramatiq.set_encoder(dramatiq.JSONEncoder())
        # A dead worker's messages come back after the heartbeat timeout, looked for at every command: the defaults
        # (60 s, one command in a thousand) would leave them lying for minutes.
        self.broker = _PromptBroker(  # type: ignore[no-untyped-call]
            client=client_of_bytes,
            middleware=[],  # retries, time limits and results are counted in SQL
            heartbeat_timeout=10_000,
            maintenance_chance=1_000_000,
        )
        self.broker.declare_queue(QUEUE)

    def put(self, job_id: str, delay_s: float = 0.0) -> int | None:
        """Enqueue a job whose row is committed; returns its place, 1 being next (None when it already runs)."""
        message: dramatiq.Message[None] = dramatiq.Message(
            queue_name=QUEUE, actor_name=ACTOR, args=(job_id,), kwargs={}, options={}
        )
        self.broker.enqueue(message, delay=int(delay_s * 1000) or None)
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.zadd(_WAITING, {job_id: time.time()}, nx=True)
        pipeline.zrank(_WAITING, job_id)
        rank = pipeline.execute()[1]
        return None if rank is None else rank + 1

    def take(self, job_id: str, along: Pipeline | None = None) -> None:
        """The job no longer waits: it runs, or is over. `along` takes the command instead of sending it."""
        (self._redis if along is None else along).zrem(_WAITING, job_id)

    def positions(self, job_ids: Sequence[str]) -> list[int | None]:
        """Each job's place in the queue, 1 being next; None for one that Redis does not know."""
        pipeline = self._redis.pipeline(transaction=False)
        for job_id in job_ids:
            pipeline.zrank(_WAITING, job_id)
        return [None if rank is None else rank + 1 for rank in pipeline.execute()]

    def forgotten(self, job_ids: Sequence[str]) -> list[str]:
        """Those of `job_ids` that Redis has no message for: never enqueued, or lost with its memory."""
        if not job_ids:
            return []
        scores: list[float | None] = self._redis.zmscore(_WAITING, list(job_ids))
        return [job_id for job_id, score in zip(job_ids, scores, strict=True) if score is None]

    def waiting(self) -> set[str]:
        """The jobs that Redis has noted as waiting, or none when messages were lost: then every job is forgotten.

        A waiting job has at least one message in Dramatiq's queue or delay queue, so fewer messages than jobs
        means that some are gone (a crash between two writes, a restore from an older copy).
        """
        pipeline = self._redis.pipeline()
        pipeline.zrange(_WAITING, 0, -1)
        pipeline.hlen(f"{self.broker.namespace}:{QUEUE}.msgs")
        pipeline.hlen(f"{self.broker.namespace}:{QUEUE}.DQ.msgs")
        noted, messages, delayed = pipeline.execute()
        if len(noted) > messages + delayed:
            self._redis.delete(_WAITING)
            return set()
        return set(noted)

    def serve(self, run_job: Callable[[str], None]) -> None:
        """Make `run_job` what a worker of this process does with each job id."""
        dramatiq.actor(actor_name=ACTOR, queue_name=QUEUE, broker=self.broker)(run_job)
