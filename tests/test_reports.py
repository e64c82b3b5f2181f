"""What a page carries of its making, where pages lie, and how two are told apart."""

import json
from datetime import datetime
from pathlib import Path

import pytest
from report_samples import fill
from stores import new_workspace

from mi_core import open_workspace
from mi_core.errors import ReportError, SnapshotGone, UnknownName, WorkspaceError
from mi_core.ingest.classify import classification_version
from mi_core.reports import Manifest, Shelf, catalogue, compare, find_report, read_manifest
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


def test_the_newest_edition_keeps_its_name_and_the_others_their_day(shelf: Shelf):
    for day in (1, 2):
        page = write_page(shelf.page("acquisition"), manifest(datetime(2024, 6, day)))
        shelf.file("acquisition", page)

    assert [each.as_of.day for each in shelf.editions("acquisition")] == [2, 1]
    assert read_manifest(shelf.page("acquisition")).as_of == datetime(2024, 6, 2)
    assert shelf.editions("acquisition")[1].file.name == "2024-06-01T000000.html"


def test_a_page_about_the_past_goes_to_the_history(shelf: Shelf):
    assert shelf.place("acquisition", datetime(2024, 6, 1)) == shelf.page("acquisition")
    shelf.file("acquisition", write_page(shelf.page("acquisition"), manifest(AS_OF)))

    earlier = shelf.place("acquisition", datetime(2024, 6, 1))

    assert earlier.relative_to(shelf.folder).as_posix() == (
        "history/acquisition/2024-06-01T000000.html"
    )
    assert shelf.place("acquisition", AS_OF) == shelf.page("acquisition")
    assert shelf.place("acquisition", None) == shelf.page("acquisition")


def test_the_oldest_editions_go(shelf: Shelf, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mi_core.reports.shelf.KEPT", 2)
    for day in (1, 3, 2):
        page = write_page(shelf.page("acquisition"), manifest(datetime(2024, 6, day)))
        shelf.file("acquisition", page)

    assert [each.as_of.day for each in shelf.editions("acquisition")] == [3, 2]


def test_a_print_of_the_page_before_goes(shelf: Shelf):
    page = write_page(shelf.page("acquisition"))
    page.with_suffix(".pdf").write_bytes(b"%PDF of yesterday")

    shelf.file("acquisition", page)

    assert not page.with_suffix(".pdf").exists()


def fail(shelf: Shelf, stem: str, why: str) -> None:
    with pytest.raises(ReportError), shelf.run(stem):
        raise ReportError(why)


def test_a_failed_run_is_on_the_index_until_one_succeeds(shelf: Shelf):
    shelf.file("acquisition", write_page(shelf.page("acquisition")))
    fail(shelf, "acquisition", "report-acquisition.ipynb failed, cell 3: <b>No.</b>")

    index = (shelf.folder / "index.html").read_text()
    assert "cell 3: &lt;b&gt;No.&lt;/b&gt; The page before it stands." in index
    assert 'href="acquisition.html"' in index
    with shelf.run("acquisition"):
        pass
    assert shelf.failure("acquisition") is None


def test_a_report_that_only_ever_failed_is_on_the_index(shelf: Shelf):
    fail(shelf, "attribution", "Nobody has been scored yet.")

    index = (shelf.folder / "index.html").read_text()
    assert find_report("attribution").title in index
    assert "There is no page yet." in index
    assert 'href="attribution.html"' not in index


def test_what_isnt_foreseen_is_no_failure_of_the_report(shelf: Shelf):
    with pytest.raises(KeyboardInterrupt), shelf.run("acquisition"):
        raise KeyboardInterrupt
    assert shelf.failure("acquisition") is None


def test_the_index_has_the_newest_the_findings_and_the_history(shelf: Shelf):
    for day in (1, 2):
        page = write_page(shelf.page("acquisition"), manifest(datetime(2024, 6, day)))
        shelf.file("acquisition", page)
    asked = manifest(report="attribution", parameters={"days": 90, "by": "campaign"}, title="Who")
    shelf.file("attribution-campaign", write_page(shelf.page("attribution-campaign"), asked))

    index = index_page(shelf, lambda path: f"/r/{path}?s=1")

    assert 'href="/r/acquisition.html?s=1"' in index
    assert 'href="/r/history/acquisition/2024-06-01T000000.html?s=1">1 June 2024' in index
    assert "1 earlier edition<" in index
    assert "10 people came." in index
    assert "Who (by: campaign)" in index
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
