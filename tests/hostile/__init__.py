"""Hosts whose models and databases are not what one would hope for."""
