-- Whether a text is the name of a type, and nothing else.
SELECT to_regtype(%(type)s) IS NOT NULL
