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
