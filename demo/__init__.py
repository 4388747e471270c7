"""The host project: what a site that uses lifecycle and purge looks like."""
