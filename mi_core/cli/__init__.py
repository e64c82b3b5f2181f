"""`mi`: the workspace's verbs on the command line.

Data goes to standard output, as tables or with `--json` as one JSON document; progress and errors
go to standard error. An error is one sentence and exit code 1; a command that can't be read is 2.
Everything heavy is imported by the command that needs it, so that `mi --help` is quick.
"""

from mi_core.cli import (
    attribution,
    config,
    coverage,
    definitions,
    enrich,
    funnel,
    journey,
    pages,
    people,
    privacy,
    retention,
    serve,
    spend,
    store,
    watch,
)
from mi_core.cli.app import app

COMMANDS = (
    store.init,
    store.ingest,
    coverage.coverage,
    spend.ingest_spend,
    people.score,
    people.user,
    journey.journey,
    attribution.attribution,
    funnel.funnel,
    retention.retention,
    retention.lifecycle,
    retention.stickiness,
    pages.report,
    pages.report_diff,
    pages.demo,
    watch.watch,
    watch.churn,
    serve.serve,
    privacy.export,
    privacy.forget,
    store.sql,
    store.maintain,
    store.doctor,
)
"""In the order of `mi --help`: functions of the modules beside, each a command under its name."""

for _command in COMMANDS:
    app.command()(_command)
app.add_typer(enrich.app, name="enrich")
app.add_typer(definitions.app, name="definitions")
app.add_typer(config.app, name="config")


def main() -> None:
    """Run the command line."""
    app(prog_name="mi")
