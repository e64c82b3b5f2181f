"""The way of a request's events: into the inbox, into the counts, and a word to the drain."""

from collections import Counter
from datetime import UTC, datetime

from mi_core.api import metrics
from mi_core.api.crew import Crew
from mi_core.api.draining import Draining
from mi_core.api.intake import Intake
from mi_core.api.models.events import EventsTaken, Inbox, Rejection, WebhookHealth
from mi_core.api.problems import Refused
from mi_core.api.verbs import events
from mi_core.ingest.door import WITHHELD
from mi_core.ingest.inbox import Delivery, Taken

_LAGGING_SECONDS = 60
_MOST_TOLD = 100
"""Rejections that an answer lists; it counts all."""


class Entry:
    """Where events come in at a server."""

    def __init__(self, crew: Crew, intake: Intake, draining: Draining) -> None:
        self._crew, self._intake, self._draining = crew, intake, draining
        self._since = datetime.now(UTC)
        self._counts: Counter[str] = Counter()

    async def take(self, delivery: Delivery) -> EventsTaken:
        """Take events in.

        Raises
        ------
        Refused
            422 where none of them could be taken in, with the reason for each; or as of
            `Intake.take`.
        """
        taken = await self._intake.take(delivery)
        answer = _answer(taken)
        for outcome in ("accepted", "duplicates", "withheld", "rejected"):
            number = getattr(answer, outcome)
            self._counts[outcome] += number
            metrics.EVENTS.labels(delivery.source, outcome).inc(number)
        if answer.accepted:
            self._draining.call()
        if answer.rejected and answer.rejected == len(delivery.events):
            reasons = " ".join(sorted({f"{each.reason}." for each in answer.rejections})[:3])
            detail = f"None of these events can be taken in: {reasons}"
            raise Refused(422, detail, more=answer.model_dump(exclude={"status"}))
        return answer

    async def health(self, *, with_figures: bool) -> WebhookHealth:
        """How it does, and `with_figures` how much came."""
        lag = await self._draining.lag()
        status = "lagging" if lag.seconds > _LAGGING_SECONDS else "ok"
        if not with_figures:
            return WebhookHealth(status=status)
        return WebhookHealth(
            status=status,
            whitelist_size=await self._crew.admit(events.whitelist_size),
            since=self._since,
            accepted=self._counts["accepted"],
            duplicates=self._counts["duplicates"],
            withheld=self._counts["withheld"],
            rejected=self._counts["rejected"],
            inbox=Inbox(events=lag.events, lag_seconds=round(lag.seconds, 3)),
        )


def _answer(taken: Taken) -> EventsTaken:
    rejections = [
        Rejection(index=number, reason=reason)
        for number, reason in taken.refused.items()
        if reason != WITHHELD
    ]
    return EventsTaken(
        status="duplicate" if taken.is_repeat else "ok",
        accepted=taken.accepted,
        duplicates=taken.duplicates,
        withheld=len(taken.refused) - len(rejections),
        rejected=len(rejections),
        rejections=tuple(rejections[:_MOST_TOLD]),
    )
