-- name: columns
-- Every column of the tables that a name without a schema finds: table, column.
SELECT relname, attname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
WHERE relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped AND pg_table_is_visible(pg_class.oid)

-- name: enable_trigger
ALTER TABLE {table} ENABLE TRIGGER {trigger}
