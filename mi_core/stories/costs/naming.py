"""States of leads, savings, prices elsewhere and steps as a stakeholder reads them."""

from mi_core import words

STATES = {
    "completed": ("is completed", "are completed"),
    "partial": ("is completed but for a step", "are completed but for a step"),
    "open": ("waits, or is tried again", "wait, or are tried again"),
    "failed": ("failed for good", "failed for good"),
    "cancelled": ("was cancelled", "were cancelled"),
    "refused": ("was refused for its address", "were refused for their address"),
}
"""State → what one lead, and several, are said to be."""

STEPS = {"social": "Profiles", "company": "Company", "persona": "Persona", "all": "All steps"}

PROVIDERS = {"rapidapi": "RapidAPI", "perplexity": "Perplexity", "openai": "OpenAI"}

FOUND = {
    "any": "All leads",
    "profile": "a kept profile",
    "company": "a supported company fact",
    "persona": "a model's persona",
}

_SAVINGS = {
    "company_cache": "by asking once about each company",
    "result_cache": "by an answer for the same address kept from before",
    "free_mail": "since no company is behind a free mail address",
    "rules_sure": "where our rules were sure of the persona",
    "nothing_known": "where nothing was known that a model could go by",
    "disposable": "by refusing disposable addresses",
    "batch": "by waiting for a batch",
}

_PLACES = {
    "replaced_system": "the system that this one replaces",
    "clay": "Clay",
    "clay_launch": "Clay, plan Launch",
    "clay_growth": "Clay, plan Growth",
}


def saving(name: str) -> str:
    return _SAVINGS.get(name, f"by “{words.plain(name)}”")


def place(name: str) -> str:
    return _PLACES.get(name, words.plain(name).capitalize())


def provider(name: str) -> str:
    return PROVIDERS.get(name, name)


def step(name: str | None) -> str:
    return "–" if name is None else STEPS.get(name, words.plain(name).capitalize())
