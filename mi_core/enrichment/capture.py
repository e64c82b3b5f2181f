"""Leads that events bring: an address given to the product, before the privacy door drops it."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from mi_core.definitions import Definitions
from mi_core.enrichment.intake import Entry

CAPTURE = "email_submitted"
_KEYS = ("email", "$email")
_CONSENTS = ("consent_marketing", "consent_analytics")


def captured(
    events: Iterable[Mapping[str, Any]], refused: Collection[int], definitions: Definitions
) -> list[Entry]:
    """The leads among `events`, by position without those `refused`: one for each address given.

    An event brings a lead where its name is of the type `email_submitted`, and neither kind of
    consent is withheld. The address is among its properties, those that it sets for the person, or
    is the id itself.
    """
    return [
        Entry(email, str(event["distinct_id"]), _name(event), str(event["event"])[:64])
        for number, event in enumerate(events)
        if number not in refused and _is_capture(event, definitions)
        for email in [_email(event)]
        if email is not None
    ]


def _is_capture(event: Mapping[str, Any], definitions: Definitions) -> bool:
    known = definitions.events.get(str(event.get("event")))
    withheld = any(
        properties.get(consent) is False
        for properties in _property_sets(event)
        for consent in _CONSENTS
    )
    return bool(known and known.etype == CAPTURE and event.get("distinct_id")) and not withheld


def _email(event: Mapping[str, Any]) -> str | None:
    candidates = [each.get(key) for each in _property_sets(event) for key in _KEYS]
    candidates.append(event.get("distinct_id"))
    found = (each for each in candidates if isinstance(each, str) and "@" in each)
    return next(found, None)


def _name(event: Mapping[str, Any]) -> str | None:
    found = (each.get("name") for each in _property_sets(event))
    return next((each for each in found if isinstance(each, str)), None)


def _property_sets(event: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Where an event may say something of its person, the nearest first."""
    properties = event.get("properties")
    person = event.get("person")
    sets = [properties]
    if isinstance(properties, Mapping):
        sets += [properties.get("$set"), properties.get("$set_once")]
    if isinstance(person, Mapping):
        sets.append(person.get("properties"))
    return (each for each in sets if isinstance(each, Mapping))
