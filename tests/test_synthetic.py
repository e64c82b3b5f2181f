"""The generated exports: shape, size, what is planted in them, and that the truth can be found."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from stores import new_workspace

from mi_core.definitions import load_definitions
from mi_core.errors import MiError, SettingsError, UnknownName
from mi_core.intent import MICRO, Intent, Signal, intent, time_on_site_micro
from mi_core.personas import persona
from mi_core.synthetic import Truth, generate, generator, load_truth
from mi_core.synthetic.model import ARCHETYPES, CHANNELS, CLICK_COSTS

JSON = ("properties", "person_properties")
# Columns and types of a PostHog batch export in Parquet, events model
SCHEMA = {
    **dict.fromkeys(
        (
            "uuid",
            "event",
            "distinct_id",
            "person_id",
            "properties",
            "person_properties",
            "elements_chain",
        ),
        pl.String,
    ),
    **dict.fromkeys(("timestamp", "created_at", "_inserted_at"), pl.Datetime("us", "UTC")),
}


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    return generate(tmp_path_factory.mktemp("synthetic"), events=200_000, seed=7)


@pytest.fixture(scope="module")
def delivered(truth: Truth) -> pl.DataFrame:
    return pl.read_parquet(truth.events_folder / "*.parquet.zst")


@pytest.fixture(scope="module")
def events(delivered: pl.DataFrame) -> pl.DataFrame:
    """Distinct events, each with `person`, the distinct id that its person ends with."""
    distinct = delivered.unique("uuid").sort("timestamp", "uuid")
    joined = {
        "$identify": pl.col("properties").str.json_path_match("$['$anon_distinct_id']"),
        "$create_alias": pl.col("properties").str.json_path_match("$.alias"),
    }
    edges = pl.concat(
        distinct.filter(event=name).select(other, person="distinct_id").rename({"properties": "id"})
        for name, other in joined.items()
    )
    return distinct.join(edges, left_on="distinct_id", right_on="id", how="left").with_columns(
        pl.col("person").fill_null(pl.col("distinct_id"))
    )


def files(truth: Truth) -> list[Path]:
    return sorted(truth.events_folder.iterdir())


def read_back(folder: Path) -> dict[str, pl.DataFrame]:
    return {path.name: pl.read_parquet(path) for path in folder.rglob("*.parquet*")}


def test_same_arguments_give_same_rows_on_any_number_of_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generator, "_BLOCK_EVENTS", 2_000)  # several blocks
    generate(tmp_path / "a", events=5_000, seed=3)
    monkeypatch.setattr(generator.os, "cpu_count", lambda: 1)
    generate(tmp_path / "b", events=5_000, seed=3)
    generate(tmp_path / "c", events=5_000, seed=4)
    a, b, c = (read_back(tmp_path / name) for name in "abc")
    assert any("-1.parquet" in name for name in a)
    assert a.keys() == b.keys() == c.keys()
    assert all(a[name].equals(b[name]) for name in a)
    assert not any(a[name].equals(c[name]) for name in a)
    a_spend, b_spend, c_spend = ((tmp_path / name / "spend.csv").read_text() for name in "abc")
    assert a_spend == b_spend != c_spend


def test_blocks_do_not_share_ids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generator, "_BLOCK_EVENTS", 2_000)
    truth = generate(tmp_path, people=200)
    persons = truth.persons()
    assert truth.people == len(persons) == persons["distinct_id"].n_unique() == 200
    assert pl.read_parquet(tmp_path / "events" / "*")["uuid"].n_unique() == truth.events


def test_files_look_like_a_batch_export(truth: Truth, delivered: pl.DataFrame) -> None:
    assert delivered.schema == SCHEMA
    names = [path.name for path in files(truth)]
    assert names[0] == "2024-04-02T00:00:00+00:00-2024-04-09T00:00:00+00:00.parquet.zst"
    assert names[-1] == "2024-06-25T00:00:00+00:00-2024-07-01T00:00:00+00:00.parquet.zst"
    assert delivered.select(pl.all().is_not_null().all()).row(0) == (True,) * len(SCHEMA)


def test_json_lines_hold_the_same_rows(tmp_path: Path) -> None:
    parquet = files(generate(tmp_path / "p", events=2_000))
    lines = [
        json.loads(line, object_pairs_hook=_without_repeats)
        for path in files(generate(tmp_path / "j", events=2_000, format="jsonl"))
        for line in gzip.decompress(path.read_bytes()).splitlines()
    ]
    rows = pl.concat(pl.read_parquet(path) for path in parquet).iter_rows(named=True)
    assert lines == [_nested(row) for row in rows]


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    assert len(dict(pairs)) == len(pairs), "a key comes twice"
    return dict(pairs)


def _nested(row: dict[str, object]) -> dict[str, object]:
    times = {name: at for name, at in row.items() if isinstance(at, datetime)}
    iso = {name: at.isoformat(timespec="microseconds") for name, at in times.items()}
    return row | iso | {name: json.loads(str(row[name])) for name in JSON}


@pytest.mark.parametrize(("size", "days"), [(10_000, 90), (20_000, 14), (30_000, 365)])
def test_size_is_met_within_two_percent(tmp_path: Path, size: int, days: int) -> None:
    truth = generate(tmp_path, events=size, days=days)
    assert size <= truth.delivered <= 1.02 * size


def test_some_rows_come_twice_and_some_late(truth: Truth, delivered: pl.DataFrame) -> None:
    assert len(delivered) == truth.delivered
    assert delivered["uuid"].n_unique() == truth.events
    assert delivered.unique().height == truth.events, "both deliveries are the same row"
    assert 0.01 < 1 - truth.events / truth.delivered < 0.03
    late = (delivered["_inserted_at"] - delivered["timestamp"] > timedelta(hours=1)).mean()
    assert 0.005 < late < 0.02
    assert delivered["_inserted_at"].max() < truth.end


def test_all_ten_phases_and_a_few_unknown_names(events: pl.DataFrame) -> None:
    taxonomy = pl.DataFrame(load_definitions().taxonomy_rows(), infer_schema_length=None)
    known = events.join(taxonomy, left_on="event", right_on="event_name", how="semi")
    sent = taxonomy.filter(pl.col("event_name").is_in(known["event"].unique().to_list()))
    assert set(sent["phase"].drop_nulls()) == set(range(1, 11))
    unknown = events.join(known, on="uuid", how="anti")
    assert set(unknown["event"]) == {"beta_widget_opened", "checkout_v2_shown", "legacy_ping"}
    assert 0 < len(unknown) < 0.01 * len(events)


def test_ids_join_to_one_per_person(truth: Truth, events: pl.DataFrame) -> None:
    assert set(events["person"]) == set(truth.persons()["distinct_id"])
    assert events.filter(pl.col("distinct_id").str.starts_with("crm-")).height > 100
    second = events.filter(event="$identify").group_by("person").len().filter(pl.col("len") == 2)
    assert 0.05 < len(second) / truth.people < 0.15
    stray = events.join(truth.persons(), on="person_id", how="anti")
    assert set(stray["person"]) == set(second["person"]), "visitors on a second device"


def test_personal_data_is_planted(truth: Truth, events: pl.DataFrame) -> None:
    properties = events["properties"]
    for planted in (
        '"email":"u',
        '"$ip":"203.0.113.',
        '"$set":{"',
        "jo.doe@mail.example",
        "+1 202",
    ):
        assert properties.str.contains(planted, literal=True).any(), planted
    refusing = events.filter(properties.str.contains('"consent_analytics":false'))
    persons = truth.persons().filter(~pl.col("has_consent"))
    assert set(refusing["person"]) == set(persons["distinct_id"])
    assert 0.005 < len(persons) / truth.people < 0.04


def test_truth_agrees_with_the_events(truth: Truth, events: pl.DataFrame) -> None:
    persons = truth.persons()
    for event, column in (
        ("lead_captured", "captured_at"),
        ("trial_started", "trial_at"),
        ("purchase_completed", "purchased_at"),
    ):
        found = events.filter(event=event).select("person", "timestamp").sort("person")
        true = persons.drop_nulls(column).select(person="distinct_id", timestamp=column)
        assert found.equals(true.sort("person")), event
    counts = persons.group_by("persona").agg(pl.len(), pl.col("trial_at", "purchased_at").count())
    assert {slug: tuple(rest) for slug, *rest in counts.iter_rows()} == {
        slug: (each.people, each.trials, each.purchases) for slug, each in truth.personas.items()
    }


def test_truth_reads_back(truth: Truth) -> None:
    assert load_truth(truth.folder) == truth


def test_conversions_come_as_often_as_the_model_expects(truth: Truth) -> None:
    """Each persona's count is a sum of independent draws: within four standard errors."""
    for (slug,), people in truth.persons().group_by("persona"):
        for at, probability in (
            ("trial_at", "trial_probability"),
            ("purchased_at", "purchase_probability"),
        ):
            p = people[probability].to_numpy()
            error = people[at].count() - p.sum()
            assert abs(error) < 4 * np.sqrt((p * (1 - p)).sum()) + 1, (slug, at)


def test_channel_effects_can_be_estimated_from_the_events(
    truth: Truth, events: pl.DataFrame
) -> None:
    """A logistic regression on the visits at risk finds each effect within four standard errors."""
    visits = at_risk(truth, events)
    features = visits.select([*ARCHETYPES, *CHANNELS]).to_numpy().astype(float)
    estimate, error = logistic(features, visits["converts"].to_numpy().astype(float))
    effects = dict(zip(CHANNELS, estimate[len(ARCHETYPES) :], strict=True))
    for name, off, limit in zip(CHANNELS, effects.values(), error[len(ARCHETYPES) :], strict=True):
        assert abs(off - CHANNELS[name].effect) < 4 * limit < 1.0, name
    assert effects["tiktok_ads"] < effects["direct"] < effects["google_ads"]


def at_risk(truth: Truth, events: pl.DataFrame) -> pl.DataFrame:
    """One row per visit at risk of a trial: the channels of the last 30 days, and the outcome."""
    session = pl.col("properties").str.json_path_match("$['$session_id']").alias("session")
    events = events.with_columns(session)
    fields = ("utm_source", "utm_medium", "$referrer")
    landings = events.filter(
        pl.col("event") == "$pageview",
        pl.col("properties").str.contains('"$referrer"', literal=True),
    ).with_columns(
        pl.col("properties").str.json_path_match(f"$['{name}']").fill_null("").alias(name)
        for name in fields
    )
    marks = pl.DataFrame(
        [(c.source, c.medium, c.referrer or "$direct", name) for name, c in CHANNELS.items()],
        schema=[*fields, "channel"],
        orient="row",
    )
    within = events.group_by("session").agg(
        captures=(pl.col("event") == "lead_captured").any(),
        converts=(pl.col("event") == "trial_started").any(),
    )
    return (
        landings.join(marks, on=fields)
        .join(within, on="session")
        .sort("person", "timestamp")
        .with_columns(
            (pl.col("channel") == name)
            .cast(pl.Int8)
            .rolling_max_by("timestamp", "30d", closed="both")
            .over("person")
            .alias(name)
            for name in CHANNELS
        )
        .filter(
            pl.col("captures").cum_max().over("person"),
            pl.col("converts").cum_sum().over("person") - pl.col("converts") == 0,
        )
        .join(truth.persons().select(person="distinct_id", persona="persona"), on="person")
        .with_columns((pl.col("persona") == slug).alias(slug) for slug in ARCHETYPES)
    )


def logistic(
    features: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    outcome: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> tuple[list[float], list[float]]:
    """Maximum-likelihood coefficients by Newton's method, with their standard errors."""
    beta = np.zeros(features.shape[1])
    for _ in range(12):
        p = 1 / (1 + np.exp(-features @ beta))
        information = (features * (p * (1 - p))[:, None]).T @ features
        beta += np.linalg.solve(information, features.T @ (outcome - p))
    return beta.tolist(), np.sqrt(np.diag(np.linalg.inv(information))).tolist()


def test_channels_cause_conversions_in_the_order_of_their_effects(truth: Truth) -> None:
    """Per visit, so that a channel's size doesn't count; email comes late and to few."""
    caused = {name: c.trials_caused / c.visits for name, c in truth.channels.items()}
    paid = ["tiktok_ads", "meta_ads", "linkedin_ads", "google_ads"]
    assert sorted(paid, key=lambda name: caused[name]) == paid
    assert caused["tiktok_ads"] < caused["direct"] < caused["referral"]


def test_scoring_rules_find_most_personas_again(truth: Truth, events: pl.DataFrame) -> None:
    definitions = load_definitions()
    scored = intents(truth, events)
    people = truth.persons()
    found = [
        persona(scored[person], employees, definitions.personas.values()).slug
        for person, employees in people.select("distinct_id", "employees").iter_rows()
    ]
    hits = people.select("persona", hit=pl.col("persona") == pl.Series(found))
    assert hits["hit"].mean() > 0.7
    shares = hits.group_by("persona").agg(pl.col("hit").mean())
    assert shares["hit"].min() > 0.5, shares


def intents(truth: Truth, events: pl.DataFrame) -> dict[str, Intent]:
    """Each person's intent at the end of the export."""
    definitions = load_definitions()
    signal_of = {row["event_name"]: row["signal"] for row in definitions.taxonomy_rows()}
    points = {row["signal"]: row for row in definitions.signal_rows()}
    signals: dict[str, list[Signal]] = {person: [] for person in truth.persons()["distinct_id"]}
    milliseconds = pl.coalesce(
        pl.col("properties").str.json_path_match("$.duration_ms").cast(pl.Int64),
        pl.col("properties").str.json_path_match("$.time_viewed_sec").cast(pl.Int64) * 1_000,
    )
    recent = events.filter(pl.col("timestamp") >= truth.end - timedelta(days=30))
    for person, event, at, spent in recent.select(
        "person", "event", "timestamp", milliseconds.alias("spent")
    ).iter_rows():
        if name := signal_of.get(event):
            row = points[name]
            signals[person].append(Signal(name, row["points_micro"], at, row["points_group"]))
        if spent:
            micro = time_on_site_micro(spent, 2 * MICRO, 20 * MICRO)
            signals[person].append(Signal("time_on_site_per_min", micro, at, "engagement"))
    return {
        person: intent(theirs, truth.end, definitions.intent) for person, theirs in signals.items()
    }


def test_a_workspace_finds_the_people_and_their_channels(tmp_path: Path) -> None:
    truth = generate(tmp_path / "export", events=20_000, seed=7)
    persons = truth.persons().filter("has_consent")
    with new_workspace(tmp_path / "workspace") as workspace:
        workspace.ingest([truth.events_folder])
        users = workspace.warehouse.sql(
            "select count(distinct user_id), count(*) filter (etype = 'trial_started')"
            " from lake.user_event"
        ).fetchone()
        landings = workspace.warehouse.sql(
            "select channel, count(*) from lake.user_event where etype = 'landing_view' group by 1"
        ).fetchall()
    assert users == (len(persons), persons["trial_at"].count())
    visits = {name: channel.visits for name, channel in truth.channels.items()}
    assert dict(landings).keys() == visits.keys()
    assert all(0.85 * visits[name] < count <= visits[name] for name, count in landings)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"format": "csv"}, UnknownName, "no format 'csv'"),
        ({"events": 0}, SettingsError, "not 0"),
        ({"days": 3}, SettingsError, "at least 14 days, not 3"),
        ({"end": datetime(2024, 1, 1)}, SettingsError, "needs a time zone"),
    ],
)
def test_wrong_arguments_write_nothing(
    tmp_path: Path, arguments: dict[str, object], error: type[MiError], message: str
) -> None:
    with pytest.raises(error, match=message):
        generate(tmp_path / "new", **arguments)  # type: ignore[arg-type]
    assert not (tmp_path / "new").exists()


def test_only_an_earlier_export_is_replaced(tmp_path: Path) -> None:
    generate(tmp_path, events=500, days=28)
    again = generate(tmp_path, events=500, end=datetime(2024, 1, 1, tzinfo=UTC), days=14)
    assert len(files(again)) == 2
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.tex").touch()
    with pytest.raises(SettingsError, match="something else"):
        generate(other, events=500)
    assert (other / "thesis.tex").exists()


def test_every_campaign_of_a_paid_channel_has_a_cost_for_each_day(
    truth: Truth, events: pl.DataFrame
) -> None:
    spend = pl.read_csv(truth.spend_file, try_parse_dates=True)
    clicked = events.filter(event="ad_click")["properties"].str.json_path_match("$.campaign_id")
    assert spend.columns == ["date", "channel", "campaign", "spend"]
    assert set(spend["campaign"]) == set(clicked)
    assert len(spend) == spend.unique(["date", "campaign"]).height == 90 * len(set(clicked))
    assert (spend["date"].min(), spend["date"].max()) == (
        truth.start.date(),
        truth.end.date() - timedelta(days=1),
    )
    for name, cost in CLICK_COSTS.items():
        paid = spend.filter(channel=name)["spend"].sum()
        assert paid / truth.channels[name].visits == pytest.approx(cost, rel=0.1)
    assert {name for name, each in CHANNELS.items() if each.kind == "paid"} == set(CLICK_COSTS)


def test_the_costs_can_be_taken_in(truth: Truth, tmp_path: Path) -> None:
    with new_workspace(tmp_path / "workspace") as workspace:
        summary = workspace.ingest_spend([truth.spend_file])
    assert (summary.added, summary.channels, summary.days) == (summary.rows, 4, 90)
