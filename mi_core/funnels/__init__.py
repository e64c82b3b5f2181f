"""Funnels: how many people take some steps one after the other, each within a window of the first.

What counts is what PostHog's funnels and ClickHouse's windowFunnel count: the furthest step that a
person reaches in any attempt. An attempt begins with each event that takes the first step.
"""

from mi_core.funnels.measure import BY, Funnel, funnel
from mi_core.funnels.plan import ORDERS

__all__ = ["BY", "ORDERS", "Funnel", "funnel"]
