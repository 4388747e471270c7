-- The rows that were not loaded: their keys, and whether a row with that key is there.
SELECT loading.{key}::{kind}::text,
    EXISTS (SELECT FROM {table} AS own WHERE own.{key} = loading.{key})
FROM pg_temp.purge_loading AS loading
WHERE loading.{key}::{kind}::text NOT IN (SELECT unnest(%(loaded)s::text[])) ORDER BY loading.{key}
