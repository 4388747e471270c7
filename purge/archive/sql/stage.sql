-- Where a batch waits: the columns that are loaded, of the types that they are to have.
CREATE TEMP TABLE purge_loading ON COMMIT DROP AS SELECT {columns} FROM {table} WITH NO DATA
