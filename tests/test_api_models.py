"""What the API's models take and refuse, and that each shows an example that it would take."""

import inspect
import json
import pickle
from datetime import UTC, datetime, timedelta, timezone
from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from mi_core.api.models import analytics, base, cron, journey, marketing, people
from mi_core.api.models.base import Answer, Given, Utc
from mi_core.api.models.marketing import LeadGiven, PersonaGiven


def models_of(module: ModuleType) -> list[type[BaseModel]]:
    found = [each for _, each in inspect.getmembers(module, inspect.isclass)]
    own = [each for each in found if each.__module__ == module.__name__]
    return [each for each in own if issubclass(each, BaseModel) and each not in (Answer, Given)]


MODELS = [
    model
    for module in (analytics, base, cron, journey, marketing, people)
    for model in models_of(module)
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_each_model_takes_its_example_and_survives_the_way_between_processes(
    model: type[BaseModel],
):
    [example] = model.model_json_schema()["examples"]

    made = model.model_validate_json(json.dumps(example))
    assert set(example) <= set(model.model_fields)
    assert pickle.loads(pickle.dumps(made)) == made
    assert model.model_validate_json(made.model_dump_json()) == made


def test_a_time_without_a_zone_is_utc():
    times = TypeAdapter(Utc)
    there = datetime(2024, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))

    assert times.validate_python(datetime(2024, 1, 1)) == datetime(2024, 1, 1, tzinfo=UTC)
    assert times.validate_python(there) == datetime(2024, 1, 1, tzinfo=UTC)


LEAD = {"email": "jane@acme.example", "user_id": "jane", "trigger": "signup"}


@pytest.mark.parametrize(
    "change",
    [
        {"email": None},
        {"email": ""},
        {"email": 1},
        {"email": "x" * 321},
        {"user_id": ""},
        {"user_id": "x" * 401},
        {"user_id": 7},
        {"trigger": None},
        {"trigger": "x" * 65},
        {"name": "Jane"},
    ],
    ids=str,
)
def test_a_lead_is_refused(change: dict[str, Any]):
    with pytest.raises(ValidationError):
        LeadGiven.model_validate_json(json.dumps(LEAD | change))


def test_a_lead_needs_an_address_alone():
    lead = LeadGiven.model_validate_json('{"email": "jane@acme.example"}')

    assert (lead.user_id, lead.trigger) == (None, "api")


PERSONA = {"user_id": "jane", "persona_slug": "automation_pro", "confidence": 1, "source": "manual"}


@pytest.mark.parametrize(
    "change",
    [
        {"persona_slug": None},
        {"persona_bucket_id": "automation_pro"},
        {"persona_slug": "x" * 65},
        {"confidence": 1.1},
        {"confidence": -0.1},
        {"confidence": "0.5"},
        {"confidence": True},
        {"confidence": float("nan")},
        {"source": "guess"},
        {"user_id": None},
        {"user_id": "x" * 401},
        {"by": "me"},
    ],
    ids=str,
)
def test_a_persona_is_refused(change: dict[str, Any]):
    with pytest.raises(ValidationError):
        PersonaGiven.model_validate_json(json.dumps(PERSONA | change))


def test_a_persona_is_named_by_its_slug_or_by_the_id_of_its_bucket():
    by_id = {"user_id": "jane", "persona_bucket_id": "automation_pro"}
    given = PersonaGiven.model_validate_json(json.dumps(by_id))

    assert given.slug == PersonaGiven.model_validate_json(json.dumps(PERSONA)).slug
    assert (given.confidence, given.source) == (1.0, "manual")
