"""What this app adds to `manage.py lifecycle`; see `lifecycle.management.extensions`."""
