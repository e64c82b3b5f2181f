"""All definitions of a workspace in one object, and as the small tables that relations join."""

import hashlib
import json
import re
from functools import cached_property
from typing import Any

from pydantic import field_validator

from mi_core.definitions.models import (
    AttributionRules,
    ChannelRule,
    Channels,
    Etype,
    Event,
    Frozen,
    Funnel,
    IntentRules,
    MagnetismRules,
    Measures,
    Persona,
    Privacy,
    SignalRule,
)
from mi_core.definitions.monitoring import MonitoringRules
from mi_core.definitions.prices import EnrichmentRules

MICRO = 1_000_000

OF_NO_SCORE = ("enrichment", "monitoring")
"""Tables that no score depends on, so that the version of the definitions leaves them out."""

Row = dict[str, Any]


class Definitions(Frozen):
    """All definitions of a workspace."""

    etypes: dict[str, Etype]
    events: dict[str, Event]
    signals: dict[str, SignalRule]
    intent: IntentRules
    personas: dict[str, Persona]
    magnetism: MagnetismRules
    channels: Channels
    privacy: Privacy
    measures: Measures
    funnel: Funnel
    attribution: AttributionRules
    enrichment: EnrichmentRules
    monitoring: MonitoringRules

    @field_validator("personas")
    @classmethod
    def _name_personas(cls, personas: dict[str, Persona]) -> dict[str, Persona]:
        return {slug: each.model_copy(update={"slug": slug}) for slug, each in personas.items()}

    @cached_property
    def version(self) -> str:
        """12 hex digits that change with any value that scores depend on, and with nothing else."""
        scoring = self.model_dump(mode="json", exclude_none=True, exclude=set(OF_NO_SCORE))
        text = json.dumps(scoring, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def config(self) -> dict[str, Any]:
        """Everything as JSON values; `definitions_from_config` reads it back."""
        return self.model_dump(mode="json", exclude_none=True)

    def taxonomy_rows(self) -> list[Row]:
        return [
            {
                "event_name": name,
                "etype": event.etype,
                "session_first_etype": event.session_first_etype,
                "phase": self._phase(event),
                "signal": event.signal,
                "channel": event.channel,
                "is_touch": event.touch,
                "is_conversion": event.conversion,
                "is_engagement": event.engagement,
            }
            for name, event in self.events.items()
        ]

    def _phase(self, event: Event) -> int | None:
        if event.phase is None and event.etype is not None:
            return self.etypes[event.etype].phase
        return event.phase

    def signal_rows(self) -> list[Row]:
        return [
            {
                "signal": name,
                "points_micro": round(rule.points * MICRO),
                "cap_micro": None if rule.cap is None else round(rule.cap * MICRO),
                "points_group": rule.group,
            }
            for name, rule in self.signals.items()
        ]

    def persona_rows(self) -> list[Row]:
        """Personas by position, the thresholds of their rules as columns."""
        ordered = sorted(self.personas.values(), key=lambda persona: persona.position)
        return [
            persona.model_dump(exclude={"rule"}, mode="json") | persona.rule.model_dump()
            for persona in ordered
        ]

    def persona_rule_rows(self) -> list[Row]:
        """Of `persona_rows`, what decides: slug, confidence and thresholds."""
        told = {"position", "label", "description", "intent_level", "traits"}
        rows = self.persona_rows()
        return [{name: row[name] for name in row if name not in told} for row in rows]

    def channel_rows(self) -> list[Row]:
        return [
            {"channel": name, "label": each.label, "is_paid": each.paid, "is_social": each.social}
            for name, each in self.channels.names.items()
        ]

    def channel_term_rows(self) -> list[Row]:
        """What the names in an event's tags mean: utm sources, utm mediums and click ids."""
        return [
            *self._source_terms(),
            *(
                _term("utm_medium", name, medium=medium)
                for medium, names in self.channels.mediums.items()
                for name in names
            ),
            *(
                _term("click_id", name, platform=each.platform, is_paid=each.paid)
                for name, each in self.channels.click_ids.items()
            ),
        ]

    def _source_terms(self) -> list[Row]:
        return [
            _term("utm_source", name, platform=platform, is_paid=is_paid)
            for platform, each in self.channels.platforms.items()
            for names, is_paid in ((each.sources, False), (each.ad_sources, True))
            for name in names
        ]

    def channel_rule_rows(self) -> list[Row]:
        """Rules by position, those about platforms as one row for each platform."""
        return [
            {"position": rule.position, "rule": name} | condition
            for name, rule in sorted(self.channels.rules.items(), key=lambda item: item[1].position)
            for condition in self._conditions(rule)
        ]

    def _conditions(self, rule: ChannelRule) -> list[Row]:
        when = rule.when.model_dump()
        if rule.of_platform is None:
            return [when | {"channel": rule.channel}]
        return [
            when | {"platform": name, "channel": getattr(each, rule.of_platform)}
            for name, each in self.channels.platforms.items()
            if rule.when.platform in (None, name) and getattr(each, rule.of_platform)
        ]

    def referrer_rows(self) -> list[Row]:
        """Hosts with their platform, null for a host that is no evidence.

        `name.*` stands for the name under any public suffix.
        """
        named = {
            host: platform if each.organic else None
            for platform, each in self.channels.platforms.items()
            for host in each.hosts
        }
        own = dict.fromkeys(self.channels.own_hosts)
        hosts = self.channels.listed_hosts | named | own
        return [{"host": host.lower(), "platform": platform} for host, platform in hosts.items()]

    def whitelist_rows(self) -> list[Row]:
        """Properties that are stored: under which name, whole (`keep`) or as `host` or `flag`."""
        stored = [name for names in self.privacy.whitelist.values() for name in names]
        ids = self.channels.click_ids
        return [
            *(self._kept(name, name) for name in stored),
            *(self._kept(source, name) for source, name in self.privacy.renamed.items()),
            *(_whitelisted(f"has_{name}", f"has_{name}", "keep") for name in ids),
            *(_whitelisted(name, f"has_{name}", "flag") for name in ids),
            *(_whitelisted(f"${name}", f"has_{name}", "flag") for name in ids),
        ]

    def _kept(self, source: str, stored: str) -> Row:
        rule = "host" if stored in self.privacy.hosts else "keep"
        return _whitelisted(source, stored, rule)


def _term(
    field: str,
    name: str,
    *,
    platform: str | None = None,
    medium: str | None = None,
    is_paid: bool = False,
) -> Row:
    return {
        "field": field,
        "term": name if field == "click_id" else tag(name),
        "platform": platform,
        "medium": medium,
        "is_paid": is_paid,
    }


def tag(name: str) -> str:
    """A utm source or medium as `channel_class.sql` writes it: "Paid Social" is paid_social."""
    return re.sub(r"[\s+_-]+", "_", name.strip().lower())


def _whitelisted(source: str, stored: str, rule: str) -> Row:
    return {"source_name": source, "stored_name": stored, "rule": rule}
