"""Where events come in."""

WEBHOOK = "/api/webhooks/posthog-events"
CAPTURES = ("/batch", "/capture", "/i/v0/e", "/e")
"""PostHog's own; each also with a slash at its end."""

FROM_BROWSERS = frozenset([*CAPTURES, *(f"{path}/" for path in CAPTURES)])
EVENTS = FROM_BROWSERS | {WEBHOOK}
