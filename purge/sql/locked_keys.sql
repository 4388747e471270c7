-- The keys of rows that are there, in order.
SELECT {pk} FROM {table} WHERE {rows} ORDER BY {pk}
