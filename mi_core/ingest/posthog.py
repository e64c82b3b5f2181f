"""PostHog's query API: events page by page, no faster than it allows.

One query at a time, at a pace that leaves others some of the project's limit of 2,400 an hour. What
may pass is tried again: 408, 429, 5xx, connections that break, answers that are cut off. What won't
pass ends at once, with a sentence that says what to do. The key is in no message.
"""

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import count
from time import monotonic, sleep

import httpx

from mi_core.errors import PullError, SettingsError
from mi_core.ingest.posthog_page import Page, Place, UnreadablePage, page, question
from mi_core.settings import Settings

PAGE_ROWS = 10_000
"""PostHog allows 50,000; an event with all its properties takes some kilobytes."""
SPACING_SECONDS = 2.0
"""From one query's start to the next: 1,800 an hour."""
TRIES = 6
"""Of one page."""
BACKOFF_SECONDS = 2.0
"""Before the second try; twice as long before each further one."""
LONGEST_WAIT_SECONDS = 900.0
"""More than PostHog may ask us to wait is left to the next run."""
MOST_BYTES = 200_000_000
"""Of one answer; a larger one is asked for in smaller pages."""
WHOLE_ANSWER_SECONDS = 180.0
"""PostHog lets a query wait for 30 seconds and run for 10."""

_DAY = timedelta(days=1)
_SHORTEST, _LONGEST = timedelta(minutes=1), timedelta(days=32)
_PATIENCE = httpx.Timeout(60.0, connect=5.0)
_TAKES_LONG = (408, 504)

Telling = Callable[[str], None]


class _TooLarge(Exception):
    """The answer is larger than MOST_BYTES."""


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: httpx.Headers
    body: bytes


@dataclass
class PostHog:
    """One project's events. Not shared between threads."""

    host: str
    project_id: int
    key: str = field(repr=False)
    queries: int = 0
    """How many were sent."""
    limit: int = field(default_factory=lambda: PAGE_ROWS)
    _stretch: timedelta = _DAY
    _next_at: float = 0.0

    def pages(self, since: datetime, until: datetime, telling: Telling) -> Iterator[Page]:
        """The events with `since` <= timestamp < `until` (UTC, without a zone), in order.

        A query looks at one stretch of time, for PostHog sorts all of it for each page; where there
        are few events, the stretches get longer. `telling` is called before a longer wait.

        Raises
        ------
        PullError
            PostHog can't be reached, refuses, or answers something else. Pages before hold.
        """
        place = Place(since)
        # A redirect isn't followed: the key would go along.
        with httpx.Client(timeout=_PATIENCE, follow_redirects=False) as client:
            while place.at < until:
                found = self._page(client, place, until, telling)
                place = found.end
                yield found

    def _page(self, client: httpx.Client, place: Place, until: datetime, telling: Telling) -> Page:
        for attempt in count(1):
            end = min(until, place.at + self._stretch)
            asked = question(place, end, self.limit)
            try:
                answer = self._ask(client, asked)
                if answer.status == httpx.codes.OK:
                    found = page(answer.body, place, end, self.limit)
                    self._adapt(found)
                    return found
                trouble = self._trouble(answer)
                wait = _retry_after(answer.headers)
                takes_long = answer.status in _TAKES_LONG
            except _TooLarge:
                if self.limit == 1:
                    raise PullError("PostHog has an event that is too large to be read.") from None
                self.limit = max(1, self.limit // 4)
                trouble, wait, takes_long = "PostHog's answer is too large", 0.0, False
            except UnreadablePage:
                trouble, wait, takes_long = "PostHog's answer is cut off", None, False
            except httpx.TimeoutException:
                trouble, wait, takes_long = "PostHog takes too long to answer", None, True
            except (httpx.HTTPError, httpx.InvalidURL):
                trouble, wait, takes_long = f"{self.host} can't be reached", None, False
            if takes_long:
                self._stretch = max(_SHORTEST, self._stretch / 4)
            _pause(trouble, attempt, wait, telling)
        raise AssertionError

    def _ask(self, client: httpx.Client, asked: str) -> _Answer:
        sleep(max(0.0, self._next_at - monotonic()))
        started = monotonic()
        self._next_at = started + SPACING_SECONDS
        self.queries += 1
        request = {
            "query": {"kind": "HogQLQuery", "query": asked},
            "refresh": "force_blocking",  # it would answer from its cache otherwise
            "name": "mi ingest posthog",
        }
        url = f"{self.host}/api/projects/{self.project_id}/query/"
        headers = {"Authorization": f"Bearer {self.key}"}
        body = bytearray()
        with client.stream("POST", url, json=request, headers=headers) as response:
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise _TooLarge
                if monotonic() - started > WHOLE_ANSWER_SECONDS:
                    raise httpx.ReadTimeout("the answer drips in")
            return _Answer(response.status_code, response.headers, bytes(body))

    def _adapt(self, found: Page) -> None:
        """Longer stretches of time where pages stay short, shorter ones where they are full."""
        if found.is_full:
            self._stretch = max(_SHORTEST, min(self._stretch, _DAY) / 2)
        elif len(found.documents) < self.limit / 4:
            self._stretch = min(_LONGEST, self._stretch * 2)

    def _trouble(self, answer: _Answer) -> str:
        """What a passing fault is called.

        Raises
        ------
        PullError
            The fault is not a passing one.
        """
        status = answer.status
        if status == httpx.codes.TOO_MANY_REQUESTS:
            return "PostHog's rate limit is used up"
        if status == httpx.codes.REQUEST_TIMEOUT or status >= httpx.codes.INTERNAL_SERVER_ERROR:
            return f"PostHog answers {status}"
        raise PullError(self._refusal(status, answer.body))

    def _refusal(self, status: int, body: bytes) -> str:
        match status:
            case 401:
                return (
                    "PostHog doesn't know the key in MI_POSTHOG_API_KEY: make a personal API key"
                    " with the scope Query Read in PostHog's settings. Keys of the US, the EU and"
                    f" of an own PostHog differ; asked was {self.host}."
                )
            case 403:
                return (
                    "The key in MI_POSTHOG_API_KEY may not query project"
                    f" {self.project_id}: give it the scope Query Read and access to the project."
                )
            case 404:
                return (
                    f"There is no project {self.project_id} at {self.host}: see"
                    " MI_POSTHOG_PROJECT_ID and MI_POSTHOG_HOST; PostHog's project settings have"
                    " the id."
                )
            case 400:
                return f"PostHog refuses the query: {self._quoted(body)}"
            case _ if 300 <= status < 400:
                return f"{self.host} sends us elsewhere: set MI_POSTHOG_HOST to where it leads."
        return f"PostHog refuses the query with status {status}; MI_POSTHOG_HOST is {self.host}."

    def _quoted(self, body: bytes) -> str:
        """What PostHog says of a query that it refuses, on one line."""
        found = re.search(rb'"detail"\s*:\s*"((?:[^"\\]|\\.)*)"', body[:100_000])
        text = found.group(1).decode("utf-8", "replace") if found else "it doesn't say why"
        return f"{' '.join(text.replace(self.key, '…').split())[:300].rstrip('.')}."


def posthog_of(settings: Settings) -> PostHog:
    """PostHog as the settings have it.

    Raises
    ------
    SettingsError
        The project or the key is missing, or the key isn't one that may read.
    """
    missing = [
        name
        for name, value in (
            ("MI_POSTHOG_PROJECT_ID", settings.posthog_project_id),
            ("MI_POSTHOG_API_KEY", settings.posthog_api_key),
        )
        if value is None
    ]
    if missing:
        raise SettingsError(
            f"To pull from PostHog, set {' and '.join(missing)}: the project's id, and a personal"
            " API key with the scope Query Read."
        )
    assert settings.posthog_project_id is not None
    assert settings.posthog_api_key is not None
    key = settings.posthog_api_key.get_secret_value().strip()
    if not re.fullmatch("[!-~]{1,500}", key):
        raise SettingsError("MI_POSTHOG_API_KEY has characters that no key has.")
    if key.startswith("phc_"):
        raise SettingsError(
            "MI_POSTHOG_API_KEY is a project's token, with which events are sent; reading takes a"
            " personal API key (phx_…) with the scope Query Read."
        )
    return PostHog(settings.posthog_host.rstrip("/"), settings.posthog_project_id, key)


def _pause(trouble: str, attempt: int, asked: float | None, telling: Telling) -> None:
    """Wait before the next try, for as long as PostHog asks, or ever longer with some chance.

    Raises
    ------
    PullError
        That was the last try, or PostHog asks for more patience than there is.
    """
    if asked is not None and asked > LONGEST_WAIT_SECONDS:
        raise PullError(f"{trouble}; it asks to wait for {asked / 60:.0f} minutes.")
    if attempt >= TRIES:
        raise PullError(f"{trouble}, at each of {TRIES} tries.")
    # Chance, so that several who were refused together don't come back together.
    backoff = BACKOFF_SECONDS * 2 ** (attempt - 1) * random.uniform(0.5, 1.0)
    wait = backoff if asked is None else asked
    telling(f"{trouble}: trying again in {wait:.0f} s")
    sleep(wait)


def _retry_after(headers: httpx.Headers) -> float | None:
    """Seconds that the answer asks to wait, given as seconds or as a date; None if it doesn't."""
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d+)?", text):
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())
