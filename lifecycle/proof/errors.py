"""What the readers and checks of this package raise."""


class ProofError(ValueError):
    """A proof, note, tile or checkpoint is refused; the message says why."""


class Malformed(ProofError):
    """Not written as its specification says; nothing of it was used."""


class Unverified(ProofError):
    """Well written, and not proven: a signature, a hash or a size does not fit."""
