"""Scheduled work: thin Prefect flows, each task of which is one call into `mi_core`.

`python -m flows` serves them all; what runs when stands in prefect.yaml.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""The folder of the project: flows run from there, by the .env that is there."""
