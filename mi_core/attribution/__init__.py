"""Multi-touch attribution: which marketing earned the conversions, by nine models side by side."""

from mi_core.attribution.attribute import attribute, attribute_paths
from mi_core.attribution.models import MODELS
from mi_core.attribution.paths import BY
from mi_core.attribution.result import UNATTRIBUTED, Attribution
from mi_core.attribution.touches import TouchCredit, touch_credits

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
