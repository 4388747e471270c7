-- The keys of rows that are there, in order.
SELECT {column} FROM {table} WHERE {rows} ORDER BY 1
