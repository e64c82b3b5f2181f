"""What is true of a generated export, to judge an analysis against."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

import numpy as np
import polars as pl

from mi_core.synthetic.acts import CAPTURE, PURCHASE, TRIAL
from mi_core.synthetic.journeys import DAY, Flags, Floats
from mi_core.synthetic.model import ARCHETYPES, CHANNELS, LOOKBACK_DAYS, Plan
from mi_core.synthetic.rows import Block
from mi_core.synthetic.texts import Longs, microseconds


@dataclass(frozen=True, slots=True)
class PersonaTruth:
    """An archetype's intercepts in log-odds per visit, and what came of them."""

    people: int
    trial_intercept: float
    purchase_intercept: float
    trials: int
    purchases: int


@dataclass(frozen=True, slots=True)
class ChannelTruth:
    """A channel's effect in log-odds on both hazards, and the conversions that it caused.

    `trials_caused` and `purchases_caused`: the expected number with all visits, less the expected
    number with this channel's visits taken away and all others as they are. What they add up to
    is not the number of conversions: effects multiply, and a conversion can need two channels.
    """

    effect: float
    visits: int
    trials_caused: float
    purchases_caused: float


@dataclass(frozen=True, slots=True)
class Truth:
    """A generated export's parameters and outcomes; model.py has the formulas.

    `events` counts distinct events, `delivered` the rows in the files, those delivered twice
    counted twice. Times are UTC.
    """

    folder: Path
    seed: int
    start: datetime
    end: datetime
    lookback_days: int
    people: int
    events: int
    delivered: int
    personas: dict[str, PersonaTruth]
    channels: dict[str, ChannelTruth]

    @property
    def events_folder(self) -> Path:
        """Where the export's files are."""
        return self.folder / "events"

    @property
    def spend_file(self) -> Path:
        """What the paid channels' campaigns cost by day, as `mi ingest-spend` takes it."""
        return self.folder / "spend.csv"

    def persons(self) -> pl.DataFrame:
        """One row per person: ids, persona, company size, times (null: never), probabilities.

        `distinct_id` is the id that the person ends with; `trial_probability` and
        `purchase_probability` are for the whole time, given the person's visits.
        """
        return pl.read_parquet(self.folder / "truth" / "people*.parquet").sort("distinct_id")

    def save(self) -> None:
        """Writes truth/truth.json."""
        document = asdict(self) | {
            "folder": None,
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
        }
        text = json.dumps(document, indent=2) + "\n"
        (self.folder / "truth" / "truth.json").write_text(text, encoding="utf-8")


def load_truth(folder: Path | str) -> Truth:
    """The truth beside an export that `generate` wrote into `folder`."""
    document = json.loads((Path(folder) / "truth" / "truth.json").read_text(encoding="utf-8"))
    return Truth(
        **document
        | {
            "folder": Path(folder),
            "start": datetime.fromisoformat(document["start"]),
            "end": datetime.fromisoformat(document["end"]),
            "personas": {k: PersonaTruth(**v) for k, v in document["personas"].items()},
            "channels": {k: ChannelTruth(**v) for k, v in document["channels"].items()},
        }
    )


def person_truth(plan: Plan, block: Block, people: pl.DataFrame) -> pl.DataFrame:
    """The rows of Truth.persons for one block."""
    conversions = block.conversions
    times = {
        "arrived_at": block.people.arrived,
        "captured_at": conversions.captured + CAPTURE,
        "trial_at": conversions.trial + TRIAL,
        "purchased_at": conversions.purchase + PURCHASE,
    }
    return people.select("anonymous", "known", "person_id").select(
        distinct_id=pl.when(pl.Series(np.isfinite(conversions.captured)))
        .then("known")
        .otherwise("anonymous"),
        anonymous_id="anonymous",
        person_id="person_id",
        persona=pl.Series(list(ARCHETYPES)).gather(block.people.archetype),
        employees=pl.Series(block.people.employees),
        has_consent=pl.Series(block.consent),
        **{name: _moments(plan, at) for name, at in times.items()},
        trial_probability=pl.Series(conversions.expected[:, 0]),
        purchase_probability=pl.Series(conversions.expected[:, 1]),
    )


def _moments(plan: Plan, at: Floats) -> pl.Series:
    happened = np.isfinite(at)
    moments = microseconds(plan, np.where(happened, at, 0.0))
    return pl.select(
        pl.when(pl.Series(happened)).then(pl.Series(moments).cast(pl.Datetime("us", "UTC")))
    ).to_series()


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums over people, which add up over blocks; one entry per archetype or channel."""

    people: Longs
    trials: Longs
    purchases: Longs
    visits: Longs
    daily_visits: Longs  # shape (channels, days)
    caused: Floats  # shape (channels, 2)
    events: int
    delivered: int

    def __add__(self, other: Self) -> Self:
        pairs = ((getattr(self, name), getattr(other, name)) for name in self.__slots__)
        return type(self)(*(mine + theirs for mine, theirs in pairs))

    def truth(self, folder: Path, plan: Plan) -> Truth:
        return Truth(
            folder,
            plan.seed,
            plan.start,
            plan.end,
            LOOKBACK_DAYS,
            int(self.people.sum()),
            self.events,
            self.delivered,
            {
                slug: PersonaTruth(
                    int(self.people[i]),
                    a.trial,
                    a.purchase,
                    int(self.trials[i]),
                    int(self.purchases[i]),
                )
                for i, (slug, a) in enumerate(ARCHETYPES.items())
            },
            {
                name: ChannelTruth(channel.effect, int(self.visits[i]), *self.caused[i].tolist())
                for i, (name, channel) in enumerate(CHANNELS.items())
            },
        )


def tally(plan: Plan, block: Block, people: int, events: int, delivered: int) -> Tally:
    """Of the block's first `people` people."""
    archetype = block.people.archetype[:people]
    conversions = block.conversions
    kept = block.visits.person < people
    channel, day = block.visits.channel[kept], (block.visits.at[kept] // DAY).astype(np.int64)
    size = len(CHANNELS) * plan.days

    def by_archetype(happened: Flags) -> Longs:
        return np.bincount(archetype[happened], minlength=len(ARCHETYPES))

    return Tally(
        by_archetype(np.full(people, True)),
        by_archetype(np.isfinite(conversions.trial[:people])),
        by_archetype(np.isfinite(conversions.purchase[:people])),
        np.bincount(channel, minlength=len(CHANNELS)),
        np.bincount(channel * plan.days + day, minlength=size).reshape(-1, plan.days),
        (conversions.expected[:people] - conversions.without[:, :people]).sum(axis=1),
        events,
        delivered,
    )
