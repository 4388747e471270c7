"""What a site's tables are and how they grow, and which policy would suit each.

Only reads, and no large table: what is said of rows comes from the catalogue, the counters and the
planner's statistics. Nothing that is proposed here is in force; `write` puts it into files of an
app of the site, when it is told to.
"""
