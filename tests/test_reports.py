"""What a page carries of its making, where pages lie, and how two are told apart."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from report_samples import fill
from stores import new_workspace

from mi_core import Workspace, open_workspace
from mi_core.erasure import files
from mi_core.errors import ReportError, SnapshotGone, UnknownName, WorkspaceError
from mi_core.ingest.classify import classification_version
from mi_core.reports import (
    FailedRun,
    Manifest,
    Shelf,
    catalogue,
    compare,
    find_report,
    making,
    order,
    print_page,
    printing,
    read_manifest,
)
from mi_core.reports.index_page import index_page
from mi_core.reports.manifest import CLOSING, OPENING
from mi_core.stories.acquisition import AcquisitionReport
from mi_core.stories.foot import figures, foot

AS_OF = datetime(2024, 6, 30)


def manifest(as_of: datetime = AS_OF, **more) -> Manifest:
    given = {"report": "acquisition", "title": "Who came", "parameters": {"days": 90}}
    return Manifest(**given | {"as_of": as_of, "summary": ["10 people came."], **more})


def write_page(file: Path, about: Manifest | None = None) -> Path:
    about = about or manifest()
    file.parent.mkdir(parents=True, exist_ok=True)
    head = f"<!DOCTYPE html><head>{OPENING}{about.written()}{CLOSING}</head>"
    file.write_text(f"{head}<body>{'x' * 200_000}</body>")
    return file


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "reports")


# --- manifests


def test_a_page_gives_back_its_manifest(tmp_path: Path):
    told = manifest(figures={"harm": "</script><script>alert(1)</script>", "long": "y" * 300_000})
    page = write_page(tmp_path / "page.html", told)

    assert read_manifest(page) == told
    assert "</script><script>" not in page.read_text()


def test_a_manifest_alone_is_read_as_well(tmp_path: Path):
    (tmp_path / "kept.json").write_text(manifest().model_dump_json())

    assert read_manifest(tmp_path / "kept.json") == manifest()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"<!DOCTYPE html><p>Hello</p>", "no page that mi report made"),
        (b'{"report": "acquisition"}', "no page that mi report made"),
        (b"\xff\xfe\x00", "neither a report's page nor a manifest"),
        (f"<head>{OPENING}{{}}".encode(), "no page that mi report made"),
    ],
)
def test_what_has_no_manifest_is_named(tmp_path: Path, content: bytes, complaint: str):
    (tmp_path / "other.html").write_bytes(content)

    with pytest.raises(ReportError, match=f"other.html .*{complaint}"):
        read_manifest(tmp_path / "other.html")


def test_a_page_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(ReportError, match=r"nowhere.html can't be read: No such file"):
        read_manifest(tmp_path / "nowhere.html")


def test_differences_are_named_by_where_they_are():
    steps = [{"step": "Landed", "people": 10}, {"step": "Bought", "people": 3}]
    fewer = [{"step": "Landed", "people": 10}, {"step": "Bought", "people": 2}]
    before = manifest(lake_snapshot=4, figures={"funnel": steps, "days": [{"n": 1}, {"n": 1}]})
    after = manifest(lake_snapshot=5, figures={"funnel": fewer, "days": [{"n": 1}, {"n": 2}]})

    found = [(each.what, each.before, each.after) for each in compare(before, after)]

    assert found == [
        ("lake_snapshot", 4, 5),
        ("funnel.Bought.people", 3, 2),
        ("days.2.n", 1, 2),
    ]
    assert compare(before, before) == []


def test_what_lies_in_the_state_differs_apart():
    """The field `days` of the state, beside the number of days that the page covers."""
    figures = {"days": [{"day": "1 June", "n": 1}], "budget": {"spent": 4}, "funnel": {"people": 3}}
    more = {"days": [{"day": "1 June", "n": 2}], "budget": {"spent": 5}, "funnel": {"people": 2}}
    before = manifest(figures=figures, of_state=["days", "budget", "gone"])
    after = manifest(figures=more, of_state=["days", "budget"], days=28)

    found = {each.what: each.is_of_state for each in compare(before, after)}

    apart = {"days.1 June.n": True, "budget.spent": True}
    assert found == {"days": False, "funnel.people": False} | apart
    assert Manifest.model_validate_json(before.written()).of_state == ["days", "budget", "gone"]


def test_what_only_one_page_has_differs():
    before, after = manifest(figures={"a": 1}), manifest(figures={"b": 2})

    found = [(each.what, each.before, each.after) for each in compare(before, after)]

    assert found == [("a", 1, None), ("b", None, 2)]


def test_pages_of_two_reports_are_not_compared():
    with pytest.raises(ReportError, match="of the report acquisition, the other of costs"):
        compare(manifest(), manifest(report="costs"))


# --- figures, from a lake


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    with new_workspace(folder) as workspace, workspace.warehouse.publish("rows of the tests"):
        fill(workspace.warehouse)
        version = classification_version(workspace.definitions)
        workspace.warehouse.sql(f"insert into lake.classification values ('{version}')")
    return folder


def test_the_foot_holds_every_figure(folder: Path):
    with open_workspace(folder) as workspace:
        report = AcquisitionReport.read(workspace, days=90)
        shown = foot(report, report.edition)

    found = shown._repr_mimebundle_()["application/vnd.mi.manifest+json"]
    people = [row["value"] for row in found["figures"]["headline"] if row["figure"] == "people"]
    assert people == [report.figure("people")[0]]
    assert found["lake_snapshot"] == report.edition.lake_snapshot
    assert json.loads(json.dumps(found)) == found
    assert f"Lake snapshot</dt><dd>{report.edition.lake_snapshot}" in shown


def test_a_long_table_is_told_by_its_hash(monkeypatch: pytest.MonkeyPatch, folder: Path):
    monkeypatch.setattr("mi_core.stories.foot.LONGEST", 3)
    with open_workspace(folder) as workspace:
        report = AcquisitionReport.read(workspace, days=90)

    assert figures(report)["coverage"].keys() == {"rows", "sha256"}


def test_the_same_figures_after_the_lake_has_moved_on(folder: Path):
    with open_workspace(folder) as workspace:
        then = figures(AcquisitionReport.read(workspace))
        snapshot, config = workspace.warehouse.snapshot(), workspace.definitions.version
        with workspace.warehouse.publish("someone less"):
            workspace.warehouse.sql("delete from lake.user_event where etype = 'purchase'")
        now = figures(AcquisitionReport.read(workspace))
    with open_workspace(folder, snapshot=snapshot, config=config) as past:
        again = figures(AcquisitionReport.read(past))
        with pytest.raises(WorkspaceError, match="can only be read"), past.warehouse.publish("no"):
            pass

    assert again == then
    assert now != then


def test_a_snapshot_that_is_gone_is_named(folder: Path):
    with pytest.raises(SnapshotGone, match=r"Lake snapshot 99 is not kept; there are some from 0"):
        open_workspace(folder, snapshot=99)


def test_definitions_that_never_were_are_named(folder: Path):
    with pytest.raises(UnknownName, match="no version of definitions '0123'"):
        open_workspace(folder, config="0123")


# --- the shelf


def page_of(about: Manifest | None = None) -> str:
    return f"<!DOCTYPE html><head>{OPENING}{(about or manifest()).written()}{CLOSING}</head>"


def test_the_newest_edition_keeps_its_name_and_the_others_their_day(shelf: Shelf):
    for day in (1, 2):
        shelf.file("acquisition", page_of(manifest(datetime(2024, 6, day))))

    assert [each.as_of.day for each in shelf.editions("acquisition")] == [2, 1]
    assert read_manifest(shelf.page("acquisition")).as_of == datetime(2024, 6, 2)
    assert shelf.editions("acquisition")[1].file.name == "2024-06-01T000000.html"


def test_a_page_about_the_past_goes_to_the_history_alone(shelf: Shelf):
    """However late it is done: what it is about decides, not when it was begun."""
    newest = shelf.file("acquisition", page_of(manifest(AS_OF)))
    earlier = shelf.file("acquisition", page_of(manifest(datetime(2024, 6, 1))))

    assert newest == shelf.page("acquisition")
    assert read_manifest(newest).as_of == AS_OF
    assert read_manifest(earlier).as_of == datetime(2024, 6, 1)
    assert earlier.relative_to(shelf.folder).as_posix() == (
        "history/acquisition/2024-06-01T000000.html"
    )


def test_the_oldest_editions_go_but_not_the_one_just_made(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("mi_core.reports.shelf.KEPT", 2)
    for day in (2, 4, 3):
        shelf.file("acquisition", page_of(manifest(datetime(2024, 6, day))))
    assert [each.as_of.day for each in shelf.editions("acquisition")] == [4, 3]

    oldest = shelf.file("acquisition", page_of(manifest(datetime(2024, 6, 1))))

    assert oldest.exists()
    assert [each.as_of.day for each in shelf.editions("acquisition")] == [4, 3, 1]


def test_a_print_of_the_page_before_goes(shelf: Shelf):
    pdf = shelf.file("acquisition", page_of()).with_suffix(".pdf")
    pdf.write_bytes(b"%PDF of yesterday")

    shelf.file("acquisition", page_of())

    assert not pdf.exists()


def test_a_failed_run_is_on_the_index_until_one_succeeds(shelf: Shelf):
    shelf.file("acquisition", page_of())
    shelf.fail("acquisition", "report-acquisition.ipynb failed, cell 3: <b>No.</b>")
    run = shelf.keep_run("acquisition", b"{}")

    index = (shelf.folder / "index.html").read_text()
    assert "cell 3: &lt;b&gt;No.&lt;/b&gt;</p>" in index
    assert "came to no page. The page before it stands." in index
    assert 'href="acquisition.html"' in index
    shelf.file("acquisition", page_of())
    assert shelf.failure("acquisition") is None
    assert not run.exists()
    assert "No." not in (shelf.folder / "index.html").read_text()


def test_a_report_that_only_ever_failed_is_on_the_index(shelf: Shelf):
    shelf.fail("attribution", "Nobody has been scored yet.")

    index = (shelf.folder / "index.html").read_text()
    assert find_report("attribution").title in index
    assert "There is no page yet." in index
    assert 'href="attribution.html"' not in index


def test_a_run_that_nobody_ended_is_on_the_index(shelf: Shelf):
    shelf.file("acquisition", page_of())
    shelf.begin("acquisition")

    assert "It hasn&#39;t ended, or was killed." in index_page(shelf)


def test_what_is_asked_for_is_in_the_name():
    usual = order("attribution")
    asked = order("attribution", days=7, more={"by": "campaign", "conversion": "purchase"})
    same = order("attribution", days=find_report("attribution").days)

    assert (usual.stem, usual.is_usual) == ("attribution", True)
    assert (asked.stem, asked.is_usual) == (
        "attribution-by-campaign-conversion-purchase-days-7",
        False,
    )
    assert same.stem == "attribution"


def test_an_instant_without_a_zone_is_in_utc(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert order("costs", as_of=AS_OF).parameters["as_of"] == "2024-06-30T00:00:00"
    finally:
        monkeypatch.undo()
        time.tzset()


# --- made in a workspace, by a rendering that costs nothing


@pytest.fixture
def opened(folder: Path, tmp_path: Path) -> Iterator[Workspace]:
    shutil.copytree(folder, tmp_path / "own")
    with open_workspace(tmp_path / "own") as workspace:
        yield workspace


def render_by(monkeypatch: pytest.MonkeyPatch, made: Callable[[str], str]) -> None:
    """Let pages be what `made` says of the report's name."""
    monkeypatch.setattr(
        making,
        "render",
        lambda _folder, notebook, _asked: made(notebook.stem.removeprefix("report-")),
    )


def test_one_that_fails_stops_no_other(opened: Workspace, monkeypatch: pytest.MonkeyPatch):
    def rendering(name: str) -> str:
        if name == "costs":
            raise FailedRun("report-costs.ipynb failed, Kernel died.", b"as far as it came")
        return page_of(manifest(report=name))

    render_by(monkeypatch, rendering)
    made = opened.report_all(["costs", "acquisition"])

    kept = opened.shelf.folder / "costs.failed.ipynb"
    assert made["acquisition"] == opened.shelf.page("acquisition")
    assert (
        str(made["costs"]) == f"report-costs.ipynb failed, Kernel died. Its run is kept in {kept}."
    )
    assert kept.read_bytes() == b"as far as it came"
    assert "Kernel died" in (opened.shelf.folder / "index.html").read_text()


def test_what_somebody_asked_for_in_vain_is_no_news(
    opened: Workspace, monkeypatch: pytest.MonkeyPatch
):
    def rendering(name: str) -> str:
        raise ReportError("There are no scores as of then.")

    render_by(monkeypatch, rendering)
    with pytest.raises(ReportError, match="no scores as of then"):
        opened.report("costs", as_of=AS_OF)

    assert opened.shelf.failure("costs") is None


def test_a_page_of_somebody_forgotten_meanwhile_is_never_seen(
    opened: Workspace, monkeypatch: pytest.MonkeyPatch
):
    before = opened.shelf.file("acquisition", page_of()).read_text()
    rendered: list[str] = []

    def rendering(name: str) -> str:
        rendered.append(name)
        if len(rendered) == 1:
            opened.forget("somebody@example.com")
        seen = [file.read_text() for file in opened.shelf.folder.rglob("*.html")]
        assert not any("of the first" in text for text in seen)
        told = "of the first" if len(rendered) == 1 else "of the second"
        return page_of(manifest(summary=[told], as_of=datetime(2024, 7, 1)))

    render_by(monkeypatch, rendering)
    page = opened.report("acquisition")

    assert rendered == ["acquisition", "acquisition"]
    assert read_manifest(page).summary == ["of the second"]
    assert page.read_text() != before


def test_a_page_that_changes_while_it_is_printed_has_no_print(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    page = tmp_path / "page.html"
    page.write_text("with her")

    def browser(command: list[str], **_: object) -> None:
        target = next(each for each in command if each.startswith("--print-to-pdf="))
        Path(target.partition("=")[2]).write_bytes(b"%PDF with her")
        page.unlink()

    monkeypatch.setattr(printing.shutil, "which", lambda name: name)
    monkeypatch.setattr(printing.subprocess, "run", browser)
    with pytest.raises(ReportError, match="has changed while it was printed"):
        print_page(page)

    assert list(tmp_path.iterdir()) == []


def test_a_print_without_its_page_may_be_of_anybody(tmp_path: Path):
    reports = tmp_path / "reports"
    reports.mkdir()
    for name in ("hers.html", "hers.pdf", "nobodys.html", "nobodys.pdf", "alone.pdf"):
        (reports / name).write_text("5f" * 16 if name == "hers.html" else "x")

    found = files.reports_with(tmp_path, ["5f" * 16])

    assert sorted(each.name for each in found) == ["alone.pdf", "hers.html", "hers.pdf"]


# --- the index


def test_the_index_has_the_newest_the_findings_and_the_history(shelf: Shelf):
    for day in (1, 2):
        shelf.file("acquisition", page_of(manifest(datetime(2024, 6, day))))
    asked = manifest(report="attribution", parameters={"days": 7, "by": "campaign"}, title="Who")
    shelf.file("attribution-by-campaign", page_of(asked))

    index = index_page(shelf, lambda path: f"/r/{path}?s=1")

    assert 'href="/r/acquisition.html?s=1"' in index
    assert 'href="/r/history/acquisition/2024-06-01T000000.html?s=1">1 June 2024' in index
    assert "1 earlier edition<" in index
    assert "10 people came." in index
    assert "Who (days: 7, by: campaign)" in index
    assert index.index("Every day") < index.index("On request")


def test_a_page_of_another_make_is_on_the_index_by_its_name(shelf: Shelf):
    shelf.folder.mkdir()
    (shelf.folder / "board-meeting.html").write_text("<p>By hand</p>")

    index = index_page(shelf)

    assert '<a href="board-meeting.html">board-meeting</a>' in index


def test_an_empty_index_says_how_to_make_a_report(shelf: Shelf):
    assert "None yet: <code>mi report</code> makes one." in index_page(shelf)


# --- the catalogue


def test_every_report_says_what_it_answers_and_when_it_is_due():
    assert {each.cadence for each in catalogue().values()} <= {"daily", "weekly"}
    for each in catalogue().values():
        assert each.question.endswith("?")
        assert each.days >= 1


def test_an_unknown_report_is_named_with_the_nearest():
    with pytest.raises(UnknownName, match="no report 'aquisition'; did you mean 'acquisition'"):
        find_report("aquisition")
