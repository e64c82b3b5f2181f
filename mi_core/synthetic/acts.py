"""What people do, act by act: from journeys to rows."""

from dataclasses import replace

import numpy as np

from mi_core.synthetic.journeys import (
    DAY,
    Conversions,
    Emails,
    Floats,
    Ints,
    People,
    Rhythm,
    Visits,
    draw_conversions,
    draw_people,
    draw_times,
    draw_visits,
    parameter,
)
from mi_core.synthetic.model import (
    ALIAS_SHARE,
    CANCEL_SHARE,
    CHANNELS,
    NO_CONSENT_SHARE,
    REACTIVATION_DAYS,
    SECOND_DEVICE_SHARE,
    Plan,
)
from mi_core.synthetic.rows import (
    ALIAS,
    ALIASED,
    ANONYMOUS,
    EMAIL,
    IDENTIFY,
    IDENTIFY_SECOND,
    KNOWN,
    LANDING,
    PLAIN,
    SECOND_DEVICE,
    SERVER,
    Block,
    Rows,
    Sessions,
    make_rows,
)
from mi_core.synthetic.vocabulary import APP_MIX, COUNT, FIRST, IS_MAIL, VISIT_MIX, draw_codes

_PAID = np.array([channel.kind == "paid" for channel in CHANNELS.values()])
_SOCIAL = np.array([channel.kind == "social" for channel in CHANNELS.values()])
# Seconds from a visit's start to what happens inside it
CAPTURE, IDENTIFIED, TRIAL, PURCHASE = 8.0, 9.0, 150.0, 200.0
_SECOND_DEVICE_SECONDS = 30.0  # from the start of the visit to the log-in


def draw_block(plan: Plan, number: int, size: int) -> Block:
    """Block `number` of `size` people: a function of its arguments alone."""
    rng = np.random.default_rng([plan.seed, number])
    rhythm = Rhythm(plan)
    people = draw_people(rng, plan, number * size, size)
    visits, emails, captured = draw_visits(rng, plan, people, rhythm)
    conversions = draw_conversions(rng, people, visits, captured)
    app_person, app_at = _draw_app_sessions(rng, people, rhythm, conversions)
    sessions = Sessions(
        np.concatenate([visits.person, app_person]),
        np.concatenate([visits.at, app_at]),
        np.concatenate([visits.channel, np.full(len(app_at), -1, np.int32)]),
    )
    second = _second_device_visits(rng, visits, captured)
    parts = [
        _visit_rows(rng, people, visits),
        _arrival_rows(visits),
        _return_rows(visits),
        _app_rows(rng, app_person, app_at, len(visits.at)),
        *_capture_rows(rng, visits, conversions),
        *_email_rows(emails),
        *_conversion_rows(rng, visits, conversions),
        *_after_sale_rows(rng, plan, conversions),
        _second_identify_rows(visits, second),
    ]
    rows = _identified(Rows.concat(parts), conversions.captured, sessions, second)
    rows = _aliased(rng, rows, conversions.captured)
    rows = rows.take((rows.at >= 0.0) & (rows.at < plan.seconds - 10.0))
    consent = rng.random(size) >= NO_CONSENT_SHARE
    return Block(number, people, sessions, visits, conversions, consent, rows)


def _variants(rng: np.random.Generator, event: str, size: int) -> Ints:
    return (FIRST[event] + rng.integers(0, COUNT[event], size)).astype(np.int32)


def _session_steps(rng: np.random.Generator, start: Floats, extra: Ints) -> tuple[Ints, Floats]:
    """Session index and time of each session's first event and of `extra[i]` later ones."""
    counts = extra + 1
    index = np.repeat(np.arange(len(start), dtype=np.int32), counts)
    begins = np.cumsum(counts) - counts
    gaps = 1.0 + rng.exponential(35.0, len(index))
    gaps[begins] = 0.0
    passed = np.cumsum(gaps)
    return index, start[index] + passed - passed[begins][index]


def _visit_rows(rng: np.random.Generator, people: People, visits: Visits) -> Rows:
    """Page views and what is done on the pages; the first is the landing."""
    archetype = people.archetype[visits.person]
    extra = rng.poisson(parameter("pages")[archetype]).astype(np.int32)
    index, at = _session_steps(rng, visits.at, extra)
    code = draw_codes(VISIT_MIX, archetype[index], rng.random(len(index)))
    landing = np.diff(index, prepend=-1) != 0
    code[landing] = _variants(rng, "$pageview", len(extra))
    rows = make_rows(visits.person[index], index, code, at)
    return replace(rows, extra=np.where(landing, LANDING, PLAIN).astype(np.int8))


def _arrival_rows(visits: Visits) -> Rows:
    """An advertisement is shown and clicked right before the visit that it brings."""
    paid = np.flatnonzero(_PAID[visits.channel]).astype(np.int32)
    shown = make_rows(
        visits.person[paid], paid, FIRST["ad_impression"], visits.at[paid] - 12, extra=LANDING
    )
    clicked = make_rows(
        visits.person[paid], paid, FIRST["ad_click"], visits.at[paid] - 2, extra=LANDING
    )
    return Rows.concat([shown, clicked])


def _return_rows(visits: Visits) -> Rows:
    """Coming back: through social, through an advertisement, or after a long absence."""
    parts = []
    for event, happens in (
        ("return_to_social", _SOCIAL[visits.channel] & ~visits.first),
        ("return_to_ad", _PAID[visits.channel] & ~visits.first),
        ("reactivation", visits.gap > REACTIVATION_DAYS * DAY),
    ):
        index = np.flatnonzero(happens).astype(np.int32)
        extra = PLAIN if event == "reactivation" else LANDING
        at = visits.at[index] + 0.5
        parts.append(make_rows(visits.person[index], index, FIRST[event], at, extra=extra))
    return Rows.concat(parts)


def _draw_app_sessions(
    rng: np.random.Generator, people: People, rhythm: Rhythm, conversions: Conversions
) -> tuple[Ints, Floats]:
    """Product use from an hour after the trial's start on."""
    per_week = parameter("app_sessions")[people.archetype]
    return draw_times(rng, people, rhythm, conversions.trial + 3_600, per_week)


def _app_rows(rng: np.random.Generator, person: Ints, start: Floats, first: int) -> Rows:
    index, at = _session_steps(rng, start, rng.poisson(3.0, len(start)).astype(np.int32))
    code = draw_codes(APP_MIX, np.zeros(len(index), np.int32), rng.random(len(index)))
    code[np.diff(index, prepend=-1) != 0] = _variants(rng, "app_open", len(start))
    return make_rows(person[index], index + np.int32(first), code, at)


def _capture_rows(rng: np.random.Generator, visits: Visits, conversions: Conversions) -> list[Rows]:
    """Address given, log-in, enrichment by a server (70 %), and onboarding as far as it goes."""
    visit = np.flatnonzero(visits.at == conversions.captured[visits.person]).astype(np.int32)
    person, at = visits.person[visit], visits.at[visit]
    size = len(visit)
    enriched = rng.random(size) < 0.7
    later = at[enriched] + rng.uniform(120, 1_800, enriched.sum())
    steps = rng.integers(0, COUNT["onboarding_step"] + 1, size)
    return [
        make_rows(person, visit, _variants(rng, "lead_captured", size), at + CAPTURE),
        make_rows(person, visit, FIRST["$identify"], at + IDENTIFIED, extra=IDENTIFY),
        make_rows(person[enriched], SERVER, _variants(rng, "identity_enriched", len(later)), later),
        *(
            make_rows(
                person[steps > step],
                visit[steps > step],
                FIRST["onboarding_step"] + step,
                at[steps > step] + 20 * (step + 1),
            )
            for step in range(COUNT["onboarding_step"])
        ),
    ]


def _email_rows(emails: Emails) -> list[Rows]:
    parts = []
    for event, at in (
        ("email_sent", emails.sent),
        ("email_opened", emails.opened),
        ("email_clicked", emails.clicked),
    ):
        happens = ~np.isnan(at)
        code = FIRST[event] + emails.variant[happens]
        parts.append(make_rows(emails.person[happens], SERVER, code, at[happens]))
    return parts


def _conversion_rows(
    rng: np.random.Generator, visits: Visits, conversions: Conversions
) -> list[Rows]:
    """Trial and purchase happen inside the visit that the model drew them for."""
    parts = []
    for event, when, delay, extra in (
        ("trial_started", conversions.trial, TRIAL, PLAIN),
        ("purchase_completed", conversions.purchase, PURCHASE, EMAIL),
    ):
        visit = np.flatnonzero(visits.at == when[visits.person]).astype(np.int32)
        code = _variants(rng, event, len(visit))
        at = visits.at[visit] + delay
        parts.append(make_rows(visits.person[visit], visit, code, at, extra=extra))
    return parts


def _after_sale_rows(rng: np.random.Generator, plan: Plan, conversions: Conversions) -> list[Rows]:
    """A trial ends after 14 days; a purchase renews every 30 days until it is cancelled."""
    trials = _happened(conversions.trial)
    buyers = _happened(conversions.purchase)
    bought = conversions.purchase[buyers]
    cancels = rng.random(len(buyers)) < CANCEL_SHARE
    stop = np.where(cancels, bought + rng.exponential(40 * DAY, len(buyers)), np.inf)
    parts = [
        _server_rows(rng, "trial_completed", trials, conversions.trial[trials] + 14 * DAY),
        _server_rows(rng, "churn_intent", buyers[cancels], stop[cancels] - 300),
        _server_rows(rng, "purchase_canceled", buyers[cancels], stop[cancels]),
    ]
    for month in range(1, plan.days // 30 + 1):
        renews = bought + month * 30 * DAY
        kept = renews < stop
        parts.append(_server_rows(rng, "purchase_renewed", buyers[kept], renews[kept]))
    return parts


def _happened(at: Floats) -> Ints:
    return np.flatnonzero(np.isfinite(at)).astype(np.int32)


def _server_rows(rng: np.random.Generator, event: str, person: Ints, at: Floats) -> Rows:
    return make_rows(person, SERVER, _variants(rng, event, len(person)), at)


def _second_device_visits(rng: np.random.Generator, visits: Visits, captured: Floats) -> Ints:
    """Some people's first visit after the one that captured them begins on another device."""
    later = np.flatnonzero(visits.at > captured[visits.person])
    person, index = np.unique(visits.person[later], return_index=True)
    return later[index[rng.random(len(person)) < SECOND_DEVICE_SHARE]].astype(np.int32)


def _second_identify_rows(visits: Visits, second: Ints) -> Rows:
    at = visits.at[second] + _SECOND_DEVICE_SECONDS
    return make_rows(visits.person[second], second, FIRST["$identify"], at, extra=IDENTIFY_SECOND)


def _identified(rows: Rows, captured: Floats, sessions: Sessions, second: Ints) -> Rows:
    """Which id each row comes under: anonymous until the first `$identify`, then the person's."""
    anonymous = rows.at < captured[rows.person] + IDENTIFIED
    identity = np.where(anonymous, ANONYMOUS, KNOWN).astype(np.int8)
    log_in = np.full(len(sessions.at) + 1, -np.inf)  # the last is SERVER's
    log_in[second] = sessions.at[second] + _SECOND_DEVICE_SECONDS
    identity[rows.at < log_in[rows.session]] = SECOND_DEVICE
    return replace(rows, identity=identity)


def _aliased(rng: np.random.Generator, rows: Rows, captured: Floats) -> Rows:
    """The mailer knows some people by an id of its own, which `$create_alias` joins to them."""
    has_alias = (rng.random(len(captured)) < ALIAS_SHARE) & np.isfinite(captured)
    by_mailer = IS_MAIL[rows.code] & has_alias[rows.person]
    person = np.flatnonzero(has_alias).astype(np.int32)
    joined = make_rows(person, SERVER, FIRST["$create_alias"], captured[person] + 60, extra=ALIASED)
    known = replace(rows, identity=np.where(by_mailer, ALIAS, rows.identity).astype(np.int8))
    return Rows.concat([known, joined])
