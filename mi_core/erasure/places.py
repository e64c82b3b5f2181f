"""Where a person's data is: the one list that erasing and disclosing go by.

Every table of the lake and of the state is here, or among those that say nothing of anybody; a test
holds both lists to the tables that there are.
"""

from collections.abc import Mapping
from dataclasses import dataclass

_IS_OF = {
    "id": "{column} in (select id_hash from subject_id)",
    "id as text": "{column} in (select id_hash::varchar from subject_id)",
    "event": "{column} in (select event_id from subject_event)",
    "lead": "{column} in (select lead_id from subject_lead)",
    "domain": "{column} in (select domain from subject_domain)",
    "event as text": "{column} in (select seq from subject_inbox)",
}


@dataclass(frozen=True)
class Place:
    """A table with rows of a person: those of which one of `columns` names something of theirs.

    `names` is what the columns name, and `holds` what the rows say, for the person who asks.
    """

    table: str
    columns: tuple[str, ...]
    holds: str
    names: str = "id"

    @property
    def condition(self) -> str:
        """What holds for the rows of the person whose ids, events and leads are staged."""
        return " or ".join(_IS_OF[self.names].format(column=column) for column in self.columns)


_USER = ("user_id",)

LAKE = (
    # First, because it is found by the events.
    Place("event_delivery", ("event_id",), "by which further sources an event came again", "event"),
    Place(
        "analytics_events",
        ("user_id", "distinct_id_hash"),
        "each event as it is stored, with its properties and experiments",
    ),
    Place("user_event", _USER, "the same events as scores read them, with type and channel"),
    Place("identity_edge", ("from_hash", "to_hash"), "which ids were said to be one person's"),
    Place("identity_alias", ("distinct_id_hash", "user_id"), "the ids, as keyed hashes"),
    Place("user_milestone", _USER, "when something happened first, and last"),
    Place("user_feature", _USER, "what the newest scores are computed from, and former ids"),
    Place("user_intent_score", _USER, "intent scores, now and earlier"),
    Place("user_magnetism_index", _USER, "magnetism indexes, churn risk and advice, and earlier"),
    Place("user_score_day", _USER, "both, by day: the last of each day with a scoring"),
    Place("mv_user_magnetism_7d", _USER, "the newest magnetism index over 7 days"),
    Place("mv_user_magnetism_30d", _USER, "the newest magnetism index over 30 days"),
    Place("touched_user", _USER, "that there are events which no scoring has seen yet"),
)

STATE = (
    Place("inbox", ("seq",), "events that came singly, of the last days", "event as text"),
    Place("user_persona", _USER, "personas assigned, now and earlier, and by whom", "id as text"),
    Place(
        "user_identity",
        _USER,
        "the lead: status, address while it waits, profiles, company, cost",
        "id as text",
    ),
    Place("enrichment_step", ("lead_id",), "what each step of the enrichment gave", "lead"),
    Place("enrichment_call", _USER, "what was asked of which provider, and its cost", "id as text"),
    Place("company_profile", ("domain",), "what is known of the company of the address", "domain"),
    Place("churn_notice", _USER, "when a service was told of their churn risk", "id as text"),
    Place("erased_id", ("id_hash",), "that ids stay erased", "id as text"),
)

OF_NOBODY: Mapping[str, frozenset[str]] = {
    "lake": frozenset(
        {
            "schema_version",
            "campaign",
            "creative",
            "social_post",
            "campaign_spend",
            "score_run",
            "ingest_batch",
            "classification",
            "ingest_watermark",
            "mv_daily_funnel",
            "mv_persona_performance",
            "pull_window",
            "removal_effect",
            "chain_step",
            "magnetism_cohort",
        }
    ),
    "state": frozenset(
        {
            "schema_version",
            "workspace_meta",
            "persona_bucket",
            "scoring_config",
            "config_proposal",
            "config_activation",
            "enrichment_day",
            "enrichment_provider",
            "enrichment_batch",
            "erasure",
            "webhook_delivery",
            "alert",
            "alert_change",
            "alert_notice",
            "sending",
        }
    ),
}
"""Tables whose rows are of no person: counts of many, and what the workspace knows of itself."""
