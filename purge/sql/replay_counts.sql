-- Rows found of a table: all, those that an update is to be repeated on, those that dates may tell.
SELECT count(*), count(*) FILTER (WHERE updates <> ''),
    count(*) FILTER (WHERE updates <> '' OR same IS NULL)
FROM purge_returned WHERE run = %(run)s AND model = %(model)s
