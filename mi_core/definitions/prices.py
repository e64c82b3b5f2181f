"""What prices.toml may say: providers of the enrichment, budgets, retries.

None of it changes a score, so the version of the definitions leaves it out.
"""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from mi_core.definitions.models import Frozen, NonNegative, Positive, Share

Count = Annotated[int, Field(ge=1)]


class Budget(Frozen):
    """Dollars per UTC day and month; an alert from `alert_share` of either on."""

    daily_usd: NonNegative
    monthly_usd: NonNegative
    alert_share: Share


class Breaker(Frozen):
    """When a service counts as down, and how long nobody asks it then."""

    failures: Count
    pause_seconds: Positive
    shut_seconds: Positive


class ProviderPrice(Frozen):
    """One provider: where, at which price (dollars), and how often it may be asked.

    A token-priced one costs `per_call_usd` and, per million tokens, the prices of its model.
    """

    step: Literal["social", "company", "persona"]
    url: str
    per_call_usd: NonNegative = 0.0
    priced_on: date
    source: str
    list_usd: NonNegative
    calls: Count
    per_seconds: Positive
    timeout_seconds: Positive


class ModelPrice(ProviderPrice):
    """A language model's prices, and the most tokens that an answer may have."""

    model: str
    input_usd: NonNegative
    output_usd: NonNegative
    max_output_tokens: int = Field(ge=16)


class PerplexityPrice(ModelPrice):
    """A model that searches the web; how much of it decides the price of a call."""

    search_context: Literal["low", "medium", "high"]


class OpenAIPrice(ModelPrice):
    """A model with a price for input that it has seen before, and one for batches."""

    reasoning_effort: Literal["none", "minimal", "low", "medium", "high"]
    cached_input_usd: NonNegative
    batch_share: Share
    batch_calls: int = Field(ge=1, le=50_000)


class Providers(Frozen):
    """Who is asked, where a key is set."""

    rapidapi: ProviderPrice
    perplexity: PerplexityPrice
    openai: OpenAIPrice


class ListPrice(Frozen):
    """What a lead costs elsewhere, on a day."""

    usd_per_lead: NonNegative
    priced_on: date
    source: str


class EnrichmentRules(Frozen):
    """How leads are enriched; see prices.toml."""

    tries: Count
    retry_seconds: Positive
    lease_seconds: float = Field(ge=5)
    rate_share: float = Field(gt=0, le=1)
    concurrency: Count
    result_days: NonNegative
    company_days: NonNegative
    dead_letter_days: NonNegative
    sure_confidence: Share
    budget: Budget
    breaker: Breaker
    providers: Providers
    price_book: dict[str, ListPrice]

    @property
    def list_micros(self) -> dict[str, int]:
        """What the replaced system booked, by step, in millionths of a dollar."""
        return {each.step: micros(each.list_usd) for _, each in self.providers}


def micros(usd: float) -> int:
    """Dollars as millionths of a dollar, of which a price is a whole number."""
    return round(Decimal(str(usd)) * 1_000_000)
