"""What words mean that several reports use, with the limits in force."""

from typing import TYPE_CHECKING

from mi_core import words
from mi_core.magnetism import AT_RISK

if TYPE_CHECKING:
    from mi_core.definitions import Definitions

Term = tuple[str, str]

PERSONA: Term = (
    "Persona",
    "The kind of customer a person most resembles, by behaviour or by what is known of them. A "
    "help for choosing the tone, not a fact about the person.",
)
CHURN_RISK: Term = (
    "Churn risk",
    "A rule of thumb for how likely a person is to leave, 0–100: the opposite of magnetism, higher "
    "after a silent week, lower for those who tried or bought. It is no probability.",
)
READY: Term = ("Ready to buy", "High or very high intent, and no purchase in the last 30 days.")
AT_RISK_TERM: Term = (
    "At risk",
    f"A churn risk of {AT_RISK} or more, for people who once bought, began a trial or left an "
    "address. Some of them look ready to buy as well.",
)
NO_CLEAR_CHANGE: Term = (
    "No clear change",
    "Chance alone could explain the difference. In brackets stands the 95 % interval: how large "
    "the true change may be. Days on which many act together make it wider still.",
)
TRIAL: Term = ("Trial", "A person is counted once, however often they began one.")


def intent(definitions: "Definitions") -> Term:
    rules = definitions.intent
    return (
        "Intent",
        f"How close a person is to buying, 0–100: what they did in the last {rules.window_days} "
        "days, how recently and how often. High is "
        f"{dict(rules.level_cuts)['medium']:g} or more.",
    )


def magnetism(definitions: "Definitions") -> Term:
    bands = [f"{words.plain(name)} below {cut:g}" for name, cut in definitions.magnetism.bands]
    return (
        "Magnetism",
        "How strongly a person is drawn back, 0–100: intent, regular use, returns, email clicks "
        f"and visits from social channels. Bands: {', '.join(bands)}, hot above.",
    )
