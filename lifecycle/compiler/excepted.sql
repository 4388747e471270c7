-- name: excepted
-- A part of other statements: whether an exception has the key. Few exceptions are read once and
-- hashed; of many only those with the rows' keys are read, for however many rows of others there are.
-- LIMIT tells the planner that the hash is small, OFFSET 0 that there is nothing to join.
-- parts: key, which
CASE WHEN EXISTS (SELECT FROM lifecycle_exception AS lc_one WHERE {which} OFFSET 1000)
    THEN EXISTS (SELECT FROM lifecycle_exception AS lc_one
                 WHERE {which} AND lc_one.key = {key} COLLATE "C" OFFSET 0)
    ELSE {key} COLLATE "C" IN (SELECT lc_one.key FROM lifecycle_exception AS lc_one
                               WHERE {which} LIMIT 1001) END
