"""Rows that are kept elsewhere: written, read back, compared, and only then deleted."""
