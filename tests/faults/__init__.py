"""Random lives of a small site under faults, and whether they end as they must.

    python -m tests.faults --seeds 0:30     so many schedules; a seed that breaks is named
    python -m tests.faults --seeds 17       one again, as it was

A schedule (`schedule.py`) is drawn from its seed: what the site and people do, and what goes wrong
meanwhile: a worker is killed, the server crashes or is stopped at once, lines are cut after COMMIT,
the store fails. Everything is real (`world.py`): a PostgreSQL, workers as processes, an S3 server.
What must have become of each row and file is worked out without the product (`oracle.py`).
"""
