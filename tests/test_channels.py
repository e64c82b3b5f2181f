"""Which channel each kind of evidence gives."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from report_samples import memory_lake

from mi_core.definitions import load_definitions
from mi_core.warehouse import Warehouse

# utm_source, utm_medium, click ids, referring host, the event's own channel -> channel of a touch
Case = tuple[str | None, str | None, list[str], str | None, str | None, str]

CLICK_IDS: list[Case] = [
    (None, None, ["gclid"], None, None, "google_ads"),
    (None, None, ["gbraid"], None, None, "google_ads"),
    (None, None, ["gad_source", "wbraid"], None, None, "google_ads"),
    (None, None, ["dclid"], None, None, "google_ads"),
    (None, None, ["has_gclid"], None, None, "google_ads"),
    (None, None, ["GCLID"], None, None, "google_ads"),
    ("google", "organic", ["gclid"], "www.google.com", None, "google_ads"),
    ("newsletter", "email", ["gclid"], None, None, "google_ads"),
    ("facebook", "social", ["gclid"], None, None, "google_ads"),
    (None, None, ["ttclid"], None, None, "tiktok_ads"),
    (None, None, ["twclid"], "t.co", None, "x_twitter"),
    (None, None, ["li_fat_id"], "www.linkedin.com", None, "linkedin_ads"),
    (None, None, ["msclkid"], "www.bing.com", None, "web"),
    (None, None, ["fbclid"], None, None, "web"),
    (None, None, ["fbclid", "gclid"], None, None, "google_ads"),
    (None, None, ["fbclid"], "l.instagram.com", None, "instagram"),
    (None, None, ["fbclid"], "l.facebook.com", None, "web"),
    ("ig", "social", ["fbclid"], "l.instagram.com", None, "instagram"),
    (None, "paid_social", ["fbclid"], None, None, "meta_ads"),
    ("spring_sale", "cpc", ["fbclid"], None, None, "meta_ads"),
    (None, None, ["igshid"], None, None, "instagram"),
    (None, None, ["mc_cid"], None, None, "email"),
    (None, None, ["_kx"], None, None, "email"),
    (None, None, ["irclid"], None, None, "referral"),
    (None, None, ["unheard_of"], None, None, "direct"),
]

TAGS: list[Case] = [
    ("google", "cpc", [], None, None, "google_ads"),
    ("Google", "CPC", [], None, None, "google_ads"),
    ("google", "display", [], None, None, "google_ads"),
    ("google", "organic", [], None, None, "organic_search"),
    ("google", "email", [], None, None, "email"),
    ("adwords", None, [], None, None, "google_ads"),
    ("youtube", "cpv", [], None, None, "google_ads"),
    ("youtube", "social", [], None, None, "youtube"),
    ("bing", "cpc", [], None, None, "web"),
    ("bing", None, [], None, None, "organic_search"),
    ("duckduckgo", None, [], None, None, "organic_search"),
    ("facebook", "paid_social", [], None, None, "meta_ads"),
    ("facebook", "Paid Social", [], None, None, "meta_ads"),
    ("FB", " Paid-Social ", [], None, None, "meta_ads"),
    ("fb", "cpm", [], None, None, "meta_ads"),
    ("ig", "paid", [], None, None, "meta_ads"),
    ("ig", "story", [], None, None, "instagram"),
    ("facebook", "social", [], None, None, "web"),
    ("facebook.com", "referral", [], None, None, "web"),
    ("l.facebook.com", "cpc", [], None, None, "meta_ads"),
    ("facebook_ads", "spring", [], None, None, "meta_ads"),
    ("meta", "paid", [], None, None, "meta_ads"),
    ("tt", "paid", [], None, None, "tiktok_ads"),
    ("tiktok", "bio", [], None, None, "web"),
    ("linkedin", "cpc", [], None, None, "linkedin_ads"),
    ("linkedin", "post", [], None, None, "linkedin"),
    ("twitter", "social", [], None, None, "x_twitter"),
    ("x", "ppc", [], None, None, "x_twitter"),
    ("reddit", "cpc", [], None, None, "web"),
    ("acme_network", "cpc", [], None, None, "web"),
    ("acme_network", "CPC", [], "www.google.de", None, "google_ads"),
    (None, "cpc", [], None, None, "web"),
    ("newsletter", "email", [], None, None, "email"),
    ("newsletter", None, [], None, None, "email"),
    ("spring", "E-Mail", [], None, None, "email"),
    ("onboarding", "push", [], None, None, "app"),
    ("twilio", "sms", [], None, None, "app"),
    ("bestdeals", "affiliate", [], None, None, "referral"),
    ("youtube", "affiliate", [], None, None, "referral"),
    ("partner_blog", "referral", [], None, None, "referral"),
    (None, "organic", [], None, None, "organic_search"),
    ("forum", "social", [], None, None, "web"),
    ("chatgpt.com", None, [], None, None, "referral"),
    ("flyer", "print", [], None, None, "web"),
    ("flyer", None, [], "mail.google.com", None, "email"),
    ("", "", [], "", None, "direct"),
    ("  ", None, [], None, None, "direct"),
]

REFERRERS: list[Case] = [
    (None, None, [], "www.google.com", None, "organic_search"),
    (None, None, [], "WWW.GOOGLE.CO.UK", None, "organic_search"),
    (None, None, [], "google.com.br", None, "organic_search"),
    (None, None, [], "https://www.google.com/search?q=shop", None, "organic_search"),
    (None, None, [], "notgoogle.com", None, "referral"),
    (None, None, [], "google.phishing.example", None, "referral"),
    (None, None, [], "mail.google.com", None, "email"),
    (None, None, [], "docs.google.com", None, "referral"),
    (None, None, [], "gemini.google.com", None, "referral"),
    (None, None, [], "accounts.google.com", None, "direct"),
    (None, None, [], "googleads.g.doubleclick.net", None, "google_ads"),
    (None, None, [], "r.search.yahoo.com", None, "organic_search"),
    (None, None, [], "mail.yahoo.co.jp", None, "email"),
    (None, None, [], "yandex.ru", None, "organic_search"),
    (None, None, [], "search.naver.com", None, "organic_search"),
    (None, None, [], "l.facebook.com", None, "web"),
    (None, None, [], "m.facebook.com", None, "web"),
    (None, None, [], "l.instagram.com", None, "instagram"),
    (None, None, [], "t.co", None, "x_twitter"),
    (None, None, [], "port.co", None, "referral"),
    (None, None, [], "lnkd.in", None, "linkedin"),
    (None, None, [], "m.youtube.com", None, "youtube"),
    (None, None, [], "old.reddit.com", None, "web"),
    (None, None, [], "www.pinterest.co.uk", None, "web"),
    (None, None, [], "www.deviantart.com", None, "web"),
    (None, None, [], "outlook.live.com", None, "email"),
    (None, None, [], "android-app://com.google.android.gm/", None, "email"),
    (None, None, [], "com.google.android.googlequicksearchbox", None, "organic_search"),
    (None, None, [], "android-app://com.linkedin.android", None, "linkedin"),
    (None, None, [], "android-app://com.unknown.reader", None, "referral"),
    (None, None, [], "blog.example.org:8080", None, "referral"),
    (None, None, [], "checkout.stripe.com", None, "direct"),
    (None, None, [], "$direct", None, "direct"),
    (None, None, [], "localhost", None, "direct"),
    (None, None, [], None, None, "direct"),
]

OWN: list[Case] = [
    (None, None, [], None, "email", "email"),
    ("facebook", "cpc", ["gclid"], "www.google.com", "email", "email"),
    (None, None, [], "www.google.com", "app", "app"),
]


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    opened = memory_lake(tmp_path)
    yield opened
    opened.close()


def channels(warehouse: Warehouse, cases: Sequence[Case], *, is_touch: bool) -> list[str | None]:
    """The channel of each case, by one run of the relation over all of them."""
    warehouse.sql(
        "create or replace temp table channel_evidence (evidence_id integer, utm_source varchar,"
        " utm_medium varchar, click_ids varchar[], referrer_host varchar, fixed_channel varchar,"
        " is_touch boolean)"
    )
    for number, case in enumerate(cases):
        warehouse.sql(
            "insert into channel_evidence values (?, ?, ?, ?, ?, ?, ?)",
            [number, *case[:5], is_touch],
        )
    frame = warehouse.relation("staging/channel_class").sort("evidence_id")
    assert frame["evidence_id"].to_list() == list(range(len(cases)))
    return frame["channel"].to_list()


@pytest.mark.parametrize("cases", [CLICK_IDS, TAGS, REFERRERS, OWN])
def test_evidence_gives_its_channel(warehouse: Warehouse, cases: list[Case]) -> None:
    found = channels(warehouse, cases, is_touch=True)
    assert list(zip(cases, found, strict=True)) == [(case, case[5]) for case in cases]


def test_only_a_touch_is_direct(warehouse: Warehouse) -> None:
    cases = [*CLICK_IDS, *TAGS, *REFERRERS, *OWN]
    expected = [None if case[5] == "direct" else case[5] for case in cases]
    assert channels(warehouse, cases, is_touch=False) == expected


def test_own_hosts_are_no_evidence(tmp_path: Path, warehouse: Warehouse) -> None:
    overlay = tmp_path / "overlay.toml"
    overlay.write_text('[channels]\nown_hosts = ["shop.example"]\n')
    visits: list[Case] = [
        (None, None, [], "shop.example", None, "direct"),
        (None, None, [], "help.shop.example", None, "direct"),
        (None, None, [], "workshop.example", None, "referral"),
        ("newsletter", "email", [], "shop.example", None, "email"),
    ]
    assert channels(warehouse, visits[:1], is_touch=True) == ["referral"]
    warehouse.load_definitions(load_definitions(overlay))
    assert channels(warehouse, visits, is_touch=True) == [visit[5] for visit in visits]


def test_an_overlay_adds_a_channel(tmp_path: Path, warehouse: Warehouse) -> None:
    overlay = tmp_path / "overlay.toml"
    overlay.write_text(
        "[channels.names.bing_ads]\n"
        'label = "Microsoft Ads"\npaid = true\nwhy = "We buy there."\n'
        "[channels.platforms.bing]\n"
        'paid = "bing_ads"\n'
        "[channels.click_ids]\n"
        "fbclid = { paid = true }\n"
    )
    warehouse.load_definitions(load_definitions(overlay))
    visits: list[Case] = [
        (None, None, ["msclkid"], None, None, "bing_ads"),
        ("bing", "cpc", [], None, None, "bing_ads"),
        ("bing", "organic", [], None, None, "organic_search"),
        (None, None, ["fbclid"], None, None, "meta_ads"),
    ]
    assert channels(warehouse, visits, is_touch=True) == [visit[5] for visit in visits]
