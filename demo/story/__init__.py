"""The story of `manage.py demo`, in four parts."""

from . import opening, proof, signups, systems
from .frame import Step, Story, StoryError

STEPS: dict[str, Step] = opening.STEPS | signups.STEPS | systems.STEPS | proof.STEPS

__all__ = ["STEPS", "Step", "Story", "StoryError"]
