"""What must hold between definitions: names that are there, sums and orders that make sense."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import pairwise

from mi_core.definitions.models import Channels, Cuts, Privacy
from mi_core.definitions.monitoring import LOW_IS_BAD, MonitoringRules
from mi_core.definitions.tables import MICRO, Definitions, tag

Path = tuple[str, ...]
Problem = tuple[Path, str]


def problems(definitions: Definitions) -> Iterator[Problem]:
    """Each key that is wrong, with a sentence that says why and what is allowed."""
    yield from _event_names(definitions)
    yield from _persona_rules(definitions)
    yield from _funnel_steps(definitions)
    yield from _channel_names(definitions.channels)
    yield from _channel_rules(definitions.channels)
    yield from _shared_terms(definitions.channels)
    yield from _privacy(definitions.privacy)
    yield from _orders(definitions)
    yield from _sums(definitions)
    yield from attribution_problems(definitions)
    yield from _signals(definitions)
    yield from _limits(definitions.monitoring)


def _unknown(path: Path, kind: str, name: str | None, allowed: Iterable[str]) -> Iterator[Problem]:
    """Nothing where `name` is allowed or not stated, else the sentence."""
    names = sorted(allowed)
    if name is None or name in names:
        return
    near = get_close_matches(name, names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    yield path, f"is {name!r}, which is no {kind}{hint} Allowed: {', '.join(names)}."


def _event_names(definitions: Definitions) -> Iterator[Problem]:
    for name, event in definitions.events.items():
        path = ("events", name)
        for key in ("etype", "session_first_etype"):
            yield from _unknown((*path, key), "event type", getattr(event, key), definitions.etypes)
        yield from _unknown((*path, "signal"), "signal", event.signal, definitions.signals)
        yield from _unknown(
            (*path, "channel"), "channel", event.channel, definitions.channels.names
        )


def _persona_rules(definitions: Definitions) -> Iterator[Problem]:
    personas = definitions.personas
    for slug, persona in personas.items():
        path = ("personas", slug, "rule", "top_signal")
        yield from _unknown(path, "signal", persona.rule.top_signal, definitions.signals)
    positions = {slug: persona.position for slug, persona in personas.items()}
    yield from _shared_positions(("personas",), positions)
    last = max(personas, key=lambda slug: positions[slug])
    if personas[last].rule.model_dump(exclude_none=True):
        yield ("personas", last, "rule"), "must state nothing: the last persona takes all others."


def _funnel_steps(definitions: Definitions) -> Iterator[Problem]:
    for step in definitions.funnel.steps:
        path = ("funnel", "steps", step.name)
        for etype in step.etypes:
            yield from _unknown((*path, "etypes"), "event type", etype, definitions.etypes)
        for event in step.events:
            yield from _unknown((*path, "events"), "event", event, definitions.events)
        if not step.etypes and not step.events:
            yield path, "has neither etypes nor events, so nobody can reach it."


def _channel_names(channels: Channels) -> Iterator[Problem]:
    table: Path = ("channels", "platforms")
    for name, platform in channels.platforms.items():
        yield from _unknown((*table, name, "paid"), "channel", platform.paid, channels.names)
        yield from _unknown((*table, name, "organic"), "channel", platform.organic, channels.names)
    for name, click_id in channels.click_ids.items():
        path: Path = ("channels", "click_ids", name, "platform")
        yield from _unknown(path, "platform", click_id.platform, channels.platforms)
    for host, name in channels.listed_hosts.items():
        path = ("channels", "listed_hosts", host)
        yield from _unknown(path, "platform", name, channels.platforms)


def _channel_rules(channels: Channels) -> Iterator[Problem]:
    table: Path = ("channels", "rules")
    for name, rule in channels.rules.items():
        path = (*table, name)
        when = rule.when
        yield from _unknown((*path, "channel"), "channel", rule.channel, channels.names)
        yield from _unknown((*path, "when", "medium"), "medium", when.medium, channels.mediums)
        yield from _unknown(
            (*path, "when", "platform"), "platform", when.platform, channels.platforms
        )
        if (rule.channel is None) == (rule.of_platform is None):
            yield path, "must state channel or of_platform, and not both."
    yield from _shared_positions(
        table, {name: rule.position for name, rule in channels.rules.items()}
    )


def _shared_terms(channels: Channels) -> Iterator[Problem]:
    """A source, host or medium with two meanings would give an event two channels."""
    platforms = channels.platforms.items()
    sources = [(name, each.sources + each.ad_sources) for name, each in platforms]
    hosts = [(name, each.hosts) for name, each in platforms]
    yield from _second_owners(("channels", "platforms"), "source", sources)
    yield from _second_owners(("channels", "platforms"), "host", hosts)
    yield from _second_owners(("channels", "mediums"), "medium", channels.mediums.items())


def _second_owners(
    table: Path, kind: str, owned: Iterable[tuple[str, Sequence[str]]]
) -> Iterator[Problem]:
    owners: dict[str, str] = {}
    for owner, terms in owned:
        for term in terms:
            if first := owners.get(tag(term)):
                yield (*table, owner), f"has the {kind} {term!r}, which {first!r} has already."
            owners[tag(term)] = owner


def _privacy(privacy: Privacy) -> Iterator[Problem]:
    stored = {name for names in privacy.whitelist.values() for name in names}
    for source, name in privacy.renamed.items():
        yield from _unknown(("privacy", "renamed", source), "stored property", name, stored)
    for name in privacy.hosts:
        yield from _unknown(("privacy", "hosts"), "stored property", name, stored)
    for name, screen in privacy.screens.items():
        path = ("privacy", "screens", name)
        for exempt in screen.exempt:
            allowed = stored | privacy.whitelist.keys()
            yield from _unknown((*path, "exempt"), "stored property or group", exempt, allowed)
        yield from _pattern((*path, "pattern"), screen.pattern)


def _pattern(path: Path, pattern: str) -> Iterator[Problem]:
    try:
        re.compile(pattern)
    except re.error as error:
        yield path, f"is no regular expression: {error}."
    if re.search(r"\(\?<?[=!]", pattern):
        yield path, "looks ahead or behind, which RE2 can't."


def _orders(definitions: Definitions) -> Iterator[Problem]:
    intent, magnetism = definitions.intent, definitions.magnetism
    yield from _not_rising(("intent", "levels_below"), intent.level_cuts)
    yield from _not_rising(("magnetism", "bands_below"), magnetism.bands)
    velocities = ("decelerating_below", "accelerating_above")
    cuts = tuple((key, getattr(magnetism, key)) for key in velocities)
    yield from _not_rising(("magnetism",), cuts)
    bounds = ("min_confidence", "max_confidence")
    cuts = tuple((key, getattr(magnetism.forecast, key)) for key in bounds)
    yield from _not_rising(("magnetism", "forecast"), cuts)


def _not_rising(path: Path, cuts: Cuts) -> Iterator[Problem]:
    values = [value for _, value in cuts]
    if any(low >= high for low, high in pairwise(values)):
        listed = ", ".join(f"{name} = {value:g}" for name, value in cuts)
        yield path, f"must rise, but has {listed}."


def _sums(definitions: Definitions) -> Iterator[Problem]:
    magnetism = definitions.magnetism
    weights = list(magnetism.weights.model_dump().values())
    shares = [magnetism.active_days_share, magnetism.active_weeks_share]
    yield from _wrong_sum(("magnetism", "weights"), weights, 100)
    yield from _wrong_sum(("magnetism", "active_days_share"), shares, 1)


def attribution_problems(definitions: Definitions) -> Iterator[Problem]:
    """What attribution.toml says that can't be."""
    rules, path = definitions.attribution, ("attribution",)
    channels = definitions.channels.names
    yield from _unknown((*path, "direct_channel"), "channel", rules.direct_channel, channels)
    for name in ("position_based", "w_shaped"):
        shares = list(getattr(rules, name).model_dump().values())
        if not 0 < sum(shares) <= 1 + 1e-9:
            listed = " + ".join(f"{share:g}" for share in shares)
            yield (*path, name), f"must add up to 1 or less, but more than 0; {listed} does not."


def _wrong_sum(path: Path, values: Sequence[float], total: float) -> Iterator[Problem]:
    if abs(sum(values) - total) > 1e-9:
        listed = " + ".join(f"{value:g}" for value in values)
        yield path, f"must add up to {total:g}, but {listed} is {sum(values):g}."


def _signals(definitions: Definitions) -> Iterator[Problem]:
    """Points must be few enough to be ranked: with age and signal in one 64-bit integer."""
    for name, rule in definitions.signals.items():
        if rule.unit == "minute" and rule.cap is None:
            yield ("signals", name, "cap"), "is missing: a long visit would count without end."
    ages = definitions.intent.window_days * 86_400_000 + 1
    most = (2**63 - 1) / (MICRO * ages * (len(definitions.signals) + 1))
    for name, rule in definitions.signals.items():
        if max(rule.points, rule.cap or 0) >= most:
            points = f"{max(rule.points, rule.cap or 0):g} points"
            yield ("signals", name), f"gives {points}, but at most {int(most)} can be ranked."


def _limits(rules: MonitoringRules) -> Iterator[Problem]:
    for name, limit in rules.limits().items():
        cuts: Cuts = (("warning", limit.warning), ("alert", limit.alert))
        if name in LOW_IS_BAD:
            cuts = cuts[::-1]
        if cuts[0][1] > cuts[1][1]:
            worse = "below" if name in LOW_IS_BAD else "above"
            has = f"warning = {limit.warning:g}, alert = {limit.alert:g}"
            yield ("monitoring", name), f"must have its alert {worse} its warning, but has {has}."


def _shared_positions(table: Path, positions: Mapping[str, int]) -> Iterator[Problem]:
    taken: dict[int, str] = {}
    for name, position in positions.items():
        first = taken.setdefault(position, name)
        if first != name:
            yield (*table, name, "position"), f"is {position}, which {first!r} has already."
