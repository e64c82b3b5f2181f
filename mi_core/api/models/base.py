"""What all models of the API share: how they are configured, and the types of common values."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

LONGEST_ID = 400
Window = Literal["7d", "30d"]
Level = Literal["low", "medium", "high", "very_high"]
Band = Literal["cold", "cooling", "warm", "hot"]


def _with_zone(value: Any) -> Any:
    """Times of the lake and the state are UTC and carry no zone."""
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    return value


Utc = Annotated[AwareDatetime, BeforeValidator(_with_zone)]
"""An instant with its zone; one without is taken as UTC."""

Share = Annotated[float, Field(ge=0, le=1)]
Points = Annotated[int, Field(ge=0, le=100)]

ProductId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=LONGEST_ID),
    Field(description="An id of the product (PostHog's distinct_id), or a user_id of the tables."),
]
PersonKey = Annotated[
    str, Field(description="The keyed hash that tables and reports show for the person.")
]


class Answer(BaseModel):
    """What a verb returns: it goes between processes, and out as JSON."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class Given(BaseModel):
    """What a client sends: no other names, and no value of another type than it says."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


def example(**values: Any) -> ConfigDict:
    """The part of a model's configuration that shows it in the API's docs."""
    return ConfigDict(json_schema_extra={"examples": [values]})


def cents(usd: float) -> float:
    """Dollars as cents, to the millionth of a dollar that the ledger counts in."""
    return round(100 * usd, 4)


class Fault(BaseModel):
    """One value that can't be: where it stands, and what is wrong with it."""

    model_config = example(where="query.days", problem="Input should be less than or equal to 365")

    where: str
    problem: str


class Problem(BaseModel):
    """Why a request failed: a code for programs, a sentence for people."""

    model_config = example(error="unknown_person", detail="No event came with that id.")

    error: str
    detail: str
    faults: list[Fault] | None = Field(None, description="Only where values can't be: all of them.")
