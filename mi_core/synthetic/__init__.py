"""Synthetic PostHog exports with a known truth: a seeded generator of any size.

`generate` writes the files, what campaigns cost among them, and returns the `Truth`; model.py
states the model in full.
"""

from mi_core.synthetic.generator import generate
from mi_core.synthetic.leads import write_leads
from mi_core.synthetic.truth import ChannelTruth, PersonaTruth, Truth, load_truth

__all__ = ["ChannelTruth", "PersonaTruth", "Truth", "generate", "load_truth", "write_leads"]
