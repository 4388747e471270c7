-- Rows that are back on purpose: their policies look at them now, and no tombstone of an earlier
-- life counts.
SELECT lifecycle.write_v1('loaded', %(policy)s::text, %(model)s::text,
    lifecycle.sorted_v1({subjects}), %(count)s::bigint, NULL, lifecycle.now_v1(), NULL,
    %(detail)s::jsonb, NULL)
