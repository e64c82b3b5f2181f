"""Messages to any channel that Apprise knows: Slack, mail, ntfy, Teams, a JSON webhook.

The addresses hold secrets. They stay in this module: what is logged, raised or returned names a
channel by its kind, such as `slack`, alone.
"""

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from typing import Any

from mi_core.errors import SettingsError
from mi_core.settings import Settings

_BETWEEN = re.compile(r"[\s,]+(?=[A-Za-z0-9]+://)")
"""A comma is between two addresses only where the next one begins behind it."""
_TALKATIVE = ("apprise", "urllib3", "requests")
"""Loggers that repeat addresses."""


@dataclass(frozen=True)
class Channel:
    """One address; `schema` is its kind."""

    schema: str
    address: str = field(repr=False)

    def send(self, title: str, body: str) -> bool:
        """Whether the message was taken; why it wasn't may hold the address, so nobody says."""
        apprise = _apprise()
        with _silent():
            try:
                to = apprise.Apprise(self.address, asset=_asset())
                return bool(to.notify(body, title, body_format=apprise.NotifyFormat.TEXT))
            except Exception:
                return False


def channels(settings: Settings) -> list[Channel]:
    """The channels of MI_ALERT_URLS.

    Raises
    ------
    SettingsError
        There is none, or one can't be read; the message tells its number and kind alone.
    """
    text = settings.alert_urls.get_secret_value() if settings.alert_urls else ""
    addresses = [each for each in _BETWEEN.split(text.strip(" ,\n")) if each]
    if not addresses:
        raise SettingsError(
            "MI_ALERT_URLS isn't set, so there is nobody to tell; docs/monitoring.md has examples."
        )
    return [_channel(number, each) for number, each in enumerate(addresses, start=1)]


def send(settings: Settings, title: str, body: str) -> list[str]:
    """Send a message to all channels; returns the kinds of those that didn't take it.

    Raises
    ------
    SettingsError
        As of `channels`.
    """
    return [each.schema for each in channels(settings) if not each.send(title, body)]


def _channel(number: int, address: str) -> Channel:
    schema, between, _ = address.partition("://")
    schema = schema.lower()
    if not between or schema not in _schemas():
        near = get_close_matches(schema, _schemas(), n=1, cutoff=0.8) if between else []
        hint = f"; did you mean {near[0]}://?" if near else "."
        raise SettingsError(
            f"MI_ALERT_URLS: address {number} begins with nothing that Apprise knows, such as"
            f" slack://, mailto:// or ntfys://{hint}"
        )
    with _silent():
        if _apprise().Apprise.instantiate(address) is None:
            raise SettingsError(
                f"MI_ALERT_URLS: address {number}, of {schema}, lacks something that Apprise asks"
                " of such an address; docs/monitoring.md has examples."
            )
    return Channel(schema, address)


@cache
def _schemas() -> frozenset[str]:
    """The kinds of addresses that there are."""
    plugins = _apprise().manager_plugins.NotificationManager()
    return frozenset(plugins.schemas())


@cache
def _apprise() -> Any:
    """Apprise; its import warns of a module that Python 3.13 hasn't, and that it can do without."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import apprise
        from apprise.manager_plugins import NotificationManager

        # It loads them once, at the first question.
        NotificationManager().schemas()  # type: ignore[no-untyped-call]
    return apprise


def _asset() -> Any:
    """Who sends, in channels that show it; without pictures, which are loaded from elsewhere."""
    return _apprise().AppriseAsset(
        app_id="Marketing intelligence",
        app_desc="Marketing intelligence",
        app_url="",
        image_url_mask="",
        image_url_logo="",
    )


@contextmanager
def _silent() -> Iterator[None]:
    """Nothing that Apprise and what it sends with would log, while the block runs."""
    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    # A child of theirs asks its own level first.
    loggers += [
        logging.getLogger(name)
        for name in list(logging.root.manager.loggerDict)
        if name.startswith(tuple(f"{each}." for each in _TALKATIVE))
    ]
    before = [each.disabled for each in loggers]
    for each in loggers:
        each.disabled = True
    try:
        yield
    finally:
        for each, was in zip(loggers, before, strict=True):
            each.disabled = was
