"""The cost report's tables: what each provider took, what was spared, what failed, the words."""

from typing import TYPE_CHECKING

from mi_core import words
from mi_core.stories import telling
from mi_core.stories.costs import naming
from mi_core.stories.costs.figures import FOLLOWED_DAYS
from mi_core.stories.costs.money import of_each, usd
from mi_core.tables import Column, Html, definitions, sentence, table

if TYPE_CHECKING:
    import polars as pl

    from mi_core.stories.costs.figures import CostReport

_LOCAL = (
    "No provider was asked for money in this period: each step was answered by our own rules, "
    "which know no more than behaviour does."
)


def providers(report: "CostReport") -> Html:
    """What the calls to each provider cost, and how they ended."""
    if not report.calls.height:
        return sentence(_LOCAL if report.ended["leads"] else "No provider was asked.")
    columns = {
        "provider": Column("Provider", naming.provider),
        "step": Column("For", naming.step),
        "calls": Column("Calls", words.number, is_figure=True),
        "failed": Column("Failed", words.number, is_figure=True),
        "cached": Column("From a cache", words.number, is_figure=True),
        "cost_micros": Column("Cost", usd, is_figure=True),
        "held_micros": Column("Held", usd, is_figure=True),
        "failed_micros": Column("Of it for failed calls", usd, is_figure=True),
    }
    return table(report.calls, columns, caption="Calls, and what they cost")


def waits(report: "CostReport") -> Html:
    """How long each provider took to answer."""
    asked = report.calls.filter(report.calls["median_ms"].is_not_null())
    if not asked.height:
        return sentence("No call was timed in this period.")
    columns = {
        "provider": Column("Provider", naming.provider),
        "step": Column("For", naming.step),
        "median_ms": Column("Half are faster than", _seconds, is_figure=True),
        "p95_ms": Column("19 of 20 are faster than", _seconds, is_figure=True),
    }
    return table(asked, columns, caption="How long calls took")


def savings(report: "CostReport") -> Html:
    """What was not paid for, and why."""
    import polars as pl

    if not report.savings:
        return sentence("Nothing was spared: no provider would have been paid otherwise.")
    rows = [
        {
            "why": _capital(naming.saving(each["name"])),
            "step": naming.step(each["step"]),
            "times": each["times"],
            "micros": "not known" if each["micros"] is None else usd(each["micros"]),
        }
        for each in sorted(report.savings, key=lambda each: -(each["micros"] or 0))
    ]
    columns = {
        "why": Column("Why nothing was paid"),
        "step": Column("Step"),
        "times": Column("Times", words.number, is_figure=True),
        "micros": Column("Spared", is_figure=True),
    }
    caption = "At what our own paid calls of the step cost; not known where there was none"
    return table(pl.DataFrame(rows), columns, caption=caption)


def errors(report: "CostReport") -> Html:
    """What failed, the most frequent first."""
    if not report.errors.height:
        return sentence("No lead and no call of this period has an error.")
    columns = {
        "kind": Column("Error"),
        "leads": Column("Leads", words.number, is_figure=True),
        "calls": Column("Calls", words.number, is_figure=True),
        "last_at": Column("Last", words.day, is_figure=True),
    }
    return table(report.errors, columns, caption="Errors, the most frequent first")


def places(report: "CostReport") -> "pl.DataFrame":
    """What a lead costs here, may cost, and costs elsewhere: label and micros, the least first."""
    import polars as pl

    rows = [("The aim, at most", report.aims.lead_micros, False)]
    rows += [
        (f"{_capital(naming.place(name))}{_priced(each['priced_on'])}", each["micros"], False)
        for name, each in report.elsewhere.items()
    ]
    ours = of_each(report.ended["compared_micros"], report.ended["compared"])
    if ours is not None:
        rows = [("Here", round(ours), True), *rows]
    return pl.DataFrame(
        [(label, micros, usd(micros), is_ours) for label, micros, is_ours in rows],
        schema=["label", "micros", "text", "is_ours"],
        orient="row",
    )


def glossary(report: "CostReport") -> Html:
    """What the words of the report mean, with the limits in force."""
    aims = report.aims
    return definitions(
        [
            (
                "Lead",
                "A person with an address, whose profiles, company and persona are asked for.",
            ),
            (
                "Completed",
                "Ended with all steps, or but for one. Of all that ended; what was refused at the "
                f"door, for no or a throw-away address, isn't counted. Aim: "
                f"{words.percent(aims.success)}.",
            ),
            (
                "Failed for good",
                "All tries are used up; the address waits for another "
                f"{aims.dead_letter_days:g} days, encrypted.",
            ),
            (
                "Cost of a lead",
                "What all calls for the leads that ended cost, what is held counted as spent, by "
                f"the number of these leads. Aim: below {usd(aims.lead_micros)}.",
            ),
            (
                "Held",
                "The most that a call can cost, while nobody knows what it did: it is under way, "
                "or its answer was lost. It counts against the caps.",
            ),
            (
                "Caps",
                f"{usd(aims.day_cap_micros)} a day and {usd(aims.month_cap_micros)} a month, UTC; "
                f"a warning at {words.percent(aims.alert_share)}.",
            ),
            (
                "Spared",
                "A step that a provider was at hand for and that nobody was paid for, at the "
                "average of our own paid calls.",
            ),
            (
                "Followed",
                f"For {FOLLOWED_DAYS} days from when it ended, each lead alike; those that had "
                "begun a trial, or bought, before that are left out.",
            ),
            ("In brackets", telling.CLEAR),
            (
                "As it is now",
                "What became of leads is the state of the queue when the page was made; the "
                "figures of money are those of the ledger.",
            ),
        ]
    )


def _seconds(milliseconds: int | None) -> str:
    if milliseconds is None:
        return "–"
    return f"{milliseconds} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"


def _priced(day: object) -> str:
    return f" ({day:%B %Y})" if day else ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
