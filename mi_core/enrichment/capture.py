"""Leads that events bring, and leads that they end, before the privacy door drops the addresses."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from mi_core.definitions import Definitions
from mi_core.enrichment.intake import Entry

CAPTURE = "email_submitted"
_KEYS = ("email", "$email")
_CONSENTS = ("consent_marketing", "consent_analytics")
_WITHHELD = ("false", "0", "no")
"""In any case, as text or as a value of JSON; `staging/door.sql` reads consent in the same way."""


def captured(
    events: Iterable[Mapping[str, Any]], refused: Collection[int], definitions: Definitions
) -> list[Entry]:
    """The leads among `events`, by position without those `refused`: one for each address given.

    An event brings a lead where its name is of the type `email_submitted`, and neither kind of
    consent is withheld. The address is among its properties, those that it sets for the person, or
    is the id itself. The name is among those of the person alone: an event's own is often that of
    a form or a plan.
    """
    return [
        Entry(email, str(event["distinct_id"]), _name(event), str(event["event"]))
        for number, event in enumerate(events)
        if number not in refused and _is_capture(event, definitions)
        for email in [_email(event)]
        if email is not None
    ]


def withdrawn(events: Iterable[Mapping[str, Any]]) -> list[str]:
    """The ids of those who withhold consent in one of `events`, whatever its name.

    The door's refusals count too: it refuses events for that very reason.
    """
    return [
        str(event["distinct_id"])
        for event in events
        if isinstance(event, Mapping) and event.get("distinct_id") and _is_withheld(event)
    ]


def _is_capture(event: Mapping[str, Any], definitions: Definitions) -> bool:
    known = definitions.events.get(str(event.get("event")))
    is_one = bool(known and known.etype == CAPTURE and event.get("distinct_id"))
    return is_one and not _is_withheld(event)


def _is_withheld(event: Mapping[str, Any]) -> bool:
    said = (each.get(consent) for each in _property_sets(event) for consent in _CONSENTS)
    return any(each is not None and str(each).lower() in _WITHHELD for each in said)


def _email(event: Mapping[str, Any]) -> str | None:
    candidates = [each.get(key) for each in _property_sets(event) for key in _KEYS]
    candidates.append(event.get("distinct_id"))
    found = (each for each in candidates if isinstance(each, str) and "@" in each)
    return next(found, None)


def _name(event: Mapping[str, Any]) -> str | None:
    found = (each.get("name") for each in _person_sets(event))
    return next((each for each in found if isinstance(each, str)), None)


def _property_sets(event: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Where an event may say something of its person, the nearest first."""
    properties = event.get("properties")
    if isinstance(properties, Mapping):
        yield properties
    yield from _person_sets(event)


def _person_sets(event: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Where an event says something of its person alone, the nearest first."""
    properties, person = event.get("properties"), event.get("person")
    sets: list[object] = []
    if isinstance(properties, Mapping):
        sets += [properties.get("$set"), properties.get("$set_once")]
    if isinstance(person, Mapping):
        sets.append(person.get("properties"))
    return (each for each in sets if isinstance(each, Mapping))
