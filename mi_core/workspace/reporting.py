"""Reports: rendered, kept, made again."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mi_core.atomic import write_whole
from mi_core.errors import ReportError
from mi_core.ingest.classify import Progress, silent
from mi_core.ingest.erased import again_if_overtaken, check_not_overtaken
from mi_core.workspace.base import Base

if TYPE_CHECKING:
    from mi_core.reports import Difference, Order, Shelf


class Reporting(Base):
    """Pages, and where they lie."""

    @again_if_overtaken
    def report(
        self,
        name: str = "acquisition",
        *,
        as_of: datetime | None = None,
        days: int | None = None,
        out: Path | None = None,
        pdf: bool = False,
        **more: object,
    ) -> Path:
        """Render the report `name` and return its page; see `reports.render`.

        Parameters
        ----------
        as_of
            The instant of a scoring; default: the newest.
        days
            How many it covers; default: as the report has it.
        out
            Where to write it; default: `reports/` in the workspace, under the names of the report
            and of what `more` asks for. There its editions are kept, and all are in `index.html`;
            one about an earlier instant than the newest goes to the history at once.
        pdf
            Also print it, to a file beside it; needs Chromium.
        more
            Other parameters of the report's notebook, such as `by="campaign"` of `attribution`.

        Raises
        ------
        ReportError
            It can't be rendered; the page before it stays.
        UnknownName
            There is no such report, or it has no such parameter.
        """
        from mi_core.reports import order, print_page

        asked = order(name, as_of=as_of, days=days, out=out, more=more)
        [page] = self._make([asked], silent).values()
        if isinstance(page, ReportError):
            raise page
        if pdf:
            print_page(page, self.warehouse.lock())
        return page

    @again_if_overtaken
    def report_all(
        self,
        names: Iterable[str] | None = None,
        *,
        as_of: datetime | None = None,
        progress: Progress = silent,
    ) -> "dict[str, Path | ReportError]":
        """Render several reports, side by side; by default all that there are.

        Returns each report's page, or why there is none: one that fails stops no other.
        """
        from mi_core.reports import catalogue, order

        wanted = list(catalogue()) if names is None else list(names)
        return self._make([order(name, as_of=as_of) for name in wanted], progress)

    def _make(
        self, orders: "Sequence[Order]", progress: Progress
    ) -> "dict[str, Path | ReportError]":
        """Render, and keep what is not of somebody who was forgotten meanwhile."""
        from mi_core.reports import rendered

        made: dict[str, Path | ReportError] = {}
        snapshot = self.warehouse.snapshot()
        for asked in orders:
            if asked.is_usual:
                self.shelf.begin(asked.stem)
        progress("Rendering reports", 0, len(orders))
        for asked, page in rendered(self.path, orders):
            # Under the lock that an erasure takes: it comes before this, or finds what is written.
            with self.warehouse.lock():
                check_not_overtaken(self.warehouse, snapshot)
                made[asked.name] = self._kept(asked, page)
            progress("Rendering reports", len(made), len(orders))
        return {asked.name: made[asked.name] for asked in orders}

    def _kept(self, asked: "Order", page: "str | ReportError") -> "Path | ReportError":
        """Where a page is now; or the failure, told to whoever looks at the index."""
        if isinstance(page, str):
            return write_whole(asked.out, page) if asked.out else self.shelf.file(asked.stem, page)
        if run := getattr(page, "run", None):
            beside = asked.out and write_whole(asked.out.with_suffix(".failed.ipynb"), run)
            kept = beside or self.shelf.keep_run(asked.stem, run)
            page = ReportError(f"{page} Its run is kept in {kept}.")
        if asked.is_usual:
            self.shelf.fail(asked.stem, str(page))
        return page

    @again_if_overtaken
    def report_again(
        self, page: Path, *, out: Path | None = None
    ) -> "tuple[Path, list[Difference]]":
        """Make a page again from its manifest; returns the new page and what differs in it.

        From the lake's snapshot of then, by the definitions of then. Where the lake keeps that no
        longer, from what it holds now, as of the same instant.

        Parameters
        ----------
        page
            A page that `report` made, wherever it is now, or its manifest alone.
        out
            Where to write it; default: `reports/again/` in the workspace.

        Raises
        ------
        ReportError
            The file has no manifest, or it can't be rendered.
        """
        from mi_core import reports

        then = reports.read_manifest(page)
        parameters = dict(then.parameters) | {"config": then.definitions}
        if then.as_of:
            parameters["as_of"] = then.as_of.isoformat()
        if then.lake_snapshot is not None and self.warehouse.has_snapshot(then.lake_snapshot):
            parameters["snapshot"] = then.lake_snapshot
        # An earlier edition has its day alone for a name.
        named = page.stem if page.stem.startswith(then.report) else f"{then.report}-{page.stem}"
        target = out or self.shelf.folder / "again" / f"{named}.html"
        now = self.warehouse.snapshot()
        text = reports.render(self.path, reports.find_report(then.report).notebook, parameters)
        with self.warehouse.lock():
            check_not_overtaken(self.warehouse, now)
            again = write_whole(target, text)
        return again, reports.compare(then, reports.read_manifest(again))

    @cached_property
    def shelf(self) -> "Shelf":
        """The pages of reports in this workspace."""
        from mi_core.reports import Shelf

        return Shelf(self.path / "reports")
