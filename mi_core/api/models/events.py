"""What the senders of events are told."""

from pydantic import Field

from mi_core.api.models.base import Answer, Utc, example


class Rejection(Answer):
    """Why an event wasn't taken in."""

    index: int = Field(description="Its place in the body, from 0.")
    reason: str


class EventsTaken(Answer):
    """What became of the events of one request; those accepted are on disk."""

    model_config = example(
        status="ok",
        accepted=2,
        duplicates=0,
        withheld=0,
        rejected=1,
        rejections=[{"index": 2, "reason": "distinct_id is missing or a placeholder"}],
    )

    status: str = Field(
        description="`ok`, or `duplicate` for a signed delivery that was taken in before."
    )
    accepted: int
    duplicates: int = Field(description="Known already, by their uuid.")
    withheld: int = Field(description="Counted and not stored: consent_analytics is false.")
    rejected: int
    rejections: tuple[Rejection, ...] = ()


class Inbox(Answer):
    """What is stored and not yet in the lake."""

    events: int
    lag_seconds: float = Field(description="Age of the oldest of them.")


class WebhookHealth(Answer):
    """How the webhook does; for who may read, also what this server took in since it began."""

    model_config = example(
        status="ok",
        whitelist_size=152,
        since="2026-01-15T08:00:00Z",
        accepted=1250,
        duplicates=3,
        withheld=12,
        rejected=1,
        inbox={"events": 4, "lag_seconds": 1.2},
    )

    status: str = Field(description="`ok`, or `lagging` while the lake is over a minute behind.")
    whitelist_size: int | None = Field(
        None, description="Names of properties that pass the privacy door."
    )
    since: Utc | None = None
    accepted: int | None = None
    duplicates: int | None = None
    withheld: int | None = None
    rejected: int | None = None
    inbox: Inbox | None = None
