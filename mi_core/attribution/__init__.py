"""Multi-touch attribution: which marketing earned the conversions, by nine models side by side."""

from mi_core.attribution.attribute import attribute, attribute_paths
from mi_core.attribution.models import MODELS
from mi_core.attribution.one_person import TouchCredit, touch_credits
from mi_core.attribution.paths import BY
from mi_core.attribution.result import UNATTRIBUTED, Attribution

__all__ = [
    "BY",
    "MODELS",
    "UNATTRIBUTED",
    "Attribution",
    "TouchCredit",
    "attribute",
    "attribute_paths",
    "touch_credits",
]
