"""What the worker counts. Labels come from fixed lists: model names were checked against the served ones.

Gauges are `livemax`: where an api runs several processes, each of them has them too, at 0.
"""

from functools import partial

from prometheus_client import Counter, Gauge, Histogram

JOBS = Counter("lightbox_app_jobs_total", "Attempts of jobs, by how they ended.", ["model", "outcome"])
QUEUE_WAIT = Histogram(
    "lightbox_app_queue_wait_seconds",
    "From acceptance of a job to its start.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800),
)
_STAGE = Histogram(
    "lightbox_app_job_stage_seconds",
    "Time of an attempt in a stage: reading the study, asking the model, keeping its artifacts, committing.",
    ["stage"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
READ, MODEL, KEEP, COMMIT = (_STAGE.labels(stage) for stage in ("read", "model", "keep", "commit"))
_gauge = partial(Gauge, multiprocess_mode="livemax")
QUEUE_LENGTH = _gauge("lightbox_app_queue_jobs", "Jobs that wait.")
QUEUE_AGE = _gauge("lightbox_app_queue_oldest_seconds", "Age of the job that waits longest; 0 when none waits.")
RUNNING = _gauge("lightbox_app_running_jobs", "Jobs that run.")
DEAD_LETTERS = _gauge(
    "lightbox_app_dead_letter_jobs",
    "Jobs of the last seven days that the portal gave up through no fault of theirs, and that nobody has tried again.",
)
STORE_SIZE = _gauge(
    "lightbox_app_store_size_bytes",
    "Of the volume that uploads land on; unless it is S3, the store's own.",
)
STORE_FREE = _gauge("lightbox_app_store_free_bytes", "What is free of it.")
SHADOWS = Counter(
    "lightbox_app_shadow_runs_total",
    "Runs of shadow versions: same or other label than the answer, left out, failed.",
    ["model", "version", "outcome"],
)
SHADOW_DIFFERENCE = Histogram(
    "lightbox_app_shadow_difference_ratio",
    "Absolute difference between a shadow's probability and the answer's.",
    ["model", "version"],
    buckets=(0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1),
)
RECONCILED = Counter("lightbox_app_reconciled_jobs_total", "Jobs put right by the reconciler, by reason.", ["reason"])
RETIRED = Counter("lightbox_app_studies_retired_total", "Studies deleted because of their age.")
