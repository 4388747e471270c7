-- A set of keys of one table in the type of its key; a span where integers are contiguous.
CREATE TYPE lifecycle.subjects AS (bigints bigint[], uuids uuid[], texts text[], span int8range)
