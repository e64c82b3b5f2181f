"""What a notebook has beside the workspace: SQL in a cell of its own, and frames in full.

`%load_ext mi_core.notebook` gives both. SQL asks the notebook's variable `ws`, so that it goes over
the workspace's own connection and can only read. `told` shows sentences of a report.
"""

import re
from typing import TYPE_CHECKING

from mi_core.errors import BadValue
from mi_core.tables import Html
from mi_core.workspace import Workspace

if TYPE_CHECKING:
    import polars as pl
    from IPython.core.interactiveshell import InteractiveShell

ROWS, LETTERS = 20, 80
"""Of a frame that a cell shows."""


def load_ipython_extension(shell: "InteractiveShell") -> None:
    """Give the notebook `%sql` and `%%sql`, and show frames with whole ids and 20 rows."""
    import polars as pl
    from IPython.core.magic import no_var_expand

    pl.Config.set_tbl_rows(ROWS)
    pl.Config.set_fmt_str_lengths(LETTERS)

    @no_var_expand
    def sql(line: str, cell: str | None = None) -> "pl.DataFrame":
        """Ask the workspace `ws`: `%sql select …`, or a cell that begins with `%%sql`.

        The rows come as a Polars frame: `found = %sql select …`, or `%%sql found` over the cell,
        which shows it too. `$name` in the query stands for the notebook's variable `name`. Tables
        are named as in `user_event` or `lake.user_event`. It only reads.
        """
        name = line.split("--")[0].strip() if cell is not None else ""
        if name and not name.isidentifier():
            raise BadValue(
                f"%%sql takes a name for the rows, or nothing, not {name!r}; the query stands in"
                " the lines below it."
            )
        frame = _ask(shell, line if cell is None else cell)
        if name:
            shell.user_ns[name] = frame
        return frame

    shell.register_magic_function(sql, "line_cell", "sql")  # type: ignore[arg-type]


def told(markup: Html) -> Html:
    """What a report says, without its links to places on its own page."""
    return Html(re.sub(r'\s*<a href="#[^>]*>[^<]*</a>\.?', "", markup))


def _ask(shell: "InteractiveShell", query: str) -> "pl.DataFrame":
    workspace = shell.user_ns.get("ws")
    if not isinstance(workspace, Workspace):
        raise BadValue("%sql asks the workspace `ws`, which isn't there: ws = open_workspace().")
    named = set(re.findall(r"\$([A-Za-z_]\w*)", query)) & set(shell.user_ns)
    return workspace.sql(query, **{name: shell.user_ns[name] for name in named})
