"""The rendered page: self-contained, readable by all, and never half a page."""

import multiprocessing
import re
from concurrent.futures import ProcessPoolExecutor
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from attribution_samples import put_touches
from report_samples import AS_OF, fill
from stores import new_workspace

from mi_core.atomic import write_whole
from mi_core.errors import ReportError, UnknownName
from mi_core.ingest.classify import classification_version
from mi_core.reports import (
    FailedRun,
    Manifest,
    Shelf,
    catalogue,
    find_report,
    print_page,
    read_manifest,
    render,
    rendering,
)
from mi_core.reports.manifest import CLOSING, OPENING

NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "report-acquisition.ipynb"
FIGURES = {
    "acquisition": 7,
    "attribution": 9,
    "cohorts": 4,
    "costs": 0,
    "executive": 4,
    "health": 1,
    "magnetism": 6,
    "personas": 5,
}
"""Report → how many charts its page has."""
CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    with new_workspace(folder) as workspace, workspace.warehouse.publish("rows of the tests"):
        fill(workspace.warehouse)
        put_touches(workspace.warehouse)
        # As if it had typed them: there is nothing that it could type them from.
        version = classification_version(workspace.definitions)
        workspace.warehouse.sql(f"insert into lake.classification values ('{version}')")
    return folder


def test_every_report_is_looked_at():
    assert FIGURES.keys() == catalogue().keys()


@pytest.fixture(scope="module", params=FIGURES)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def page(workspace, name):
    parameters = {"days": 90, "as_of": AS_OF.isoformat()}
    text = render(workspace, find_report(name).notebook, parameters)
    return write_whole(workspace / "reports" / f"{name}.html", text)


class Page(HTMLParser):
    """Start tags with their attributes, and the text of styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.styles: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.tags and self.tags[-1][0] == "style":
            self.styles.append(data)


@pytest.fixture(scope="module")
def parsed(page):
    return Page(page.read_text())


def test_page_loads_nothing(parsed):
    loading = ("src", "srcset", "data", "poster", "background")
    found = [
        (tag, name, attributes[name])
        for tag, attributes in parsed.tags
        for name in loading
        if name in attributes
    ]
    found += [(tag, a.get("href")) for tag, a in parsed.tags if tag in ("link", "base", "use")]
    assert found == []
    assert re.findall(r"url\(|@import", "".join(parsed.styles)) == []


def test_page_forbids_itself_to_load_anything(parsed):
    policies = [a["content"] for _, a in parsed.tags if "http-equiv" in a]
    assert policies[0].startswith("default-src 'none'")


def test_every_figure_says_what_it_shows(parsed, name):
    plots = [a for _, a in parsed.tags if a.get("class") == "plot"]
    assert len(plots) == FIGURES[name]
    assert all(plot["role"] == "img" and len(plot["aria-label"]) > 40 for plot in plots)
    assert [tag for tag, _ in parsed.tags].count("figcaption") == FIGURES[name]
    assert [tag for tag, _ in parsed.tags].count("details") == FIGURES[name]


def test_page_has_language_skip_link_and_one_heading_of_all(parsed):
    assert ("html", {"lang": "en"}) in parsed.tags
    assert ("a", {"class": "skip", "href": "#content"}) in parsed.tags
    assert [tag for tag, _ in parsed.tags].count("h1") == 1


def test_page_can_be_made_again(page, name):
    manifest = read_manifest(page)
    assert manifest.report == name
    assert manifest.parameters == {"days": 90}
    assert manifest.as_of == AS_OF
    assert manifest.lake_snapshot
    assert manifest.packages["duckdb"]
    assert manifest.figures
    assert 1 <= len(manifest.summary) <= 12
    assert all(manifest.summary)
    assert "<" not in page.read_text().split(OPENING)[1].split(CLOSING)[0]


def test_links_inside_the_page_lead_somewhere(parsed):
    ids = {attributes.get("id") for _, attributes in parsed.tags}
    targets = {a["href"].removeprefix("#") for tag, a in parsed.tags if tag == "a"}
    assert targets <= ids


def test_page_is_small_and_holds_neither_code_nor_ids(page):
    text = page.read_text()
    assert len(text) < 2_000_000
    assert "distinct_id" not in text
    assert "open_workspace" not in text
    assert "alert(1)</script>" not in text
    assert "Lake snapshot" in text


def test_unknown_parameter_is_named_with_the_nearest(workspace, tmp_path):
    with pytest.raises(UnknownName, match="report parameter 'day'; did you mean 'days'"):
        render(workspace, NOTEBOOK, {"day": 30})


def test_missing_notebook(workspace, tmp_path):
    with pytest.raises(ReportError, match=r"no notebook .*nowhere\.ipynb"):
        render(workspace, tmp_path / "nowhere.ipynb")


def notebook_of(file, code):
    parameters = nbformat.v4.new_code_cell("workspace = ''", metadata={"tags": ["parameters"]})
    cells = [parameters, nbformat.v4.new_code_cell(code)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=KERNEL), file)
    return file


def test_what_was_asked_for_wrongly_is_one_sentence(workspace, tmp_path):
    code = """
from mi_core.errors import UnknownName
raise UnknownName("column", "campain", ["campaign"])
"""
    asked = notebook_of(tmp_path / "asked.ipynb", code)
    with pytest.raises(
        ReportError, match=r"^There is no column 'campain'; did you mean 'campaign'"
    ):
        render(workspace, asked)
    assert [file.name for file in tmp_path.iterdir()] == ["asked.ipynb"]


def without_charts():
    """Leave the code that draws them out of the pages of this process: putting it together takes
    longer than all the rest."""
    rendering._vega_js = str


def test_reports_may_be_rendered_at_the_same_time(workspace, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    slow = notebook_of(tmp_path / "slow.ipynb", "import time; time.sleep(1)")
    monkeypatch.setattr(rendering, "_vega_js", str)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawn, initializer=without_charts) as pool:
        pool.submit(without_charts).result()
        theirs = pool.submit(render, workspace, slow)
        ours = render(workspace, slow)
        assert ours == theirs.result()


def test_failing_notebook_is_told_by_its_cell_and_as_far_as_it_came(workspace, tmp_path):
    broken = notebook_of(tmp_path / "broken.ipynb", "1 / 0")
    with pytest.raises(FailedRun, match=r"broken\.ipynb failed, cell 3: ZeroDivisionError") as told:
        render(workspace, broken)
    assert b"ZeroDivisionError" in told.value.run
    assert [file.name for file in tmp_path.iterdir()] == ["broken.ipynb"]


def test_a_kernel_that_dies_is_a_failure_too(workspace, tmp_path):
    dying = notebook_of(tmp_path / "dying.ipynb", "import os; os._exit(1)")
    with pytest.raises(FailedRun, match=r"dying\.ipynb failed, .*[Kk]ernel died"):
        render(workspace, dying)


KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}

# --- in a browser


@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM.exists():
        pytest.skip("needs Chromium at /usr/bin/chromium")
    from playwright.sync_api import sync_playwright

    quiet = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=quiet)
        yield browser
        browser.close()


def open_page(browser, page, figures, *, width, scheme):
    """A tab with the page in it, offline, all of it drawn; what it asked for; what it said."""
    asked: list[str] = []
    said: list[str] = []
    context = browser.new_context(
        viewport={"width": width, "height": 844}, color_scheme=scheme, offline=True
    )
    tab = context.new_page()
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.goto(page.as_uri())
    tab.wait_for_function(
        "count => document.querySelectorAll('figure svg.marks').length === count", arg=figures
    )
    tab.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    return tab, asked, said


def violations(tab, *rules):
    from axe_playwright_python.sync_playwright import Axe

    # Without lists of what is well, which take as long to put together as the checks.
    options = {"resultTypes": ["violations"]} | ({"runOnly": list(rules)} if rules else {})
    found = Axe().run(tab, options=options).response["violations"]
    return [(each["id"], each["nodes"][0]["html"]) for each in found]


def test_page_in_a_browser(browser, page, name):
    tab, asked, said = open_page(browser, page, FIGURES[name], width=390, scheme="dark")

    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    assert violations(tab) == []
    tab.emulate_media(color_scheme="light")
    tab.set_viewport_size({"width": 1280, "height": 844})
    assert tab.evaluate("document.documentElement.scrollWidth") <= 1280
    assert violations(tab, "color-contrast") == []
    assert asked == [page.as_uri()]
    assert said == []
    tab.context.close()


def page_about(report: str) -> str:
    """A page of that report in which nothing is but what it is made from."""
    about = Manifest(report=report, title=find_report(report).title, parameters={}, as_of=AS_OF)
    text = f"{OPENING}{about.written()}{CLOSING}"
    return f'<!DOCTYPE html><html lang="en"><title>A page</title>{text}<p>Hello</p>'


def test_index_is_searched(browser, tmp_path):
    shelf, names = Shelf(tmp_path), ("acquisition", "attribution")
    for name in names:
        shelf.file(name, page_about(name))
    tab, asked, said = open_page(browser, shelf.page("index"), 0, width=390, scheme="dark")

    tab.get_by_role("searchbox").fill("ATTRIBUTION 2024")
    assert tab.locator("article:visible").count() == 1
    assert tab.get_by_role("status").text_content() == "1 report"
    tab.get_by_role("searchbox").fill("nobody says this")
    assert tab.locator("article:visible").count() == 0
    assert tab.get_by_role("status").text_content() == "No report has all of these words."
    tab.get_by_role("searchbox").fill("")
    assert tab.locator("article:visible").count() == 2
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    assert violations(tab) == []
    assert asked == [shelf.page("index").as_uri()]
    assert said == []
    tab.get_by_role("link", name=find_report("attribution").title).click()
    tab.wait_for_url("**/attribution.html")
    tab.context.close()


@pytest.mark.usefixtures("browser")
def test_page_is_printed(tmp_path):
    pdf = print_page(write_whole(tmp_path / "page.html", page_about("acquisition")))

    assert pdf.read_bytes().startswith(b"%PDF")


def test_without_a_browser_the_page_is_there_to_be_printed_by_hand(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ReportError, match=r"page\.html, but to print it needs Chromium"):
        print_page(tmp_path / "page.html")
