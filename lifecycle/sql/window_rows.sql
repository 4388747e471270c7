-- How many rows are in windows that are due, counted no further than `most`.
SELECT count(*) FROM (SELECT FROM {table} WHERE {within} LIMIT %(most)s) AS counted
