"""What the server counts and times, for Prometheus. No label ever holds anything of a person."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()

_QUICK = (0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)

REQUESTS = Counter(
    "mi_requests", "Requests answered", ["method", "route", "status"], registry=REGISTRY
)
REQUEST_SECONDS = Histogram(
    "mi_request_seconds",
    "Time to answer a request",
    ["method", "route"],
    buckets=_QUICK,
    registry=REGISTRY,
)
EVENTS = Counter(
    "mi_events",
    "Events that senders brought, by what became of them",
    ["source", "outcome"],
    registry=REGISTRY,
)
WAITING = Gauge("mi_events_waiting", "Events that wait for a commit", registry=REGISTRY)
COMMIT_SECONDS = Histogram(
    "mi_commit_seconds",
    "Time to put deliveries through the door and onto the disk",
    buckets=_QUICK,
    registry=REGISTRY,
)
COMMITTED = Histogram(
    "mi_commit_events",
    "Events in a commit",
    buckets=(1, 2, 5, 10, 20, 50, 100, 500, 2_000, 10_000),
    registry=REGISTRY,
)
INBOX_EVENTS = Gauge("mi_inbox_events", "Events that aren't in the lake yet", registry=REGISTRY)
INBOX_LAG_SECONDS = Gauge(
    "mi_inbox_lag_seconds", "Age of the oldest event that isn't in the lake yet", registry=REGISTRY
)
DRAINED = Counter("mi_drained_events", "Events moved to the lake", registry=REGISTRY)
DRAIN_FAILURES = Counter("mi_drain_failures", "Drains that failed", registry=REGISTRY)
