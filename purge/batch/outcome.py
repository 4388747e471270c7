"""What a batch or a run did, in rows."""

from dataclasses import dataclass, replace

MEDIA = ""  # in place of a policy's name: on the agenda, in runs, for the pulse

#: seconds that part batches by how long they took; stored sums are by these: never change them
BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0]
STORED = ("tombstoned", "purged", "updated", "kept", "held", "blocked", "locked")  # of a run
SUMMED = (*STORED, "looked", "fresh", "cascaded", "sample")


@dataclass
class Outcome:
    """Counts of rows; `looked` were evaluated, `fresh` are those whose end began, `cascaded` those
    that went with others; `sample` are keys that a dry run shows.

    `stopped` says why the policy ends nothing, or nothing more; `halted` that a brake stopped it.
    """

    tombstoned: int = 0
    purged: int = 0
    updated: int = 0
    kept: int = 0
    held: int = 0
    blocked: int = 0
    locked: int = 0
    looked: int = 0
    fresh: int = 0
    cascaded: int = 0
    sample: tuple[str, ...] = ()
    stopped: str = ""
    halted: bool = False

    def copy(self) -> "Outcome":
        """The same counts, to go back to."""
        return replace(self)

    def add(self, other: "Outcome") -> None:
        """Add another's counts and sample to these."""
        for name in SUMMED:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def counts(self) -> dict[str, int]:
        """The counts that a run stores."""
        return {name: getattr(self, name) for name in STORED}
