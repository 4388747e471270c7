"""Requests for erasure with a clock: opened, tried again, extended, answered."""
