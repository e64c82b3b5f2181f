"""What a person sees of a run in Prefect's UI: one page of Markdown per run, under the flow's name.

Its pictures are SVG inside the page: the UI leaves out SVG as HTML, and shows the address of an
image artifact under the image, which of an inlined one is very long.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from prefect.artifacts import create_markdown_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas import filters
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.runtime import flow_run

if TYPE_CHECKING:
    from mi_core.enrichment.costs import Costs
    from mi_core.enrichment.worker import Worked
    from mi_core.monitoring.check import Check
    from mi_core.monitoring.churn_webhook import Delivery
    from mi_core.refresh import Refreshed
    from mi_core.workspace import Maintenance

_BAD = ("warning", "alert")
_MOST_BARS = 48
_PIXELS = 12


def refreshed(
    done: "Refreshed",
    maintained: "Maintenance | None",
    checks: "Sequence[Check]",
    sent: "Delivery | None",
) -> None:
    """Rows, seconds per step and view, what the watch found, who was told of as leaving; how long
    the last runs took.
    """
    why = f" ({done.reason})" if done.reason else ""
    did = [
        f"{done.events_drained:,} events drained; {done.users_scored:,} people scored, "
        f"{done.users_recomputed:,} of them anew, as of {done.as_of:%Y-%m-%d %H:%M} UTC: "
        f"{done.mode}{why}."
    ]
    if maintained:
        did.append(
            f"Maintenance: {maintained.scorings_thinned:,} scorings thinned, "
            f"{maintained.inbox_rows_pruned:,} rows of the inbox pruned."
        )
    if sent:
        did.append(churn_notices(sent))
    did += [f"**{each.title}**: {each.sentence}" for each in checks if each.status in _BAD]
    steps = [(each.name, "", f"{each.seconds:.2f}") for each in done.steps]
    views = [(f"`{each.name}`", f"{each.rows:,}", f"{each.seconds:.3f}") for each in done.views]
    times = table(("", "rows", "seconds"), steps + views)
    _show(*did, times, bars("Seconds of the last runs", seconds_of_runs()))


def churn_notices(sent: "Delivery") -> str:
    """How many churn notices went out, and why others, or all, didn't."""
    waiting = f", {sent.waiting:,} wait" if sent.waiting else ""
    why = f" {sent.problem}" if sent.problem else ""
    return f"Churn notices: {sent.sent:,} sent{waiting}.{why}"


def enriched(worked: "Worked", costs: "Costs") -> None:
    """What became of the leads, and what leads cost day by day."""
    rows = [
        (each.provider, f"{each.calls:,}", f"{each.usd:.2f}", f"{each.held_usd:.2f}")
        for each in costs.providers
    ]
    by_day: dict[str, float] = {}
    for each in costs.days:
        by_day[str(each.day)] = by_day.get(str(each.day), 0.0) + each.usd + each.held_usd
    each_lead = "" if costs.usd_per_lead is None else f", ${costs.usd_per_lead:.3f} each"
    _show(
        f"Leads taken: {worked.taken}; {worked.completed} completed, {worked.failed} to be tried "
        f"again, {worked.failed_permanent} given up, {worked.put_off} put off.",
        *(each for each in (worked.stopped, worked.alert) if each),
        f"In 30 days: {costs.leads:,} leads{each_lead}, ${costs.spent_usd:.2f} spent, "
        f"${costs.held_usd:.2f} held, ${costs.saved_usd:.2f} saved.",
        table(("provider", "calls", "$ spent", "$ held"), rows),
        bars("Dollars by day", [by_day[day] for day in sorted(by_day)]),
    )


def rendered(
    titles: Mapping[str, str], pages: Mapping[str, Path], failed: Mapping[str, str | None]
) -> None:
    """Where each report's page is, or why there is no new one."""
    rows = [
        (titles[name], f"`{pages[name]}`" if name in pages else f"**failed**: {failed[name]}")
        for name in titles
    ]
    _show(f"{len(pages)} of {len(titles)} reports rendered.", table(("report", "page"), rows))


def seconds_of_runs(most: int = _MOST_BARS) -> list[float]:
    """How long the last completed runs of the flow under way took, oldest first."""
    with get_client(sync_client=True) as client:
        runs = client.read_flow_runs(
            flow_filter=filters.FlowFilter(name=filters.FlowFilterName(any_=[flow_run.flow_name])),
            flow_run_filter=filters.FlowRunFilter(
                state=filters.FlowRunFilterState(
                    type=filters.FlowRunFilterStateType(any_=[StateType.COMPLETED])
                )
            ),
            sort=FlowRunSort.START_TIME_DESC,
            limit=most,
        )
    return [run.total_run_time.total_seconds() for run in reversed(runs)]


def _show(about: str, *paragraphs: str) -> None:
    text = "\n\n".join(each for each in paragraphs if each)
    create_markdown_artifact(text, key=flow_run.flow_name, description=about)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---", *["---:"] * (len(heads) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, rule, *rows))


def bars(label: str, values: Sequence[float]) -> str:
    """A bar per value, with the highest written beside them, as an image in Markdown."""
    if not values or max(values) <= 0:
        return ""
    top, height = max(values), 80
    bars = "".join(
        f'<rect x="{n * _PIXELS}" y="{height - h:.1f}" width="{_PIXELS - 3}" height="{h:.1f}"/>'
        for n, h in enumerate(height * value / top for value in values)
    )
    width = _PIXELS * len(values)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width + 80}" height="{height}" '
        f'fill="#4c78a8">{bars}<text x="{width + 4}" y="12" font-family="sans-serif" '
        f'font-size="12" fill="#888888">{top:,.2f}</text></svg>'
    )
    address = f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"
    return f"{label}\n\n![{label}, at most {top:,.2f}]({address})"
