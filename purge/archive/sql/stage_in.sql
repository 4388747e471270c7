-- Values as the text that PostgreSQL gave when it was asked for them.
COPY pg_temp.purge_loading ({columns}) FROM STDIN
