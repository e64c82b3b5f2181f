"""The definitions: what they must contain, how an overlay changes them, what their errors say."""

import json
import re
import string
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mi_core.definitions import Definitions, definitions_from_config, load_definitions
from mi_core.errors import DefinitionError
from mi_core.warehouse import scratch

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

EXAMPLE = Path(__file__).parent.parent / "examples" / "shop-overlay.toml"

SPEC_SIGNALS = {
    "page_view": (1, ["screen_view", "landing_view", "$pageview", "$screen"]),
    "feature_click": (3, ["feature_clicked", "cta_clicked", "feature_used"]),
    "return_visit": (5, ["app_open", "session_start"]),
    "email_open": (2, ["email_open", "email_opened"]),
    "email_click": (4, ["email_click", "email_clicked"]),
    "video_watch": (6, ["video_watched"]),
    "download": (8, ["file_downloaded", "asset_downloaded"]),
    "comparison_view": (10, ["comparison_view"]),
    "pricing_view": (12, ["paywall_view", "pricing_view"]),
    "trial_start": (25, ["trial_started"]),
    "time_on_site_per_min": (2, []),
}
SPEC_PHASES = {
    1: "ad_impression ad_click landing_view page_scroll return_to_ad return_to_social"
    " social_comment social_like social_share",
    2: "email_submitted",
    3: "identity_enriched",
    4: "onboarding_step",
    5: "trial_started trial_completed",
    6: "email_open email_click",
    7: "app_open feature_used",
    8: "purchase",
    9: "subscription_renewal reactivation churn_intent cancel",
    10: "email_send",
}
SPEC_ALIASES = {
    "email_opened": "email_open",
    "email_clicked": "email_click",
    "purchase_completed": "purchase",
    "purchase_renewed": "subscription_renewal",
    "purchase_canceled": "cancel",
    "lead_captured": "email_submitted",
    "feature_clicked": "feature_used",
}


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    return load_definitions()


def overlaid(folder: Path, text: str) -> Definitions:
    file = folder / "overlay.toml"
    file.write_text(text)
    return load_definitions(file)


# ---- what they contain


def test_signals_are_worth_what_the_contract_says(definitions: Definitions) -> None:
    assert {name: rule.points for name, rule in definitions.signals.items()} == {
        name: points for name, (points, _) in SPEC_SIGNALS.items()
    }
    for signal, (_, events) in SPEC_SIGNALS.items():
        assert [definitions.events[name].signal for name in events] == [signal] * len(events)


def test_every_canonical_type_has_its_phase_and_an_event(definitions: Definitions) -> None:
    expected = {etype: phase for phase, names in SPEC_PHASES.items() for etype in names.split()}
    assert {name: etype.phase for name, etype in definitions.etypes.items()} == expected
    assert {event.etype for event in definitions.events.values()} - {None} == expected.keys()


def test_aliases_have_the_other_names_type(definitions: Definitions) -> None:
    assert {name: definitions.events[name].etype for name in SPEC_ALIASES} == SPEC_ALIASES
    pageview = definitions.events["$pageview"]
    assert (pageview.etype, pageview.session_first_etype) == (None, "landing_view")


def test_the_catalogue_has_ten_groups_and_over_a_hundred_names(definitions: Definitions) -> None:
    groups = Counter(event.group for event in definitions.events.values())
    assert len(groups - Counter(posthog=groups["posthog"])) == 10
    assert groups.total() - groups["posthog"] > 100


def test_ads_emails_and_the_system_are_no_engagement(definitions: Definitions) -> None:
    passive = ("marketing", "notifications", "simulation", "experiments")
    engaged = [
        name
        for name, event in definitions.events.items()
        if event.engagement and event.group in passive
    ]
    assert engaged == ["first_open_post_install"]


def test_conversions_are_trials_and_purchases(definitions: Definitions) -> None:
    types = {event.etype for event in definitions.events.values() if event.conversion}
    assert types == {"trial_started", "purchase"}


def test_taxonomy_rows_have_the_phase_of_their_type(definitions: Definitions) -> None:
    rows = {row["event_name"]: row for row in definitions.taxonomy_rows()}
    assert rows["email_clicked"] == {
        "event_name": "email_clicked",
        "etype": "email_click",
        "session_first_etype": None,
        "phase": 6,
        "signal": "email_click",
        "channel": "email",
        "is_touch": True,
        "is_conversion": False,
        "is_engagement": False,
    }
    assert rows["$pageview"]["phase"] is None


def test_points_are_whole_millionths(definitions: Definitions) -> None:
    rows = {row["signal"]: row for row in definitions.signal_rows()}
    assert rows["time_on_site_per_min"] == {
        "signal": "time_on_site_per_min",
        "points_micro": 2_000_000,
        "cap_micro": 20_000_000,
        "points_group": "engagement",
    }


def test_cuts_are_what_scores_ask_for(definitions: Definitions) -> None:
    assert definitions.intent.level_cuts == (("low", 20), ("medium", 50), ("high", 75))
    assert definitions.magnetism.bands == (("cold", 30), ("cooling", 50), ("warm", 70))
    assert definitions.magnetism.risk_levels == (("high_risk", 30), ("moderate", 50), ("good", 70))


def test_persona_rows_are_in_order_with_their_thresholds(definitions: Definitions) -> None:
    rows = definitions.persona_rows()
    assert [row["slug"] for row in rows] == [
        "automation_pro",
        "tech_entrepreneur",
        "creative_transition",
        "corporate_executive",
        "networking_enthusiast",
        "student_early_career",
    ]
    assert rows[0]["purchase_intent_above"] == 30
    assert rows[1]["top_signal"] == "trial_start"
    assert [row["confidence"] for row in rows] == [0.85, 0.80, 0.70, 0.75, 0.65, 0.50]


# ---- privacy


def test_the_whitelist_renames_and_reduces(definitions: Definitions) -> None:
    rows = {
        row["source_name"]: (row["stored_name"], row["rule"])
        for row in definitions.whitelist_rows()
    }
    assert rows["plan"] == ("plan", "keep")
    assert rows["$app_version"] == ("version", "keep")
    assert rows["$referring_domain"] == rows["referrer"] == ("referrer", "host")
    assert rows["gclid"] == rows["$gclid"] == ("has_gclid", "flag")
    assert rows["has_gclid"] == ("has_gclid", "keep")
    assert not {"email", "$ip", "$set", "$current_url", "name"} & rows.keys()
    stored = {name for names in definitions.privacy.whitelist.values() for name in names}
    assert len(stored) > 60


PERSONAL = [
    "ann@mail.example",
    "Ann Lee <ann.lee+news@mail.example>",
    "ann%40mail.example",
    "мария@почта.example.com",
    "+1 (555) 123-4567",
    "call +44 20 7946 0958 today",
    "%2B491711234567",
    "555-123-4567",
    "(555) 123-4567",
    "1-800-555-1234",
    "020 7946 0958",
    "0171 1234567",
    "06 12 34 56 78",
    "5551234567",
    "https://shop.example/reset?token=abc",
    "//shop.example?x",
    "https://shop.example/#access_token=abc",
    "/reset?token=abc",
    "shop.example/p?user=7",
    "?email=ann",
]
HARMLESS = [
    "pro_monthly",
    "https://shop.example/catalog",
    "www.google.com",
    "2024-06-15",
    "2024-06-15T10:20:30.000Z",
    "2024-06-15T10:20:30+02:00",
    "America/New_York",
    "en-US",
    "16.4.1",
    "1999",
    "12345678",
    "0.87654321",
    "What now?",
    "c0ffee00-1111-4222-8333-444455556666",
    "paid_search_2024_01",
    "true",
]


@pytest.fixture(scope="module")
def engine() -> Iterator["DuckDBPyConnection"]:
    with scratch() as connection:
        yield connection


def found(
    engine: "DuckDBPyConnection", definitions: Definitions, name: str, value: str
) -> list[str]:
    """The screens that find `value` in the property `name`, by the engine that ingestion uses."""
    groups = {group for group, names in definitions.privacy.whitelist.items() if name in names}
    return [
        screen
        for screen, rule in definitions.privacy.screens.items()
        if not {name, *groups} & {*rule.exempt}
        and engine.execute("select regexp_matches(?, ?)", [value, rule.pattern]).fetchone()
        == (True,)
    ]


@pytest.mark.parametrize("value", PERSONAL)
def test_personal_values_are_screened(
    engine: "DuckDBPyConnection", definitions: Definitions, value: str
) -> None:
    assert found(engine, definitions, "reason", value)


@pytest.mark.parametrize("value", HARMLESS)
def test_harmless_values_pass(
    engine: "DuckDBPyConnection", definitions: Definitions, value: str
) -> None:
    assert found(engine, definitions, "reason", value) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("campaign_id", "120208123456789"),
        ("utm_campaign", "21034567890"),
        ("build", "2024061501"),
        ("os_version", "10.0.19045.3448"),
        ("score", "0.123456789012"),
    ],
)
def test_ids_and_numbers_pass_where_they_belong(
    engine: "DuckDBPyConnection", definitions: Definitions, name: str, value: str
) -> None:
    assert found(engine, definitions, name, value) == []
    assert found(engine, definitions, name, "ann@mail.example") == ["email"]


# ---- overlays


def test_an_overlay_adds_and_changes_rows(tmp_path: Path, definitions: Definitions) -> None:
    changed = overlaid(
        tmp_path,
        "[events]\n"
        'demo_booked = { signal = "demo" }\n'
        '"$pageview" = { engagement = false }\n'
        "[signals.demo]\npoints = 9.5\n"
        'why = "Asks to be shown."\n'
        "[intent]\nwindow_days = 14\n",
    )
    assert changed.events["demo_booked"].signal == "demo"
    assert changed.events["$pageview"].model_dump() == {
        **definitions.events["$pageview"].model_dump(),
        "engagement": False,
    }
    assert changed.intent.window_days == 14
    assert changed.intent.recency_max == definitions.intent.recency_max
    assert changed.version != definitions.version


def test_an_overlays_list_replaces_the_list(tmp_path: Path) -> None:
    changed = overlaid(
        tmp_path,
        "[funnel]\nsteps = [\n"
        '{ name = "Came", etypes = ["landing_view"] },\n'
        '{ name = "Bought", events = ["purchase"] },\n]\n',
    )
    assert [step.name for step in changed.funnel.steps] == ["Came", "Bought"]


def test_the_example_overlay_knows_a_shops_events() -> None:
    shop = load_definitions(EXAMPLE)
    browsing = shop.events["product_view"]
    assert browsing.session_first_etype == "landing_view"
    assert browsing.touch
    assert browsing.engagement
    assert shop.events["compare"].signal == "comparison_view"
    assert not shop.events["payment_error"].engagement
    assert [step.name for step in shop.funnel.steps][-1] == "Purchased"


# ---- versions


def test_the_version_follows_content_and_not_order(tmp_path: Path) -> None:
    one = '[events]\na = { signal = "page_view", touch = true }\nb = { etype = "purchase" }\n'
    other = '[events]\nb = { etype = "purchase" }\na = { touch = true, signal = "page_view" }\n'
    assert overlaid(tmp_path, one).version == overlaid(tmp_path, other).version
    changed = one.replace("true", "false")
    assert overlaid(tmp_path, one).version != overlaid(tmp_path, changed).version


def test_the_version_is_twelve_hex_digits(definitions: Definitions) -> None:
    assert len(definitions.version) == 12
    assert set(definitions.version) <= set(string.hexdigits.lower())


@pytest.mark.parametrize("overlay", [None, EXAMPLE])
def test_a_configuration_comes_back_from_json(overlay: Path | None) -> None:
    original = load_definitions(overlay)
    restored = definitions_from_config(json.dumps(original.config()))
    assert restored == original
    assert restored.version == original.version


# ---- errors: file, key, bad value, what is allowed, what is nearest


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            '[events]\nx = { etype = "purchas" }\n',
            "overlay.toml: events.x.etype is 'purchas', which is no event type; "
            "did you mean 'purchase'? Allowed: ad_click, ",
        ),
        (
            '[events]\nx = { signal = "page_views" }\n',
            "events.x.signal is 'page_views', which is no signal; did you mean 'page_view'?",
        ),
        (
            '[events]\nx = { channel = "e-mail" }\n',
            "events.x.channel is 'e-mail', which is no channel; did you mean 'email'?",
        ),
        (
            "[events]\nx = { tuch = true }\n",
            "events.x.tuch is no key that is known here; did you mean 'touch'? Allowed: channel, ",
        ),
        (
            '[events]\nx = { touch = "yes" }\n',
            "overlay.toml: events.x.touch is 'yes', but should be a valid boolean.",
        ),
        (
            "[event]\n",
            "overlay.toml: event is no key that is known here; did you mean 'events'? Allowed: ",
        ),
        ("[signals.demo]\npoints = 4\n", "overlay.toml: signals.demo.why is missing."),
        (
            '[signals.demo]\npoints = 4\ngroup = "buying"\nwhy = ""\n',
            "signals.demo.group is 'buying', but should be 'engagement' or 'purchase_intent'.",
        ),
        (
            '[personas.tech_entrepreneur]\nrule = { top_signal = "trial" }\n',
            "personas.tech_entrepreneur.rule.top_signal is 'trial', which is no signal; "
            "did you mean 'trial_start'?",
        ),
        (
            "[personas.automation_pro]\nconfidence = 1.2\n",
            "personas.automation_pro.confidence is 1.2, but should be less than or equal to 1.",
        ),
        (
            "[personas.automation_pro]\nposition = 2\n",
            "personas.tech_entrepreneur.position is 2, which 'automation_pro' has already.",
        ),
        (
            "[personas.student_early_career]\nrule = { score_below = 5 }\n",
            "personas.student_early_career.rule must state nothing",
        ),
        (
            "[magnetism.weights]\nintent = 40\n",
            "overlay.toml: magnetism.weights must add up to 100, "
            "but 40 + 25 + 20 + 15 + 10 is 110.",
        ),
        (
            "[magnetism]\nactive_days_share = 0.7\n",
            "magnetism.active_days_share must add up to 1, but 0.7 + 0.4 is 1.1.",
        ),
        (
            "[signals.page_view]\npoints = 1000\n",
            "signals.page_view gives 1000 points, but at most 296 can be ranked.",
        ),
        (
            '[signals.call]\npoints = 3\nunit = "minute"\nwhy = "Talks."\n',
            "signals.call.cap is missing: a long visit would count without end.",
        ),
        (
            "[intent.levels_below]\nlow = 60\n",
            "intent.levels_below must rise, but has low = 60, medium = 50, high = 75.",
        ),
        (
            "[magnetism.bands_below]\nwarm = 50\n",
            "magnetism.bands_below must rise, but has cold = 30, cooling = 50, warm = 50.",
        ),
        (
            '[funnel]\nsteps = [{ name = "A", events = ["prchase"] }, { name = "B" }]\n',
            "funnel.steps.A.events is 'prchase', which is no event; did you mean 'purchase'?",
        ),
        (
            '[funnel]\nsteps = [{ name = "A", events = ["purchase"] }, { name = "B" }]\n',
            "overlay.toml: funnel.steps.B has neither etypes nor events, so nobody can reach it.",
        ),
        (
            '[channels.platforms.bing]\npaid = "bing_ads"\n',
            "channels.platforms.bing.paid is 'bing_ads', which is no channel; did you mean ",
        ),
        (
            '[channels.platforms.bing]\nsources = ["Google"]\n',
            "channels.platforms.bing has the source 'Google', which 'google' has already.",
        ),
        (
            '[channels.mediums]\nsocial = ["social", "Social"]\n',
            "channels.mediums.social has the medium 'Social', which 'social' has already.",
        ),
        (
            '[channels.rules]\nx = { position = 5, when = { medium = "payd" }, channel = "web" }\n',
            "channels.rules.x.when.medium is 'payd', which is no medium; did you mean 'paid'?",
        ),
        (
            "[channels.rules]\nx = { position = 5, when = {} }\n",
            "channels.rules.x must state channel or of_platform, and not both.",
        ),
        (
            '[privacy.renamed]\n"$os" = "os"\n',
            "privacy.renamed.$os is 'os', which is no stored property",
        ),
        (
            "[privacy.screens.iban]\npattern = '[A-Z'\nwhy = ''\n",
            "privacy.screens.iban.pattern is no regular expression: unterminated character set",
        ),
        (
            "[privacy.screens.iban]\npattern = 'DE(?=[0-9])'\nwhy = ''\n",
            "privacy.screens.iban.pattern looks ahead or behind, which RE2 can't.",
        ),
        ("[events]\nx = {\n", "overlay.toml: is not valid TOML: "),
        ("[events]\na = 1 2\n", "(at line 2, column 7)"),
    ],
)
def test_a_mistake_gets_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(DefinitionError, match=re.escape(sentence)):
        overlaid(tmp_path, text)


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError) as caught:
        overlaid(tmp_path, '[events]\nx = { etype = "a" }\ny = { signal = "b" }\n')
    assert [line.split(" is ")[0] for line in str(caught.value).splitlines()] == [
        "overlay.toml: events.x.etype",
        "overlay.toml: events.y.signal",
    ]


def test_a_missing_overlay_is_named(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match=r"^overlay\.toml: can't be read: No such file"):
        load_definitions(tmp_path / "overlay.toml")


def test_an_overlay_that_is_not_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "overlay.toml").write_bytes(b"[events]\nx = '\xff'\n")
    with pytest.raises(DefinitionError, match=r"^overlay\.toml: is not UTF-8 text, at byte 14"):
        load_definitions(tmp_path / "overlay.toml")


# ---- prices


PRICES = load_definitions().enrichment.model_dump()


def numbers(table: dict[str, Any], *path: str) -> Iterator[tuple[str, ...]]:
    """The way to each number of prices.toml."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from numbers(value, *path, key)
        elif isinstance(value, int | float):
            yield (*path, key)


def priced(folder: Path, path: Sequence[str], value: str) -> Definitions:
    return overlaid(folder, f"[{'.'.join(path[:-1])}]\n{path[-1]} = {value}\n")


@pytest.mark.parametrize("value", ["inf", "-inf", "nan", "1e300", "1e10", "-1", "1" * 100])
def test_no_number_of_the_prices_is_endless_or_absurd(tmp_path: Path, value: str) -> None:
    paths = [".".join(path) for path in numbers(PRICES, "enrichment")]
    with pytest.raises(DefinitionError) as caught:
        overlaid(tmp_path, "".join(f"{path} = {value}\n" for path in paths))
    assert len(paths) > 40
    named = [line.split(" is ")[0] for line in str(caught.value).splitlines()]
    assert sorted(named) == sorted(f"overlay.toml: {path}" for path in paths)


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("budget.daily_usd", "inf", "is inf, but should be a finite number."),
        ("sure_confidence", "nan", "is nan, but should be a finite number."),
        ("budget.monthly_usd", "1e9", "should be less than or equal to 1000000."),
        ("result_days", "1e6", "should be less than or equal to 36500."),
        ("providers.openai.input_usd", "2e5", "should be less than or equal to 100000."),
        ("providers.openai.batch_share", "1e-9", "should be greater than or equal to 0.001."),
        ("providers.rapidapi.timeout_seconds", "1e8", "should be less than or equal to 10000000."),
        ("providers.rapidapi.concurrency", "0", "should be greater than or equal to 1."),
        ("providers.perplexity.calls", "1_000_001", "should be less than or equal to 1000000."),
    ],
)
def test_a_price_that_is_none_gets_a_sentence(
    tmp_path: Path, key: str, value: str, sentence: str
) -> None:
    with pytest.raises(DefinitionError, match=re.escape(sentence)) as caught:
        priced(tmp_path, ["enrichment", *key.split(".")], value)
    assert str(caught.value).startswith(f"overlay.toml: enrichment.{key} is ")


def test_each_provider_has_a_number_of_calls_at_a_time(tmp_path: Path) -> None:
    changed = priced(tmp_path, ["enrichment", "providers", "openai", "concurrency"], "3").enrichment
    assert {name: price.concurrency for name, price in changed.providers} == {
        "rapidapi": 10,
        "perplexity": 10,
        "openai": 3,
    }
