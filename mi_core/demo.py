"""The whole way once, on synthetic people: an export, spend, scores, leads, reports."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from mi_core.errors import ReportError
from mi_core.ingest.classify import Progress, silent
from mi_core.ingest.spend import SpendSummary
from mi_core.ingest.summary import IngestSummary
from mi_core.scoring import ScoreSummary
from mi_core.settings import load_settings
from mi_core.workspace import open_workspace

if TYPE_CHECKING:
    from mi_core.enrichment.worker import Worked

EVENTS = 200_000
HISTORY = timedelta(weeks=8)
_NO_KEYS = {"rapidapi_key": None, "perplexity_api_key": None, "openai_api_key": None}
"""Nobody is paid to look for people who were made up."""


@dataclass(frozen=True)
class Demo:
    """What a demo made, and where it is."""

    export: Path
    workspace: Path
    ingested: IngestSummary
    spent: SpendSummary
    scored: ScoreSummary
    enriched: "Worked"
    index: Path
    """The page that lists the reports."""
    ended_on: date
    """The day of the last event, on which the leads ended."""


def run_demo(
    folder: Path, *, events: int = EVENTS, seed: int = 0, progress: Progress = silent
) -> Demo:
    """Make sample data in `folder/export` and take it through the workspace `folder/workspace`.

    The same arguments give the same figures; what an earlier demo left is taken up again.
    """
    from mi_core.synthetic import generate, write_leads

    progress("Inventing people", 0, 1)
    truth = generate(folder / "export", events=events, seed=seed)
    leads = folder / "export" / "leads.csv"
    write_leads(truth, leads)
    settings = load_settings().model_copy(update=_NO_KEYS)
    with open_workspace(folder / "workspace", settings=settings) as workspace:
        ingested = workspace.ingest([truth.events_folder], progress=progress)
        # What an earlier demo with other arguments left there goes by this one's file.
        spent = workspace.ingest_spend([truth.spend_file], replace=True)
        scored = workspace.score(truth.end, since=truth.end - HISTORY, progress=progress)
        # Before the instant that the reports are about, so that they show the leads.
        workspace.enrichment.clock = lambda: truth.end - timedelta(hours=1)
        workspace.enrichment.put_file(leads)
        enriched = workspace.enrichment.work(None, progress=progress)
        workspace.drain()
        reports = workspace.report_all(as_of=truth.end, progress=progress)
        index = workspace.shelf.page("index")
    if failures := [page for page in reports.values() if isinstance(page, ReportError)]:
        raise failures[0]
    made = (ingested, spent, scored, enriched, index)
    return Demo(folder / "export", workspace.path, *made, truth.end.date())
