"""The story of `manage.py demo`, in three parts."""

from . import opening, signups, systems
from .frame import Step, Story, StoryError

STEPS: dict[str, Step] = opening.STEPS | signups.STEPS | systems.STEPS

__all__ = ["STEPS", "Step", "Story", "StoryError"]
