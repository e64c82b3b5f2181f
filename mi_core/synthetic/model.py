"""The model behind the synthetic events: who there is, where they come from, when they convert.

Everything a truth needs is a number in this file, so that an analysis can be judged against it.
A *visit* is a web session, and the channel that brought it one touchpoint. C(v) is the set of
channels of a person's visits in the LOOKBACK_DAYS up to and including visit v. For a person of
archetype a, each visit v is a chance to convert:

    odds(v) = sum of effect[c] over c in C(v)
    P(trial starts at v | an address given, no trial yet) = sigmoid(trial[a] + odds(v))
    P(first purchase at v | trial started before v)       = sigmoid(purchase[a] + odds(v))

This is a discrete-time hazard model with a logistic link (Allison 1982, "Discrete-time methods for
the analysis of event histories"). Channels are drawn independently of the archetype and of the
past, email apart (it needs an address and an open), so nothing confounds the effects. What is seen
or done without a visit (advertisements shown, emails opened, likes, app sessions) has none.

A paid channel costs, in a week, about CLICK_COSTS for each of its visits; see spend.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf

LOOKBACK_DAYS = 30
REACTIVATION_DAYS = 14  # a visit after a longer gap sends an explicit `reactivation`


@dataclass(frozen=True, slots=True)
class Channel:
    """Where a visit comes from: its share of visits, effect in log-odds, and marks on the URL.

    `source` and `medium` are the UTM values (none for unpaid sites), `click_id` the parameter an
    ad network adds, `referrer` the address the browser reports.
    """

    share: float
    effect: float
    source: str = ""
    medium: str = ""
    click_id: str = ""
    referrer: str = ""
    kind: str = "other"  # paid, social or other


CHANNELS: Mapping[str, Channel] = {
    "google_ads": Channel(
        0.13, 0.9, "google", "cpc", "gclid", "https://www.google.com/search?q=crm", "paid"
    ),
    "meta_ads": Channel(
        0.15, 0.3, "facebook", "paid_social", "fbclid", "https://l.facebook.com/", "paid"
    ),
    "linkedin_ads": Channel(
        0.07, 0.7, "linkedin", "paid_social", "li_fat_id", "https://www.linkedin.com/", "paid"
    ),
    "tiktok_ads": Channel(
        0.08, -0.4, "tiktok", "paid_social", "ttclid", "https://www.tiktok.com/", "paid"
    ),
    "instagram": Channel(
        0.08, 0.1, "instagram", "social", "", "https://l.instagram.com/", "social"
    ),
    "youtube": Channel(0.05, 0.2, "youtube", "social", "", "https://www.youtube.com/", "social"),
    "x_twitter": Channel(0.05, 0.0, "twitter", "social", "", "https://t.co/", "social"),
    "linkedin": Channel(0.05, 0.2, "linkedin", "social", "", "https://www.linkedin.com/", "social"),
    "email": Channel(0.0, 0.8, "newsletter", "email"),  # comes by clicks in emails alone
    "organic_search": Channel(0.14, 0.4, referrer="https://www.bing.com/search?q=crm+for+teams"),
    "referral": Channel(0.06, 0.5, referrer="https://blog.partner.example/review?id=7"),
    "direct": Channel(0.14, 0.0),
}


@dataclass(frozen=True, slots=True)
class Archetype:
    """How one persona behaves; the mix is what makes scoring's rules find it again.

    Parameters
    ----------
    share : share of people
    arrival : first visit, in days before the end: (earliest, latest); inf is the first day
    visits, app_sessions : mean per week while active; app sessions only once a trial started
    spread : sigma of the lognormal activity factor (its mean is 1)
    pages : mean events of a visit after its first page view
    mix : weight per event name among those
    dwell : mean seconds on a page, as `$pageleave` reports it
    trial, purchase : intercepts in log-odds per visit
    capture : probability that a visit leaves an email address, where there is none yet
    opens, clicks : share of emails opened, and of those opened clicked
    employees : size of the company, (least, most)
    """

    share: float
    arrival: tuple[float, float]
    visits: float
    app_sessions: float
    spread: float
    pages: float
    mix: Mapping[str, float]
    dwell: float
    trial: float
    purchase: float
    capture: float
    opens: float
    clicks: float
    employees: tuple[int, int]


_NOISE = {"beta_widget_opened": 0.3, "checkout_v2_shown": 0.2, "legacy_ping": 0.1}

ARCHETYPES: Mapping[str, Archetype] = {
    "automation_pro": Archetype(
        share=0.15,
        arrival=(inf, 15),
        visits=1.4,
        app_sessions=1.5,
        spread=0.4,
        pages=4.5,
        mix={
            "$pageview": 24,
            "page_scroll": 12,
            "$pageleave": 14,
            "$autocapture": 10,
            "pricing_view": 13,
            "paywall_view": 2,
            "comparison_view": 8,
            "video_watched": 4,
            "file_downloaded": 5,
            "cta_clicked": 4,
            "feature_clicked": 4,
        }
        | _NOISE,
        dwell=150,
        trial=-3.6,
        purchase=-3.6,
        capture=0.3,
        opens=0.40,
        clicks=0.30,
        employees=(5, 500),
    ),
    "tech_entrepreneur": Archetype(
        share=0.12,
        arrival=(28, 8),
        visits=2.4,
        app_sessions=2.5,
        spread=0.4,
        pages=4.0,
        mix={
            "$pageview": 32,
            "page_scroll": 10,
            "$pageleave": 14,
            "$autocapture": 12,
            "video_watched": 5,
            "cta_clicked": 10,
            "feature_clicked": 16,
        }
        | _NOISE,
        dwell=60,
        trial=-0.9,
        purchase=-3.8,
        capture=0.7,
        opens=0.30,
        clicks=0.25,
        employees=(1, 40),
    ),
    "creative_transition": Archetype(
        share=0.20,
        arrival=(inf, 15),
        visits=1.4,
        app_sessions=1.0,
        spread=0.3,
        pages=3.5,
        mix={
            "$pageview": 40,
            "page_scroll": 15,
            "$pageleave": 25,
            "$autocapture": 8,
            "video_watched": 8,
            "social_like": 2,
        }
        | _NOISE,
        dwell=200,
        trial=-6.4,
        purchase=-4.6,
        capture=0.2,
        opens=0.30,
        clicks=0.20,
        employees=(1, 20),
    ),
    "corporate_executive": Archetype(
        share=0.10,
        arrival=(inf, 15),
        visits=0.6,
        app_sessions=0.7,
        spread=0.4,
        pages=1.5,
        mix={
            "$pageview": 45,
            "page_scroll": 15,
            "$pageleave": 10,
            "$autocapture": 15,
            "pricing_view": 8,
            "comparison_view": 4,
        }
        | _NOISE,
        dwell=40,
        trial=-4.4,
        purchase=-2.8,
        capture=0.3,
        opens=0.20,
        clicks=0.15,
        employees=(501, 40_000),
    ),
    "networking_enthusiast": Archetype(
        share=0.18,
        arrival=(inf, 15),
        visits=1.5,
        app_sessions=0.7,
        spread=0.1,
        pages=2.0,
        mix={
            "$pageview": 18,
            "page_scroll": 21,
            "$autocapture": 22,
            "social_like": 20,
            "social_comment": 12,
            "social_share": 6,
        }
        | _NOISE,
        dwell=10,
        trial=-6.8,
        purchase=-4.6,
        capture=0.15,
        opens=0.25,
        clicks=0.10,
        employees=(1, 200),
    ),
    "student_early_career": Archetype(
        share=0.25,
        arrival=(inf, 15),
        visits=0.3,
        app_sessions=0.5,
        spread=0.5,
        pages=1.2,
        mix={"$pageview": 30, "page_scroll": 35, "$autocapture": 35} | _NOISE,
        dwell=10,
        trial=-5.0,
        purchase=-4.5,
        capture=0.15,
        opens=0.05,
        clicks=0.05,
        employees=(1, 50),
    ),
}

CAMPAIGNS = ("brand", "launch")  # of each tagged channel, with half of its visits each
CLICK_COSTS: Mapping[str, float] = {
    "google_ads": 1.60,
    "meta_ads": 0.70,
    "linkedin_ads": 3.20,
    "tiktok_ads": 0.45,
}
"""What a visit by a paid channel costs on the mean, in the currency's unit."""

CHURN_SHARE = 0.18  # people who stop coming before the end
RETURN_SHARE = 0.35  # of those, people who come back after REACTIVATION_DAYS or more
SECOND_DEVICE_SHARE = 0.12  # identified people with a visit under a second anonymous id
ALIAS_SHARE = 0.05  # identified people whom the mailer knows by an id of its own
NO_CONSENT_SHARE = 0.02
CANCEL_SHARE = 0.25  # of buyers
LATE_SHARE = 0.01  # events delivered hours after they happened


@dataclass(frozen=True, slots=True)
class Plan:
    """What to generate: `days` up to `end` (UTC, exclusive), from one seed."""

    seed: int
    end: datetime
    days: int

    @property
    def start(self) -> datetime:
        return self.end - timedelta(days=self.days)

    @property
    def seconds(self) -> float:
        return self.days * 86_400.0

    @property
    def last(self) -> float:
        """No visit begins later (seconds), so that all of it is delivered before the end."""
        return self.seconds - 300.0
