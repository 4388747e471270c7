"""What the package costs and how fast it ends rows: `make bench`.

Everything is a ratio of two things done in turn on the same server, so that figures of different
machines can be compared; a database of its own is made for the run and dropped after it.
"""
