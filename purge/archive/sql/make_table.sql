-- A table for rows that are to be looked at, beside the one that they are from.
CREATE TABLE IF NOT EXISTS {table} ({columns}, PRIMARY KEY ({key}))
