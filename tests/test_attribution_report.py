"""The attribution report's sentences, tables and charts, on cases that can be held in the head."""

import re
from dataclasses import replace
from datetime import datetime

import polars as pl
import pytest
from attribution_samples import CREDITS, attribution, funnel, report, retention

from mi_core import charts, words
from mi_core.attribution import MODELS, UNATTRIBUTED
from mi_core.drawing import VEGA_LITE
from mi_core.stories.attribution import comparing, findings, limits, listings, naming, notes
from mi_core.stories.attribution import sentences as said_of
from mi_core.stories.attribution.crediting import SHOWN
from mi_core.stories.foot import foot

NOTHING = attribution({}, unattributed=0, nulls=12, paths=())
ONE = attribution(
    {"first_touch": {"email": 1}, "last_touch": {"email": 1}},
    unattributed=0,
    nulls=1,
    paths=((["email"], 1, 1),),
    abstained={"markov": "It takes 10 conversions, and there is 1."},
)
SPEND = {"google_ads": 900.0, "email": 100.0}


def text(html: str) -> str:
    """The words of some markup."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_keys_as_people_know_them():
    assert words.noun("channel", 2) == "channels"
    assert words.noun("etype", 2) == "kinds of touch"
    assert naming.label("email(2)", {"email": "Email"}) == "Email (2)"
    assert naming.label("spring_sale", {}) == "spring_sale"


def test_every_model_has_a_name():
    assert set(MODELS) == set(naming.MODELS)
    assert set(MODELS) == set(charts.MARKS)
    assert len(set(charts.MARKS.values())) == len(MODELS)
    assert naming.UNATTRIBUTED == UNATTRIBUTED


# --- what happened


def test_what_happened_is_compared_with_a_covered_period():
    said = text(findings.what_happened(report(before=100)))
    assert said == (
        "110 conversions , 10% more than in the period before: 110 × “Purchase” (worth 5,500)."
    )
    assert "compared with the 90 before" in findings.subtitle(report(before=100))
    assert "period before" not in findings.what_happened(report())
    assert "compared" not in findings.subtitle(report())


def test_kinds_of_conversions_are_counted_apart():
    two = pl.DataFrame(
        {
            "kind": ["trial_started", "purchase"],
            "conversions": [70, 40],
            "value_cents": [0, 5_000],
            "conversions_before": [None, None],
            "value_cents_before": [None, None],
        }
    )
    said = text(findings.what_happened(report(headline=two)))
    assert "70 × “trial_started” and 40 × “Purchase” (worth 50.00)" in said
    assert said.endswith("Whoever did both counts for both.")


def test_no_conversions_at_all():
    quiet = report(NOTHING, before=3)
    said = text(findings.summary(quiet))
    assert said.startswith("There were no conversions in this period ; in the period before there")
    assert "12 people had touchpoints and didn't convert." in said
    for word in ("credit", "clear", "model", "spent"):
        assert word not in said
    assert "<dt>Conversions</dt><dd>0</dd>" in findings.headline(quiet)


def test_one_conversion_is_singular():
    said = text(findings.summary(report(ONE)))
    assert "1 conversion : 1 × “Purchase” (worth 50.00)." in said
    assert "It had a touchpoint in the 30 days before. 1 person had touchpoints" in said
    assert "All credit goes to Email : no other channel was on a path." in said
    assert "clear" not in said
    assert "Markov gave no answer" in said


def test_what_is_out_of_sight_is_said():
    said = text(findings.what_is_known(report(attribution(unattributed=1, nulls=0))))
    assert said == (
        "100 of them had a touchpoint in the 30 days before; the other 1 (1.0%) is credited to "
        "nobody."
    )
    none = attribution({}, unattributed=4, nulls=0, paths=())
    assert text(findings.what_is_known(report(none))).startswith("None had a touchpoint")
    assert "33% of conversions have no touchpoint" in findings.how_sure(
        report(attribution(unattributed=50))
    )
    late = report(first_event_at=datetime(2024, 3, 3), before=1)
    assert "events begin on 3 March 2024" in findings.how_sure(late)
    assert "Events begin on 3 March 2024" in limits.limits(late)
    assert findings.how_sure(report(before=1)) == ""


# --- who gets the credit


def test_first_under_every_model():
    said = text(said_of.who_gets_credit(report().credit))
    assert said.startswith("Google Ads gets most credit under all 4 models , 40% to 60% of it")
    assert said.endswith("its lead is clear under 2 of them, else within noise.")


@pytest.mark.parametrize(
    ("plus_minus", "end"),
    [
        (1, "clearly more than any other channel."),
        (40, "though its lead is within noise."),
        (None, "40% to 60% of it."),
    ],
)
def test_a_lead_is_no_surer_than_its_intervals(plus_minus, end):
    credit = report(attribution(plus_minus=plus_minus)).credit
    assert said_of.who_gets_credit(credit).endswith(end)


def test_first_depends_on_the_model():
    turned = {**CREDITS, "last_touch": {"google_ads": 20, "email": 30, "direct": 50}}
    said = text(said_of.who_gets_credit(report(attribution(turned)).credit))
    assert "of 4 models, Google Ads (20% to 60% of it) under 3 and Direct (15% to 50%" in said
    assert "clear only for Google Ads under first touch and the linear model and Direct" in said
    unsure = said_of.who_gets_credit(report(attribution(turned, plus_minus=60)).credit)
    assert unsure.endswith("No lead is clear: all are within noise.")


def test_a_tie_names_both():
    tied = {"last_touch": {"google_ads": 50, "email": 50}}
    said = text(said_of.who_gets_credit(report(attribution(tied)).credit))
    assert said == "Email and Google Ads share first place under last touch."


def test_what_has_no_campaign_leads_nothing():
    credits = {
        "first_touch": {"(none)": 60, "spring": 30, "launch": 10},
        "last_touch": {"(none)": 50, "spring": 35, "launch": 15},
    }
    credit = report(attribution(credits)).credit
    assert text(said_of.who_gets_credit(credit)) == (
        "spring gets most credit under all 2 models , 30% to 35% of it, clearly more than any "
        "other channel. 50% to 60% has no known channel."
    )
    assert "1 of 1 difference between channels is clear" in said_of.what_is_clear(credit)
    assert "disagree most about spring" in said_of.where_models_part(credit)
    assert "No known channel" in listings.shares(credit)


def test_pairs_that_differ_under_every_model_and_under_some():
    credits = {
        "first_touch": {"google_ads": 60, "email": 30, "direct": 10},
        "last_touch": {"google_ads": 60, "email": 25, "direct": 15},
    }
    credit = report(attribution(credits, plus_minus=6)).credit
    assert credit.apart.rows() == [
        ("email", "direct", 1),
        ("google_ads", "direct", 2),
        ("google_ads", "email", 2),
    ]
    said = text(said_of.what_is_clear(credit))
    assert said == (
        "2 of 3 differences between channels are clear under every model : Google Ads gets more "
        "than 2 others; of the others, 1 under some models only. See which ."
    )
    assert text(listings.differences(credit)).endswith("than Google Ads Email and Direct")


def test_wide_intervals_say_nothing():
    credit = report(attribution(plus_minus=60, spend=SPEND)).credit
    assert "No difference between channels is clear" in said_of.what_is_clear(credit)
    assert "Markov makes no clear move: all are within noise." in said_of.what_would_move(credit)
    assert "no channel would clearly get more or less" in said_of.where_budget_would_go(credit)
    assert "<strong>" not in listings.moves(credit)
    assert "less" not in listings.moves(credit).replace("less (−)", "")
    assert "No two channels differ clearly" in listings.differences(credit)


def test_without_intervals_nothing_is_clear():
    shown = report(attribution(plus_minus=None, spend=SPEND))
    credit = shown.credit
    assert said_of.what_is_clear(credit) == ""
    assert said_of.what_would_move(credit) == ""
    assert "no intervals were computed" in findings.how_sure(shown)
    assert "No intervals were computed" in notes.ranges(credit)
    assert "No intervals were computed" in notes.moves(credit)
    assert "No intervals were computed" in listings.differences(credit)
    assert listings.moves(credit) == ""
    assert "40 </td>" not in listings.ratios(credit, "cpa")


def test_few_conversions_say_nothing_however_narrow_their_intervals():
    few = {"first_touch": {"email": 9, "direct": 0}, "last_touch": {"email": 0, "direct": 9}}
    credit = report(attribution(few, plus_minus=0, spend=SPEND)).credit
    assert text(said_of.what_is_clear(credit)) == (
        "9 conversions with touchpoints are too few to tell channels apart."
    )
    assert said_of.what_would_move(credit) == ""
    for said in (notes.moves(credit), listings.differences(credit)):
        assert "9 conversions with touchpoints are too few to tell a difference from noise." in said
    assert "Lines of so few conversions look surer than they are." in notes.ranges(credit)
    assert credit.apart.height == 0
    assert credit.moves.filter("is_clear").height == 0


def test_what_draws_never_show_may_still_be_chance():
    rows = pl.DataFrame(
        {
            "model": ["m"] * 3,
            "key": ["a", "b", "c"],
            "low": [4.0, 3.0, 0.0],
            "high": [9.0, 8.0, 0.0],
        }
    )
    assert comparing.apart(rows).rows() == [("m", "a", "c")]


# --- what models would move


def test_moves_against_last_touch():
    credit = report().credit
    assert said_of.moved_by(credit, "markov") == (
        "would give Email 8 points more (95%: 3 to 13) and Direct 12 points less (95%: 7 to 17)"
    )
    assert "Markov would give Email 8 points more" in said_of.what_would_move(credit)
    assert text(notes.moves(credit)).startswith("First touch would give Google Ads 20 points more")
    table = listings.moves(credit)
    assert '<strong><span class="heat less" style="--heat: 0.60">−12.0</span></strong>' in table
    assert '<span class="heat" style="--heat: 0.00">+4.0</span>' in table
    assert "Last touch" not in table


def test_all_that_moves_between_two_channels_is_one_move():
    two = {"last_touch": {"email": 40, "direct": 60}, "markov": {"email": 52, "direct": 48}}
    said = said_of.moved_by(report(attribution(two)).credit, "markov")
    assert said == "would move 12 points of credit from Direct to Email (95%: 7 to 17)"


def test_smaller_moves_are_counted():
    last = dict(zip("abcdefgh", (30, 25, 20, 15, 4, 3, 2, 1), strict=True))
    turned = dict(zip("abcdefgh", reversed(last.values()), strict=True))
    credit = report(attribution({"last_touch": last, "linear": turned}, plus_minus=1)).credit
    said = said_of.moved_by(credit, "linear")
    assert said.startswith("would give h 29 points more")
    assert said.endswith("; 4 smaller moves are clear too")


def test_all_models_agree():
    same = {model: {"email": 70, "direct": 30} for model in ("first_touch", "last_touch")}
    credit = report(attribution(same)).credit
    assert text(said_of.where_models_part(credit)) == (
        "All models agree : each channel has the same share under all."
    )
    assert said_of.moved_by(credit, "first_touch") == "gives each channel the same credit"


def test_where_models_disagree_most():
    assert text(said_of.where_models_part(report().credit)) == (
        "Models disagree most about Google Ads : from 40% by last touch to 60% by first touch."
    )


def test_without_last_touch_nothing_is_compared_with_it():
    credit = report(attribution({"linear": {"email": 70, "direct": 30}})).credit
    assert said_of.what_would_move(credit) == ""
    assert "nothing to compare" in notes.moves(credit)
    assert listings.moves(credit) == ""


# --- spend


def test_budget_that_follows_credit():
    credit = report(attribution(spend=SPEND)).credit
    assert text(said_of.where_budget_would_go(credit)).startswith(
        "If the 1,000 spent followed credit , every model would give Email 190 to 360 more and "
        "Google Ads 190 to 360 less. That goes by what a conversion cost on average, not by what"
    )
    ads, email = credit.budget.rows(named=True)
    assert (ads["label"], ads["is_less"], ads["is_more"]) == ("Google Ads", True, False)
    assert ads["spend_share"] == pytest.approx(0.9)
    assert ads["lowest_share"] == pytest.approx(44 / 82)
    assert ads["highest_share"] == pytest.approx(60 / 85)
    assert email["lowest_cpa"] == pytest.approx(100 / 38)
    assert email["highest_roas"] == pytest.approx(19)
    table = text(listings.budget(credit))
    assert "Email 100.00 +194 to +363 more 2.63 to 4.00 12.50 to 19.00" in table
    assert "22 20–26" in text(listings.ratios(credit, "cpa"))
    assert "3.33" in text(listings.ratios(credit, "roas"))
    assert "<dt>Spend</dt><dd>1,000</dd>" in findings.headline(report(attribution(spend=SPEND)))


def test_share_of_credit_is_as_wide_as_all_intervals_make_it():
    rows = report(attribution(plus_minus=5, spend=SPEND)).credit.rows
    found = comparing.shifts(rows).filter(model="last_touch", key="email").row(0, named=True)
    assert found["share_low"] == pytest.approx(25 / (25 + 45))
    assert found["share_high"] == pytest.approx(35 / (35 + 35))
    assert found["share"] == pytest.approx(30 / 70)
    assert found["shift"] == pytest.approx((30 / 70 - 0.1) * 1000)


def test_without_spend_there_is_nothing_about_it():
    credit = report().credit
    assert credit.spend == 0
    assert said_of.where_budget_would_go(credit) == notes.spend(credit) == ""
    assert listings.budget(credit) == listings.ratios(credit, "cpa") == ""
    assert "Average is not marginal" not in limits.limits(report())
    assert "Spend" not in findings.headline(report())


def test_spend_without_credit_is_shown():
    some = {"last_touch": {"email": 20, "google_ads": 0}}
    credit = report(attribution(some, spend={"google_ads": 50, "email": 50})).credit
    assert text(listings.ratios(credit, "cpa")).count("Google Ads –") == 1
    only = report(attribution(some, spend={"google_ads": 50})).credit
    assert only.budget.height == 0
    assert "50.00 was spent on what got no credit" in notes.spend(only)


# --- how people come and come back


def test_paths_are_written_with_arrows():
    bundle, metadata = charts.paths(report().credit)._repr_mimebundle_()
    assert "Google Ads → Email 30 90 25% 1,500" in text(metadata[VEGA_LITE]["table"])
    assert bundle["text/plain"].endswith("Google Ads → Email: 30 · 25%.")
    assert bundle[VEGA_LITE]["title"]["subtitle"].startswith("1 of 1: conversions")


def test_length_of_paths_and_days():
    assert text(notes.paths(report())) == (
        "Of 100 conversions with touchpoints, each had a single one. Half or more came within 3 "
        "days of the first touchpoint; the window of 30 days allows no longer wait."
    )
    days = pl.DataFrame({"day": [0, 1], "conversions": [1, 0]})
    assert "It came within one day" in notes.paths(report(ONE, days=days))
    assert notes.paths(report(NOTHING)) == ""


def test_first_and_last_channels_beyond_those_shown_are_others():
    ends = pl.DataFrame(
        {"first_key": ["email", "x"], "last_key": ["direct", "email"], "conversions": [3, 4]}
    )
    table = text(listings.first_and_last(report(ends=ends)))
    assert table.endswith("Email 0 0 3 0 Direct 0 0 0 0 Others 0 4 0 0")
    assert listings.first_and_last(report(NOTHING)) == ""


def test_funnel_says_for_whom_time_is_not_up():
    assert text(notes.funnel(report())) == (
        "Of 100 people who took the step “Landed”, 10 (10%) went on to “Bought” within 14 days, "
        "half of them in 4.0 days or less."
    )
    waiting = text(notes.funnel(report(funnel=funnel((2, 1, 0), waiting=1))))
    assert waiting.endswith(
        "0 (0%) went on to “Bought” within 14 days. The 14 days of 1 other person is not over, so "
        "the shares may yet rise."
    )
    assert notes.funnel(report(funnel=funnel((0, 0, 0)))) == ""


def test_retention_counts_weeks_that_are_over():
    assert text(notes.retention(report(retention=retention(6)))) == (
        "Of 60 people who came for the first time in these weeks, 50% were active again in week 1 "
        "after and 20% in week 4. Only weeks that are over count."
    )
    assert notes.retention(report(retention=retention(1))) == ""


# --- what can't be said


def test_limits_name_what_is_out_of_sight_and_what_would_tell():
    said = text(limits.limits(report(ONE)))
    assert "Markov gave no answer. It takes 10 conversions, and there is 1." in said
    assert "Touchpoints more than 30 days before" in said
    assert "several touchpoints of one channel in a row count as one" in said
    assert "5% of them miss" in said
    assert "What would tell: an experiment" in said
    how = text(limits.assumptions(report(ONE)))
    assert "First touch All to the first touchpoint. What first_touch takes for granted." in how
    assert "It gave no answer: It takes 10 conversions" in how


def test_nothing_says_that_a_channel_caused_anything():
    page = report(attribution(spend=SPEND), before=90)
    said = [findings.summary(page), limits.limits(page), listings.glossary(page)]
    said += [notes.moves(page.credit), notes.spend(page.credit), notes.ranges(page.credit)]
    assert not re.search(r"\b(caus|drive|drove|effective|impact)", " ".join(said).lower())


def test_footer_says_what_makes_the_page_again():
    told = report()
    said = text(foot(told, told.edition, listings.how_computed(told)))
    assert "Lake snapshot 3 Draws 1,000 over 400 groups of people, seed 7" in said
    assert "Configuration 0123456789ab" in said
    assert "1 April 2024 to 29 June 2024 (90 days)" in said


def test_names_that_mean_harm_are_escaped():
    bad = "<script>alert(1)</script>"
    keys = {bad: 70, "email": 30}
    found = attribution({"last_touch": keys, "linear": {bad: 20, "email": 80}}, spend={bad: 5})
    found = replace(
        found, abstained={"markov": bad}, paths=attribution(paths=(([bad], 1, 1),)).paths
    )
    page = report(found, kinds={"purchase": bad})
    everything = [findings.summary(page), limits.limits(page), limits.assumptions(page)]
    for make in (notes.moves, listings.shares, listings.differences, listings.moves):
        everything.append(make(page.credit))
    everything += [listings.budget(page.credit), listings.first_and_last(page)]
    everything += [charts.paths(page.credit)._repr_mimebundle_()[1][VEGA_LITE]["table"]]
    assert "<script" not in "".join(everything)
    assert "&lt;script" in "".join(everything)


# --- charts


def drawn(page):
    """Each chart of the report, as a notebook shows it."""
    credit = page.credit
    return [
        chart._repr_mimebundle_()
        for chart in (
            charts.credit(credit),
            charts.disagreement(credit),
            charts.spend_and_credit(credit),
            charts.paths(credit),
            charts.path_lengths(page.path_lengths),
            charts.days_to_conversion(page.path_days),
            charts.funnel(page.funnel),
            charts.time_to_convert(page.funnel),
            charts.retention(page.retention),
        )
    ]


def test_charts_say_what_they_show_and_have_their_figures_beside_them():
    for bundle, metadata in drawn(report(attribution(spend=SPEND))):
        spec = bundle[VEGA_LITE]
        assert spec["title"]["text"]
        assert any(letter.isdigit() for letter in spec["description"])
        assert bundle["text/plain"] == spec["description"]
        assert metadata[VEGA_LITE]["table"].count("<tr>") >= 2


def test_charts_of_nothing_are_sentences():
    page = report(NOTHING, funnel=funnel((0, 0, 0)), retention=retention(0))
    for bundle, _ in drawn(page):
        assert VEGA_LITE not in bundle
        assert bundle["text/plain"].endswith(".")


def test_credit_chart_has_a_mark_for_each_model_and_channel():
    [(bundle, metadata), *_] = drawn(report())
    spec = bundle[VEGA_LITE]
    assert max(map(len, spec["datasets"].values())) == 3 * 4
    assert "Google Ads: 40 to 60" in spec["description"]
    assert "<td" in metadata[VEGA_LITE]["table"]
    assert "40 (35–45)" in metadata[VEGA_LITE]["table"]


@pytest.mark.parametrize(
    ("days", "said"),
    [(2, "days they took. 4–6: 10."), (0.25, "hours they took. 12–18: 10."), (0.01, "minutes")],
)
def test_times_to_convert_are_in_a_unit_that_tells_them_apart(days, said):
    shown = charts.time_to_convert(funnel((100, 40, 10), days=days))
    assert said in shown._repr_mimebundle_()[0]["text/plain"]


def test_only_so_many_campaigns_are_shown():
    many = {f"campaign {n}": 40 - n for n in range(SHOWN + 5)}
    credit = report(attribution({"last_touch": many})).credit
    assert credit.rows.height == len(credit.shown) == SHOWN
    assert f"Shown are the {SHOWN} of 17 channels" in notes.ranges(credit)


def test_charts_take_what_the_workspace_returns():
    found = attribution(spend=SPEND)
    for make in (charts.credit, charts.disagreement, charts.spend_and_credit, charts.paths):
        bundle, metadata = make(found)._repr_mimebundle_()
        assert "google_ads" in bundle["text/plain"]
        assert "email" in metadata[VEGA_LITE]["table"]


def test_a_funnel_by_channel_has_a_row_for_each():
    taken = funnel((100, 40, 10))
    parts = [
        frame.select(pl.lit(name).alias("breakdown"), pl.all())
        for name in ("email", "(none)")
        for frame in (taken.steps, taken.times)
    ]
    split = replace(taken, by="channel", steps=pl.concat(parts[::2]), times=pl.concat(parts[1::2]))
    bundle, metadata = charts.funnel(split)._repr_mimebundle_()
    assert bundle["text/plain"].endswith("To the last step: email: 10%; None known: 10%.")
    assert text(metadata[VEGA_LITE]["table"]).count("None known") == 3
    times = charts.time_to_convert(split)._repr_mimebundle_()[0]
    assert "4–6: 20." in times["text/plain"]
    nobody = replace(split, steps=split.steps.clear(), times=split.times.clear())
    assert (
        "Nobody took the first step" in charts.funnel(nobody)._repr_mimebundle_()[0]["text/plain"]
    )


def test_retention_by_persona_has_a_row_for_each():
    kept = retention()
    by = [
        kept.cohorts.select(pl.lit(name).alias("breakdown"), pl.all()) for name in ("new", "(none)")
    ]
    split = replace(kept, by="persona", cohorts=pl.concat(by))
    bundle, metadata = charts.retention(split)._repr_mimebundle_()
    assert bundle["text/plain"].endswith("In week 1: None known: 50%; new: 50%.")
    assert "not yet" not in metadata[VEGA_LITE]["table"]
    rows = max(bundle[VEGA_LITE]["datasets"].values(), key=len)
    assert {row["name"] for row in rows} == {"None known · 40", "new · 40"}
    nobody = replace(split, cohorts=split.cohorts.clear())
    assert "Nobody joined" in charts.retention(nobody)._repr_mimebundle_()[0]["text/plain"]


def test_cohorts_of_several_years_are_told_apart():
    kept = retention()
    older = kept.cohorts.with_columns(pl.col("cohort").dt.offset_by("-1y"))
    both = replace(kept, cohorts=pl.concat([older, kept.cohorts]))
    rows = max(charts.retention(both).to_dict()["datasets"].values(), key=len)
    assert {"3 Jun 2023 · 10", "3 Jun 2024 · 10"} <= {row["name"] for row in rows}


def test_direct_that_a_rule_passes_over_is_no_disagreement():
    passed = {**CREDITS, "last_non_direct": {"google_ads": 60, "email": 40, "direct": 0}}
    assert text(said_of.where_models_part(report(attribution(passed)).credit)) == (
        "Models disagree most about Direct , which last non-direct touch passes over by its rule; "
        "next about Google Ads: from 40% by last touch to 60% by first touch."
    )


def test_retention_marks_weeks_that_are_not_over():
    *_, (bundle, metadata) = drawn(report())
    rows = max(bundle[VEGA_LITE]["datasets"].values(), key=len)
    texts = {(row["name"], row["period"]): row["text"] for row in rows}
    assert texts["3 Jun · 10", 1] == "50"
    assert texts["3 Jun · 10", 3] == "20*"
    assert "not yet" in metadata[VEGA_LITE]["table"]
    assert "week 1: 50%" in bundle["text/plain"]
