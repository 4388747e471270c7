"""Hostile hosts: types of keys on forms of tables, written in each way, through a row's life.

`python -m tests.hostile` prints docs/reference/hostile-hosts.md; `--all` takes the full product.
A new type of key is a line of `keys.KEYS`, a new form of table a line of `forms.FORMS`, a new way
to write a function of `writers`.
"""
