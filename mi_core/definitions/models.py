"""What the definitions files may say: one frozen model for each kind of table.

The values are in the TOML files beside this one, each with its reason.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

NonNegative = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Cuts = tuple[tuple[str, float], ...]


class Frozen(BaseModel):
    """Immutable, of exactly the stated keys and types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Etype(Frozen):
    """A canonical event type: the phase of the journey it belongs to, 1-10."""

    phase: int = Field(ge=1, le=10)
    label: str


class Event(Frozen):
    """What an event name means. `session_first_etype` is its type as the first of a session.

    Where an event has a `session_first_etype`, `touch` is meant for that first one only.
    """

    group: str = "workspace"
    etype: str | None = None
    session_first_etype: str | None = None
    phase: int | None = Field(None, ge=1, le=10)
    signal: str | None = None
    channel: str | None = None
    touch: bool = False
    conversion: bool = False
    engagement: bool = False
    note: str | None = None


class SignalRule(Frozen):
    """Points of a signal, per `unit`; `cap` is the most that one event can give."""

    points: NonNegative
    unit: Literal["event", "minute"] = "event"
    cap: Positive | None = None
    group: Literal["engagement", "purchase_intent"] | None = None
    why: str


class LevelCuts(Frozen):
    """Each level holds below its cut."""

    low: NonNegative
    medium: NonNegative
    high: NonNegative


class IntentRules(Frozen):
    """The intent score, 0-100; levels hold below their cut, `very_high` from the last one on."""

    window_days: int = Field(ge=1)
    recency_max: NonNegative
    recency_days_per_point: Positive
    frequency_max: NonNegative
    frequency_factor: NonNegative
    top_signals: int = Field(ge=1)
    trend_change: NonNegative
    levels_below: LevelCuts

    @property
    def level_cuts(self) -> Cuts:
        return tuple(self.levels_below.model_dump().items())


class PersonaRule(Frozen):
    """All that is stated must hold; a rule that states nothing always holds."""

    purchase_intent_above: float | None = None
    purchase_intent_below: float | None = None
    engagement_above: float | None = None
    frequency_above: float | None = None
    score_below: float | None = None
    company_size_above: float | None = None
    top_signal: str | None = None


class Persona(Frozen):
    """A kind of person, with the rule that tells them by behaviour."""

    slug: str = ""
    position: int
    label: str
    description: str
    intent_level: Literal["low", "medium", "high"]
    traits: tuple[str, ...]
    confidence: Share
    rule: PersonaRule


class MagnetismWeights(Frozen):
    """Points of each part of the index; together 100."""

    intent: NonNegative
    engagement: NonNegative
    reactivation: NonNegative
    email_ctr: NonNegative
    social_returns: NonNegative


class Saturations(Frozen):
    """Where a part of the index is full; counts are for 30 days."""

    active_days: Positive
    active_weeks: Positive
    reactivations: Positive
    social_returns: Positive


class Bonuses(Frozen):
    """Points on top of the parts."""

    trial: NonNegative
    purchase: NonNegative


class BandCuts(Frozen):
    """Each band holds below its cut."""

    cold: NonNegative
    cooling: NonNegative
    warm: NonNegative


class Churn(Frozen):
    """Points of risk: the first two are added, the others taken off."""

    no_active_day: NonNegative
    no_reactivation: NonNegative
    email_click: NonNegative
    trial: NonNegative
    purchase: NonNegative


class Advice(Frozen):
    """When a recommendation is given, beside the bands."""

    active_days_below: NonNegative
    reactivations_below: NonNegative
    offer_trial_above: NonNegative
    convert_trial_above: NonNegative


class ForecastRules(Frozen):
    """Bounds of the forecast; the slope is in points a day."""

    min_points: int = Field(ge=2)
    short_confidence: Share
    min_confidence: Share
    max_confidence: Share
    stable_slope: NonNegative


class MagnetismRules(Frozen):
    """The magnetism index, 0-100; bands hold below their cut, `hot` from the last one on."""

    weights: MagnetismWeights
    active_days_share: Share
    active_weeks_share: Share
    saturations: Saturations
    bonuses: Bonuses
    bands_below: BandCuts
    churn: Churn
    reactivation_gap_hours: Positive
    advice: Advice
    trend_change: NonNegative
    accelerating_above: NonNegative
    decelerating_below: NonNegative
    forecast: ForecastRules

    @property
    def bands(self) -> Cuts:
        return tuple(self.bands_below.model_dump().items())

    @property
    def band_names(self) -> list[str]:
        """All bands, the lowest first; the highest has no cut."""
        return [*(name for name, _ in self.bands), "hot"]

    @property
    def risk_levels(self) -> Cuts:
        names = ("high_risk", "moderate", "good")
        return tuple(zip(names, (cut for _, cut in self.bands), strict=True))


class Channel(Frozen):
    """A marketing channel; `social` where a visit from it is a social return."""

    label: str
    paid: bool = False
    social: bool = False
    why: str


class Platform(Frozen):
    """Where visits come from: the channel of its ads, and that of all else (none: no evidence)."""

    paid: str
    organic: str | None = None
    sources: tuple[str, ...] = ()
    ad_sources: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    why: str


class ClickId(Frozen):
    """A click id of `platform`; `paid` where nothing but its ads carries it."""

    platform: str
    paid: bool
    why: str


class ChannelEvidence(Frozen):
    """What a rule asks of an event; all that is stated must hold."""

    ad_click: bool | None = None
    medium: str | None = None
    platform: str | None = None
    tagged: bool | None = None
    referred: bool | None = None


class ChannelRule(Frozen):
    """The channel where `when` holds: `channel`, or that of the platform's ads or visits."""

    position: int
    when: ChannelEvidence
    channel: str | None = None
    of_platform: Literal["paid", "organic"] | None = None


class Channels(Frozen):
    """How an event gets its channel; see channels.toml."""

    names: dict[str, Channel]
    platforms: dict[str, Platform]
    click_ids: dict[str, ClickId]
    mediums: dict[str, tuple[str, ...]]
    rules: dict[str, ChannelRule]
    own_hosts: tuple[str, ...] = ()
    listed_hosts: dict[str, str] = {}


class Screen(Frozen):
    """A value that `pattern` (RE2) finds is dropped, except in the properties of `exempt`."""

    pattern: str
    exempt: tuple[str, ...] = ()
    why: str


class Privacy(Frozen):
    """What may be stored, under which name, and which values never are."""

    whitelist: dict[str, tuple[str, ...]]
    renamed: dict[str, str]
    hosts: tuple[str, ...]
    experiment_prefixes: tuple[str, ...]
    refused_ids: tuple[str, ...]
    screens: dict[str, Screen]


class Measures(Frozen):
    """Properties that say how long (milliseconds in one unit) and how much (cents in one unit)."""

    duration_ms: dict[str, float]
    value_cents: dict[str, float]


class FunnelStep(Frozen):
    """A step, reached by any of its types or event names."""

    name: str
    etypes: tuple[str, ...] = ()
    events: tuple[str, ...] = ()


class Funnel(Frozen):
    """The steps of the acquisition funnel, in order."""

    steps: tuple[FunnelStep, ...] = Field(min_length=2)


class PositionShares(Frozen):
    """Shares of the first and the last touchpoint; what is left goes to those between."""

    first: Share
    last: Share


class WShares(PositionShares):
    """As PositionShares, with the touchpoint that led to the address."""

    lead: Share


class AttributionRules(Frozen):
    """What a path is, and how models share a conversion out; see attribution.toml."""

    lookback_days: float = Field(gt=0, le=36_500)
    transform: Literal["unique", "exposure", "first", "frequency"]
    direct: Literal["keep", "remove", "remove_last"]
    direct_channel: str
    max_touches: int = Field(ge=0)
    half_life_days: Positive
    position_based: PositionShares
    w_shaped: WShares
    markov_order: int = Field(ge=1, le=4)
    value_function: Literal["conversions", "conversion_rate"]
    draws: int = Field(ge=0, le=100_000)
    level: float = Field(gt=0, lt=1)
    min_conversions: int = Field(ge=0)
    min_paths_per_state: NonNegative
