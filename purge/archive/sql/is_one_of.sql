-- Whether a table is one of some others; their names may have a schema or not.
SELECT coalesce(to_regclass(%(table)s) = ANY (
    SELECT to_regclass(other) FROM unnest(%(others)s::text[]) AS other), false)
