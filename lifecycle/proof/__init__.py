"""Transparency logs by their specifications: trees, tiles, notes, checkpoints, proofs.

Standard library only, and `cryptography` where something is signed or a signature checked. Nothing
here imports Django or the rest of `lifecycle`: who checks a certificate needs neither.
"""
