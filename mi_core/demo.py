"""The whole way once, on synthetic people: an export, a workspace, spend, scores, reports."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from mi_core.ingest.classify import Progress, silent
from mi_core.ingest.spend import SpendSummary
from mi_core.ingest.summary import IngestSummary
from mi_core.scoring import ScoreSummary
from mi_core.workspace import open_workspace

EVENTS = 200_000
HISTORY = timedelta(weeks=8)
REPORTS = ("acquisition", "attribution")


@dataclass(frozen=True)
class Demo:
    """What a demo made, and where it is."""

    export: Path
    workspace: Path
    ingested: IngestSummary
    spent: SpendSummary
    scored: ScoreSummary
    reports: dict[str, Path]


def run_demo(
    folder: Path, *, events: int = EVENTS, seed: int = 0, progress: Progress = silent
) -> Demo:
    """Make sample data in `folder/export` and take it through the workspace `folder/workspace`.

    The same arguments give the same figures; what an earlier demo left is taken up again.
    """
    from mi_core.synthetic import generate

    progress("Inventing people", 0, 1)
    truth = generate(folder / "export", events=events, seed=seed)
    with open_workspace(folder / "workspace") as workspace:
        ingested = workspace.ingest([truth.events_folder], progress=progress)
        # What an earlier demo with other arguments left there goes by this one's file.
        spent = workspace.ingest_spend([truth.spend_file], replace=True)
        scored = workspace.score(truth.end, since=truth.end - HISTORY, progress=progress)
        reports = {}
        for done, name in enumerate(REPORTS):
            progress("Rendering the reports", done, len(REPORTS))
            reports[name] = workspace.report(name, as_of=truth.end)
    return Demo(folder / "export", workspace.path, ingested, spent, scored, reports)
