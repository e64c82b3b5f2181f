"""What flows go by, without Prefect's engine: retries, alarms, deployments, the work itself."""

import asyncio
import hashlib
import logging
import socket
import traceback
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
import yaml
from flow_server import ROOT
from prefect import Task
from prefect.client.schemas.objects import ConcurrencyLimitStrategy
from prefect.states import Crashed, Failed

from flows import backfill, deployments, enrich, refresh, reports, running, serving, showing
from flows.__main__ import main
from flows.environment import environment
from flows.leftovers import skip_missed
from mi_core.errors import (
    BadValue,
    DefinitionError,
    LockTimeout,
    MiError,
    NotDelivered,
    RelationError,
    ReportError,
    Unreachable,
    UnreadableData,
)
from mi_core.monitoring.churn_webhook import Delivery
from mi_core.workspace import Workspace

NEW_YEAR = datetime(2024, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def act(distinct_id: str, at: datetime, event: str = "trial_started") -> dict[str, Any]:
    """An event; its id is of what it says alone, the same in each process."""
    digest = hashlib.sha256(f"{distinct_id} {at.isoformat()} {event}".encode()).hexdigest()
    return {
        "uuid": f"018cc251-f400-7000-8000-{digest[:12]}",
        "event": event,
        "distinct_id": distinct_id,
        "timestamp": at.isoformat(),
        "properties": {},
    }


def test_an_event_has_the_same_id_in_each_process():
    assert act("ann", NEW_YEAR)["uuid"] == "018cc251-f400-7000-8000-317ee56e46f3"


# --- the work


def test_a_refresh_again_as_of_the_same_instant_gives_the_same_tables(workspace: Workspace):
    as_of = NEW_YEAR + DAY
    workspace.post([act("ann", NEW_YEAR), act("bob", NEW_YEAR, "pricing_viewed")])

    def tables() -> list[list[str]]:
        names = ("mv_daily_funnel", "mv_persona_performance", "mv_user_magnetism_30d")
        return [sorted(map(str, workspace.sql(f"from lake.{name}").rows())) for name in names]

    first = workspace.refresh(as_of)
    before = tables()
    again = workspace.refresh(as_of)

    assert (first.events_drained, first.users_scored, again.events_drained) == (2, 2, 0)
    assert (first.mode, again.mode) == ("full", "incremental")
    assert [each.name for each in first.steps] == ["drain", "score"]
    assert tables() == before


def test_unscored_are_the_instants_without_a_scoring_by_these_definitions(workspace: Workspace):
    workspace.post([act("ann", NEW_YEAR - DAY)])
    workspace.refresh(NEW_YEAR + DAY)
    workspace.score(NEW_YEAR + 3 * DAY)
    workspace.warehouse.sql(
        "insert into lake.score_run values ($1, 'other definitions', 0, 'full', 1, 1)",
        [datetime(2024, 1, 3)],
    )

    found = workspace.unscored(NEW_YEAR, NEW_YEAR + 4.5 * DAY)

    assert found == [NEW_YEAR, NEW_YEAR + 2 * DAY, NEW_YEAR + 4 * DAY]
    assert workspace.unscored(NEW_YEAR + DAY, NEW_YEAR) == []
    with pytest.raises(BadValue, match="zone"):
        workspace.unscored(datetime(2024, 1, 1), NEW_YEAR)
    with pytest.raises(BadValue, match="above 0"):
        workspace.unscored(NEW_YEAR, NEW_YEAR, timedelta(0))


def test_an_instant_is_scored_by_the_definitions_of_its_last_run(workspace: Workspace):
    workspace.warehouse.sql(
        "insert into lake.score_run"
        " values ($1, $2, 1, 'full', 1, 1), ($1, 'other', 2, 'full', 1, 1)",
        [datetime(2024, 1, 2), workspace.definitions.version],
    )

    assert workspace.unscored(NEW_YEAR + DAY, NEW_YEAR + DAY) == [NEW_YEAR + DAY]


def test_the_newest_scoring_is_by_its_own_definitions(workspace: Workspace):
    workspace.warehouse.sql(
        "insert into lake.score_run"
        " values ($1, 'new', 1, 'full', 1, 1), ($2, 'of a backfill', 2, 'full', 1, 1)",
        [datetime(2024, 1, 2), datetime(2024, 1, 1)],
    )

    assert workspace.warehouse.relation("reports/health")["scored_config"].item() == "new"


def test_the_last_scoring_of_a_day_stands_for_it(workspace: Workspace):
    version = workspace.definitions.version
    workspace.warehouse.sql(
        "insert into lake.score_run"
        " values ($1, $4, 1, 'full', 1, 1), ($2, $4, 2, 'full', 1, 1), ($3, 'b', 2, 'full', 1, 1)",
        [datetime(2024, 1, 1, 23), datetime(2024, 1, 2, 4), datetime(2024, 1, 2, 23), version],
    )
    hours = timedelta(hours=12)

    assert workspace.unscored(NEW_YEAR, NEW_YEAR + DAY) == [NEW_YEAR + DAY]
    assert workspace.unscored(NEW_YEAR, NEW_YEAR + hours, hours) == [NEW_YEAR, NEW_YEAR + hours]


def test_an_instant_to_come_is_neither_scored_nor_watched(workspace: Workspace):
    workspace.post([act("ann", NEW_YEAR)])
    to_come = datetime.now(UTC) + DAY

    for verb in (workspace.score, workspace.refresh, workspace.watch):
        with pytest.raises(BadValue, match="still to come; it is now or earlier"):
            verb(to_come)
    assert workspace.sql("select count(*) from lake.user_event").item() == 0
    workspace.score(datetime.now(UTC) + timedelta(minutes=1))


def test_when_it_was_maintained(workspace: Workspace):
    assert workspace.maintained_at() is None
    workspace.maintain()
    assert datetime.now(UTC) - workspace.maintained_at() < timedelta(minutes=1)


# --- what is tried again, who is told


def lost() -> RelationError:
    error = RelationError("IO Error: ann@example.com")
    error.may_pass = True
    return error


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (LockTimeout("busy"), True),
        (Unreachable("away"), True),
        (ConnectionResetError(), True),
        (OSError("no space"), True),
        (FileNotFoundError(), False),
        (PermissionError(), False),
        (IsADirectoryError(), False),
        (NotADirectoryError(), False),
        (lost(), True),
        (RelationError("no"), False),
        (BadValue("no"), False),
        (DefinitionError("no"), False),
        (ReportError("no"), False),
        (KeyError("no"), False),
    ],
)
def test_only_io_is_tried_again(error: Exception, again: bool):
    assert running.is_transient(None, None, Failed(data=error)) is again


def told(monkeypatch: pytest.MonkeyPatch, state: Any) -> list[tuple[str, str]]:
    """What is sent of a run that ended in the state."""
    sent: list[tuple[str, str]] = []
    monkeypatch.setenv("MI_ALERT_URLS", "json://localhost/secret-path")
    monkeypatch.setattr(running.alerts, "send", lambda _settings, *words: sent.append(words) or [])
    running.notify_failure(
        flow=SimpleNamespace(name="refresh"), flow_run=SimpleNamespace(id="7"), state=state
    )
    return sent


def test_a_failure_is_told_with_its_sentence_and_where_to_look(monkeypatch: pytest.MonkeyPatch):
    [(title, body)] = told(monkeypatch, Failed(data=ReportError("Not rendered: funnel.")))

    assert title == "The flow refresh has failed"
    assert body.startswith("Not rendered: funnel.\n")
    assert body.endswith("/runs/flow-run/7")


@pytest.mark.parametrize(
    "error", [ValueError("ann@example.com"), UnreadableData("ann@example.com")]
)
def test_words_that_may_repeat_a_value_are_not_told(
    monkeypatch: pytest.MonkeyPatch, error: Exception
):
    [(_, body)] = told(monkeypatch, Failed(data=error))

    assert body.startswith(type(error).__name__)
    assert "ann" not in body


SAID = "ann@example.com"


def raised_from(error: Exception, behind: Exception | None, *, is_silent: bool = False) -> Any:
    """A function that raises the error, from the one behind it."""

    def fail() -> None:
        if behind is None:
            raise error
        try:
            raise behind
        except Exception as other:
            raise error from (None if is_silent else other)

    return fail


@pytest.mark.parametrize(
    ("error", "behind", "again"),
    [
        (ValueError(SAID), None, False),
        (UnreadableData(SAID), ValueError(SAID), False),
        (ReportError(SAID), ValueError(SAID), False),
        (lost(), None, True),
        (ConnectionResetError(SAID), None, True),
        (PermissionError(SAID), None, False),
    ],
)
def test_what_a_task_raises_repeats_no_value(
    error: Exception, behind: Exception | None, again: bool
):
    with pytest.raises(MiError) as caught:
        running.discreet(raised_from(error, behind))()

    assert str(caught.value).startswith(f"{type(error).__name__}. What it says may hold people's")
    assert SAID not in "".join(traceback.format_exception(caught.value))
    assert running.is_transient(None, None, Failed(data=caught.value)) is again


def test_what_repeats_such_an_error_repeats_no_value_either():
    behind = ReportError(SAID)
    behind.__cause__ = ValueError(SAID)

    with pytest.raises(MiError, match=r"^ReportError\. What it says"):
        running.discreet(raised_from(ReportError(SAID), behind, is_silent=True))()


def test_a_sentence_of_its_own_is_kept_without_what_is_behind_it():
    with pytest.raises(BadValue, match=r"^It must be above 0\.$") as caught:
        running.discreet(
            raised_from(BadValue("It must be above 0."), ValueError(SAID), is_silent=True)
        )()

    assert SAID not in "".join(traceback.format_exception(caught.value))


def test_every_task_is_discreet():
    flows = (backfill, enrich, refresh, reports)
    tasks = [each for flow in flows for each in vars(flow).values() if isinstance(each, Task)]

    assert len(tasks) == 9
    assert [each.name for each in tasks if not hasattr(each.fn, "__wrapped__")] == []


def test_a_report_that_failed_is_shown_without_values():
    assert reports._why(Failed(data=ReportError("Cell 3 failed."))) == "Cell 3 failed."
    assert SAID not in reports._why(Failed(data=ValueError(SAID), message=SAID))


def test_a_channel_that_is_dead_fails_no_refresh(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    found = [SimpleNamespace(name="events")]

    def watch(*, notify: bool) -> None:
        raise NotDelivered("slack didn't take the message.", found)

    shop = SimpleNamespace(watch=watch, settings=SimpleNamespace(alert_urls="slack://…"))
    monkeypatch.setattr(refresh, "open_workspace", lambda: nullcontext(shop))
    monkeypatch.setattr(refresh, "get_run_logger", lambda: logging.getLogger("run"))

    assert refresh.watch.fn() == found
    assert [each.message for each in caplog.records] == ["slack didn't take the message."]


@pytest.mark.parametrize("is_wanted", [True, False])
def test_churn_notices_that_are_held_back_are_a_warning_and_shown(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, is_wanted: bool
):
    held = Delivery(0, 0, 1459, "Nobody is told of.")
    url = "https://crm.example" if is_wanted else None
    shop = SimpleNamespace(send_churn=lambda: held, settings=SimpleNamespace(churn_webhook_url=url))
    monkeypatch.setattr(refresh, "open_workspace", lambda: nullcontext(shop))
    monkeypatch.setattr(refresh, "get_run_logger", lambda: logging.getLogger("run"))

    assert refresh.send_churn.fn() == (held if is_wanted else None)
    assert [each.message for each in caplog.records] == ["Nobody is told of."] * is_wanted
    assert showing.churn_notices(held) == ("Churn notices: 0 sent, 1,459 wait. Nobody is told of.")
    assert showing.churn_notices(Delivery(5, 1, 0)) == "Churn notices: 5 sent."


@pytest.mark.parametrize(
    ("given", "at"), [(datetime(2024, 1, 1), NEW_YEAR), (NEW_YEAR, NEW_YEAR), (None, None)]
)
def test_a_bare_day_is_utc(
    monkeypatch: pytest.MonkeyPatch, given: datetime | None, at: datetime | None
):
    asked: list[datetime | None] = []
    state = SimpleNamespace(is_completed=lambda: True, result=lambda: None)

    def score(as_of: datetime) -> None:
        asked.append(as_of)

    def render(_name: str, as_of: datetime | None, _days: int, **_: object) -> Any:
        asked.append(as_of)
        return state

    monkeypatch.setattr(refresh, "score", score)
    for name in ("maintain", "watch", "send_churn"):
        monkeypatch.setattr(refresh, name, lambda *_, **__: state)
    monkeypatch.setattr(reports, "render", render)
    monkeypatch.setattr(
        reports, "catalogue", lambda: {"a": SimpleNamespace(cadence="daily", title="A", days=7)}
    )
    for name in ("refreshed", "rendered"):
        monkeypatch.setattr(showing, name, lambda *_: None)

    refresh.refresh.fn(given)
    reports.reports.fn("daily", given)

    assert asked[1] == at
    assert asked[0].tzinfo is UTC
    assert at is None or asked[0] == at


def test_a_crash_is_told_but_not_that_somebody_ended_it(monkeypatch: pytest.MonkeyPatch):
    killed, ended = (f"Process exited with status code: -{each}. More." for each in (9, 15))

    assert len(told(monkeypatch, Crashed(message=killed))) == 1
    assert told(monkeypatch, Crashed(message=ended)) == []


def test_an_alarm_that_fails_is_a_line_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def fail(*_: object) -> list[str]:
        raise OSError("https://user:password@hooks.example")

    monkeypatch.setenv("MI_ALERT_URLS", "json://localhost/secret-path")
    monkeypatch.setattr(running.alerts, "send", fail)
    caplog.set_level(logging.WARNING)
    running.tell("The flow refresh has failed", "…")
    assert [each.message for each in caplog.records] == [
        "The flow refresh has failed; this could not be sent: OSError."
    ]

    monkeypatch.setenv("MI_ALERT_URLS", "")
    running.tell("The flow refresh has failed", "…")
    assert len(caplog.records) == 1


# --- what runs when


def test_one_file_says_what_runs_when():
    listed = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    served = asyncio.run(deployments.deployments())

    assert [each.full_name for each in served] == [
        "refresh/hourly",
        "enrich/five-minutes",
        "reports/daily",
        "reports/weekly",
        "backfill/on-request",
    ]
    for entry, each in zip(listed, served, strict=True):
        assert each.entrypoint == entry["entrypoint"]
        assert [when.schedule.cron for when in each.schedules] == [
            when["cron"] for when in entry["schedules"]
        ]
        assert each.parameters == entry.get("parameters", {})
        assert each.concurrency_limit == 1
        assert each.concurrency_options.collision_strategy == ConcurrencyLimitStrategy.CANCEL_NEW
        assert entry["work_pool"] == {"name": "local-process"}
    guide = (ROOT / "docs" / "flows.md").read_text()
    assert [each.full_name for each in served if f"`{each.full_name}`" not in guide] == []


def test_prefect_stays_in_the_workspace_and_tells_nobody(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
):
    monkeypatch.setenv("PREFECT_HOME", "/elsewhere")
    monkeypatch.setenv("PREFECT_RUNNER_POLL_FREQUENCY", "1")
    monkeypatch.setenv("NO_PROXY", "intern.example,.local")
    monkeypatch.delenv("no_proxy", raising=False)
    found = environment(tmp_path, 4300)

    assert found["NO_PROXY"] == found["no_proxy"] == "intern.example,.local,127.0.0.1"
    monkeypatch.delenv("NO_PROXY")
    assert environment(tmp_path, 4300)["no_proxy"] == "127.0.0.1"
    assert found["PREFECT_HOME"] == str(tmp_path / "prefect")
    assert found["PREFECT_API_URL"] == "http://127.0.0.1:4300/api"
    assert found["PREFECT_SERVER_API_PORT"] == "4300"
    assert found["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert found["PREFECT_RUNNER_POLL_FREQUENCY"] == "1"


def test_of_overdue_runs_the_newest_of_each_schedule_and_all_that_were_asked_for_stay():
    ids = [UUID(int=1), UUID(int=2)]
    runs = [
        SimpleNamespace(
            id=number,
            deployment_id=ids[number % 2],
            auto_scheduled=number > 3,
            expected_start_time=NEW_YEAR + number * DAY,
        )
        for number in range(450)
    ]
    ended: list[int] = []

    class Client:
        async def read_flow_runs(self, *, limit: int, offset: int = 0, **_: object) -> list[Any]:
            return runs[::-1][offset : offset + limit]

        async def set_flow_run_state(self, run_id: int, *_: object, **__: object) -> None:
            ended.append(run_id)

    missed = asyncio.run(skip_missed(Client(), ids))

    assert ended == [each.id for each in missed] == list(range(4, 448))


def test_a_port_that_is_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("MI_WORKSPACE", str(tmp_path))
    (tmp_path / "catalog.sqlite").touch()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("MI_SCHEDULE_PORT", str(port))
        assert main([]) == 1

    said = capsys.readouterr().err
    assert said.startswith(f"Port {port} can't be had")
    assert "MI_SCHEDULE_PORT=" in said
    assert not (tmp_path / "prefect").exists()


def test_a_workspace_that_is_not_there_is_not_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, capsys: pytest.CaptureFixture[str]
):
    for folder in (tmp_path / "nowhere", tmp_path):
        monkeypatch.setenv("MI_WORKSPACE", str(folder))
        assert main([]) == 1
        said = capsys.readouterr().err
        assert said.startswith(f"There is no workspace in {folder}; make one with mi init")
        assert "make demo" in said
    assert list(tmp_path.iterdir()) == []


def test_runs_that_were_broken_off_are_named_by_deployment_and_time(
    monkeypatch: pytest.MonkeyPatch,
):
    at = NEW_YEAR + timedelta(hours=5, minutes=5)
    run = SimpleNamespace(
        name="handsome-taipan", deployment_id=UUID(int=1), start_time=at, expected_start_time=at
    )
    other = SimpleNamespace(
        name="calm-crow", deployment_id=UUID(int=1), start_time=None, expected_start_time=None
    )

    async def found(*_: object) -> list[Any]:
        return [run, other]

    async def none(*_: object) -> list[Any]:
        return []

    sent: list[str] = []
    monkeypatch.setattr(serving, "end_broken", found)
    monkeypatch.setattr(serving, "skip_missed", none)
    monkeypatch.setattr(serving, "tell", lambda _title, body: sent.append(body))
    asyncio.run(serving._clear(None, {UUID(int=1): SimpleNamespace(full_name="refresh/hourly")}))

    assert sent == [
        "They are Crashed now: refresh/hourly (handsome-taipan) of 2024-01-01 05:05 UTC and"
        " refresh/hourly (calm-crow)."
    ]


# --- what a person sees


def test_bars_are_an_image_with_its_highest_value():
    drawn = showing.bars("Seconds", [1.0, 4.0])

    assert drawn.startswith("Seconds\n\n![Seconds, at most 4.00](data:image/svg+xml;base64,")
    assert showing.bars("Seconds", [0.0]) == showing.bars("Seconds", []) == ""


def test_a_table_in_markdown():
    assert (
        showing.table(("", "rows"), [("drain", "2")])
        == "|  | rows |\n| --- | ---: |\n| drain | 2 |"
    )
