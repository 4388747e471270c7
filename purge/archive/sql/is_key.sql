-- Whether no two rows of a table can have the same value in a column.
SELECT EXISTS (
    SELECT FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
    WHERE indrelid = to_regclass(%(table)s) AND indisunique AND indnkeyatts = 1
    AND indpred IS NULL AND attname = %(column)s)
