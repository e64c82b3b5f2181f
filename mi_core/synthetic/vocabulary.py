"""Every event that the generator can send, as flat lists indexed by one integer code.

A code stands for an event name together with its properties (a piece of JSON text). Drawing an
event is then drawing an integer, and rendering it a lookup.
"""

import numpy as np
import numpy.typing as npt

from mi_core.synthetic.model import ARCHETYPES

WELCOME = 53  # the email variant that greets; 0 to 52 are newsletters by week
_PAGES = ("/", "/features", "/customers", "/docs", "/blog/first-ten-leads", "/about")
_NETWORKS = ("instagram", "linkedin", "x_twitter", "youtube")
_PLANS = (("pro", 4_900), ("team", 19_900))


def _page(path: str) -> str:
    return f',"$current_url":"https://app.example{path}?ref=nav","$pathname":"{path}"'


def _emails() -> tuple[str, ...]:
    names = [f"newsletter-w{week:02}" for week in range(WELCOME)] + ["welcome"]
    return tuple(
        f',"campaign_id":"{name}","email_id":"{name}","template_id":"{name.split("-")[0]}"'
        for name in names
    )


def _each(key: str, values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f',"{key}":"{value}"' for value in values)


_PRICES = tuple(f',"plan":"{plan}","price_cents":{cents}' for plan, cents in _PLANS)

VOCABULARY: dict[str, tuple[str, ...]] = {
    "$pageview": tuple(_page(path) for path in _PAGES),
    "$pageleave": tuple(
        f'{_page("/features")},"duration_ms":{s * 1_000}' for s in range(10, 610, 10)
    ),
    "$autocapture": tuple(f'{_page(path)},"$event_type":"click"' for path in _PAGES),
    "page_scroll": tuple(f',"scroll_depth":{depth}' for depth in (25, 50, 75, 100)),
    "pricing_view": _each("plan_shown", ("pro", "team")),
    "paywall_view": _each("plan_shown", ("pro", "team")),
    "comparison_view": _each("item_id", ("vs-spreadsheet", "vs-suite")),
    "video_watched": tuple(
        f',"item_id":"tour","time_viewed_sec":{seconds}' for seconds in (20, 45, 90, 180)
    ),
    "file_downloaded": _each("item_id", ("checklist", "whitepaper")),
    "cta_clicked": _each("cta", ("start_trial", "book_demo", "see_pricing")),
    "feature_clicked": _each("feature", ("warmth", "templates", "automations")),
    "social_like": _each("network", _NETWORKS),
    "social_comment": _each("network", _NETWORKS),
    "social_share": _each("network", _NETWORKS),
    "beta_widget_opened": (',"widget":"forecast"',),
    "checkout_v2_shown": (',"step":2',),
    "legacy_ping": ("",),
    "ad_impression": ("",),
    "ad_click": ("",),
    "return_to_ad": ("",),
    "return_to_social": ("",),
    "lead_captured": _each("context", ("footer", "webinar", "ask jo.doe@mail.example")),
    "$identify": ("",),
    "$create_alias": ("",),
    "identity_enriched": (
        ',"fields_filled":3,"has_company":true',
        ',"fields_filled":1,"has_company":false',
    ),
    "onboarding_step": tuple(
        f',"step":{step},"step_name":"{name}"'
        for step, name in enumerate(("import", "invite", "template", "send"), start=1)
    ),
    "trial_started": _PRICES,
    "trial_completed": _PRICES,
    "purchase_completed": _PRICES,
    "purchase_renewed": _PRICES,
    "churn_intent": _each("reason", ("price", "missing feature", "call me on +1 202 555 0147")),
    "purchase_canceled": _each("reason", ("price", "missing feature", "closed shop")),
    "reactivation": ("",),
    "email_sent": _emails(),
    "email_opened": _emails(),
    "email_clicked": _emails(),
    "app_open": _each("launch_type", ("cold", "warm")),
    "feature_used": _each("feature", ("warmth", "templates", "automations")),
    "screen_view": _each("screen", ("inbox", "contacts", "reports")),
}

_ELEMENTS = 'a.nav-link:attr__class="nav-link"nth-child="1"nth-of-type="1"text="Open";nav;body'

NAMES = [name for name, variants in VOCABULARY.items() for _ in variants]
FRAGMENTS = [fragment for variants in VOCABULARY.values() for fragment in variants]
ELEMENTS = [_ELEMENTS if name == "$autocapture" else "" for name in NAMES]
FIRST = {name: NAMES.index(name) for name in VOCABULARY}
COUNT = {name: len(variants) for name, variants in VOCABULARY.items()}

IS_MAIL = np.array([name.startswith("email_") for name in NAMES])  # sent by the mailer
IS_AD = np.array([name in ("ad_impression", "ad_click") for name in NAMES])  # by the ad network

_APP_MIX = {"feature_used": 50.0, "screen_view": 45.0, "beta_widget_opened": 0.5}


def _weights(mix: dict[str, float], dwell: float) -> npt.NDArray[np.float64]:
    """Cumulative probability by code; a `$pageleave` of s seconds weighs exp(-s / dwell)."""
    weights = np.zeros(len(NAMES))
    for name, weight in mix.items():
        variants = np.arange(COUNT[name])
        shares = np.exp(-10 * variants / dwell) if name == "$pageleave" else np.ones(len(variants))
        weights[FIRST[name] + variants] = weight * shares / shares.sum()
    cumulative: npt.NDArray[np.float64] = np.cumsum(weights)
    cumulative /= cumulative[-1]
    return cumulative


VISIT_MIX = np.array([_weights(dict(a.mix), a.dwell) for a in ARCHETYPES.values()])
APP_MIX = np.array([_weights(_APP_MIX, 1.0)])


def draw_codes(
    cumulative: npt.NDArray[np.float64], row: npt.NDArray[np.int32], u: npt.NDArray[np.float64]
) -> npt.NDArray[np.int32]:
    """Codes by inverse distribution: uniforms `u` against line `row` of the cumulative table."""
    width = cumulative.shape[1]
    flat = (cumulative + np.arange(len(cumulative))[:, None]).ravel()
    codes: npt.NDArray[np.int32] = np.searchsorted(flat, row + u, side="right").astype(np.int32)
    return codes - row * np.int32(width)
