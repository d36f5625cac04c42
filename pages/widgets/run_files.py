"""A visitor's runs: which they have, and how to take one away, bring it back or delete it."""

import streamlit as st

from llm_core.training.runs import Run
from pages.widgets.catalog import Lesson
from pages.widgets.prose import show_prose
from pages.widgets.training import launcher


def take_away(lesson: Lesson, run: Run, *, own: bool) -> None:
    """Offer the run as one file; its owner may also delete it."""


def bring_back(lesson: Lesson, owner: str) -> None:
    """Take a run's file in."""


def own_runs(owner: str, shown: Run | None) -> None:
    """List the visitor's other runs, as links."""
