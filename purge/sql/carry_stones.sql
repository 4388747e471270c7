-- List rows again, one event for each tombstone among them.
SELECT lifecycle.write_v1(%(kind)s, %(policy)s, %(model)s, lifecycle.sorted_v1({subjects}),
    count(*), NULL, %(due)s::timestamptz, %(run)s,
    %(detail)s::jsonb || CASE WHEN stone.tombstone IS NULL THEN '{{}}'
                              ELSE jsonb_build_object('tombstone', stone.tombstone) END, NULL)
FROM unnest(%(keys)s::{kind}[]) AS state (key)
{stones}
GROUP BY stone.tombstone
