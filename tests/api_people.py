"""Some people for the API's tests: what they did in the last weeks, scored."""

from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_OID, uuid5

from mi_core.workspace import Workspace

AS_OF = datetime(2026, 3, 15, tzinfo=UTC)
AD = {"utm_source": "google", "utm_medium": "cpc", "utm_campaign": "brand"}
ODD = "odd/id with @ and ünïcode?&#%"

ANN = (
    (14.0, "ad_click", AD),
    (11.0, "lead_captured", {}),
    (9.0, "app_open", {}),
    (8.0, "trial_started", {}),
    (5.0, "email_opened", {}),
    (4.0, "purchase", {"price_cents": 4950}),
    (0.5, "app_open", {}),
)
"""Days before AS_OF, name, properties."""


def act(who: str, days: float, name: str, properties: dict[str, object], as_of: datetime = AS_OF):
    """An event as PostHog's webhooks send it."""
    return {
        "uuid": str(uuid5(NAMESPACE_OID, f"{who} {days} {name} {as_of}")),
        "event": name,
        "distinct_id": who,
        "timestamp": (as_of - timedelta(days=days)).isoformat(),
        "properties": properties,
    }


def fill(workspace: Workspace) -> None:
    """Ann, who bought; Bob, who looked once; somebody with an odd id. Scored three times."""
    workspace.post(
        [
            *(act("ann", *each) for each in ANN),
            act("bob", 10.0, "landing_view", AD),
            act(ODD, 2.0, "app_open", {}),
        ]
    )
    workspace.drain()
    for days in (9, 1, 0):
        workspace.score(AS_OF - timedelta(days=days))
