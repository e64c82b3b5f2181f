"""Links to reports."""

from typing import Annotated

from pydantic import Field

from mi_core.api.models.base import Answer, Given, Utc, example


class LinkAsked(Given):
    """Which report somebody shall see, and for how long."""

    model_config = example(report="acquisition.html", days=7)

    report: str | None = Field(
        None, max_length=200, description="A file of /reports/; all of them where none is named."
    )
    days: Annotated[int, Field(ge=1, le=90)] = 7


class Link(Answer):
    """A path that needs no token until it ends."""

    model_config = example(
        path="/reports/acquisition.html?expires=1785000000&signature=…",
        expires_at="2026-07-25T17:20:00Z",
    )

    path: str
    expires_at: Utc
