"""Cells that are wrong or silent today: a key and a form, or `*` for all, a line each.

A line that is not needed any more is a fault, as is a bad cell that no line names.
"""

EXPECTED_WRONG: list[tuple[str, str]] = []
