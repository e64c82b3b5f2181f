"""All checks of the watch, in the order in which data goes through the workspace."""

from mi_core.monitoring import deliveries, leads, messages, shifts
from mi_core.monitoring.check import Check
from mi_core.monitoring.looking import Looking


def look(at: Looking) -> list[Check]:
    """Look at everything, over one snapshot of the lake."""
    with at.warehouse.reading():
        return [
            deliveries.newest_event(at),
            deliveries.silent_hours(at),
            deliveries.webhook_coverage(at),
            deliveries.inbox(at),
            deliveries.unknown_events(at),
            shifts.newest_scoring(at),
            *shifts.score_drift(at),
            shifts.persona_mix(at),
            *leads.enrichment(at),
            leads.budget(at),
            leads.lead_queue(at),
            messages.messages(at),
        ]
