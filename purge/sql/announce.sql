-- Tell the DELETE trigger what the next statement is; an empty text ends it.
SELECT set_config('lifecycle.ending', %(ending)s, true)
