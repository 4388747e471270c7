"""The clean-up commands: each shows what has come to its end, and has the engine end it.

None of them deletes anything itself. Holds, caps, pauses and graces count as they do for the
worker; what a command's options say otherwise than the policy is a one-time override, written into
the ledger with the name of who asked for it.
"""

from .command import Cleanup
from .ending import Ended, Mode
from .part import Part

__all__ = ["Cleanup", "Ended", "Mode", "Part"]
