"""What the worker counts. Labels come from fixed lists: model names were checked against the served ones."""

from prometheus_client import Counter, Gauge, Histogram

JOBS = Counter("lightbox_app_jobs_total", "Attempts of jobs, by how they ended.", ["model", "outcome"])
QUEUE_WAIT = Histogram(
    "lightbox_app_queue_wait_seconds",
    "From acceptance of a job to its start.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800),
)
QUEUE_LENGTH = Gauge("lightbox_app_queue_jobs", "Jobs that wait.")
QUEUE_AGE = Gauge("lightbox_app_queue_oldest_seconds", "Age of the job that waits longest; 0 when none waits.")
RECONCILED = Counter("lightbox_app_reconciled_jobs_total", "Jobs put right by the reconciler, by reason.", ["reason"])
