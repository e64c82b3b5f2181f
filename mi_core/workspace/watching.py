"""The watch, and whom it tells."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mi_core.instants import in_utc, not_in_future
from mi_core.workspace.base import Base

if TYPE_CHECKING:
    import polars as pl

    from mi_core.monitoring import Check, Delivery
    from mi_core.monitoring.looking import Looking


class Watching(Base):
    """Checks, alerts and churn notices."""

    def watch(self, as_of: datetime | None = None, *, notify: bool = False) -> "list[Check]":
        """Look at freshness, coverage, drift, enrichment and money; see `monitoring.watching`.

        Writes `reports/status.html`, and remembers since when what is so.

        Parameters
        ----------
        as_of
            Exclusive; default: now. As of an instant before the newest watch it only looks: nothing
            is written, and nobody is told.
        notify
            Tell the channels of MI_ALERT_URLS what they don't know yet.

        Raises
        ------
        BadValue
            `as_of` is still to come: watches until then would count as older.
        SettingsError
            With `notify`: there is no channel, or one that can't be read.
        NotDelivered
            A channel didn't take its message. The page is written all the same.
        """
        from mi_core.monitoring.watching import watch

        if as_of is not None:
            not_in_future("as_of", as_of)
        at = self._looking(as_of)
        return watch(at, self.keys, self.settings, notify=notify, is_live=as_of is None)

    def churn_list(self, as_of: datetime | None = None) -> "pl.DataFrame":
        """Whose churn risk has become high, of whom no service was told; see `monitoring.churn`."""
        from mi_core.monitoring.churn import churn_list

        return churn_list(self._looking(as_of))

    def send_churn(self) -> "Delivery":
        """Send these to MI_CHURN_WEBHOOK_URL, each person once; see `monitoring.churn_webhook`.

        Nobody is told of while the newest event is as old as rings an alert; `problem` says so.

        Raises
        ------
        SettingsError
            The webhook or its secret isn't set, or can't be read.
        """
        from mi_core.monitoring.churn_webhook import Webhook, send_churn

        return send_churn(self._looking(None), Webhook.of(self.settings))

    def _looking(self, as_of: datetime | None) -> "Looking":
        from mi_core.monitoring.looking import Looking

        moment = in_utc("as_of", as_of or datetime.now(UTC))
        self._keep_classified()
        return Looking(self.warehouse, self.state, self.definitions, moment)
