"""A small site whose models, policies and packages change, by real migrations."""
