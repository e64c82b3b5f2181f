"""What prices.toml may say: providers of the enrichment, budgets, retries.

None of it changes a score, so the version of the definitions leaves it out.
"""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from mi_core.definitions.models import Frozen, Share

# Far above anything sensible, and low enough that no sum, product or date overflows.
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Usd = Annotated[float, Field(ge=0, le=1_000_000)]
UsdPerMillion = Annotated[float, Field(ge=0, le=100_000)]
Seconds = Annotated[float, Field(gt=0, le=10_000_000)]
Days = Annotated[float, Field(ge=0, le=36_500)]


class Finite(Frozen):
    """Without infinities, and what is no number."""

    model_config = ConfigDict(allow_inf_nan=False)


class Budget(Finite):
    """Dollars per UTC day and month; an alert from `alert_share` of either on."""

    daily_usd: Usd
    monthly_usd: Usd
    alert_share: Share


class Breaker(Finite):
    """When a service counts as down, and how long nobody asks it then."""

    failures: Count
    pause_seconds: Seconds
    shut_seconds: Seconds


class ProviderPrice(Finite):
    """One provider: where, at which price (dollars), and how often it may be asked.

    A token-priced one costs `per_call_usd` and, per million tokens, the prices of its model.
    `concurrency` is how many of its calls may be under way at a time.
    """

    step: Literal["social", "company", "persona"]
    url: str
    per_call_usd: Usd = 0.0
    priced_on: date
    source: str
    list_usd: Usd
    calls: Count
    per_seconds: Seconds
    concurrency: Count
    timeout_seconds: Seconds


class ModelPrice(ProviderPrice):
    """A language model's prices, and the most tokens that an answer may have."""

    model: str
    input_usd: UsdPerMillion
    output_usd: UsdPerMillion
    max_output_tokens: int = Field(ge=16, le=1_000_000)


class PerplexityPrice(ModelPrice):
    """A model that searches the web; how much of it decides the price of a call."""

    search_context: Literal["low", "medium", "high"]


class OpenAIPrice(ModelPrice):
    """A model with a price for input that it has seen before, and one for batches."""

    reasoning_effort: Literal["none", "minimal", "low", "medium", "high"]
    cached_input_usd: UsdPerMillion
    batch_share: float = Field(ge=0.001, le=1)
    batch_calls: int = Field(ge=1, le=50_000)


class Providers(Frozen):
    """Who is asked, where a key is set."""

    rapidapi: ProviderPrice
    perplexity: PerplexityPrice
    openai: OpenAIPrice


class ListPrice(Finite):
    """What a lead costs elsewhere, on a day."""

    usd_per_lead: Usd
    priced_on: date
    source: str


class EnrichmentRules(Finite):
    """How leads are enriched; see prices.toml."""

    tries: Count
    retry_seconds: Seconds
    lease_seconds: float = Field(ge=5, le=10_000_000)
    rate_share: float = Field(gt=0, le=1)
    concurrency: Count
    result_days: Days
    company_days: Days
    dead_letter_days: Days
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
