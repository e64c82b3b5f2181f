"""What the routes share: parameters of paths and queries, and the errors that each may answer."""

from typing import Annotated, Any

from fastapi import Path, Query

from mi_core.api.models.base import LONGEST_ID, Problem, Window

_PRODUCT_ID = (
    "An id of the product (PostHog's distinct_id), percent-encoded, or a user_id of the tables."
)

PersonInPath = Annotated[
    str, Path(description=_PRODUCT_ID, min_length=1, max_length=LONGEST_ID, examples=["jane"])
]
"""Of a path that ends in `{user_id:path}`, for an id may hold slashes."""

PersonInQuery = Annotated[
    str,
    Query(
        alias="user_id",
        description=_PRODUCT_ID,
        min_length=1,
        max_length=LONGEST_ID,
        examples=["jane"],
    ),
]
WindowInQuery = Annotated[Window, Query(alias="window", description="Days that it looks back.")]
Days = Annotated[int, Query(ge=1, le=365, description="How many days to look back.", examples=[30])]

_WHY = {
    400: "The body is no JSON.",
    401: "There is no token, or a wrong one.",
    403: "The token is not for this.",
    404: "Nothing is known of that id.",
    413: "The body is too large.",
    422: "A value can't be; the sentence says why.",
    429: "Too many requests; the header says when to come again.",
    503: "Somebody else is writing for too long, or the service is starting or stopping.",
}


def problems(*more: int) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI says of errors: those that any route may answer, and `more`."""
    statuses = sorted({401, 403, 429, 503, *more})
    return {each: {"model": Problem, "description": _WHY[each]} for each in statuses}
