"""What events mean, how scores are made, which channel brought whom, what is stored.

A value is stated once, in a TOML file of this folder, with its reason beside it. A workspace's
overlay has the same tables: its rows are added, its values replace those here, a list replaces a
list whole.
"""

from mi_core.definitions.changes import Change, changes
from mi_core.definitions.loading import definitions_from_config, load_definitions, merged
from mi_core.definitions.models import (
    AttributionRules,
    Event,
    FunnelStep,
    IntentRules,
    MagnetismRules,
    Persona,
    PersonaRule,
    SignalRule,
)
from mi_core.definitions.monitoring import Limit, MonitoringRules
from mi_core.definitions.prices import (
    EnrichmentRules,
    ModelPrice,
    OpenAIPrice,
    PerplexityPrice,
    ProviderPrice,
    micros,
)
from mi_core.definitions.tables import Definitions

__all__ = [
    "AttributionRules",
    "Change",
    "Definitions",
    "EnrichmentRules",
    "Event",
    "FunnelStep",
    "IntentRules",
    "Limit",
    "MagnetismRules",
    "ModelPrice",
    "MonitoringRules",
    "OpenAIPrice",
    "PerplexityPrice",
    "Persona",
    "PersonaRule",
    "ProviderPrice",
    "SignalRule",
    "changes",
    "definitions_from_config",
    "load_definitions",
    "merged",
    "micros",
]
