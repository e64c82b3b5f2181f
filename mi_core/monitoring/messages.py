"""Whether what there is to tell arrives: by the channels of the watch, and by the churn webhook.

A sender notes at the end of a run who took nothing, and since when that is so; the next watch shows
it. Who is told of by no such message can see it on the status page, or by a channel that works.
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from mi_core import words
from mi_core.definitions import Limit
from mi_core.monitoring.check import Check, found
from mi_core.monitoring.looking import Looking
from mi_core.state import State

ALERTS, CHURN = "undelivered alerts", "undelivered churn"
"""Of `note`: by which sender, as the state calls what it noted."""

LIMIT = Limit(
    warning=2.0,
    alert=24.0,
    unit="hours",
    least=1,
    why="A service that starts anew takes minutes; of a day's messages nobody has heard.",
)
_STALE = timedelta(days=2)
"""Where nobody has tried for so long, it is no longer wanted."""


def note(state: State, sender: str, failed: Sequence[str], *, at: datetime) -> None:
    """Keep who took nothing at the end of a run, by their kinds; none: all is delivered."""
    before = json.loads(state.meta(sender) or "null")
    if not failed and not before:
        return
    since = before["since"] if before else at.isoformat()
    kept = {"who": sorted(set(failed)), "since": since, "tried_at": at.isoformat()}
    state.set_meta(sender, json.dumps(kept if failed else None))


def messages(at: Looking) -> Check:
    """For how long somebody who is to be told has taken nothing."""
    named = ("messages", "Messages")
    who, since = list[str](), list[datetime]()
    for sender in (ALERTS, CHURN):
        noted = json.loads(at.state.meta(sender) or "null")
        if noted and _is_wanted(noted["tried_at"], at.as_of):
            who += noted["who"]
            since.append(datetime.fromisoformat(noted["since"]))
    if not who:
        return found(*named, LIMIT, 0.0, "All that was to be told has arrived.", "")
    hours = max(0.0, (at.as_of - min(since)) / timedelta(hours=1))
    said = f"{words.listed(who)} took nothing of what was to be told, for {words.days(hours / 24)}."
    advice = (
        "See MI_ALERT_URLS and MI_CHURN_WEBHOOK_URL and what is behind them; mi watch --notify and"
        " mi churn --send say what is wrong."
    )
    return found(*named, LIMIT, hours, said, advice)


def _is_wanted(tried_at: str, as_of: datetime) -> bool:
    return timedelta(0) <= as_of - datetime.fromisoformat(tried_at) < _STALE
