"""What Prometheus sees of the models: seconds by stage, batch sizes, scores, refusals."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Gauge, Histogram

from ml_service.tasks.verdict import Verdict
from portal_wire.contract import NOT_ANSWERED, UNCERTAIN

BY = ("model", "version")
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

STAGE = Histogram("lightbox_ml_stage_seconds", "Time of an image in a stage.", (*BY, "stage"), buckets=SECONDS)
BATCH = Histogram("lightbox_ml_batch_images", "Images in one pass of a network.", BY, buckets=(1, 2, 4, 8, 16, 32))
# One counter a bin, not Prometheus' own histogram: its buckets hold one another, and a drift compares single bins.
BINS = tuple(f"{tenth / 10:.1f}-{(tenth + 1) / 10:.1f}" for tenth in range(10))
SCORES = Counter(
    "lightbox_ml_scores_total",
    "Answers by the tenth that the first label's calibrated probability lies in. A drift of it is a drift of the "
    "patients or of the scanner.",
    (*BY, "bin"),
)
OUTCOMES = ("positive", "negative", "uncertain", "refused")  # of a classifier
OF_MASKS = ("outlined", "refused")
ANSWERS = Counter("lightbox_ml_answers_total", "Images by what was said of them.", (*BY, "outcome"))
REFUSED = Counter("lightbox_ml_refusals_total", "Images that got no answer, by reason.", (*BY, "reason"))
WAITING = Gauge("lightbox_ml_queue_images", "Images that wait for a network.", BY)
LOADS = Counter("lightbox_ml_model_loads_total", "Loads and unloads of versions, by outcome.", (*BY, "outcome"))
MEMORY = Gauge("lightbox_ml_models_memory_bytes", "About how much memory the loaded versions take.")
DROPPED = Counter("lightbox_ml_dropped_requests_total", "Requests that no network saw, by reason.", (*BY, "reason"))
ENGINE = Gauge("lightbox_ml_engine_info", "What computes the version.", (*BY, "engine", "device", "precision"))
LOADED = Gauge("lightbox_ml_model_ready_info", "1 when the version passed its checks and answers.", BY)
UNFIT = Gauge("lightbox_ml_model_unfit_info", "1 when the version did not pass its checks, 0 once it has.", BY)


class Meter:
    """The metrics of one version. Every series is there from the start, so that its first count is seen as one."""

    def __init__(self, model: str, version: str, negative_label: str | None) -> None:
        self._by = (model, version)
        self._negative_label = negative_label
        self._silent = False
        for each in BINS if negative_label else ():
            SCORES.labels(*self._by, each)
        for outcome in OUTCOMES if negative_label else OF_MASKS:
            ANSWERS.labels(*self._by, outcome)

    def watch_queue(self, rows_waiting: Callable[[], int]) -> None:
        """Reads the queue's length whenever metrics are scraped."""
        WAITING.labels(*self._by).set_function(rows_waiting)

    def tell_engine(self, engine: str, device: str, precision: str) -> None:
        """Says what computes this version."""
        self._engine = (engine, device, precision)
        ENGINE.labels(*self._by, *self._engine).set(1)

    def close(self) -> None:
        """Forgets the queue: the gauge would keep a network in memory that was unloaded."""
        WAITING.remove(*self._by)
        ENGINE.remove(*self._by, *self._engine)

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Nothing counts meanwhile: golden images are no patients."""
        self._silent = True
        try:
            yield
        finally:
            self._silent = False

    def note(self, timings_s: dict[str, float], waited_s: float, batch_rows: int, verdicts: list[Verdict]) -> None:
        """Counts one answered request, which shared its pass with others: `batch_rows` images in all."""
        if self._silent:
            return
        STAGE.labels(*self._by, "queue").observe(waited_s)
        for stage, seconds in timings_s.items():
            STAGE.labels(*self._by, stage).observe(seconds)
        BATCH.labels(*self._by).observe(batch_rows)
        for verdict in verdicts:
            ANSWERS.labels(*self._by, self._outcome(verdict.label)).inc()
            for finding in verdict.findings[:1]:
                SCORES.labels(*self._by, BINS[min(int(finding.probability * 10), 9)]).inc()
            for warning in verdict.warnings if not verdict.in_distribution else []:
                REFUSED.labels(*self._by, warning.code).inc()

    def _outcome(self, label: str) -> str:
        if self._negative_label is None:
            return "refused" if label == NOT_ANSWERED else "outlined"
        known = {self._negative_label: "negative", UNCERTAIN: "uncertain", NOT_ANSWERED: "refused"}
        return known.get(label, "positive")
